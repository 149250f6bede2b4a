"""Fails on one process; started by test_failures.py. Argument: the process that fails."""

from __future__ import annotations

import sys

import creep_fem._backend  # noqa: F401

from mpi4py import MPI

from creep_fem.errors import ConfigError, Problem
from creep_fem.parallel import failing_together

comm = MPI.COMM_WORLD
caught = "nothing"
try:
    with failing_together(comm):
        if comm.rank == int(sys.argv[1]):
            raise ConfigError("ring.json", [Problem("discs[3]", "lies outside")])
except ConfigError as error:
    caught = error.problems[0].key
everywhere = comm.gather(f"{comm.rank} {caught}")
if everywhere is not None:
    sys.stdout.write("\n".join(everywhere))
