"""Bounded least squares with runs as function values, and how far its result can be trusted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from creep_fem.study.errors import StudyError

Array = NDArray[np.float64]

Evaluate = Callable[[Array], Array]
"""Residuals in tolerances, shape (points, targets), at positions between the bounds, shape
(points, parameters); not finite where a run did not converge."""

CONFIDENCE = 0.95
"""Probability that intervals hold the true value."""

_AT_BOUND = 2e-2
"""Distance within which a parameter counts as at its bound: the algorithm stays inside, and leaves
up to 2 % of the range with a tolerance of some per cent."""
_NOTABLE = 0.1
"""Share of the sum of squares which a fit that has ended should not leave to a further step."""


@dataclass(frozen=True)
class Fit:
    """Where a fit has ended.

    Attributes:
        position: Positions between the bounds, shape (parameters,).
        residuals: Deviations from the targets in tolerances, shape (targets,).
        jacobian: Their derivatives, shape (targets, parameters).
        at_bound: Whether a parameter is at a bound beyond which the sum of squares would fall,
            shape (parameters,).
        predicted_reduction: Share of the sum of squares by which a further step within the bounds
            would lower it if the residuals were linear.
        converged: Whether steps came to change nothing any more, or the fit was stopped.
        message: Why the fit ended, and what a further step promised.
    """

    position: Array
    residuals: Array
    jacobian: Array
    at_bound: NDArray[np.bool_]
    predicted_reduction: float
    converged: bool
    message: str

    @property
    def doubtful(self) -> bool:
        """Whether the derivatives contradict that this is a minimum.

        What is left of a sum of squares below 1 does not matter: all targets are met.
        """
        chi_squared = float(self.residuals @ self.residuals)
        return self.predicted_reduction * chi_squared > _NOTABLE * max(chi_squared, 1.0)


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

    first = np.asarray(start)
    if not np.all(np.isfinite(evaluate(first[None, :]))):
        raise StudyError("the run at the start did not converge: there is nothing to improve on")
    found = least_squares(
        lambda position: evaluate(position[None, :])[0],
        first,
        lambda position: _differences(evaluate, position, step),
        bounds=(0.0, 1.0),
        method="trf",
        ftol=tolerance,
        xtol=tolerance,
        gtol=None,
        max_nfev=iterations,
    )
    return _ended(found.x, found.fun, found.jac, found.status)


def _ended(position: Array, residuals: Array, jacobian: Array, status: int) -> Fit:
    """Judge the end of a fit by the derivatives there.

    A status above 0 says that steps became small. Noise and failed trial runs shrink them as well.
    """
    gradient = jacobian.T @ residuals
    lower, upper = position < _AT_BOUND, position > 1.0 - _AT_BOUND
    held = (lower & (gradient > 0.0)) | (upper & (gradient < 0.0))
    promise = _predicted_reduction(position, residuals, jacobian)
    ended = Fit(position, residuals, jacobian, held, promise, status > 0, "")
    reason = {
        0: "stopped after the largest number of trial points",
        2: "the misfit hardly changes any more",
        3: "the parameters hardly change any more",
        4: "neither misfit nor parameters change any more",
    }[status]
    further = (
        "by the derivatives there, a further step would lower the sum of squares by "
        f"{100.0 * promise:.0f} %"
    )
    if ended.converged and ended.doubtful:
        causes = "runs are noisy or failed, or the model is far from linear"
        return replace(ended, message=f"{reason}, though {further}: {causes}")
    return replace(ended, message=f"{reason}; {further}")


def _predicted_reduction(position: Array, residuals: Array, jacobian: Array) -> float:
    """Share of the sum of squares that a step of Gauss and Newton within the bounds would save."""
    from scipy.optimize import lsq_linear

    before = float(residuals @ residuals)
    if before == 0.0:
        return 0.0
    step = lsq_linear(jacobian, -residuals, bounds=(-position, 1.0 - position)).x
    after = float(np.sum((residuals + jacobian @ step) ** 2))
    return max(0.0, 1.0 - after / before)


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
        quantile: Standard deviations to both sides that hold 95 %.
    """

    deviation: Array
    correlation: Array
    singular_values: Array
    weak: Array
    chi_squared: float
    freedom: int
    inflation: float
    quantile: float


def uncertainty(fitted: Fit) -> Uncertainty:
    """Estimate the uncertainty of a fit by linearisation.

    Tolerances are taken for standard deviations of the targets, so the covariance is
    (J^T J)^-1. If the sum of squares exceeds the degrees of freedom, it is multiplied by their
    ratio (Birge ratio): a model that misses its targets knows its parameters less well. Deviations
    that a few residuals tell are themselves uncertain, so intervals are then those of Student's t
    instead of the normal distribution.

    Args:
        fitted: The fit.
    """
    from scipy.stats import norm, t

    targets, parameters = fitted.jacobian.shape
    _, values, rows = np.linalg.svd(fitted.jacobian, full_matrices=False)
    chi_squared, freedom = float(fitted.residuals @ fitted.residuals), targets - parameters
    inflation = max(1.0, (chi_squared / freedom) ** 0.5) if freedom else 1.0
    distribution = t(freedom) if inflation > 1.0 else norm
    quantile = float(distribution.ppf(0.5 + 0.5 * CONFIDENCE))
    known = values > np.finfo(float).eps * targets * max(values[0], 1.0)
    spread = np.divide(inflation, values, out=np.full(parameters, np.inf), where=known)
    # A direction without any influence leaves those parameters undetermined that take part in it.
    parts = rows.T != 0.0
    scaled = np.multiply(rows.T, spread, out=np.zeros((parameters, parameters)), where=parts)
    deviation = np.sqrt(np.sum(scaled**2, axis=1))
    with np.errstate(invalid="ignore"):
        covariance = scaled @ scaled.T
        correlation = covariance / np.outer(deviation, deviation)
    weak = rows[2.0 * quantile * spread > 1.0]
    return Uncertainty(
        deviation, correlation, values, weak, chi_squared, freedom, inflation, quantile
    )
