"""Adaptive time steps with error control, retry and exact milestones."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from creep_fem.errors import NotConverged, StepFailure
from creep_fem.solver.newton import NewtonResult, NewtonSolver
from creep_fem.solver.phases import Phase, timed

logger = logging.getLogger(__name__)

_SAFETY = 0.9
_GROWTH_LIMIT = 2.0
_SHRINK_LIMIT = 0.25
_FAILED_SHRINK = 0.35
_ACCEPTED_EXCESS = 4.0  # a step is repeated only if its error exceeds the tolerance by this
# A step that took more is too long for a packing that rearranges: shorter ones take fewer in all.
_MANY_ITERATIONS = 10
_EQUAL = 1e-9  # relative difference of step lengths that is taken for round-off


class Loading(Protocol):
    """What drives the problem."""

    def apply(self, time: float) -> None:
        """Set the growth at a time in s."""


@dataclass(frozen=True)
class StepSettings:
    """Limits of the time step: seconds, and the local error of the creep strain."""

    initial: float
    minimum: float
    maximum: float
    creep_tolerance: float


@dataclass(frozen=True)
class AcceptedStep:
    """A finished time step.

    Attributes:
        number: Counted from 1.
        time: Time at its end in s.
        dt: Its length in s.
        iterations: Newton iterations, those of rejected attempts included.
        chord_iterations: Iterations with an older factor, likewise.
        rejected: Attempts that were rejected before.
        creep_error: Estimated local error of the creep strain.
    """

    number: int
    time: float
    dt: float
    iterations: int
    chord_iterations: int
    rejected: int
    creep_error: float


@dataclass(frozen=True)
class _Attempt:
    """A successful attempt: its size, the size wanted, and what it took."""

    dt: float
    wanted: float
    iterations: int
    chord_iterations: int
    rejected: int
    error: float
    result: NewtonResult


class TimeStepper:
    """Marches a :class:`StepProblem` through time."""

    def __init__(self, solver: NewtonSolver, loading: Loading, settings: StepSettings) -> None:
        """Start at time 0 from the state the model holds.

        Args:
            solver: Nonlinear solver with its problem.
            loading: What drives the problem.
            settings: Limits of the time step.
        """
        self.solver, self.loading, self.settings = solver, loading, settings
        self.problem = solver.problem
        self.time, self.number = 0.0, 0
        self._dt = settings.initial
        self._creep_rate: NDArray[np.float64] | None = None
        self._velocity: NDArray[np.float64] | None = None

    def turn_around(self) -> None:
        """Start with a small step again and forget all rates: the loading reverses here."""
        self._creep_rate = self._velocity = None
        self._dt = self.settings.initial

    def advance_to(self, milestone: float) -> Iterator[AcceptedStep]:
        """Take steps until ``milestone`` in s is hit exactly (collective).

        Raises:
            NotConverged: If a step fails at the minimum step size.
        """
        while self.time < milestone:
            yield self._step(milestone)

    def _step(self, milestone: float) -> AcceptedStep:
        model = self.problem.model
        start = model.displacement.x.array.copy()
        iterations = chord_iterations = rejected = 0
        dt = self._dt
        while True:
            remaining = milestone - self.time
            # two equal steps to the milestone rather than a full one and a sliver; the second of
            # them is as long as what remains but for round-off, which must not decide
            trial = remaining if dt >= (1.0 - _EQUAL) * remaining else min(dt, 0.5 * remaining)
            result = self._attempt(trial, start)
            iterations += result.iterations
            chord_iterations += result.chord_iterations
            error = self._creep_error(trial) if result.converged else np.inf
            if error <= _ACCEPTED_EXCESS * self.settings.creep_tolerance or (
                result.converged and trial <= self.settings.minimum
            ):
                break
            if trial <= self.settings.minimum:
                failure = self._failure(result, trial)
                self._restore(start)
                raise NotConverged(failure)
            rejected += 1
            self._log_rejection(result, trial, error)
            shrink = self._factor(error) if result.converged else _FAILED_SHRINK
            dt = max(trial * min(shrink, 0.7), self.settings.minimum)
        attempt = _Attempt(trial, dt, iterations, chord_iterations, rejected, error, result)
        return self._accept(attempt, milestone)

    def _attempt(self, dt: float, start: NDArray[np.float64]) -> NewtonResult:
        self.problem.model.displacement.x.array[:] = start
        self.problem.begin(dt)
        self.loading.apply(self.time + dt)
        return self.solver.solve(None if self._velocity is None else start + dt * self._velocity)

    def _log_rejection(self, result: NewtonResult, dt: float, error: float) -> None:
        cause = f"creep error {error:.2g}" if result.converged else result.reason
        logger.warning(
            "step %d rejected at t = %.6g s, dt = %.3g s after %d iterations: %s",
            self.number + 1,
            self.time,
            dt,
            result.iterations,
            cause,
        )

    def _creep_error(self, dt: float) -> float:
        """Root mean square of the local backward-Euler error of the creep strain (collective)."""
        model = self.problem.model
        # after a turn of the loading the old rate says nothing: all of the increment is change
        old = 0.0 if self._creep_rate is None else dt * self._creep_rate
        change = 0.5 * (model.creep_increment - old)[model.creeping_owned_cells]
        comm = self.problem.comm
        total = comm.allreduce(float(np.sum(change**2)), op=MPI.SUM)
        count = comm.allreduce(change.size, op=MPI.SUM)
        return float(np.sqrt(total / count)) if count else 0.0

    def _factor(self, error: float) -> float:
        """Change of the step size that brings the error (order dt^2) to the tolerance."""
        if error == 0.0:
            return _GROWTH_LIMIT
        factor = _SAFETY * np.sqrt(self.settings.creep_tolerance / error)
        return float(np.clip(factor, _SHRINK_LIMIT, _GROWTH_LIMIT))

    def _accept(self, attempt: _Attempt, milestone: float) -> AcceptedStep:
        model, dt = self.problem.model, attempt.dt
        self._creep_rate = model.creep_increment / dt
        self._velocity = (model.displacement.x.array - self.problem.start) / dt
        with timed(Phase.CONSTITUTIVE):
            model.accept()
        self.number += 1
        at_end = dt >= milestone - self.time
        self.time = milestone if at_end else self.time + dt
        factor, many = self._factor(attempt.error), attempt.result.iterations > _MANY_ITERATIONS
        if attempt.rejected:
            factor = min(factor, 1.0)
        if many:
            factor = min(factor, _MANY_ITERATIONS / attempt.result.iterations)
        # an easy step cut short by the milestone says nothing against the size that was wanted
        size = max(attempt.wanted if at_end and not many else 0.0, dt * factor)
        self._dt = max(min(size, self.settings.maximum), self.settings.minimum)
        return AcceptedStep(
            self.number,
            self.time,
            dt,
            attempt.iterations,
            attempt.chord_iterations,
            attempt.rejected,
            attempt.error,
        )

    def _restore(self, start: NDArray[np.float64]) -> None:
        """Go back to the last accepted state."""
        self.problem.model.displacement.x.array[:] = start
        self.problem.model.discard_increment()
        self.loading.apply(self.time)

    def _failure(self, result: NewtonResult, dt: float) -> StepFailure:
        contact = self.problem.contact_state
        comm = self.problem.comm
        return StepFailure(
            reason=result.reason,
            step=self.number + 1,
            time=self.time,
            dt=dt,
            minimum_dt=self.settings.minimum,
            residual_history=result.residuals,
            min_gap=comm.allreduce(contact.min_gap, op=MPI.MIN),
            active_pairs=comm.allreduce(contact.active_pairs, op=MPI.SUM),
        )
