"""A run gives the same history and pores on one, two and three processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from creep_fem.results.history import read_history
from creep_fem.results.pores import read_pores

ROOT = Path(__file__).parents[2]
TOLERANCE = 1e-6


def run_on(ranks: int, output: Path) -> dict[str, np.ndarray]:
    bin_folder = Path(sys.executable).parent
    command = [
        *(str(bin_folder / "mpirun"), "-n", str(ranks)),
        *(str(bin_folder / "creep-fem"), "run", str(ROOT / "configs" / "demo.yaml")),
        *("--output", str(output), "--quiet"),
        *("--set", "mesh.surface_size=0.35 um", "--set", "output.figures=false"),
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    pores = read_pores(output / "demo" / "pores.csv")
    history = read_history(output / "demo" / "history.csv")
    return {**history, "pore areas": pores.areas, "creep-free pore area": pores.creep_free}


@pytest.fixture(scope="module")
def serial(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    return run_on(1, tmp_path_factory.mktemp("serial"))


@pytest.mark.parametrize("ranks", [2, 3])
def test_tables_do_not_depend_on_ranks(
    serial: dict[str, np.ndarray], ranks: int, tmp_path: Path
) -> None:
    parallel = run_on(ranks, tmp_path)
    assert len(serial["step"]) > 10
    for column, values in serial.items():
        scale = np.nanmax(np.abs(values), initial=0.0)
        np.testing.assert_allclose(
            parallel[column], values, rtol=TOLERANCE, atol=TOLERANCE * scale, err_msg=column
        )
