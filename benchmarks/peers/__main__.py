"""Runs the problems with every code that is here, alternating, and reports."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.command import errors_shown
from benchmarks.machine import describe
from benchmarks.peers import calculix, moose, own, published, tables
from benchmarks.peers.outcome import Outcome, merge
from benchmarks.peers.problems import PROBLEMS, quantities

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"
DOCUMENT = ROOT / "docs" / "benchmarks.md"

Runner = Callable[[], Outcome]


@dataclass(frozen=True)
class _Peers:
    """Commands that start the other codes, None for those that are not here."""

    calculix: str | None
    moose: moose.Command | None

    def missing(self) -> list[str]:
        """A line for every code that is not here."""
        lines = [calculix.MISSING] if self.calculix is None else []
        return lines + ([moose.MISSING] if self.moose is None else [])

    def versions(self) -> dict[str, str]:
        """Version of every code."""
        return {
            "CalculiX": calculix.version(self.calculix) if self.calculix else "missing",
            "MOOSE": moose.version(self.moose) if self.moose else "missing",
        }


def main(
    problem: Annotated[
        list[str] | None, typer.Option(help="B1, B2 or B3; can be repeated; all if not given.")
    ] = None,
    time_limit: Annotated[float, typer.Option(min=1.0, help="Wall time in s of one run.")] = 120.0,
    repetitions: Annotated[int, typer.Option(min=1, help="Runs of what finishes.")] = 2,
    ccx: Annotated[str, typer.Option(help="Command that starts CalculiX.")] = "ccx",
    publish: Annotated[
        bool, typer.Option("--publish", help="Update the reference result and the document.")
    ] = False,
) -> None:
    """Solve the benchmark problems with creep_fem, with CalculiX and with MOOSE."""
    problems = problem or list(PROBLEMS)
    unknown = sorted(set(problems) - set(PROBLEMS))
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: there are {', '.join(PROBLEMS)}")
    with errors_shown():
        _compare(problems, time_limit, repetitions, ccx, publish)


def _compare(
    problems: Sequence[str], time_limit: float, repetitions: int, ccx: str, publish: bool
) -> None:
    if publish:
        # Better now than after the runs.
        tables.outside_of_markers(DOCUMENT, tables.BEGIN, tables.END)
    peers = _Peers(calculix.executable(ccx), moose.executable())
    for line in peers.missing():
        _tell(f"{line}; running without")
    machine = describe("benchmarks.peers") | peers.versions()
    machine["time limit"] = f"{time_limit:g} s"
    outcomes = []
    for name in (name for name in PROBLEMS if name in problems):
        own.warm_up(name)
        outcomes += _alternate(_runners(name, peers, time_limit), repetitions)
        outcomes += [outcome for outcome in published.outcomes() if outcome.problem == name]
    tables.show(outcomes)
    _write(outcomes, machine, "peers")
    if publish:
        _write(outcomes, machine, "peers-reference")
        tables.write_between_markers(DOCUMENT, tables.markdown(outcomes, machine))


def _runners(problem: str, peers: _Peers, time_limit: float) -> list[Runner]:
    runners: list[Runner] = [partial(own.run, problem, time_limit)]
    if peers.calculix is not None:
        runners += [
            partial(calculix.run, case, peers.calculix, _folder(problem, case.code), time_limit)
            for case in calculix.CASES
            if case.problem == problem
        ]
    if peers.moose is not None:
        runners += [
            partial(moose.run, case, peers.moose, _folder(problem, case.code), time_limit)
            for case in moose.CASES
            if case.problem == problem
        ]
    return runners


def _folder(problem: str, code: str) -> Path:
    name = code.lower().replace(",", "").replace(" ", "-")
    return RESULTS / "decks" / f"{problem}-{name}"


def _alternate(runners: list[Runner], repetitions: int) -> list[Outcome]:
    """Run all in turn, again and again; what did not finish once is not tried again."""
    runs: list[list[Outcome]] = [[] for _ in runners]
    for _ in range(repetitions):
        for runner, done in zip(runners, runs, strict=True):
            if not done or done[-1].finished:
                done.append(runner())
                last = done[-1]
                _tell(f"{last.problem}, {last.code}: {last.walls[0]:.1f} s, {last.ended_by}")
    return [merge(done) for done in runs]


def _write(outcomes: list[Outcome], machine: dict[str, str], name: str) -> None:
    """Write JSON, and the plot if B3 was run."""
    RESULTS.mkdir(exist_ok=True)
    present = {outcome.problem for outcome in outcomes}
    record = {
        "machine": machine,
        "references": {p: [vars(q) for q in quantities(p)] for p in sorted(present)},
        "outcomes": [outcome.as_dict() for outcome in outcomes],
    }
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    if "B3" in present:
        tables.draw(outcomes, RESULTS / f"{name}.png")
    _tell(f"wrote {path.relative_to(ROOT)}")


def _tell(line: str) -> None:
    sys.stderr.write(f"bench-peers: {line}\n")


if __name__ == "__main__":
    typer.run(main)
