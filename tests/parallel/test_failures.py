"""What fails on one process is raised on all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("failing_program.py")


@pytest.mark.parametrize("rank", [0, 1])
def test_an_error_of_one_process_is_raised_on_all(rank: int) -> None:
    # The launcher of the environment's own MPI: another one would start unconnected processes.
    launcher = Path(sys.executable).with_name("mpirun")
    command = [str(launcher), "-n", "2", sys.executable, str(PROGRAM), str(rank)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["0 discs[3]", "1 discs[3]"]
