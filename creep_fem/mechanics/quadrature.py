"""Quadrature rules on the cells of a mesh, as the loops over points take them."""

from __future__ import annotations

import creep_fem._backend  # noqa: F401  isort: skip

import basix
import numpy as np
import ufl
from dolfinx import fem

from creep_fem.mechanics.element import displacement_slopes
from creep_fem.mechanics.loops import CellRule


def cell_rule(space: fem.FunctionSpace, degree: int) -> CellRule:
    """The default rule of a degree on the cells of the displacement's space."""
    mesh = space.mesh
    points, weights = basix.make_quadrature(basix.CellType.triangle, degree)
    cells = np.arange(len(space.dofmap.list), dtype=np.int32)
    jacobian = fem.Expression(ufl.Jacobian(mesh), points).eval(mesh, cells)
    jacobian = jacobian.reshape(len(cells), len(points), 2, 2)
    return CellRule(
        points=points,
        slopes=displacement_slopes(points),
        inverse=np.linalg.inv(jacobian),
        weights=weights * np.abs(np.linalg.det(jacobian)),
    )
