"""Secant updates of a factor that is used again: the inverse BFGS method of Matthies & Strang."""

from __future__ import annotations

from collections.abc import Callable

import creep_fem._backend  # noqa: F401  isort: skip

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc
from scipy.linalg import solve_triangular

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
    U, the upper triangle of the products s_i.y_j, and its diagonal D. From a right-hand side g to
    the direction d: U a = S^T g, the factor solves for g - Y a, which gives e, and with
    U^T c = D a - Y^T e it is d = e + S c. So there are two messages a solution, however many pairs.
    """

    def __init__(self, comm: MPI.Intracomm, size: int) -> None:
        """Know no pairs.

        Args:
            comm: Processes that the vectors are distributed over.
            size: Number of entries that this process owns.
        """
        self._comm = comm
        self._motions, self._changes = np.empty((2, _REMEMBERED, size))
        self._upper = np.empty((0, 0))
        self._last: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self._upper)

    def forget_pairs(self) -> None:
        """Start over: the tangent is a new one."""
        self._upper = np.empty((0, 0))

    def forget(self) -> None:
        """Start over, and from nowhere: the next iterate is no motion away from the last one."""
        self._last = None
        self.forget_pairs()

    def visit(self, x: PETSc.Vec, gradient: PETSc.Vec) -> None:
        """Remember an iterate, and the pair that it makes with the last one (collective)."""
        place, slope = (v.getArray(readonly=True).copy() for v in (x, gradient))
        if self._last is not None:
            self._learn(place - self._last[0], slope - self._last[1])
        self._last = place, slope

    def _learn(self, motion: NDArray[np.float64], change: NDArray[np.float64]) -> None:
        count = len(self)
        squares = motion @ motion, change @ change, motion @ change
        products = self._sum(np.append(self._motions[:count] @ change, squares))
        column, (long, large, curvature) = products[:count], products[count:]
        if curvature <= _SMALLEST_CURVATURE * np.sqrt(long * large):
            return
        if count == _REMEMBERED:
            for rows in (self._motions, self._changes):
                rows[:-1] = rows[1:]
            self._upper, column, count = self._upper[1:, 1:], column[1:], count - 1
        self._motions[count], self._changes[count] = motion, change
        below = np.zeros((1, count))
        self._upper = np.block([[self._upper, column[:, None]], [below, curvature]])

    def _sum(self, products: NDArray[np.float64]) -> NDArray[np.float64]:
        self._comm.Allreduce(MPI.IN_PLACE, products, op=MPI.SUM)
        return products

    def apply(self, solve: Solve, gradient: PETSc.Vec, direction: PETSc.Vec) -> None:
        """Solve for a direction with the updated factor (collective).

        Args:
            solve: Solves with the factor itself: right-hand side, solution.
            gradient: Right-hand side.
            direction: Where the solution goes.
        """
        count = len(self)
        if count == 0:
            solve(gradient, direction)
            return
        motions, changes = self._motions[:count], self._changes[:count]
        right = gradient.getArray(readonly=True)
        shares = solve_triangular(self._upper, self._sum(motions @ right))
        remaining = gradient.duplicate()
        remaining.setArray(right - shares @ changes)
        solve(remaining, direction)
        remaining.destroy()
        found = direction.getArray(readonly=True)
        missing = np.diag(self._upper) * shares - self._sum(changes @ found)
        corrections = solve_triangular(self._upper, missing, trans=1)
        direction.setArray(found + corrections @ motions)
