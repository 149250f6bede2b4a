"""Writes the synthetic run on all processes; started by test_fields_parallel.py."""

from __future__ import annotations

import sys
from pathlib import Path

from synthetic_run import MPI, write_run

write_run(MPI.COMM_WORLD, Path(sys.argv[1]), cycles=1)
