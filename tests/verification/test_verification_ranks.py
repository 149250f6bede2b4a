"""Verification numbers do not depend on the number of processes; the book shows all of them."""

from __future__ import annotations

import pytest
from ranks import RANKS, TOLERANCE, Numbers, largest_differences, run_on

# Two short ones: finite strain with creep under given displacements, and contact in a packing.
CASES = ("objectivity", "rve_balance")


@pytest.fixture(scope="module")
def serial() -> Numbers:
    return run_on(1, CASES)


@pytest.mark.parametrize("ranks", RANKS)
def test_numbers_do_not_depend_on_ranks(serial: Numbers, ranks: int) -> None:
    assert set(serial) == set(CASES)
    differences = largest_differences(run_on(ranks, CASES), serial)
    assert {name: d for name, d in differences.items() if not d <= TOLERANCE} == {}
