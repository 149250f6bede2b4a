"""Verification numbers do not depend on the number of processes; the book shows all quick cases."""

from __future__ import annotations

import pytest
from cases import CASES
from ranks import RANKS, Numbers, differences_on, run_on

# Short ones: finite strain with creep under given displacements, pressures and stresses of a
# contact at once and after swelling with creep, and a packing under the time stepper.
SHORT = ("objectivity", "patch_curved", "two_particles", "rve_balance")


@pytest.fixture(scope="module")
def serial() -> Numbers:
    return run_on(1, SHORT)


@pytest.mark.parametrize("ranks", RANKS)
def test_numbers_do_not_depend_on_ranks(serial: Numbers, ranks: int) -> None:
    assert all(serial.values())
    differences = differences_on(ranks, serial)
    assert set(differences) == set(SHORT)
    limits = {case.name: case.rank_limit.tolerance for case in CASES}
    assert {name: d for name, d in differences.items() if not d <= limits[name]} == {}
