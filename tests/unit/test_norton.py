"""The scalar return map of the Norton law."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from numba import njit
from scipy.optimize import brentq

from creep_fem.compiled import FASTMATH
from creep_fem.mechanics.loops import return_map


class Creep(NamedTuple):
    strain: np.ndarray
    slope: np.ndarray
    dissipation: np.ndarray


@njit(error_model="numpy", fastmath=FASTMATH)  # type: ignore[untyped-decorator]
def _at_all(
    trial: np.ndarray, dt: float, law: tuple[float, float, float, float], last: np.ndarray
) -> np.ndarray:
    found = np.empty((3, len(trial)))
    for i in range(len(trial)):
        before = last[i, 0], last[i, 1]
        found[0, i], found[1, i], found[2, i], before = return_map(trial[i], dt, law, before)
        last[i, 0], last[i, 1] = before
    return found


def creep(
    trial: np.ndarray, dt: float, law: tuple[float, ...], last: np.ndarray | None = None
) -> Creep:
    """Creep for trial stresses of shape (n,), from scratch or from last solutions, (n, 2)."""
    return Creep(*_at_all(trial, dt, law, np.zeros((len(trial), 2)) if last is None else last))


@pytest.mark.parametrize("exponent", [1.0, 4.5, 7.0, 20.0])
@pytest.mark.parametrize("rate_dt", [1e-12, 1e-3, 1.0, 1e6])
def test_against_root_finding(exponent: float, rate_dt: float) -> None:
    shear, reference = 4.0, 0.1
    for trial in (1e-9, 1e-3, 0.1, 5.0):
        found = creep(np.array([trial]), 1.0, (shear, rate_dt, reference, exponent))

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
    trial, shear, h = np.linspace(0.01, 1.0, 9), 4.0, 1e-6
    law = shear, 0.02, 0.1, 4.5
    ahead, behind, at = (creep(trial + d, 1.0, law) for d in (h, -h, 0.0))
    np.testing.assert_allclose(at.slope, (ahead.strain - behind.strain) / (2.0 * h), rtol=1e-6)

    def energy(found: Creep, q_trial: np.ndarray) -> np.ndarray:
        return (q_trial - 3.0 * shear * found.strain) ** 2 / (6.0 * shear) + found.dissipation

    # the increment makes the potential stationary, so d(potential)/d(q_trial) = q / (3 G)
    slope = energy(ahead, trial + h) - energy(behind, trial - h)
    stress = trial - 3.0 * shear * at.strain
    np.testing.assert_allclose(slope / (2.0 * h), stress / (3.0 * shear), rtol=1e-6)


@pytest.mark.parametrize("exponent", [1.0, 4.5, 20.0])
def test_the_last_solution_is_only_a_start(exponent: float) -> None:
    """Stresses that jump or drift, and steps of other lengths, give what a new map gives."""
    rng = np.random.default_rng(3)
    law, last = (4.0, 0.02, 0.1, exponent), np.zeros((200, 2))
    trial = np.geomspace(1e-4, 5.0, 200)
    for spread in (0.0, 1e-6, 1e-3, 0.03, 0.3, 3.0, 1e-3, 0.0):
        trial = trial * np.exp(spread * rng.normal(size=200))
        for dt in (1.0, 1.1, 30.0):
            found, anew = creep(trial, dt, law, last), creep(trial, dt, law)
            for name in ("strain", "slope", "dissipation"):
                np.testing.assert_allclose(getattr(found, name), getattr(anew, name), rtol=1e-12)
