"""Multiples of the identity that stiffen the tangent of single bodies.

What little holds a body, perhaps drag alone, lets it leap, and where the tangent is indefinite it
may move uphill. Of many bodies there is nearly always one that does: a shift of the whole matrix,
or a shorter step of all, would delay the others for its sake. So every body has a shift of its own.
"""

from __future__ import annotations

import creep_fem._backend  # noqa: F401  isort: skip

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc

from creep_fem.solver.problem import StepProblem

_START = 1e-4  # GPa, the first that is tried
_FACTOR = 10.0
_MAXIMUM = 1e6  # GPa
_LOWERING = 0.01  # at most so far at once
SMALLEST_SHIFT = 1e-7
"""In GPa; below, there is none."""
LEAP = 3.0
"""A motion this many times longer than allowed is not shortened but solved for anew."""


class BodyShifts:
    """A shift for every body, and which bodies need more of it.

    Attributes:
        values: In GPa, shape (bodies,).
        dofs: Owned displacement dofs of every body.
        leap: Motion of the surface in um that is not shortened but solved for anew.
    """

    def __init__(self, problem: StepProblem, surface_step: float) -> None:
        """Shift nothing.

        Args:
            problem: Whose tangent is shifted.
            surface_step: Largest motion of the surface in one iteration in um.
        """
        self._comm, self.surface = problem.comm, problem.surface
        domain, bodies = problem.model.domain, problem.surface.bodies
        self._body = np.repeat(domain.node_body[: domain.owned_nodes], 2)
        ends = np.cumsum(np.bincount(self._body, minlength=bodies))[:-1]
        self.dofs = np.split(np.argsort(self._body, kind="stable"), ends)
        self.leap = LEAP * surface_step
        self._in_matrix, self.values = np.zeros((2, bodies))
        self._was_raised = np.zeros(bodies, dtype=bool)  # since the last tangent

    def clear(self) -> None:
        """Shift nothing any more, from the next tangent on."""
        self.values = np.zeros_like(self.values)

    def add_to(self, matrix: PETSc.Mat) -> None:
        """Shift a new tangent (collective)."""
        self._in_matrix = np.zeros_like(self.values)
        self._was_raised[:] = False
        self._bring_into(matrix)

    def _bring_into(self, matrix: PETSc.Mat) -> None:
        missing = self.values - self._in_matrix
        self._in_matrix = self.values
        bodies = np.flatnonzero(missing)
        if len(bodies) == 0:
            return
        local = np.concatenate([self.dofs[body] for body in bodies])
        rows = (matrix.getOwnershipRange()[0] + local[:, None]).astype(PETSc.IntType)
        added = missing[self._body[local]][:, None]
        matrix.setValuesRCV(rows, rows, added, PETSc.InsertMode.ADD_VALUES)
        matrix.assemble()

    def motions(self, direction: NDArray[np.float64]) -> NDArray[np.float64]:
        """Largest motion of the surface of every body in um, shape (bodies,) (collective)."""
        return self.surface.motions(self.surface.owned_values(direction))

    def unruly(
        self, gradient: NDArray[np.float64], direction: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        """Bodies that leap and, if all together do not move downhill, those that move uphill.

        Collective.

        Args:
            gradient: Owned values of the potential's gradient in GPa um.
            direction: Owned values of what is to be subtracted from the displacement in um.

        Returns:
            Flags, shape (bodies,).
        """
        leaping = self.motions(direction) > self.leap
        slopes = np.bincount(self._body, gradient * direction, len(self.values))
        self._comm.Allreduce(MPI.IN_PLACE, slopes, op=MPI.SUM)
        return leaping if np.sum(slopes) > 0.0 else leaping | (slopes < 0.0)

    def add(self, bodies: NDArray[np.int64], shifts: NDArray[np.float64]) -> None:
        """Raise the shifts of some bodies by so much in GPa, not yet in the present tangent."""
        self.values = self.values.copy()
        self.values[bodies] += shifts
        self._was_raised[bodies] = True

    @property
    def pending(self) -> NDArray[np.bool_]:
        """Bodies with another shift than in the matrix, shape (bodies,)."""
        return np.asarray(self.values != self._in_matrix)

    def raise_in(self, matrix: PETSc.Mat, bodies: NDArray[np.bool_]) -> bool:
        """Shift the present tangent by more in some bodies, if there is more (collective)."""
        if np.min(self.values[bodies]) >= _MAXIMUM:
            return False
        self.values = np.where(bodies, np.maximum(self.values * _FACTOR, _START), self.values)
        self._was_raised |= bodies
        self._bring_into(matrix)
        return True

    def lower(self, direction: NDArray[np.float64]) -> None:
        """Lower the shifts after a full step, as far as its motions make it seem safe (collective).

        What a shift alone holds moves in inverse proportion to it: with less, the next direction
        would leap. For that reason a shift that was just raised serves another iteration, too.

        Args:
            direction: Owned values of the step in um.
        """
        share = np.clip(self.motions(direction) / self.leap, _LOWERING, 1.0)
        lowered = np.where(self._was_raised, self.values, share * self.values)
        self.values = np.where(lowered < SMALLEST_SHIFT, 0.0, lowered)
