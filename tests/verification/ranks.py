"""Runs cases on several processes: every number of theirs, to be compared with one process."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cases import CASES
from mpi4py import MPI
from records import Report

RANKS = (2, 3)
TOLERANCE = 1e-8
_TIME_LIMIT = 300.0  # s

Numbers = dict[str, list[float]]
"""Numbers of each case."""


def numbers(report: Report) -> list[float]:
    """Every computed number in units of its scale, then every error of the studies."""
    checks = [check.computed / abs(check.scale or check.reference) for check in report.checks]
    return checks + [error for study in report.convergence for error in study.errors]


def run_on(ranks: int, names: Sequence[str]) -> Numbers:
    """Run cases under the mpirun that stands beside this Python.

    Args:
        ranks: Number of processes.
        names: Cases.

    Raises:
        RuntimeError: If a case raises; the message is what the processes wrote.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "numbers.json"
        command = [
            *(str(Path(sys.executable).with_name("mpirun")), "-n", str(ranks)),
            *(sys.executable, "-m", "mpi4py", __file__, str(file), *names),
        ]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_TIME_LIMIT,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{ranks} processes: {done.stdout[-2000:]}{done.stderr[-4000:]}")
        found: Numbers = json.loads(file.read_text(encoding="utf-8"))
        return found


def largest_differences(found: Numbers, serial: Numbers) -> dict[str, float]:
    """Largest difference of a number of each case."""
    return {
        name: max(abs(a - b) for a, b in zip(found[name], values, strict=True))
        for name, values in serial.items()
    }


def differences_on(ranks: int, serial: Numbers) -> dict[str, float]:
    """Largest difference of a number of each case; NaN for a case that raises or hangs.

    Args:
        ranks: Number of processes.
        serial: Numbers of the cases on one process.
    """
    differences = {}
    for name, expected in serial.items():
        try:
            found = run_on(ranks, [name])
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            sys.stderr.write(f"{name}: {error}\n")
            differences[name] = math.nan
        else:
            differences |= largest_differences(found, {name: expected})
    return differences


def main() -> None:
    """Run the named cases; the first process writes their numbers."""
    target, *names = sys.argv[1:]
    found = {case.name: numbers(case.run()) for case in CASES if case.name in names}
    if MPI.COMM_WORLD.rank == 0:
        Path(target).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
