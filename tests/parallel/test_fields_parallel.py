"""Fields do not depend on the number of processes, up to the order of points and cells."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from creep_fem.results.read import FieldSnapshot, field_times, read_fields

TESTS = Path(__file__).parents[1]
PROGRAM = Path(__file__).with_name("fields_program.py")


def _run(path: Path, ranks: int) -> Path:
    path.mkdir()
    paths = [str(TESTS.parent), str(TESTS / "unit"), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(paths)}
    # The launcher of the environment's own MPI: another one would start unconnected processes.
    launcher = Path(sys.executable).with_name("mpirun")
    command = [str(launcher), "-n", str(ranks), sys.executable, str(PROGRAM), str(path)]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return path


def _sorted_by_place(
    snapshot: FieldSnapshot,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Stack point and cell data in an order that depends on coordinates alone."""
    middles = snapshot.points[snapshot.cells].mean(axis=1)
    tables = []
    for places in (snapshot.points, middles):
        columns = [v for v in snapshot.arrays.values() if len(v) == len(places)]
        order = np.lexsort(np.round(places, 9).T)
        tables.append(np.column_stack([places, *columns])[order])
    return tables[0], tables[1]


@pytest.fixture(scope="module")
def serial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _run(tmp_path_factory.mktemp("runs") / "serial", 1)


@pytest.mark.parametrize("ranks", [2, 3])
def test_parallel_fields_equal_serial_ones(serial: Path, tmp_path: Path, ranks: int) -> None:
    parallel = _run(tmp_path / "parallel", ranks)
    np.testing.assert_array_equal(field_times(parallel), field_times(serial))
    for index in range(3):
        pairs = (_sorted_by_place(read_fields(f, index)) for f in (serial, parallel))
        for expected, found in zip(*pairs, strict=True):
            np.testing.assert_allclose(found, expected, atol=1e-13)
