"""Secant updates of a factor that is used again: the inverse BFGS method of Matthies & Strang."""

from __future__ import annotations

from collections.abc import Callable

import creep_fem._backend  # noqa: F401  isort: skip

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
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

    def __init__(self, comm: MPI.Intracomm) -> None:
        """Know no pairs.

        Args:
            comm: Processes that the vectors are distributed over.
        """
        self._comm = comm
        self._motions = self._changes = np.empty((_REMEMBERED, 0))
        self._products = np.empty((0, 0))
        self._last: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self._products)

    def forget_pairs(self) -> None:
        """Start over: the tangent is a new one."""
        self._products = np.empty((0, 0))

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
        if self._motions.shape[1] != len(motion):
            self._motions, self._changes = np.empty((2, _REMEMBERED, len(motion)))
        if len(self) == _REMEMBERED:
            for rows in (self._motions, self._changes):
                rows[:-1] = rows[1:]
            self._products = self._products[1:, 1:]
        count = len(self)
        by_motion = self._changes[:count] @ motion
        by_change = self._motions[:count] @ change
        squares = motion @ motion, change @ change, motion @ change
        products = self._sum(np.concatenate([by_motion, by_change, squares]))
        curvature = products[-1]
        if curvature <= _SMALLEST_CURVATURE * np.sqrt(products[-3] * products[-2]):
            return
        self._motions[count], self._changes[count] = motion, change
        column, row = products[count : 2 * count, None], products[:count]
        self._products = np.block([[self._products, column], [row, curvature]])

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
        upper, right = np.triu(self._products), gradient.getArray(readonly=True)
        shares = np.linalg.solve(upper, self._sum(motions @ right))
        remaining = gradient.duplicate()
        remaining.setArray(right - shares @ changes)
        solve(remaining, direction)
        remaining.destroy()
        found = direction.getArray(readonly=True)
        missing = np.diag(upper) * shares - self._sum(changes @ found)
        direction.setArray(found + np.linalg.solve(upper.T, missing) @ motions)
