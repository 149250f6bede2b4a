"""Figures and tables of several runs together, made from their folders alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from matplotlib.figure import Figure

from creep_fem.errors import ConfigError, Problem
from creep_fem.report import style
from creep_fem.report.first_swelling import first_swelling_figure
from creep_fem.report.group_curves import LOOKS
from creep_fem.report.group_pores import group_pores_figure
from creep_fem.report.over_cycles import (
    CONTACT,
    CONTACT_KEPT,
    PRESSURE_AND_POROSITY,
    STRESS,
    over_cycles_figure,
)
from creep_fem.report.tables import extent, markdown_text, number, rows_as_csv
from creep_fem.results.comparison import ComparedValue, compare
from creep_fem.results.errors import writing
from creep_fem.results.first_swelling import ValueAtSoc, tabulate
from creep_fem.results.groups import RunGroup
from creep_fem.results.pore_change import PoreSummary, summarise
from creep_fem.results.targets import Targets

_OVER_CYCLES: Final = {
    "contact_over_cycles": CONTACT,
    "contact_kept_over_cycles": CONTACT_KEPT,
    "stress_over_cycles": STRESS,
    "pressure_and_porosity_over_cycles": PRESSURE_AND_POROSITY,
}
_STATISTICS: Final = "Mean, standard deviation of the sample and range over the runs of a label."


def report_runs(groups: Sequence[RunGroup], targets: Targets, output: Path) -> list[Path]:
    """Draw groups of runs beside each other and tabulate their numbers.

    Args:
        groups: The groups.
        targets: Values to compare with.
        output: Existing folder; its figures and tables of the same names are replaced.

    Returns:
        The figures (PNG) and the tables, each as CSV and Markdown.

    Raises:
        ConfigError: If there are more groups than can be told apart in a figure.
        ResultError: If a file cannot be written.
    """
    if len(groups) > len(LOOKS):
        labels = ", ".join(group.label for group in groups)
        problem = Problem("(labels)", "a figure cannot hold so many", labels, f"up to {len(LOOKS)}")
        raise ConfigError("runs to report", [problem])
    tables = _tables(groups, targets)
    with writing(output), style.figure_style():
        files = [
            style.save(draw(), output / f"{name}.png")
            for name, draw in _drawings(groups, targets).items()
        ]
        for name, text in tables.items():
            (output / name).write_text(text, encoding="utf-8")
    return [*files, *(output / name for name in tables)]


def _drawings(groups: Sequence[RunGroup], targets: Targets) -> dict[str, Callable[[], Figure]]:
    drawings: dict[str, Callable[[], Figure]] = {
        name: partial(over_cycles_figure, groups, targets, panels)
        for name, panels in _OVER_CYCLES.items()
    }
    drawings["over_first_lithiation"] = partial(first_swelling_figure, groups)
    drawings["pores_first_cycle"] = partial(group_pores_figure, groups, targets)
    return drawings


def _tables(groups: Sequence[RunGroup], targets: Targets) -> dict[str, str]:
    cycles, swelling = compare(groups, targets), tabulate(groups)
    pores = summarise(groups, targets)
    return {
        "cycles.csv": rows_as_csv(ComparedValue, cycles),
        "cycles.md": _cycles(cycles, targets.source),
        "first_lithiation.csv": rows_as_csv(ValueAtSoc, swelling),
        "first_lithiation.md": _swelling(swelling),
        "pores.csv": rows_as_csv(PoreSummary, pores),
        "pores.md": _pores(pores, targets.source),
    }


def _cycles(rows: Sequence[ComparedValue], source: str) -> str:
    heading = ["label", "quantity", "end", "cycle", "runs", "mean", "deviation", "range"]
    if source:
        heading += [source, "difference"]
    lines = []
    for row in rows:
        cells = [row.label, _quantity(row), row.end, str(row.cycle), *_statistics(row)]
        if source:
            mark = " (fitted)" if row.fitted else ""
            cells += [number(row.target) + mark, number(row.difference)]
        lines.append(cells)
    text = f"{markdown_text(heading, lines)}\n\n{_STATISTICS}"
    if any(row.fitted for row in rows):
        text += " Parameters were chosen to meet the fitted values: agreement validates nothing."
    return f"{text}\n"


def _swelling(rows: Sequence[ValueAtSoc]) -> str:
    heading = ["label", "quantity", "state of charge", "runs", "mean", "deviation", "range"]
    lines = [[row.label, _quantity(row), number(row.soc), *_statistics(row)] for row in rows]
    return (
        f"{markdown_text(heading, lines)}\n\n{_STATISTICS} "
        "States of charge that one of the runs has not reached are left out.\n"
    )


def _pores(rows: Sequence[PoreSummary], source: str) -> str:
    """Labels are columns: there are more numbers than labels."""
    heading = ["pores in the first cycle, areas in % of the initial ones"]
    numbers: dict[str, Callable[[PoreSummary], str]] = {
        "runs": lambda row: str(row.runs),
        "pores": lambda row: str(row.pores),
        "pores left out, for they are too small": lambda row: str(row.left_out),
        "median at the swollen end": lambda row: number(row.median_swollen),
        "median at the shrunk end": lambda row: number(row.median_shrunk),
        "smallest at the swollen end": lambda row: number(row.smallest_swollen),
        "all together at the swollen end": lambda row: number(row.total_swollen),
        "all together at the shrunk end": lambda row: number(row.total_shrunk),
        "all together at the shrunk end, creep-free": lambda row: number(row.total_creep_free),
        "pores below the creep-free share": lambda row: str(row.below_creep_free),
        "pores that shrink while the active phase shrinks": lambda row: str(row.shrink_further),
    }
    lines = [[name, *(read(row) for row in rows)] for name, read in numbers.items()]
    if any(row.below_published is not None for row in rows):
        name = f"pores below the creep-free share of {source}"
        place = list(numbers).index("pores below the creep-free share") + 1
        lines.insert(place, [name, *(_below_published(row) for row in rows)])
    return f"{markdown_text([*heading, *(row.label for row in rows)], lines)}\n"


def _below_published(row: PoreSummary) -> str:
    if row.below_published is None:
        return ""
    return f"{row.below_published} (below {number(row.published_creep_free)} %)"


def _quantity(row: ComparedValue | ValueAtSoc) -> str:
    return f"{row.quantity.removesuffix('_gpa')} / {row.unit}"


def _statistics(row: ComparedValue | ValueAtSoc) -> list[str]:
    spread = extent(row.smallest, row.largest, row.runs)
    return [str(row.runs), number(row.mean), number(row.standard_deviation), spread]
