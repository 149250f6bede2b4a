"""Runs cases on several processes: every number of theirs, to be compared with one process."""

from __future__ import annotations

import faulthandler
import json
import math
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from cases import CASES, Case
from mpi4py import MPI
from records import Report

RANKS = (2, 3)
_TIME_LIMIT = 1200.0  # s, of a case; three processes on two cores need minutes for the longest
_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    # no search for networks between processes of one machine
    "UCX_TLS": "self,sm,tcp",
    # waiting processes sleep: with more of them than cores, they would keep the others from work
    "MPIR_CVAR_CH4_PROGRESS_THROTTLE": "1",
    "MPIR_CVAR_CH4_PROGRESS_THROTTLE_NO_PROGRESS_COUNT": "64",
}

Numbers = dict[str, list[float]]
"""Numbers of each case; none of a case that raised or hung."""


def numbers(report: Report) -> list[float]:
    """Every computed number in units of its scale, then every error of the studies."""
    checks = [check.computed / abs(check.scale or check.reference) for check in report.checks]
    return checks + [error for study in report.convergence for error in study.errors]


def run_on(ranks: int, names: Sequence[str]) -> Numbers:
    """Run cases one after the other under the mpirun that stands beside this Python.

    All cases share the processes, whose start takes longer than most of them. When a case ends
    the processes, by a crash or at its time limit, new ones go on with the next case.

    Args:
        ranks: Number of processes.
        names: Cases.
    """
    found: Numbers = {}
    while rest := [name for name in names if name not in found]:
        ended = _launch(ranks, rest)
        found |= ended
        if len(ended) < len(rest):
            culprit = rest[len(ended)]
            sys.stderr.write(f"{culprit}: ended {ranks} processes\n")
            found[culprit] = []
    return found


def _launch(ranks: int, names: Sequence[str]) -> Numbers:
    """Numbers of the cases that came to an end before one took the processes with it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "numbers.json"
        file.write_text("{}", encoding="utf-8")
        command = [
            *(str(Path(sys.executable).with_name("mpirun")), "-n", str(ranks)),
            *(sys.executable, "-m", "mpi4py", __file__, str(file), *names),
        ]
        subprocess.run(command, env={**os.environ, **_ENVIRONMENT}, check=False)
        found: Numbers = json.loads(file.read_text(encoding="utf-8"))
        return found


def largest_difference(found: Sequence[float], serial: Sequence[float]) -> float:
    """Largest difference between the numbers of a case; NaN if it has not given them."""
    if len(found) != len(serial):
        return math.nan
    # NumPy's maximum, as the built-in one passes over NaN
    return float(np.max(np.abs(np.subtract(found, serial))))


def differences_on(ranks: int, serial: Numbers) -> dict[str, float]:
    """Largest difference of a number of each case; NaN for a case that raises or hangs.

    Args:
        ranks: Number of processes.
        serial: Numbers of the cases on one process.
    """
    found = run_on(ranks, list(serial))
    return {name: largest_difference(found[name], values) for name, values in serial.items()}


def _run(case: Case) -> list[float]:
    """Numbers of a case, none if it raises on any process (collective)."""
    faulthandler.dump_traceback_later(_TIME_LIMIT, exit=True)
    found: list[float] = []
    try:
        found = numbers(case.run())
    except Exception:  # any failure of a case is for the comparison to show
        sys.stderr.write(f"{case.name}: {traceback.format_exc()}")
    # a process that raised alone waits here, until the time limit ends those that wait for it
    everywhere = MPI.COMM_WORLD.allgather(bool(found))
    faulthandler.cancel_dump_traceback_later()
    return found if all(everywhere) else []


def main() -> None:
    """Run the named cases; the first process writes their numbers after each of them."""
    target, *names = sys.argv[1:]
    cases = {case.name: case for case in CASES}
    found: Numbers = {}
    for name in names:
        found[name] = _run(cases[name])
        if MPI.COMM_WORLD.rank == 0:
            Path(target).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
