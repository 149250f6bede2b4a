"""The problems with CalculiX: runs ccx and reads what it leaves behind."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers import decks
from benchmarks.peers import problems as given
from benchmarks.peers.outcome import FINISHED, Outcome
from benchmarks.peers.process import Case, emptied, execute, text

PACKAGE = "calculix-ccx"
MISSING = f"found no CalculiX (command ccx); on Debian: apt-get install {PACKAGE}"

Array = NDArray[np.float64]
Tables = dict[tuple[str, float], Array]
"""Rows of numbers by the name of the printed quantity and the time in s."""

_HEADING = re.compile(r"^ (\w+)\b.* for set \S+ and time\s+(\S+)$")
_SPRINGS = "stiff springs to the ground, listed pairs, cut discs not held off their own wall"
_CONTACT = f"thermal expansion for swelling, exponential contact law on facets, {_SPRINGS}"


def executable(command: str = "ccx") -> str | None:
    """Path of CalculiX, None if it is not installed."""
    return shutil.which(command)


def version(command: str) -> str:
    """Version as CalculiX tells it."""
    done = subprocess.run([command, "-v"], capture_output=True, text=True, check=False)
    return " ".join(done.stdout.split()).removeprefix("This is ")


def run(case: Case[str, Tables], command: str, folder: Path, time_limit: float) -> Outcome:
    """Run one case; the wall time is that of the whole process, reading the deck included.

    Args:
        case: What to run.
        command: CalculiX.
        folder: Folder for deck and output; created, and emptied of an earlier run.
        time_limit: Wall time in s after which the process is killed.
    """
    log = emptied(folder) / "job.log"
    (folder / "job.inp").write_text(case.deck(), encoding="utf-8")
    ended = execute([command, "job"], log, time_limit)
    return case.outcome(
        ended,
        ending(text(log)),
        reached_time(text(folder / "job.sta")),
        count_iterations(text(folder / "job.cvg")),
        read_tables(text(folder / "job.dat")),
    )


def ending(log: str) -> str:
    """What CalculiX says has ended it."""
    if "Job finished" in log:
        return FINISHED
    found = re.search(r"\*ERROR:? *(.*)", log)
    return found.group(1).strip() if found else "ended without a message"


def reached_time(status: str) -> float:
    """Time in s at the end of the last converged increment of a .sta file."""
    reached = 0.0
    for line in status.splitlines():
        words = line.split()
        # an increment that did not converge has a U at its attempt and repeats the old time
        if len(words) == 7 and words[0].isdigit():
            reached = float(words[4])
    return reached


def count_iterations(convergence: str) -> int:
    """Iterations of a .cvg file: one line each, those of failed attempts included."""
    return sum(line.split()[0].isdigit() for line in convergence.splitlines() if line.strip())


def read_tables(printed: str) -> Tables:
    """Tables of a .dat file; a table may lack its end if the process was killed."""
    rows: dict[tuple[str, float], list[list[float]]] = {}
    key: tuple[str, float] | None = None
    for line in printed.splitlines():
        heading = _HEADING.match(line)
        if heading:
            key = (heading.group(1), float(heading.group(2)))
            rows[key] = []
        elif key is not None and line.strip():
            try:
                rows[key].append([float(word) for word in line.split()])
            except ValueError:
                key = None
    return {key: _rectangular(table) for key, table in rows.items() if table}


def _rectangular(table: list[list[float]]) -> Array:
    width = len(table[0])
    return np.array([row for row in table if len(row) == width])


def mises(stresses: Array) -> Array:
    """Von Mises stress of rows xx, yy, zz, xy, xz, yz."""
    normal, shear = stresses[:, :3], stresses[:, 3:]
    deviator = normal - normal.mean(axis=1, keepdims=True)
    squares = 1.5 * np.sum(deviator**2, axis=1) + 3.0 * np.sum(shear**2, axis=1)
    values: Array = np.sqrt(squares)
    return values


def _at(tables: Tables, name: str, time: float) -> Array | None:
    """Table at a time, which the file holds with seven digits."""
    found = [t for n, t in tables if n == name and abs(t - time) < 1e-5 * time]
    return tables[name, found[0]] if found else None


def _bar_values(tables: Tables) -> tuple[float | None, ...]:
    stresses = _at(tables, "stresses", given.RAMP)
    moved = _at(tables, "displacements", given.RAMP)
    if stresses is None or moved is None:
        return (None, None)
    return (float(stresses[:, 2].mean()), float(moved[:, 2].mean()))


def _tube_values(tables: Tables) -> tuple[float | None, ...]:
    end = decks.tube_end()
    before = _at(tables, "displacements", decks.TUBE_BEFORE_END * end)
    after = _at(tables, "displacements", end)
    stresses, places = _at(tables, "stresses", end), _at(tables, "global", end)
    if before is None or after is None or stresses is None or places is None:
        return (None, None, None)
    moved = np.hypot(after[:, 1], after[:, 2]) - np.hypot(before[:, 1], before[:, 2])
    velocity = 1e3 * float(moved.mean()) / ((1.0 - decks.TUBE_BEFORE_END) * end)
    radii, values = np.hypot(places[:, 2], places[:, 3]), mises(stresses[:, 2:])
    inside, outside = (
        given.value_at_wall(radii, values, wall) for wall in (given.INNER, given.OUTER)
    )
    return (inside, outside, velocity)


def _disc_values(tables: Tables) -> tuple[float | None, ...]:
    return tuple(_mean_mises(tables, time) for time in given.DISC_TIMES)


def _mean_mises(tables: Tables, time: float) -> float | None:
    """Mean von Mises stress in MPa, weighted with the undeformed volumes CalculiX prints."""
    stresses, volumes = _at(tables, "stresses", time), _at(tables, "volume", time)
    if stresses is None or volumes is None:
        return None
    elements, place = np.unique(stresses[:, 0], return_inverse=True)
    means = np.bincount(place, mises(stresses[:, 2:])) / np.bincount(place)
    weights = dict(zip(volumes[:, 0], volumes[:, 1], strict=True))
    return float(np.average(means, weights=[weights[element] for element in elements]))


def _disc_points() -> int:
    return len(given.disc_problem().mesh.points)


CASES = (
    Case(
        "B1",
        "CalculiX",
        given.RAMP,
        decks.bar,
        _bar_values,
        lambda: len(given.bar_mesh().points),
        "thermal expansion for swelling, another kinematic convention; Cauchy stress",
    ),
    Case(
        "B2",
        "CalculiX",
        decks.tube_end(),
        decks.tube,
        _tube_values,
        lambda: len(given.tube_mesh().points),
        "small strain as stated, E = 10 GPa",
    ),
    Case(
        "B3",
        "CalculiX, node to surface",
        given.RAMP,
        lambda: decks.discs("NODE TO SURFACE"),
        _disc_values,
        _disc_points,
        _CONTACT,
    ),
    Case(
        "B3",
        "CalculiX, surface to surface",
        given.RAMP,
        lambda: decks.discs("SURFACE TO SURFACE"),
        _disc_values,
        _disc_points,
        _CONTACT,
    ),
)
