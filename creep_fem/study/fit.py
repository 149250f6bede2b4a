"""Bounded least squares with runs as function values, and how far its result can be trusted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from creep_fem.study.errors import StudyError

Array = NDArray[np.float64]

Evaluate = Callable[[Array], Array]
"""Residuals in tolerances, shape (points, targets), at positions between the bounds, shape
(points, parameters); not finite where a run did not converge."""

QUANTILE = 1.959964
"""Of the normal distribution: so many standard deviations to both sides hold 95 %."""


@dataclass(frozen=True)
class Fit:
    """Where a fit has ended.

    Attributes:
        position: Positions between the bounds, shape (parameters,).
        residuals: Deviations from the targets in tolerances, shape (targets,).
        jacobian: Their derivatives, shape (targets, parameters).
        at_bound: Whether a parameter has run into a bound, shape (parameters,).
        converged: Whether this is a minimum, or the fit was stopped.
        message: Why the fit ended.
    """

    position: Array
    residuals: Array
    jacobian: Array
    at_bound: NDArray[np.bool_]
    converged: bool
    message: str


def fit(
    evaluate: Evaluate, start: Sequence[float], step: float, tolerance: float, iterations: int
) -> Fit:
    """Minimise the sum of squared residuals: SciPy's trust region reflective algorithm.

    A trial point without finite residuals is answered by a smaller trust region: nothing has to be
    invented in place of a run that did not converge. For a derivative the other side is tried.

    Args:
        evaluate: Residuals at many points; may be asked for the same one again.
        start: Positions between the bounds, one per parameter.
        step: Step of the one-sided differences; it leads away from a bound that is near.
        tolerance: Change of the positions, or relative change of the sum, that ends the fit.
        iterations: Most trial points.

    Raises:
        StudyError: If there are no residuals at the start, or no derivative at a point reached.
    """
    from scipy.optimize import least_squares

    def residuals(position: Array) -> Array:
        found: Array = evaluate(position[None, :])[0]
        return found

    def jacobian(position: Array) -> Array:
        return _differences(evaluate, position, step)

    if not np.all(np.isfinite(residuals(np.asarray(start)))):
        raise StudyError("the run at the start did not converge: there is nothing to improve on")
    found = least_squares(
        residuals,
        np.asarray(start),
        jacobian,
        bounds=(0.0, 1.0),
        method="trf",
        ftol=tolerance,
        xtol=tolerance,
        gtol=None,
        max_nfev=iterations,
    )
    near = (found.x < tolerance) | (found.x > 1.0 - tolerance)
    return Fit(found.x, found.fun, found.jac, near, found.status > 0, _ending(found.status))


def _ending(status: int) -> str:
    reasons = {
        0: "stopped after the largest number of trial points",
        2: "the misfit hardly changes any more",
        3: "the parameters hardly change any more",
        4: "neither misfit nor parameters change any more",
    }
    return reasons[status]


def _differences(evaluate: Evaluate, position: Array, step: float) -> Array:
    """One-sided differences, all at once, shape (targets, parameters)."""
    here = evaluate(position[None, :])[0]
    steps = np.where(position + step <= 1.0, step, -step)
    there = evaluate(position + np.diag(steps))
    failed = ~np.all(np.isfinite(there), axis=1)
    possible = failed & (position - steps >= 0.0) & (position - steps <= 1.0)
    if np.any(possible):
        steps[possible] *= -1.0
        there[possible] = evaluate(position + np.diag(steps)[possible])
    if not np.all(np.isfinite(there)):
        raise StudyError(
            "runs beside the point reached did not converge on either side: "
            "no derivative; a smaller optimiser.step may help, or other bounds"
        )
    slopes: Array = ((there - here) / steps[:, None]).T
    return slopes


@dataclass(frozen=True)
class Uncertainty:
    """How well targets determine parameters, from the derivatives at the fit.

    Attributes:
        deviation: Standard deviations of the positions, shape (parameters,); infinite where the
            targets say nothing.
        correlation: Of the positions, shape (parameters, parameters); NaN where undefined.
        singular_values: Of the Jacobian, the largest first: tolerances by which the targets move
            over the whole range of a combination of parameters.
        weak: Combinations of parameters, of unit length, whose 95 % interval is wider than their
            range; shape (combinations, parameters).
        chi_squared: Sum of squared residuals.
        freedom: Targets minus parameters.
        inflation: Factor by which deviations were widened since the model misses the targets by
            more than their tolerances.
    """

    deviation: Array
    correlation: Array
    singular_values: Array
    weak: Array
    chi_squared: float
    freedom: int
    inflation: float


def uncertainty(fitted: Fit) -> Uncertainty:
    """Estimate the uncertainty of a fit by linearisation.

    Tolerances are taken for standard deviations of the targets, so the covariance is
    (J^T J)^-1. If the sum of squares exceeds the degrees of freedom, it is multiplied by their
    ratio (Birge ratio): a model that misses its targets knows its parameters less well.

    Args:
        fitted: The fit.
    """
    targets, parameters = fitted.jacobian.shape
    _, values, rows = np.linalg.svd(fitted.jacobian, full_matrices=False)
    chi_squared, freedom = float(fitted.residuals @ fitted.residuals), targets - parameters
    inflation = max(1.0, (chi_squared / freedom) ** 0.5) if freedom else 1.0
    known = values > np.finfo(float).eps * targets * max(values[0], 1.0)
    spread = np.divide(inflation, values, out=np.full(parameters, np.inf), where=known)
    # A direction without any influence leaves those parameters undetermined that take part in it.
    parts = rows.T != 0.0
    scaled = np.multiply(rows.T, spread, out=np.zeros((parameters, parameters)), where=parts)
    deviation = np.sqrt(np.sum(scaled**2, axis=1))
    with np.errstate(invalid="ignore"):
        covariance = scaled @ scaled.T
        correlation = covariance / np.outer(deviation, deviation)
    weak = rows[2.0 * QUANTILE * spread > 1.0]
    return Uncertainty(deviation, correlation, values, weak, chi_squared, freedom, inflation)
