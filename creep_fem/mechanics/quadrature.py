"""A quadrature rule on the cells of a mesh: what loops over points need besides the fields."""

from __future__ import annotations

from dataclasses import dataclass

import creep_fem._backend  # noqa: F401  isort: skip

import basix
import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray

from creep_fem.mechanics.element import displacement_slopes


@dataclass(frozen=True)
class CellRule:
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
