"""``python -m benchmarks.speed limits``, ``... growth``, ``... solvers``: measure, print, keep."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.command import errors_shown
from benchmarks.machine import describe
from benchmarks.peers.tables import outside_of_markers, write_between_markers
from benchmarks.speed import extrapolation, tables
from benchmarks.speed.suites import ROOT, Setting, absolute, connected, growing, march, run
from creep_fem.report.tables import markdown_text

RESULTS = ROOT / "benchmarks" / "results"
DOCUMENT = ROOT / "docs" / "scaling.md"

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

_Publish = Annotated[
    bool, typer.Option("--publish", help="Update the reference result and docs/scaling.md.")
]
_FACTS: Mapping[str, Callable[[Sequence[tables.Row]], list[str]]] = {
    "limits": tables.speed_up,
    "growth": tables.growth_law,
    "solvers": extrapolation.sentences,
}
_Draw = Callable[[Sequence[tables.Row], Path], None]


@app.command()
@errors_shown()
def limits(publish: _Publish = False) -> None:
    """Time runs against their bare linear algebra."""
    measure, settings = partial(march, bare=True), absolute()
    measure(replace(settings[0], soc=0.01))  # compiles forms and loops, which is not to be timed
    _measure("limits", settings, tables.LIMITS, tables.draw_limits, publish, measure)


@app.command()
@errors_shown()
def growth(
    largest: Annotated[int, typer.Option(help="20, 60, 240 or 1000 particles.")] = 240,
    ranks: Annotated[list[int] | None, typer.Option(help="Can be repeated; 1 and 2.")] = None,
    publish: _Publish = False,
) -> None:
    """Time the first lithiation to 30 % in larger and larger packings."""
    settings = growing(largest, ranks or (1, 2))
    measure = partial(march, bare=False)
    _measure("growth", settings, tables.GROWTH, tables.draw_growth, publish, measure)


@app.command()
@errors_shown()
def solvers(
    largest: Annotated[int, typer.Option(help="20, 60, 240 or 1000 particles.")] = 240,
    ranks: Annotated[list[int] | None, typer.Option(help="Can be repeated; 1 and 2.")] = None,
    publish: _Publish = False,
) -> None:
    """Compare the direct and the iterative solver on the same matrices."""
    settings = connected(largest, ranks or (1, 2))
    measure = partial(run, program="solvers")
    _measure("solvers", settings, tables.SOLVERS, tables.draw_solvers, publish, measure)


def _measure(
    name: str,
    settings: Sequence[Setting],
    columns: tables.Columns,
    draw: _Draw,
    publish: bool,
    measure: Callable[[Setting], tables.Row],
) -> None:
    if publish:
        # Better now than after hours of runs.
        outside_of_markers(DOCUMENT, *markers(name))
    # Told when the runs start, with the code that they start with.
    machine = describe("benchmarks.speed")
    rows = _run(name, settings, measure)
    cells, facts = tables.lines(rows, columns), _FACTS[name](rows)
    _print(cells)
    typer.echo("\n".join(facts))
    draw(rows, RESULTS / f"{name}.png")
    if publish:
        _publish(name, rows, machine, [markdown_text(cells[0], cells[1:]), "\n".join(facts)])
        draw(rows, RESULTS / f"{name}-reference.png")


def _run(
    name: str, settings: Sequence[Setting], measure: Callable[[Setting], tables.Row]
) -> list[tables.Row]:
    rows: list[tables.Row] = []
    for setting in settings:
        typer.echo(f"{setting.name}, {setting.ranks} ranks", err=True)
        rows.append({"name": setting.name, **measure(setting)})
        rows = tables.fastest(rows)
        _keep(name, rows)
    return rows


def _publish(
    name: str, rows: Sequence[tables.Row], machine: Mapping[str, str], parts: Sequence[str]
) -> None:
    measured = "; ".join(f"{key}: {value}" for key, value in machine.items())
    reference = {"machine": machine, "runs": rows}
    (RESULTS / f"{name}-reference.json").write_text(
        json.dumps(reference, indent=1) + "\n", encoding="utf-8"
    )
    text = "\n\n".join(part for part in (*parts, f"Measured with {measured}.") if part)
    write_between_markers(DOCUMENT, text, *markers(name))


def markers(name: str) -> tuple[str, str]:
    """The lines between which a command writes its table."""
    command = {
        "limits": "make bench",
        "growth": "make bench-growth",
        "solvers": "make bench-solvers",
    }[name]
    return f"<!-- written by {command} -->", f"<!-- end of what {command} writes -->"


def _keep(name: str, rows: Sequence[tables.Row]) -> None:
    """Write what there is so far: a long suite may be stopped."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def _print(lines: Sequence[Sequence[str]]) -> None:
    table = Table()
    for column in lines[0]:
        table.add_column(column, overflow="fold")
    for line in lines[1:]:
        table.add_row(*line)
    Console(width=160).print(table)


if __name__ == "__main__":
    app()
