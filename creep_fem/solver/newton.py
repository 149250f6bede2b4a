"""PETSc SNES with the incremental potential as merit function.

Frictionless packings rearrange, so the tangent may be indefinite: the Newton direction may point
uphill, and bodies that little holds may want to leap. Three guards keep every step safe: a
direction that is not found or not one of descent, or that moves a surface much further than
allowed, is replaced by that of a matrix shifted by a multiple of the identity; the surface may move
only so far in an iteration; and the step is shortened until the potential falls (Armijo).

A tangent that still serves is not made anew (Shamanskii's method; Kelley, Iterative Methods for
Linear and Nonlinear Equations, SIAM 1995, ch. 5): the first directions of a step come from the
factor that the last step ended with, a few at most, and where an iteration has cut the residual
well, the next one keeps its factor. Such *chord iterations* need neither a tangent nor a
factorisation; secant updates (:mod:`creep_fem.solver.secant`) let the factor follow the tangent a
while longer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import creep_fem._backend  # noqa: F401  isort: skip

import numpy as np
from numpy.typing import NDArray
from petsc4py import PETSc

from creep_fem.config.fields import LinearSolver
from creep_fem.solver.linear import linear_solver, order_for, storage
from creep_fem.solver.phases import Phase, timed
from creep_fem.solver.problem import StepProblem
from creep_fem.solver.secant import SecantUpdates

_ARMIJO = 1e-4
_MAX_HALVINGS = 6
_SHIFT_START = 1e-4  # GPa, the first that is tried
_SHIFT_MINIMUM = 1e-7  # GPa, dropped below
_SHIFT_FACTOR = 10.0
_SHIFT_LOWERING = 0.01  # at most so far at once
_SHIFT_MAXIMUM = 1e6  # GPa
_ROUND_OFF = 1e-11  # of the potential, a sum over many cells of either sign
# A direction this many times longer than allowed is not shortened but solved for anew.
_LEAP = 4.0
_MAX_LEAP_SHIFTS = 3
_CHORDS_PER_TANGENT = 1000  # never reached: each one cuts the residual by a share
# A factor of the step before gains less and less. In small packings, where factorising is cheap, a
# new tangent after three iterations saves time; in large ones it makes no difference.
_CHORDS_OF_LAST_STEP = 3


@dataclass(frozen=True)
class NewtonSettings:
    """Limits of the nonlinear solver.

    Attributes:
        tolerance: Residual norm relative to the internal forces at convergence.
        force_floor: Smallest force in GPa um that the residual is measured against.
        maximum_iterations: Iterations before a step counts as failed.
        surface_step: Largest motion of the surface in one iteration in um.
        chord_reduction: An iteration that leaves less than this share of the residual hands its
            factor on to the next one of its step; in a later step it serves three at most.
            0 for a new tangent in every iteration. The less, the more an iteration of Newton's
            would gain over one with the old factor: a new tangent costs as much as three
            iterations without, or more.
        linear_solver: How the linear systems are solved.
    """

    tolerance: float
    force_floor: float
    maximum_iterations: int
    surface_step: float
    chord_reduction: float = 0.6
    linear_solver: LinearSolver = "direct"


@dataclass(frozen=True)
class NewtonResult:
    """How a nonlinear solve went.

    Attributes:
        converged: Whether the residual met the tolerance.
        reason: Why the iteration stopped.
        iterations: Newton iterations taken: tangents assembled and factorised.
        chord_iterations: Iterations that used a factor once more.
        residuals: Residual norm of every iterate in GPa um.
    """

    converged: bool
    reason: str
    iterations: int
    chord_iterations: int
    residuals: tuple[float, ...]


class NewtonSolver:
    """Newton's method for a :class:`StepProblem`."""

    def __init__(
        self,
        problem: StepProblem,
        settings: NewtonSettings,
        petsc_options: Mapping[str, str | float | bool],
    ) -> None:
        """Create the SNES (collective).

        Args:
            problem: What to solve.
            settings: Limits.
            petsc_options: PETSc options of the linear solver, without prefix; True stands for an
                option without a value.

        Raises:
            ConfigError: If PETSc does not accept the options.
        """
        self.problem, self.settings = problem, settings
        self._shift = 0.0
        self._shift_was_raised = False  # for the present direction
        self._forces = 0.0  # norm of the internal ones where the residual was last computed
        self._residuals: list[float] = []
        self._vector = problem.new_vector()
        self._inner = linear_solver(problem, settings.linear_solver, petsc_options)
        self._trial = problem.new_vector()
        self._reason = ""
        self._trial_is_current = self._residual_is_current = False
        self._converged = True
        self._tangents = self._tangents_before = self._chords = 0
        self._factor_is_kept = False
        self._secants = SecantUpdates(problem.comm, self._vector.getLocalSize())
        self._motion = 0.0  # largest of the surface along the present direction in um
        self._full_step = False
        self._snes = self._create_snes()

    def _create_snes(self) -> PETSc.SNES:
        problem = self.problem
        snes = PETSc.SNES().create(problem.comm)
        snes.setType("newtonls")
        snes.setFunction(self._function, problem.new_vector())
        size = self._vector.getSizes()
        # The matrix is allocated anew when contact needs other entries; SNES sees this handle.
        handle = PETSc.Mat().createPython((size, size), context=self, comm=problem.comm)
        handle.setUp()
        snes.setJacobian(self._jacobian, handle)
        linear = snes.getKSP()
        linear.setType("preonly")
        linear.getPC().setType("python")
        linear.getPC().setPythonContext(self)
        snes.getLineSearch().setType("none")
        snes.setLineSearchPreCheck(self._shorten)
        snes.setConvergenceTest(self._test)
        # the test counts tangents; chord iterations end by themselves when they gain too little
        snes.setTolerances(max_it=_CHORDS_PER_TANGENT * (self.settings.maximum_iterations + 1))
        return snes

    def solve(self, guess: NDArray[np.float64] | None = None) -> NewtonResult:
        """Solve from the displacement the model holds; it holds the result afterwards (collective).

        Args:
            guess: Another first guess, like the model's displacement array; it is preferred if its
                residual is below the internal forces, or smaller than at the model's displacement.
                Extrapolated surfaces may have run into one another.
        """
        x = self._vector
        self.problem.read_displacement(x)
        self._residuals, self._reason = [], ""
        self._residual_is_current = False
        if not self._converged:
            self._shift = 0.0
        if not self._move_to_better(x, guess):
            return NewtonResult(False, "the first guess turns an element inside out", 0, 0, ())
        self._trial_is_current = True
        self._tangents_before, self._chords = self._tangents, 0
        self._secants.forget()  # the last step's potential was another one
        self._snes.solve(None, x)
        reason = self._snes.getConvergedReason()
        self._converged = reason > 0
        return NewtonResult(
            self._converged,
            self._reason or f"PETSc's SNES stopped with reason {reason}",
            self._tangents - self._tangents_before,
            self._chords,
            tuple(self._residuals),
        )

    def _move_to_better(self, x: PETSc.Vec, guess: NDArray[np.float64] | None) -> bool:
        """Bring x and the problem to the better first guess; whether that is admissible."""
        if guess is None:
            return bool(np.isfinite(self.problem.move_to(x)))
        self._trial.setArray(guess[: x.getLocalSize()])
        guessed = self._residual_norm(self._trial)
        fair = guessed <= self._forces
        if not fair and self._residual_norm(x) <= guessed:
            return bool(np.isfinite(self.problem.energy))
        self._trial.copy(x)
        if not fair:
            self._residual_norm(x)
        return True

    def _residual_norm(self, x: PETSc.Vec) -> float:
        """Norm of the residual in GPa um, which SNES holds afterwards; infinite if inside out."""
        self._residual_is_current = bool(np.isfinite(self.problem.move_to(x)))
        if not self._residual_is_current:
            self._forces = 0.0
            return np.inf
        gradient = self._snes.getFunction()[0]
        self._forces = self.problem.residual(gradient)
        return float(gradient.norm())

    def close(self) -> None:
        """Free PETSc's objects (collective): no collector does so on several processes."""
        self._snes.destroy()
        self._inner.destroy()

    # --- what SNES calls -----------------------------------------------------------------

    def _function(self, _snes: PETSc.SNES, x: PETSc.Vec, f: PETSc.Vec) -> None:
        if not self._residual_is_current:
            if not self._trial_is_current:
                self.problem.move_to(x)
            self._forces = self.problem.residual(f)
        self._trial_is_current = self._residual_is_current = False

    def _jacobian(self, snes: PETSc.SNES, x: PETSc.Vec, _j: PETSc.Mat, _p: PETSc.Mat) -> None:
        if self.settings.chord_reduction > 0.0:
            with timed(Phase.SOLVE):
                self._secants.visit(x, snes.getFunction()[0])
        self._factor_is_kept = self._factor_serves()
        if not self._factor_is_kept:
            self._renew_tangent()

    def _factor_serves(self) -> bool:
        """Whether the factor of an earlier iterate is good enough for the present one.

        It may still contain the remains of a shift that was dropped, less than 1e-5 GPa. After a
        failure all tangents are new: the solver needs no more surprises.
        """
        if self._tangents == 0 or not self._converged or self._shift > 0.0:
            return False
        if len(self._residuals) == 1:
            return self.settings.chord_reduction > 0.0
        if self._tangents == self._tangents_before and self._chords == _CHORDS_OF_LAST_STEP:
            return False
        before, now = self._residuals[-2:]
        return self._full_step and now < self.settings.chord_reduction * before

    def _renew_tangent(self) -> None:
        matrix = self.problem.tangent(storage(self._inner))
        order_for(self._inner, self.problem.expected_tangents)
        if self._shift > 0.0:
            matrix.shift(self._shift)
        self._inner.setOperators(matrix)
        self._factor_is_kept = False
        self._secants.forget_pairs()
        self._tangents += 1

    def mult(self, _handle: PETSc.Mat, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """Product with the current tangent (PETSc's matrix interface)."""
        self._inner.getOperators()[0].mult(x, y)

    def apply(self, _pc: PETSc.PC, gradient: PETSc.Vec, direction: PETSc.Vec) -> None:
        """Solve for a direction of descent (PETSc's preconditioner interface)."""
        self._shift_was_raised = False
        self._solve_linear(gradient, direction)
        if self._factor_is_kept and self._is_unfit(gradient, direction, 0):
            self._renew_tangent()
            self._solve_linear(gradient, direction)
        shifts = 0
        while self._is_unfit(gradient, direction, shifts) and self._raise_shift():
            self._solve_linear(gradient, direction)
            shifts += 1

    def _solve_linear(self, gradient: PETSc.Vec, direction: PETSc.Vec) -> None:
        with timed(Phase.FACTORISE):
            self._inner.setUp()
        with timed(Phase.SOLVE):
            self._secants.apply(self._inner.solve, gradient, direction)
        self._motion = self.problem.surface.max_motion(direction.getArray(readonly=True))

    def _is_unfit(self, gradient: PETSc.Vec, direction: PETSc.Vec, shifts: int) -> bool:
        """Whether a direction was not found, points uphill or leaps."""
        if self._inner.getConvergedReason() < 0 or not gradient.dot(direction) > 0.0:
            return True
        limit = _LEAP * self.settings.surface_step
        return shifts < _MAX_LEAP_SHIFTS and self._motion > limit

    def _raise_shift(self) -> bool:
        """Stiffen the matrix by the next larger multiple of the identity, if there is one."""
        if self._shift >= _SHIFT_MAXIMUM:
            return False
        raised = max(self._shift * _SHIFT_FACTOR, _SHIFT_START)
        matrix = self._inner.getOperators()[0]
        matrix.shift(raised - self._shift)
        self._inner.setOperators(matrix)
        self._shift, self._shift_was_raised = raised, True
        return True

    def _lower_shift(self) -> None:
        """Lower the shift after a full step, as far as its motion makes it seem safe.

        What it alone holds moves in inverse proportion to it: with less, the next direction would
        leap, and the matrix would have to be factorised again with more. For that reason a shift
        that was just raised serves another iteration, too.
        """
        if self._shift_was_raised:
            return
        share = self._motion / (_LEAP * self.settings.surface_step)
        lowered = self._shift * max(share, _SHIFT_LOWERING)
        self._shift = lowered if lowered >= _SHIFT_MINIMUM else 0.0

    def _shorten(self, x: PETSc.Vec, direction: PETSc.Vec) -> bool:
        """Scale the direction so that x - direction lowers the potential enough."""
        gradient = self._snes.getFunction()[0]
        energy = self.problem.energy
        while True:
            length = self._descend(x, direction, gradient, energy)
            if length > 0.0:
                break
            if self._factor_is_kept:
                self.problem.move_to(x)  # the trials have left it
                self._renew_tangent()
            elif not self._raise_shift():
                self._reason = "no step along the descent direction lowers the potential"
                direction.zeroEntries()
                return True
            self._solve_linear(gradient, direction)
        self._chords += self._factor_is_kept
        self._full_step = length == 1.0
        if self._full_step and self._shift > 0.0:
            self._lower_shift()
        direction.scale(length)
        self._trial_is_current = True
        return True

    def _descend(
        self, x: PETSc.Vec, direction: PETSc.Vec, gradient: PETSc.Vec, energy: float
    ) -> float:
        """Armijo backtracking; the length found, 0 if none lowers the potential enough."""
        slope = gradient.dot(direction)
        if not slope > 0.0:
            return 0.0
        length = min(1.0, self.settings.surface_step / self._motion) if self._motion > 0.0 else 1.0
        round_off = _ROUND_OFF * abs(energy)
        for _ in range(_MAX_HALVINGS):
            self._trial.waxpy(-length, direction, x)
            if self.problem.move_to(self._trial) <= energy - _ARMIJO * length * slope + round_off:
                return length
            length *= 0.5
        return 0.0

    def _test(
        self, _snes: PETSc.SNES, _iteration: int, norms: tuple[float, float, float]
    ) -> PETSc.SNES.ConvergedReason | None:
        residual = norms[2]
        self._residuals.append(residual)
        reasons = PETSc.SNES.ConvergedReason
        if not np.isfinite(residual):
            self._reason = "the residual is not finite"
            return reasons.DIVERGED_FUNCTION_NANORINF
        scale = max(self._forces, self.settings.force_floor)
        if residual <= self.settings.tolerance * scale:
            self._reason = "converged"
            return reasons.CONVERGED_FNORM_RELATIVE
        if self._reason:
            return reasons.DIVERGED_LINE_SEARCH
        taken = self._tangents - self._tangents_before
        if taken >= self.settings.maximum_iterations:
            self._reason = f"{taken} iterations did not reach the tolerance"
            return reasons.DIVERGED_MAX_IT
        return None
