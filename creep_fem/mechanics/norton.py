"""Backward-Euler return map of the Norton law: one scalar equation per quadrature point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MAX_ITERATIONS = 60
_TOLERANCE = 1e-5  # of the last change: Halley's method leaves at most n^2/4 times its cube
_SMALLEST = np.finfo(float).tiny


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


def creep_increment(
    trial_stress: NDArray[np.float64],
    shear_modulus: NDArray[np.float64],
    rate_dt: NDArray[np.float64],
    reference_stress: NDArray[np.float64],
    exponent: NDArray[np.float64],
) -> CreepIncrement:
    """Solve q + 3 G dt A (q/s)^n = q_trial for the von Mises stress q.

    With x = ln(q/s) the equation e^x + c e^(n x) = q_trial/s is convex and increasing. Halley's
    method, whose second derivative costs no further exponential, starts from the smaller of its
    two asymptotes. From the root x* to there e^x + c e^(n x) - q_trial/s is at most the smaller one
    of its exponentials, so that f f'' <= f'^2 and the denominator stays positive; left of the root
    f < 0 makes it larger still.

    Args:
        trial_stress: Elastic trial von Mises stress q_trial in GPa, >= 0, shape (n,).
        shear_modulus: G in GPa, shape (n,).
        rate_dt: A dt, dimensionless, >= 0, shape (n,).
        reference_stress: s in GPa, shape (n,).
        exponent: Norton exponent n >= 1, shape (n,).

    Returns:
        Increment, its slope and its dissipation potential.
    """
    ratio = np.maximum(trial_stress / reference_stress, 1e-30)
    factor = 3.0 * shear_modulus * rate_dt / reference_stress
    log_factor = np.log(np.maximum(factor, _SMALLEST))  # the rate may be zero
    x = np.minimum(np.log(ratio), (np.log(ratio) - log_factor) / exponent)
    for _ in range(_MAX_ITERATIONS):
        elastic, creep = np.exp(x), np.exp(log_factor + exponent * x)
        steeper = exponent * creep
        residual, gradient = elastic + creep - ratio, elastic + steeper
        curvature = elastic + exponent * steeper
        change = residual / (gradient - 0.5 * residual * curvature / gradient)
        x -= change
        if np.max(np.abs(change), initial=0.0) < _TOLERANCE:
            break
    stress = reference_stress * np.exp(x)
    strain = rate_dt * np.exp(exponent * x)
    stiffening = 3.0 * shear_modulus * exponent * strain / stress
    slope = stiffening / ((1.0 + stiffening) * 3.0 * shear_modulus)
    return CreepIncrement(strain, slope, exponent / (exponent + 1.0) * stress * strain)
