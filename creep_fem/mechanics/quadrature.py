"""Quadrature rules and points of the cells of a mesh, as the loops over points take them."""

from __future__ import annotations

from typing import NamedTuple

import creep_fem._backend  # noqa: F401  isort: skip

import basix
import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray

from creep_fem.mechanics.element import displacement_slopes


class CellRule(NamedTuple):
    """A rule on the local cells (owned, then ghosts).

    Attributes:
        points: Points on the reference cell, shape (n, 2).
        slopes: Gradients of the displacement's shape functions there, shape (n, nodes, 2).
        inverse: Inverses of the cells' Jacobians, shape (cells, n, 2, 2).
        weights: Reference areas of the points in um^2, shape (cells, n).
    """

    points: NDArray[np.float64]
    slopes: NDArray[np.float64]
    inverse: NDArray[np.float64]
    weights: NDArray[np.float64]

    @classmethod
    def of(cls, space: fem.FunctionSpace, degree: int) -> CellRule:
        """The default rule of a degree on the cells of the displacement's space."""
        mesh = space.mesh
        points, weights = basix.make_quadrature(basix.CellType.triangle, degree)
        cells = np.arange(len(space.dofmap.list), dtype=np.int32)
        jacobian = fem.Expression(ufl.Jacobian(mesh), points).eval(mesh, cells)
        jacobian = jacobian.reshape(len(cells), len(points), 2, 2)
        return cls(
            points=points,
            slopes=displacement_slopes(points),
            inverse=np.linalg.inv(jacobian),
            weights=weights * np.abs(np.linalg.det(jacobian)),
        )


class Points(NamedTuple):
    """Points of the shear energy on the local cells: what the loops read and write there.

    Attributes:
        displacement: Of all nodes in um, shape (nodes, 2).
        cells: Nodes of every cell, shape (cells, k).
        dofs: Places of the points in arrays of values at points, shape (cells, n).
        creep_inverse: Components (11, 22, 12) of Ccr^-1 before the step, shape (points, 3).
        in_plane: Stretch a of the swelling in the plane, shape (cells,).
        out_of_plane: Stretch b of the swelling out of the plane, shape (cells,).
        bulk: Bulk modulus in GPa, shape (cells,).
        shear: Shear modulus in GPa, shape (cells,).
        rate: Creep rate in 1/s at the reference stress, 0 for an elastic cell, shape (cells,).
        reference_stress: In GPa, shape (cells,).
        exponent: Norton exponent, shape (cells,).
        increment: Equivalent creep strain increment dg of the step, shape (points,).
        softening: d dg/d q_trial in 1/GPa, shape (points,).
        last: Last solution of the return map, shape (points, 2).
        stress: First derivatives of the shear energy by F, components (11, 12, 21, 22), per
            reference volume in GPa, shape (points, 4).
        moduli: Second derivatives, the upper triangle row by row, shape (points, 10).
    """

    displacement: NDArray[np.float64]
    cells: NDArray[np.int32]
    dofs: NDArray[np.int32]
    creep_inverse: NDArray[np.float64]
    in_plane: NDArray[np.float64]
    out_of_plane: NDArray[np.float64]
    bulk: NDArray[np.float64]
    shear: NDArray[np.float64]
    rate: NDArray[np.float64]
    reference_stress: NDArray[np.float64]
    exponent: NDArray[np.float64]
    increment: NDArray[np.float64]
    softening: NDArray[np.float64]
    last: NDArray[np.float64]
    stress: NDArray[np.float64]
    moduli: NDArray[np.float64]
