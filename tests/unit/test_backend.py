"""What has to be loaded before what."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
import creep_fem._backend
import dolfinx.fem.petsc
import h5py
import numpy as np

with h5py.File("values.h5", "w") as file:
    file["values"] = np.arange(3.0)
with h5py.File("values.h5") as file:
    print(file["values"][:].sum(), "numba" in sys.modules)
"""


def test_files_are_read_after_dolfinx_has_found_numba(tmp_path: Path) -> None:
    """It makes the HDF5 of the DOLFINx wheel visible to all, which is not that of h5py."""
    command = [sys.executable, "-W", "error", "-c", PROGRAM]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "3.0 True\n", done.stderr
