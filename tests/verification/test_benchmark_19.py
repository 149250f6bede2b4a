"""Benchmark B3: 19 discs swell into contact and back; von Mises stress against MOOSE."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import creep_fem

CONFIG = Path(__file__).parents[2] / "configs" / "benchmark_19.yaml"
History = dict[str, NDArray[np.float64]]

# Mean von Mises stress of the soft discs in GPa at three times in s; MOOSE with node-face penalty
# contact on straight-sided linear elements and viscous drag.
MOOSE = {5156.0: 0.07923, 9279.0: 0.07846, 10915.0: 0.07965}


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    config = creep_fem.load_config(CONFIG, ["output.figures=false"])
    return creep_fem.run(config, output=tmp_path_factory.mktemp("results"), quiet=True).history


def test_reaches_full_lithiation_and_returns(history: History) -> None:
    assert history["soc"].max() == 1.0
    assert history["soc"][-1] == 0.0
    assert history["time_s"][-1] == pytest.approx(72000.0)


def test_no_penetration_beyond_10_nm(history: History) -> None:
    assert history["min_gap_um"].min() > -0.010


@pytest.mark.parametrize("time", MOOSE)
def test_stress_within_two_per_cent_of_moose(history: History, time: float) -> None:
    (row,) = np.flatnonzero(np.abs(history["time_s"] - time) < 0.1)
    assert history["mises_mean_active_gpa"][row] == pytest.approx(MOOSE[time], rel=0.02)


def test_drag_is_negligible(history: History) -> None:
    loaded = history["wall_pressure_x_gpa"] > 0.01
    assert loaded.any()
    share = history["drag_traction_max_gpa"][loaded] / history["wall_pressure_x_gpa"][loaded]
    assert share.max() < 0.05
