"""The scalar return map of the Norton law."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

from creep_fem.mechanics.norton import ReturnMap


@pytest.mark.parametrize("exponent", [1.0, 4.5, 7.0, 20.0])
@pytest.mark.parametrize("rate_dt", [1e-12, 1e-3, 1.0, 1e6])
def test_against_root_finding(exponent: float, rate_dt: float) -> None:
    shear, reference = 4.0, 0.1
    for trial in (1e-9, 1e-3, 0.1, 5.0):
        law = (np.array([v]) for v in (shear, rate_dt, reference, exponent))
        found = ReturnMap(*law).increment(np.array([trial]), 1.0)

        def imbalance(log_stress: float, trial: float = trial) -> float:
            stress = np.exp(log_stress)
            creep = rate_dt * (stress / reference) ** exponent
            return stress + 3.0 * shear * creep - trial

        # from far below any stress to the trial stress: the root is bracketed
        stress = np.exp(brentq(imbalance, np.log(trial) - 60.0, np.log(trial), xtol=1e-13))
        expected = (trial - stress) / (3.0 * shear)
        # where hardly anything creeps the difference cancels: compare on the law itself
        law = rate_dt * (stress / reference) ** exponent
        assert found.strain[0] == pytest.approx(law, rel=1e-9, abs=1e-300)
        assert found.strain[0] == pytest.approx(expected, rel=1e-6, abs=1e-12 * trial)


def test_slope_and_dissipation() -> None:
    trial = np.linspace(0.01, 1.0, 9)
    shear, rate_dt, reference, exponent = (np.full(9, v) for v in (4.0, 0.02, 0.1, 4.5))
    h = 1e-6
    law = ReturnMap(shear, rate_dt, reference, exponent)
    ahead, behind, at = (law.increment(trial + d, 1.0) for d in (h, -h, 0.0))
    np.testing.assert_allclose(at.slope, (ahead.strain - behind.strain) / (2.0 * h), rtol=1e-6)

    def energy(increment: np.ndarray, dissipation: np.ndarray, q_trial: np.ndarray) -> np.ndarray:
        return (q_trial - 3.0 * shear * increment) ** 2 / (6.0 * shear) + dissipation

    # the increment makes the potential stationary, so d(potential)/d(q_trial) = q / (3 G)
    slope = energy(ahead.strain, ahead.dissipation, trial + h) - energy(
        behind.strain, behind.dissipation, trial - h
    )
    stress = trial - 3.0 * shear * at.strain
    np.testing.assert_allclose(slope / (2.0 * h), stress / (3.0 * shear), rtol=1e-6)


def test_a_rate_of_zero_is_elastic() -> None:
    trial, rate_dt = np.array([0.0, 1e-9, 0.1, 5.0]), np.zeros(4)
    shear, reference, exponent = (np.full(4, v) for v in (4.0, 0.1, 4.5))
    found = ReturnMap(shear, rate_dt, reference, exponent).increment(trial, 1.0)
    for values in (found.strain, found.slope, found.dissipation):
        np.testing.assert_array_equal(values, 0.0)


@pytest.mark.parametrize("exponent", [1.0, 4.5, 20.0])
def test_the_last_solution_is_only_a_start(exponent: float) -> None:
    """Stresses that jump or drift, and steps of other lengths, give what a new map gives."""
    rng = np.random.default_rng(3)
    law = [np.full(200, v) for v in (4.0, 0.02, 0.1, exponent)]
    kept, trial = ReturnMap(*law), np.geomspace(1e-4, 5.0, 200)
    for spread in (0.0, 1e-6, 1e-3, 0.03, 0.3, 3.0, 1e-3, 0.0):
        trial = trial * np.exp(spread * rng.normal(size=200))
        for dt in (1.0, 1.1, 30.0):
            found, anew = (m.increment(trial, dt) for m in (kept, ReturnMap(*law)))
            for name in ("strain", "slope", "dissipation"):
                np.testing.assert_allclose(getattr(found, name), getattr(anew, name), rtol=1e-12)
    kept.restart()
    found, anew = (m.increment(trial, 1.0) for m in (kept, ReturnMap(*law)))
    np.testing.assert_array_equal(found.strain, anew.strain)
