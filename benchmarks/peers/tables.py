"""The outcomes as tables for the terminal and for the documents, and as a plot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.peers.outcome import Outcome, Quantity
from benchmarks.peers.problems import PROBLEMS, TITLES, quantities
from creep_fem.errors import CreepFemError
from creep_fem.report.tables import markdown_text


class MarkerError(CreepFemError):
    """A document has no place for what is to be written into it."""


BEGIN = "<!-- written by make bench-peers -->"
END = "<!-- end of what make bench-peers writes -->"

_COLUMNS = ("code", "dofs", "ramp", "wall time", "iterations")
_LAST_COLUMNS = ("ended by", "differs from the problem in")


def header(problem: str) -> list[str]:
    """Column names of a problem's table."""
    return [*_COLUMNS, *(q.name for q in quantities(problem)), *_LAST_COLUMNS]


def cells(outcome: Outcome) -> list[str]:
    """One row of a problem's table."""
    compared = zip(outcome.values, quantities(outcome.problem), strict=True)
    return [
        outcome.code,
        _or_dash(outcome.dofs, "{}"),
        f"{100.0 * outcome.reached:.1f} %",
        _or_dash(outcome.wall, "{:.1f} s"),
        _or_dash(outcome.iterations, "{}"),
        *(_value(value, quantity) for value, quantity in compared),
        outcome.ended_by,
        outcome.model,
    ]


def _reference(problem: str) -> list[str]:
    numbers = [f"{quantity.reference:.5g}" for quantity in quantities(problem)]
    source = quantities(problem)[0].source
    return [f"reference: {source}", "", "", "", "", *numbers, "", ""]


def _or_dash(value: float | None, pattern: str) -> str:
    return "-" if value is None else pattern.format(value)


def _value(value: float | None, quantity: Quantity) -> str:
    if value is None:
        return "-"
    error = 100.0 * (value / quantity.reference - 1.0)
    return f"{value:.5g} ({error:+.2f} %)"


def show(outcomes: Sequence[Outcome]) -> None:
    """Print one table per problem."""
    console = Console()
    for problem in PROBLEMS:
        table = Table(title=f"{problem}, {TITLES[problem]}", title_justify="left", show_lines=True)
        for name in header(problem):
            table.add_column(name, overflow="fold")
        rows = [cells(outcome) for outcome in outcomes if outcome.problem == problem]
        for row in [_reference(problem), *rows] if rows else []:
            table.add_row(*row)
        if rows:
            console.print(table)


def markdown(outcomes: Sequence[Outcome], machine: dict[str, str]) -> str:
    """The tables, and under which circumstances they arose, as Markdown."""
    lines = []
    for problem in PROBLEMS:
        rows = [cells(outcome) for outcome in outcomes if outcome.problem == problem]
        if not rows:
            continue
        table = markdown_text(header(problem), [_reference(problem), *rows])
        lines += [f"### {problem}, {TITLES[problem]}", "", table, ""]
    facts = "; ".join(f"{key}: {value}" for key, value in machine.items())
    return "\n".join([*lines, f"Measured with {facts}."])


def write_between_markers(document: Path, text: str, begin: str = BEGIN, end: str = END) -> None:
    """Replace what a document holds between two markers, those of this page if not given.

    Raises:
        MarkerError: If the document lacks a marker.
    """
    before, after = outside_of_markers(document, begin, end)
    document.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")


def outside_of_markers(document: Path, begin: str, end: str) -> tuple[str, str]:
    """What a document holds before and after two markers.

    Raises:
        MarkerError: If it lacks a marker.
    """
    before, found, rest = document.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise MarkerError(f"{document} lacks the lines {begin} and {end}, in this order")
    return before, after


def draw(outcomes: Sequence[Outcome], path: Path) -> None:
    """Plot the share of the ramp of B3 over the wall time it took, to a PNG file."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 3.2), layout="constrained")
    axes = figure.add_subplot()
    for outcome in outcomes:
        if outcome.problem != "B3" or outcome.wall is None:
            continue
        marker, filled = ("s", "none") if outcome.published else ("o", "full")
        axes.plot(
            [outcome.wall],
            [100.0 * outcome.reached],
            marker,
            fillstyle=filled,
            label=outcome.code,
        )
    axes.set(xscale="log", ylim=(0.0, 105.0))
    axes.set_xlabel("wall time (s); hollow: another machine")
    axes.set_ylabel("part of the ramp reached (%)")
    axes.set_title("B3, 19 discs that swell into contact", fontsize=9)
    axes.legend(fontsize=6)
    figure.savefig(path, dpi=200)
