"""Figures and tables of several runs together, made from their folders alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, fields
from pathlib import Path
from typing import Final

from creep_fem.errors import ConfigError, Problem
from creep_fem.report import style
from creep_fem.report.over_cycles import (
    CONTACT,
    CONTACT_KEPT,
    LOOKS,
    PRESSURE_AND_POROSITY,
    STRESS,
    over_cycles_figure,
)
from creep_fem.results.comparison import ComparedValue, compare
from creep_fem.results.errors import writing
from creep_fem.results.groups import RunGroup
from creep_fem.results.table import csv_text
from creep_fem.results.targets import Targets

_FIGURES: Final = {
    "contact_over_cycles": CONTACT,
    "contact_kept_over_cycles": CONTACT_KEPT,
    "stress_over_cycles": STRESS,
    "pressure_and_porosity_over_cycles": PRESSURE_AND_POROSITY,
}
_COLUMNS: Final = tuple(field.name for field in fields(ComparedValue))


def report_runs(groups: Sequence[RunGroup], targets: Targets, output: Path) -> list[Path]:
    """Draw groups of runs beside each other and tabulate their first and last cycles.

    Args:
        groups: The groups.
        targets: Values to compare with.
        output: Existing folder; its figures and tables of the same names are replaced.

    Returns:
        The figures (PNG) and the table as CSV and Markdown.

    Raises:
        ConfigError: If there are more groups than can be told apart in a figure.
        ResultError: If a file cannot be written.
    """
    if len(groups) > len(LOOKS):
        labels = ", ".join(group.label for group in groups)
        problem = Problem("(labels)", "a figure cannot hold so many", labels, f"up to {len(LOOKS)}")
        raise ConfigError("runs to report", [problem])
    rows = compare(groups, targets)
    tables = {"cycles.csv": _csv(rows), "cycles.md": _markdown(rows, targets.source)}
    with writing(output), style.figure_style():
        files = [
            style.save(over_cycles_figure(groups, targets, panels), output / f"{name}.png")
            for name, panels in _FIGURES.items()
        ]
        for name, text in tables.items():
            (output / name).write_text(text, encoding="utf-8")
    return [*files, *(output / name for name in tables)]


def _csv(rows: Sequence[ComparedValue]) -> str:
    return csv_text(_COLUMNS, ([_plain(entry) for entry in astuple(row)] for row in rows))


def _plain(entry: object) -> object:
    """What does not exist is an empty entry, in the same way for every reader."""
    return "" if isinstance(entry, float) and math.isnan(entry) else entry


def _markdown(rows: Sequence[ComparedValue], source: str) -> str:
    heading = ["label", "quantity", "end", "cycle", "runs", "mean", "deviation", "range"]
    if source:
        heading += [source.replace("|", "\\|"), "difference"]
    lines = [heading, ["---"] * len(heading)]
    for row in rows:
        spread = [row.standard_deviation, row.smallest, row.largest]
        deviation, smallest, largest = (_number(value) for value in spread)
        cells = [
            row.label.replace("|", "\\|"),
            f"{row.quantity.removesuffix('_gpa')} / {row.unit}",
            *(row.end, str(row.cycle), str(row.runs)),
            *(_number(row.mean), deviation, f"{smallest} to {largest}" if row.runs > 1 else ""),
        ]
        if source:
            mark = " (fitted)" if row.fitted else ""
            cells += [_number(row.target) + mark, _number(row.difference)]
        lines.append(cells)
    text = "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
    text += "\nMean, standard deviation of the sample and range over the runs of a label."
    if any(row.fitted for row in rows):
        text += " Parameters were chosen to meet the fitted values: agreement validates nothing."
    return f"{text}\n"


def _number(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{value:.4g}"
