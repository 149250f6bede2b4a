"""Half-cycles and swelling stretches."""

from __future__ import annotations

from itertools import pairwise

import pytest

from creep_fem.cycling import free_area_growth, growth_stretches, half_cycles
from creep_fem.materials import GrowthMode

RATE = 0.1 / 3600.0


def test_half_cycles_alternate_and_join() -> None:
    parts = half_cycles(RATE, 2, start=0.0, swollen=1.0, shrunk=0.22)
    assert [p.cycle for p in parts] == [1, 1, 2, 2]
    assert [(p.start_soc, p.end_soc) for p in parts] == [
        (0.0, 1.0),
        (1.0, 0.22),
        (0.22, 1.0),
        (1.0, 0.22),
    ]
    assert parts[0].end_time == pytest.approx(36000.0)
    assert parts[1].end_time == pytest.approx(36000.0 * 1.78)
    for before, after in pairwise(parts):
        assert before.end_time == after.start_time
    assert parts[1].soc_at(parts[1].start_time) == 1.0
    assert parts[1].soc_at(parts[1].end_time) == 0.22


def test_time_at_a_state_of_charge() -> None:
    down = half_cycles(RATE, 1, start=0.0, swollen=1.0, shrunk=0.22)[1]
    time = down.time_at(0.5)
    assert time is not None
    assert down.soc_at(time) == pytest.approx(0.5)
    assert down.time_at(0.1) is None
    assert down.time_at(1.0) is None  # belongs to the half-cycle that ends there
    assert down.time_at(0.22) == pytest.approx(down.end_time)


@pytest.mark.parametrize("change", [0.98, -0.0182])
def test_growth_modes(change: float) -> None:
    a, b = growth_stretches(change, 0.6, 0.1, "isotropic")
    ratio = (1.0 + 0.6 * change) / (1.0 + 0.1 * change)
    assert a * a * b == pytest.approx(ratio)
    assert a == b
    a, b = growth_stretches(change, 0.6, 0.1, "in_plane")
    assert (a * a, b) == (pytest.approx(ratio ** (2.0 / 3.0)), 1.0)


def test_start_is_stress_free() -> None:
    assert growth_stretches(0.98, 0.3, 0.3, "isotropic") == (1.0, 1.0)


@pytest.mark.parametrize(("mode", "power"), [("in_plane", 2.0 / 3.0), ("isotropic", 0.8)])
def test_free_area_growth(mode: GrowthMode, power: float) -> None:
    """Isotropic: two thirds of ln J in the plane, and nu = 0.2 times a third twice."""
    stretches = growth_stretches(0.98, 0.5, 0.0, mode)
    assert free_area_growth(stretches, 0.2) == pytest.approx(1.49**power)
