"""A run gives the same tables on one, two and three processes, and with either linear solver."""

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
TWO_DISCS = """{"box": 3.0, "discs": [
    {"x": 0.75, "y": 1.5, "r": 0.7, "phase": "active"},
    {"x": 3.0, "y": 1.5, "r": 1.45, "phase": "framework"}]}"""


def run_on(ranks: int, output: Path, *settings: str) -> dict[str, np.ndarray]:
    bin_folder = Path(sys.executable).parent
    command = [
        *(str(bin_folder / "mpirun"), "-n", str(ranks)),
        *(str(bin_folder / "creep-fem"), "run", str(ROOT / "configs" / "demo.yaml")),
        *("--output", str(output), "--quiet"),
        *("--set", "mesh.surface_size=0.35 um", "--set", "output.figures=false"),
    ]
    for setting in settings:
        command += ["--set", setting]
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
    assert len(serial["step"]) > 10
    assert_equal(run_on(ranks, tmp_path), serial, TOLERANCE)


@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_history_does_not_depend_on_the_linear_solver(
    serial: dict[str, np.ndarray], ranks: int, tmp_path: Path
) -> None:
    found = run_on(ranks, tmp_path, "newton.linear_solver=iterative")
    counts = ("newton_iterations", "chord_iterations")
    expected = {column: serial[column] for column in serial if column not in counts}
    assert_equal(found, expected, 1e-4)


@pytest.mark.parametrize("solver", ["direct", "iterative"])
def test_there_may_be_more_processes_than_bodies(solver: str, tmp_path: Path) -> None:
    """Then bodies are shared, and some processes have none to solve for; with friction."""
    layout = tmp_path / "two.json"
    layout.write_text(TWO_DISCS, encoding="utf-8")
    settings = (
        *(f"microstructure={{layout: {layout}}}", f"newton.linear_solver={solver}"),
        *("contact.friction_coefficient=0.3", "cycling.soc.low=0.0", "cycling.soc.high=0.5"),
    )
    alone, many = (run_on(ranks, tmp_path / str(ranks), *settings) for ranks in (1, 3))
    assert len(alone["step"]) > 10
    assert_equal(many, alone, TOLERANCE)


def assert_equal(
    found: dict[str, np.ndarray], expected: dict[str, np.ndarray], tolerance: float
) -> None:
    for column, values in expected.items():
        scale = np.nanmax(np.abs(values), initial=0.0)
        np.testing.assert_allclose(
            found[column], values, rtol=tolerance, atol=tolerance * scale, err_msg=column
        )
