"""What the runs gave, as Markdown tables."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creep_fem.config import RunConfig
from creep_fem.report.tables import markdown_text
from creep_fem.results.comparison import ComparedValue
from creep_fem.results.first_swelling import ValueAtSoc
from creep_fem.results.titles import is_shrunk, title_of
from creep_fem.study.effects import relative_change
from creep_fem.study.observable import Observable
from creep_fem.study.rows import StudyRow

_SHARES = ("contact_", "porosity")
_ENDS = {"end_of_swelling": "", "end_of_shrinking": ", shrunk"}


def comparison_table(rows: Sequence[ComparedValue], quantities: Collection[str] = ()) -> str:
    """Published values beside mean and spread of the runs.

    Args:
        rows: Compared values of groups of runs.
        quantities: Which of them are shown; if none are given, those that have a published value.
    """
    cells = [["runs", "quantity", "cycle", "paper", "here", "range (packings)", "difference"]]
    for row in rows:
        if row.quantity not in quantities if quantities else row.target is None:
            continue
        extremes = f"{number_text(row.smallest)} to {number_text(row.largest)} ({row.runs})"
        fitted = " (fitted)" if row.fitted else ""
        cells.append(
            [
                row.label,
                _named(row.quantity, row.unit),
                str(row.cycle),
                number_text(row.target) + fitted,
                _mean(row.mean, row.standard_deviation),
                extremes if row.runs > 1 else "-",
                "-" if row.difference is None else f"{row.difference:+.3g}",
            ]
        )
    # Columns in which no row has anything tell nothing.
    used = [
        index for index, column in enumerate(zip(*cells[1:], strict=True)) if set(column) != {"-"}
    ]
    heading, *lines = [[line[index] for index in used] for line in cells]
    return markdown_text(heading, lines)


def equal_lithiation_table(rows: Sequence[ValueAtSoc]) -> str:
    """Groups beside each other at the same states of charge of their first swelling.

    Args:
        rows: Values of all groups; those that a group has not reached are absent.
    """
    labels = list(dict.fromkeys(row.label for row in rows))
    found = {(row.label, row.quantity, row.soc): row for row in rows}
    cells = [["quantity", "state of charge", *labels]]
    order = list(dict.fromkeys(row.quantity for row in rows))
    places = {(row.quantity, row.unit, row.soc) for row in rows}
    # A group whose first step ends later has no value at the first of them.
    for quantity, unit, soc in sorted(places, key=lambda place: (order.index(place[0]), place[2])):
        values = [found.get((label, quantity, soc)) for label in labels]
        shown = ["-" if row is None else _mean(row.mean, row.standard_deviation) for row in values]
        cells.append([_named(quantity, unit), f"{soc:g}", *shown])
    return markdown_text(cells[0], cells[1:])


def study_table(
    observables: Mapping[str, Observable], rows: Sequence[StudyRow], compared: bool
) -> str:
    """Every case of a study, its numbers over the cycles, and their change against the first case.

    Args:
        observables: What was read off the runs.
        rows: The cases.
        compared: Whether changes are shown.
    """
    series = _series(observables)
    cells = [["case", "outcome", *series]]
    for row in rows:
        reference = rows[0] if compared and row is not rows[0] else None
        numbers = [_cell(names, observables, row, reference) for names in series.values()]
        cells.append([row.case.variation.name, row.ending, *numbers])
    return markdown_text(cells[0], cells[1:])


def spread_table(observables: Mapping[str, Observable], rows: Sequence[StudyRow]) -> str:
    """Mean, deviation and range of every observable over the runs that reached their end."""
    done = [row for row in rows if row.done]
    cells = [["quantity", "cycle", "mean", "standard deviation", "range", "packings"]]
    for name, item in observables.items():
        scale = scale_of(item.column)
        values = [scale * row.observables[name] for row in done]
        if not values:
            continue
        deviation = number_text(stdev(values)) if len(values) > 1 else "-"
        extremes = f"{number_text(min(values))} to {number_text(max(values))}"
        heading, count = heading_of(item), str(len(values))
        cells.append(
            [heading, str(item.cycle), number_text(fmean(values)), deviation, extremes, count]
        )
    return markdown_text(cells[0], cells[1:])


def history_table(
    history: Mapping[str, NDArray[np.float64]],
    config: RunConfig,
    columns: Sequence[str],
    cycles: Sequence[int],
) -> str:
    """Columns of the history of one run at the swollen ends of some cycles, one line a column."""
    cells = [["", *(f"cycle {cycle}" for cycle in cycles)]]
    for column in columns:
        items = [Observable.model_validate({"column": column, "cycle": c}) for c in cycles]
        values = [scale_of(column) * item.read(history, config) for item in items]
        cells.append([heading_of(items[0]), *(number_text(value) for value in values)])
    return markdown_text(cells[0], cells[1:])


def swelling_table(
    history: Mapping[str, NDArray[np.float64]], columns: Sequence[str], socs: Sequence[float]
) -> str:
    """Columns of the history of one run during its first swelling, one line a column.

    Args:
        history: Columns of the history, each of shape (rows,).
        columns: Which of them.
        socs: States of charge, rising; between its steps the run is interpolated linearly, before
            the first and after the last one there is no value.
    """
    rows = int(np.argmax(history["soc"])) + 1
    lines = []
    for column in columns:
        item = Observable.model_validate({"column": column, "cycle": 1})
        passed, values = history["soc"][:rows], history[column][:rows]
        values = scale_of(column) * np.interp(socs, passed, values, left=np.nan, right=np.nan)
        lines.append([heading_of(item), *(number_text(value) for value in values.tolist())])
    return markdown_text(["", *(f"soc {soc:.3g}" for soc in socs)], lines)


def bullets(sentences: Sequence[str]) -> str:
    """A list of sentences; empty without any."""
    return "\n".join(f"- {sentence}" for sentence in sentences)


def _series(observables: Mapping[str, Observable]) -> dict[str, list[str]]:
    """Observables that differ in the cycle only, by what they share, in order of cycles."""
    found: dict[tuple[Any, ...], list[str]] = {}
    for name in sorted(observables, key=lambda name: observables[name].cycle):
        item = observables[name]
        found.setdefault((item.column, item.at), []).append(name)
    order = list(dict.fromkeys((item.column, item.at) for item in observables.values()))
    return {
        f"{heading_of(observables[found[key][0]])}, "
        f"cycle {' → '.join(str(observables[name].cycle) for name in found[key])}": found[key]
        for key in order
    }


def _cell(
    names: Sequence[str],
    observables: Mapping[str, Observable],
    row: StudyRow,
    reference: StudyRow | None,
) -> str:
    scale = scale_of(observables[names[0]].column)
    text = " → ".join(number_text(scale * row.observables[name]) for name in names)
    if reference is None:
        return text
    found = [relative_change(row.observables[n], reference.observables[n]) for n in names]
    changes = [f"{100.0 * change:+.0f}" for change in found if _finite(change)]
    return f"{text} ({', '.join(changes)} %)" if changes else text


def heading_of(item: Observable) -> str:
    """What an observable is called in tables, with its unit but without its cycle."""
    unit = "%" if scale_of(item.column) != 1.0 else item.dimension.unit
    return _named(item.column, unit, _ENDS.get(item.at, f", {item.at}"))


def _named(quantity: str, unit: str, end: str = "") -> str:
    ending = end or (", shrunk" if is_shrunk(quantity) else "")
    name = f"{title_of(quantity)}{ending}"
    return f"{name} / {unit}" if unit else name


def scale_of(column: str) -> float:
    """Factor to percent for shares."""
    return 100.0 if column.startswith(_SHARES) else 1.0


def _mean(mean: float, deviation: float) -> str:
    text = number_text(mean)
    return f"{text} ± {number_text(deviation)}" if _finite(deviation) else text


def _finite(*values: float) -> bool:
    return all(math.isfinite(value) for value in values)


def number_text(value: float | None) -> str:
    """A number with three digits, a dash for one that does not exist."""
    return "-" if value is None or not math.isfinite(value) else f"{value:.3g}"
