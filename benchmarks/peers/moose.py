"""The problems with MOOSE: runs its executable and reads the tables that it writes."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers import decks, moose_decks
from benchmarks.peers import problems as given
from benchmarks.peers.moose_input import STEM, Deck
from benchmarks.peers.outcome import FINISHED, Outcome
from benchmarks.peers.process import Case, emptied, execute, text

VARIABLE = "CREEP_FEM_MOOSE"
"""Environment variable with the command that starts MOOSE; {folder} in it is the deck's folder."""

PACKAGE = "rabbit-fem-mpich"
NAMES = ("rabbit", "combined-opt", "solid_mechanics-opt", "moose-opt")
MISSING = (
    f"found no MOOSE (variable {VARIABLE}, or a command {', '.join(NAMES)}); "
    f"on PyPI: {PACKAGE}; in a container: benchmarks/moose.Dockerfile"
)

Command = tuple[str, ...]
Array = NDArray[np.float64]
Columns = dict[str, Array]
"""Columns of a table by name."""

_ITERATION = re.compile(r"^ *(\d+) Nonlinear \|R\| =", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def executable() -> Command | None:
    """Command that starts MOOSE, None if there is none.

    What the environment variable holds counts without a check, for it may name a container
    engine; a command of one word on the path is found by its name.
    """
    given_command = os.environ.get(VARIABLE, "").strip()
    if given_command:
        return tuple(shlex.split(given_command))
    found = (shutil.which(name) for name in NAMES)
    return next(((path,) for path in found if path), None)


def version(command: Command) -> str:
    """Version as MOOSE tells it."""
    where = Path.cwd()
    done = subprocess.run(
        [*in_folder(command, where), "--version"], capture_output=True, text=True, check=False
    )
    return stated_version(done.stdout)


def stated_version(text: str) -> str:
    """The version in what MOOSE prints on being asked for it."""
    found = re.search(r"Version: *(\S+)", _COLOUR.sub("", text))
    return found.group(1) if found else "unknown"


def in_folder(command: Command, folder: Path) -> list[str]:
    """The command with the folder put in."""
    return [word.replace("{folder}", str(folder.resolve())) for word in command]


def run(case: Case[Deck, Path], command: Command, folder: Path, time_limit: float) -> Outcome:
    """Run one case; the wall time is that of the whole process, reading the mesh included.

    Args:
        case: What to run.
        command: MOOSE.
        folder: Folder for deck and output; created, and emptied of an earlier run.
        time_limit: Wall time in s after which the process is ended.
    """
    log = emptied(folder) / f"{STEM}.log"
    deck = case.deck()
    (folder / f"{STEM}.i").write_text(deck.text, encoding="utf-8")
    (folder / f"{STEM}.msh").write_text(deck.mesh, encoding="utf-8")
    words = [*in_folder(command, folder), "-i", f"{STEM}.i", "--color", "off"]
    ended = execute(words, log, time_limit)
    times = read_table(folder / f"{STEM}.csv").get("time", np.zeros(1))
    return case.outcome(
        ended,
        ending(text(log), ended.code),
        float(times[-1]),
        count_iterations(text(log)),
        folder,
    )


def ending(log: str, code: int) -> str:
    """What MOOSE says has ended it, from what it printed and its exit code."""
    if code == 0:
        return FINISHED
    lines = [line.strip() for line in _COLOUR.sub("", log).splitlines()]
    if "*** ERROR ***" in lines:
        rest = lines[lines.index("*** ERROR ***") + 1 :]
        return next((line for line in rest if line), "ended without a message")
    return f"ended with exit code {code} and no message"


def count_iterations(log: str) -> int:
    """Newton iterations in a log, those of failed steps included."""
    return sum(number != "0" for number in _ITERATION.findall(_COLOUR.sub("", log)))


def read_table(path: Path) -> Columns:
    """Columns of a CSV file; no columns if it is missing or has no row."""
    lines = text(path).splitlines()
    if len(lines) < 2:
        return {}
    names = lines[0].split(",")
    rows = [line.split(",") for line in lines[1:]]
    # a process that was ended may have left a part of a line
    values = np.array([row for row in rows if len(row) == len(names)], dtype=float)
    return dict(zip(names, values.T, strict=True)) if len(values) else {}


def _at(table: Columns, name: str, time: float) -> float | None:
    """A column's value at a time in s."""
    found = np.flatnonzero(np.isclose(table.get("time", np.zeros(0)), time, rtol=1e-6))
    return float(table[name][found[-1]]) if len(found) else None


def bar_values(folder: Path) -> tuple[float | None, ...]:
    """Stress in MPa and displacement in um at the end of B1."""
    table = read_table(folder / f"{STEM}.csv")
    return tuple(_at(table, name, given.RAMP) for name in ("stress", "top"))


def tube_values(folder: Path) -> tuple[float | None, ...]:
    """Stresses in MPa at the walls and velocity in nm/s at the end of B2."""
    times = read_table(folder / f"{STEM}.csv").get("time", np.zeros(1))
    if not np.isclose(times[-1], decks.tube_end()):
        return (None, None, None)
    last = len(times) - 1
    points = read_table(folder / f"{STEM}_points_{last:04d}.csv")
    radii = np.hypot(points["x"], points["y"])
    stresses = (
        given.value_at_wall(radii, points["mises"], wall) for wall in (given.INNER, given.OUTER)
    )
    moved = [_wall_displacement(folder, number) for number in (last - 1, last)]
    return (*stresses, 1e3 * (moved[1] - moved[0]) / float(times[-1] - times[-2]))


def _wall_displacement(folder: Path, number: int) -> float:
    wall = read_table(folder / f"{STEM}_wall_{number:04d}.csv")
    return float(np.hypot(wall["disp_x"], wall["disp_y"]).mean())


def disc_values(folder: Path) -> tuple[float | None, ...]:
    """Mean von Mises stresses in MPa of B3's active discs."""
    table = read_table(folder / f"{STEM}.csv")
    return tuple(_at(table, "mises", time) for time in given.DISC_TIMES)


CASES = (
    Case(
        "B1",
        "MOOSE",
        given.RAMP,
        moose_decks.bar,
        bar_values,
        lambda: len(given.bar_mesh().points),
        "logarithmic swelling strain in a hypoelastic law, its stress per current volume",
    ),
    Case(
        "B2",
        "MOOSE",
        decks.tube_end(),
        moose_decks.tube,
        tube_values,
        lambda: len(given.tube_mesh().points),
        "small strain as stated, E = 10 GPa",
    ),
    Case(
        "B3",
        "MOOSE, node to face",
        given.RAMP,
        moose_decks.discs,
        disc_values,
        lambda: len(given.disc_problem().mesh.points),
        "hypoelastic law, penalty of 100 MPa per nm at surface nodes, drag in the bodies, "
        "listed pairs, cut discs not held off their own wall",
    ),
)
