"""Backward-Euler return map of the Norton law: one scalar equation per quadrature point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from creep_fem.compiled import compiled, inlined

_MAX_ITERATIONS = 60
_TOLERANCE = 1e-5  # of the last change: Halley's method leaves at most n^2/4 times its cube
_SMALLEST_RATIO = 1e-30  # of trial to reference stress


@dataclass(frozen=True)
class CreepIncrement:
    """Creep over one time step at n quadrature points.

    Attributes:
        strain: Equivalent creep strain increment dg, shape (n,).
        slope: d dg / d q_trial in 1/GPa, shape (n,).
        dissipation: Incremental dissipation potential n/(n+1) q dg in GPa, shape (n,).
    """

    strain: NDArray[np.float64]
    slope: NDArray[np.float64]
    dissipation: NDArray[np.float64]


class ReturnMap:
    """Solves q + 3 G dt A (q/s)^n = q_trial for the von Mises stress q.

    With x = ln(q/s) the equation e^x + c e^(n x) = q_trial/s is convex and increasing. Halley's
    method, whose second derivative costs no further exponential, starts from the smaller of its
    two asymptotes. From the root x* to there f = e^x + c e^(n x) - q_trial/s is at most the smaller
    one of its exponentials, so that f f'' <= f'^2 and the denominator stays positive; left of the
    root f < 0 makes it larger still.

    Where the last solution nearly fits, n |f| <= q_trial/(2 s), it starts from there: as
    f'' <= n f' and f' >= e^x + c e^(n x), the denominator f' - f f''/(2 f') is at least
    q_trial/(4 s). The stress of a point changes little between most evaluations.
    """

    def __init__(
        self,
        shear_modulus: NDArray[np.float64],
        rate: NDArray[np.float64],
        reference_stress: NDArray[np.float64],
        exponent: NDArray[np.float64],
    ) -> None:
        """Set the law at every point.

        Args:
            shear_modulus: G in GPa, shape (n,).
            rate: A in 1/s, >= 0, shape (n,).
            reference_stress: s in GPa, shape (n,).
            exponent: Norton exponent n >= 1, shape (n,).
        """
        stiffness = 3.0 * shear_modulus
        self._law = stiffness, rate, reference_stress, exponent
        self._relaxation = stiffness * rate / reference_stress  # 1/s
        self._last = np.zeros((len(rate), 2))  # e^x and e^(n x) of the last solution

    def restart(self) -> None:
        """Forget the last solution, and with it what round-off has gathered in it."""
        self._last[:] = 0.0  # which fits nowhere

    def increment(self, trial_stress: NDArray[np.float64], dt: float) -> CreepIncrement:
        """Creep in a step of dt s for elastic trial von Mises stresses in GPa, >= 0, shape (n,)."""
        law = *self._law, self._relaxation
        return CreepIncrement(*_increments(trial_stress, dt, *law, self._last))


@compiled
def _increments(
    trial_stress: NDArray[np.float64],
    dt: float,
    stiffness: NDArray[np.float64],
    rate: NDArray[np.float64],
    reference_stress: NDArray[np.float64],
    exponent: NDArray[np.float64],
    relaxation: NDArray[np.float64],
    last: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    count = len(trial_stress)
    strain, slope, dissipation = np.zeros(count), np.zeros(count), np.zeros(count)
    for i in range(count):
        if rate[i] == 0.0:
            continue
        n, s, factor = exponent[i], reference_stress[i], relaxation[i] * dt
        ratio = max(trial_stress[i] / s, _SMALLEST_RATIO)
        elastic, power = _solve(ratio, factor, n, last[i, 0], last[i, 1])
        last[i, 0], last[i, 1] = elastic, power
        strain[i] = rate[i] * dt * power
        creep = n * factor * power
        slope[i] = creep / ((elastic + creep) * stiffness[i])
        dissipation[i] = n / (n + 1.0) * s * elastic * strain[i]
    return strain, slope, dissipation


@inlined
def _solve(
    ratio: float, factor: float, n: float, elastic: float, power: float
) -> tuple[float, float]:
    """Solution of elastic + factor power = ratio, with elastic = e^x and power = e^(n x)."""
    if not 2.0 * n * abs(elastic + factor * power - ratio) <= ratio:
        x = np.log(ratio)
        if np.log(factor) + (n - 1.0) * x > 0.0:
            x = (x - np.log(factor)) / n
        elastic, power = np.exp(x), np.exp(n * x)
    for _ in range(_MAX_ITERATIONS):
        creep = factor * power
        residual, gradient = elastic + creep - ratio, elastic + n * creep
        curvature = elastic + n**2 * creep
        change = residual / (gradient - 0.5 * residual * curvature / gradient)
        elastic *= _exp(-change)
        power *= _exp(-n * change)
        if abs(change) < _TOLERANCE:
            break
    return elastic, power


@inlined
def _exp(x: float) -> float:
    """e^x; the last changes are so small that five terms of its series are exact."""
    if abs(x) < 2e-3:
        return 1.0 + x * (1.0 + x / 2.0 * (1.0 + x / 3.0 * (1.0 + x / 4.0)))
    return float(np.exp(x))
