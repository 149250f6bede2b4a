"""Directions of Newton's method in which unruly bodies are held back without a factorisation.

With A the present matrix and I_b the identity in body b, the direction with a shift s_b for some
bodies solves (A + sum_b s_b I_b) d = g. To first order in the shifts d lies in the span of A^-1 g
and of A^-1 I_b A^-1 g, one for each of the bodies; where one soft motion is all that is unruly in a
body, it does so for any shift. So it is taken from that span, as the minimum of the shifted
quadratic model there. The factor at hand gives the span, with all right-hand sides at once, in a
fraction of the time of another factorisation; the rest is a system of that many unknowns.
"""

from __future__ import annotations

import creep_fem._backend  # noqa: F401  isort: skip

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc

from creep_fem.solver.body_shifts import LEAP, SMALLEST_SHIFT, BodyShifts

_HELD = 2.0 / LEAP  # what a body that is held back may move, of a leap
_MOST = 32  # bodies; with more, a factorisation takes no longer
_ROUNDS = 2  # those that are held back may set free others
_FACTOR = 2.0
_MAXIMUM = 1e3  # GPa
_OWN_SHARE = 0.2  # of a motion of negative curvature, for a body's shift to be blamed
_SINGULAR = 1e-12  # of the largest curvature


def restrain(
    solver: PETSc.KSP, shifts: BodyShifts, gradient: PETSc.Vec, direction: PETSc.Vec
) -> bool:
    """Replace a direction in which bodies are unruly, if that can be done so (collective).

    Args:
        solver: Holds a factor of the tangent, which gave the direction.
        shifts: Shifts in the factor; those that were found are added for the next tangent.
        gradient: Gradient of the potential in GPa um.
        direction: What is to be subtracted from the displacement in um.

    Returns:
        Whether it was done; direction and shifts are as before if not.
    """
    right = gradient.getArray(readonly=True)
    span = _Span(solver, shifts, right, direction.getArray(readonly=True))
    current = span.basis[0]
    for _ in range(_ROUNDS):
        unruly = shifts.unruly(right, current)
        unruly[span.bodies] = False
        new = np.flatnonzero(unruly)
        if not 0 < len(new) <= _MOST - len(span.bodies):
            return False
        span.extend(new, current)
        found = span.smallest_shifts()
        if found is None:
            return False
        current = span.coordinates(found) @ span.basis
        if not shifts.unruly(right, current).any():
            direction.setArray(current)
            shifts.add(span.bodies, found)
            return True
    return False


class _Span:
    """The directions that a factor offers, and the quadratic model in them.

    Attributes:
        bodies: Bodies whose motions the factor was asked about.
        basis: Owned values of the directions, the first one and one for each body.
    """

    def __init__(
        self,
        solver: PETSc.KSP,
        shifts: BodyShifts,
        gradient: NDArray[np.float64],
        direction: NDArray[np.float64],
    ) -> None:
        """Span nothing but the direction."""
        self._solver, self._comm = solver, solver.comm.tompi4py()
        self._shifts, self._gradient = shifts, gradient
        self.bodies = np.empty(0, dtype=np.int64)
        self.basis = direction[None, :].copy()
        self._loads: list[NDArray[np.float64]] = []  # A times the basis but for the first one

    def extend(self, bodies: NDArray[np.int64], direction: NDArray[np.float64]) -> None:
        """Add what the factor answers to the motions of bodies in a direction (collective)."""
        loads = self._dense(len(bodies))
        columns = loads.getDenseArray()
        columns[:] = 0.0
        for column, body in enumerate(bodies):
            own = self._shifts.dofs[body]
            columns[own, column] = direction[own]
            self._loads.append(direction[own])
        answers = self._dense(len(bodies))
        self._solver.matSolve(loads, answers)
        loads.destroy()
        self.bodies = np.append(self.bodies, bodies)
        self.basis = np.vstack([self.basis, answers.getDenseArray().T])
        answers.destroy()
        self._project()

    def _dense(self, columns: int) -> PETSc.Mat:
        """A matrix with the rows of a vector."""
        sizes = (self.basis.shape[1], None), (None, columns)
        matrix = PETSc.Mat().createDense(sizes, comm=self._solver.comm)
        matrix.setUp()
        matrix.assemble()
        return matrix

    def _project(self) -> None:
        """Compute the model in the basis, whose directions are scaled to length 1 (collective)."""
        basis = self.basis
        parts = [basis[:, self._shifts.dofs[body]] for body in self.bodies]
        images = [part @ load for part, load in zip(parts, self._loads, strict=True)]
        stiffness = np.column_stack([basis @ self._gradient, *images])
        products = np.stack([stiffness, basis @ basis.T, *(part @ part.T for part in parts)])
        self._comm.Allreduce(MPI.IN_PLACE, products, op=MPI.SUM)
        self._scale = 1.0 / np.sqrt(np.diagonal(products[1]))
        self._right = self._scale * products[0, :, 0]
        products *= np.outer(self._scale, self._scale)
        self._stiffness = 0.5 * (products[0] + products[0].T)
        self._lengths, self._masses = products[1], products[2:]

    def _curvatures(
        self, shifts: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Curvatures of the shifted model, ascending, and their motions in columns (collective).

        Those of one process: what follows depends on signs that round-off may decide.
        """
        matrix = self._stiffness + np.tensordot(shifts, self._masses, axes=1)
        curvatures, motions = map(np.ascontiguousarray, np.linalg.eigh(matrix))
        self._comm.Bcast(curvatures)
        self._comm.Bcast(motions)
        return curvatures, motions

    def coordinates(self, shifts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where the shifted model is least, in the basis (collective).

        Negative curvature is taken as positive.

        Args:
            shifts: Of the bodies asked about, in GPa.
        """
        curvatures, motions = self._curvatures(shifts)
        size = np.abs(curvatures)
        motions = motions[:, size > _SINGULAR * size.max()]
        size = size[size > _SINGULAR * size.max()]
        result: NDArray[np.float64] = self._scale * (motions @ ((self._right @ motions) / size))
        return result

    def smallest_shifts(self) -> NDArray[np.float64] | None:
        """Shifts in GPa with which no body asked about leaps or bends downwards (collective)."""
        surface = self._shifts.surface
        at_surface = np.stack([surface.owned_values(values) for values in self.basis])
        shifts = np.full(len(self.bodies), SMALLEST_SHIFT)
        while shifts.max() < _MAXIMUM:
            raised = self._bend_downwards(shifts)
            if not raised.any():
                motion = np.tensordot(self.coordinates(shifts), at_surface, axes=1)
                raised = surface.motions(motion)[self.bodies] > _HELD * self._shifts.leap
            if not raised.any():
                return shifts
            shifts[raised] *= _FACTOR
        return None

    def _bend_downwards(self, shifts: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Bodies that take a good part in the motion of the least curvature if that is negative."""
        curvatures, motions = self._curvatures(shifts)
        if curvatures[0] >= -_SINGULAR * np.abs(curvatures).max():
            return np.zeros(len(shifts), dtype=bool)
        motion = motions[:, 0]
        own = self._masses @ motion @ motion
        return np.asarray(own > _OWN_SHARE * (self._lengths @ motion @ motion))
