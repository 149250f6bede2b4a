"""``python -m benchmarks.paper``: make the runs of docs/paper.md, write its tables and figures."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.command import errors_shown
from benchmarks.paper.calibration import calibration_tables, fitted, made_by
from benchmarks.paper.page import Page
from benchmarks.paper.parts import PARTS, Part
from benchmarks.paper.runs import CONFIGS, ROOT, make, plan, require
from benchmarks.peers.tables import outside_of_markers, write_between_markers
from creep_fem.study.tables import print_outcome

DOCUMENT = ROOT / "docs" / "paper.md"
CALIBRATIONS = {
    "calibration": CONFIGS / "calibration_fig4.yaml",
    "calibration_isotropic": CONFIGS / "calibration_isotropic.yaml",
}
NAMES = (*(part.name for part in PARTS), *CALIBRATIONS)


def main(
    only: Annotated[
        list[str] | None, typer.Option(help=f"Can be repeated; {', '.join(NAMES)}.")
    ] = None,
    no_runs: Annotated[
        bool, typer.Option("--no-runs", help="Make no run: fail if one is missing.")
    ] = False,
    results: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder that collects the runs.")
    ] = ROOT / "results" / "paper",
) -> None:
    """Make the runs that have not been made yet and rewrite the tables of docs/paper.md."""
    unknown = sorted(set(only or ()) - set(NAMES))
    if unknown:
        allowed = f"{', '.join(unknown)}: choose from {', '.join(NAMES)}"
        raise typer.BadParameter(allowed, param_hint="--only")
    # The runs are processes of their own, which go on unless they are told.
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    with errors_shown():
        _write(only or NAMES, not no_runs, results.resolve())


def _write(names: Sequence[str], runs_allowed: bool, results: Path) -> None:
    for name in names:
        # Better now than after hours of runs.
        outside_of_markers(DOCUMENT, *markers(name))
    chosen = [part for part in PARTS if part.name in names]
    sources = dict.fromkeys(source for part in chosen for source in part.sources)
    plans = {source: plan(CONFIGS / f"{source}.yaml", results) for source in sources}
    if runs_allowed:
        make(list(plans.values()), results, print_outcome)
    require(plans.values())
    for part in chosen:
        own = {source: plans[source] for source in part.sources}
        _publish(part.name, _text(part, Page(part.name, own, results, DOCUMENT)))
    for name, source in CALIBRATIONS.items():
        if name in names:
            data = fitted(source, results, print_outcome, runs_allowed)
            tables, origin = calibration_tables(data, source), made_by(source, results, name)
            _publish(name, f"{tables}\n\n{origin}")


def _text(part: Part, page: Page) -> str:
    return "\n\n".join(text for text in (part.write(page), page.closing()) if text)


def _publish(name: str, text: str) -> None:
    write_between_markers(DOCUMENT, text, *markers(name))
    typer.echo(f"wrote {name} of {DOCUMENT.relative_to(ROOT)}", err=True)


def markers(name: str) -> tuple[str, str]:
    """The lines of the document between which a part is written."""
    return f"<!-- written by make paper: {name} -->", f"<!-- end of {name} -->"


if __name__ == "__main__":
    typer.run(main)
