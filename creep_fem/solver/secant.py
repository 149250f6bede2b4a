"""Secant updates of a factor that is used again: the inverse BFGS method of Matthies & Strang."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import creep_fem._backend  # noqa: F401  isort: skip

from petsc4py import PETSc

_REMEMBERED = 10  # pairs; more save hardly an iteration
_SMALLEST_CURVATURE = 1e-12  # of the largest that these lengths allow

Solve = Callable[[PETSc.Vec, PETSc.Vec], None]


class SecantUpdates:
    """What the gradients of the iterates tell beyond the factor of an earlier tangent.

    Along each motion s between two iterates the gradient changed by y, so a better tangent maps s
    to y. The inverse BFGS update makes the factor's inverse do so at the cost of two products of
    vectors a pair, and leaves a positive definite one positive definite (Matthies & Strang, Int. J.
    Numer. Methods Eng. 14, 1979, 1613; Nocedal & Wright, Numerical Optimization, 2006, ch. 7.2).
    """

    def __init__(self) -> None:
        """Know no pairs."""
        self._pairs: deque[tuple[PETSc.Vec, PETSc.Vec, float]] = deque()
        self._last: tuple[PETSc.Vec, PETSc.Vec] | None = None

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self._pairs)

    def forget_pairs(self) -> None:
        """Start over: the tangent is a new one."""
        while self._pairs:
            self._destroy(self._pairs.popleft()[:2])

    def forget(self) -> None:
        """Free all vectors (collective): the next iterate is no motion away from the last one."""
        if self._last is not None:
            self._destroy(self._last)
        self._last = None
        self.forget_pairs()

    def visit(self, x: PETSc.Vec, gradient: PETSc.Vec) -> None:
        """Remember an iterate, and the pair that it makes with the last one (collective)."""
        here = x.copy(), gradient.copy()
        if self._last is not None:
            for old, new in zip(self._last, here, strict=True):
                old.aypx(-1.0, new)
            self._learn(*self._last)
        self._last = here

    def _learn(self, motion: PETSc.Vec, change: PETSc.Vec) -> None:
        curvature = motion.dot(change)
        if curvature <= _SMALLEST_CURVATURE * motion.norm() * change.norm():
            self._destroy((motion, change))
            return
        self._pairs.append((motion, change, 1.0 / curvature))
        if len(self._pairs) > _REMEMBERED:
            self._destroy(self._pairs.popleft()[:2])

    def apply(self, solve: Solve, gradient: PETSc.Vec, direction: PETSc.Vec) -> None:
        """Solve for a direction with the updated factor (collective).

        Args:
            solve: Solves with the factor itself: right-hand side, solution.
            gradient: Right-hand side.
            direction: Where the solution goes.
        """
        if not self._pairs:
            solve(gradient, direction)
            return
        remaining, shares = gradient.copy(), []
        for motion, change, inverse in reversed(self._pairs):
            shares.append(inverse * motion.dot(remaining))
            remaining.axpy(-shares[-1], change)
        solve(remaining, direction)
        for motion, change, inverse in self._pairs:
            direction.axpy(shares.pop() - inverse * change.dot(direction), motion)
        remaining.destroy()

    @staticmethod
    def _destroy(vectors: tuple[PETSc.Vec, PETSc.Vec]) -> None:
        for vector in vectors:
            vector.destroy()
