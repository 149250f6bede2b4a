"""Secant updates of a factor that is used again: the inverse BFGS method of Matthies & Strang."""

from __future__ import annotations

from collections.abc import Callable

import creep_fem._backend  # noqa: F401  isort: skip

import numpy as np
from petsc4py import PETSc

_REMEMBERED = 10  # pairs; more save hardly an iteration
_SMALLEST_CURVATURE = 1e-12  # of the largest that these lengths allow

Solve = Callable[[PETSc.Vec, PETSc.Vec], None]


class SecantUpdates:
    """What the gradients of the iterates tell beyond the factor of an earlier tangent.

    Along each motion s between two iterates the gradient changed by y, so a better tangent maps s
    to y. The inverse BFGS update makes the factor's inverse do so at the cost of a few products of
    vectors, and leaves a positive definite one positive definite (Matthies & Strang, Int. J. Numer.
    Methods Eng. 14, 1979, 1613).

    The recursion over the pairs (Nocedal & Wright, Numerical Optimization, 2006, ch. 7.2) runs on
    the products P_ij = s_i.y_j alone, with U the upper triangle of P and D its diagonal. From a
    right-hand side g to the direction d: U a = S^T g, the factor solves for g - Y a, which gives e,
    U^T c = D a - Y^T e, d = e + S c. So there are two messages a solution, however many pairs.
    """

    def __init__(self) -> None:
        """Know no pairs."""
        self._motions: list[PETSc.Vec] = []
        self._changes: list[PETSc.Vec] = []
        self._products = np.empty((0, 0))
        self._last: tuple[PETSc.Vec, PETSc.Vec] | None = None

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self._motions)

    def forget_pairs(self) -> None:
        """Start over: the tangent is a new one."""
        self._destroy(*self._motions, *self._changes)
        self._motions, self._changes, self._products = [], [], np.empty((0, 0))

    def forget(self) -> None:
        """Free all vectors (collective): the next iterate is no motion away from the last one."""
        if self._last is not None:
            self._destroy(*self._last)
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
        by_motion = motion.mDot([motion, *self._changes, change])
        by_change = change.mDot([change, *self._motions])
        if by_motion[-1] <= _SMALLEST_CURVATURE * np.sqrt(by_motion[0] * by_change[0]):
            self._destroy(motion, change)
            return
        self._products = np.block([[self._products, by_change[1:, None]], [by_motion[1:]]])
        self._motions.append(motion)
        self._changes.append(change)
        if len(self) > _REMEMBERED:
            self._destroy(self._motions.pop(0), self._changes.pop(0))
            self._products = self._products[1:, 1:]

    def apply(self, solve: Solve, gradient: PETSc.Vec, direction: PETSc.Vec) -> None:
        """Solve for a direction with the updated factor (collective).

        Args:
            solve: Solves with the factor itself: right-hand side, solution.
            gradient: Right-hand side.
            direction: Where the solution goes.
        """
        if len(self) == 0:
            solve(gradient, direction)
            return
        upper = np.triu(self._products)
        shares = np.linalg.solve(upper, gradient.mDot(self._motions))
        remaining = gradient.copy()
        remaining.maxpy(-shares, self._changes)
        solve(remaining, direction)
        remaining.destroy()
        missing = np.diag(upper) * shares - direction.mDot(self._changes)
        direction.maxpy(np.linalg.solve(upper.T, missing), self._motions)

    @staticmethod
    def _destroy(*vectors: PETSc.Vec) -> None:
        for vector in vectors:
            vector.destroy()
