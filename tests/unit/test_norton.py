"""The scalar return map of the Norton law."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

from creep_fem.mechanics.norton import creep_increment


@pytest.mark.parametrize("exponent", [1.0, 4.5, 7.0, 20.0])
@pytest.mark.parametrize("rate_dt", [1e-12, 1e-3, 1.0, 1e6])
def test_against_root_finding(exponent: float, rate_dt: float) -> None:
    shear, reference = 4.0, 0.1
    for trial in (1e-9, 1e-3, 0.1, 5.0):
        found = creep_increment(
            np.array([trial]),
            np.array([shear]),
            np.array([rate_dt]),
            np.array([reference]),
            np.array([exponent]),
        )

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
    ahead, behind, at = (
        creep_increment(trial + d, shear, rate_dt, reference, exponent) for d in (h, -h, 0.0)
    )
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
    found = creep_increment(trial, shear, rate_dt, reference, exponent)
    for values in (found.strain, found.slope, found.dissipation):
        np.testing.assert_array_equal(values, 0.0)
