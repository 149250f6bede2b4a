"""Fields of the present state as named functions, ready to be written."""

from __future__ import annotations

import creep_fem._backend  # noqa: F401

# isort: split
import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

from creep_fem.contact.measures import contact_pressure, pressure_sums
from creep_fem.mechanics.element import VERTEX_AND_MIDDLE_NODES
from creep_fem.solver.problem import StepProblem


class StateFields:
    """Named functions for output, filled from a :class:`StepProblem`.

    Attributes:
        functions: displacement (um), contact_pressure, von_mises and pressure (GPa),
            creep_strain, creep_direction, material and body.
    """

    def __init__(self, problem: StepProblem) -> None:
        """Create the functions (collective)."""
        self._problem = problem
        domain = problem.model.domain
        mesh = domain.mesh
        cells = fem.functionspace(mesh, ("DG", 0))
        vectors = fem.functionspace(mesh, ("DG", 0, (2,)))
        # files hold the values at vertices and mid-nodes; the bubbles vanish there
        self._displacement = fem.Function(
            fem.functionspace(mesh, ("Lagrange", 2, (2,))), name="displacement"
        )
        self._contact = fem.Function(fem.functionspace(mesh, ("Lagrange", 2)))
        self._contact.name = "contact_pressure"
        nodes = domain.displacement_space.dofmap.list[:, :VERTEX_AND_MIDDLE_NODES]
        self._node = _lookup(self._displacement.function_space.dofmap.list, nodes)
        dof_of_node = _lookup(nodes, self._contact.function_space.dofmap.list)
        self._surface_dofs = dof_of_node[problem.surface.owned_local]
        self._von_mises = fem.Function(cells, name="von_mises")
        self._pressure = fem.Function(cells, name="pressure")
        self._creep_strain = fem.Function(cells, name="creep_strain")
        self._direction = fem.Function(vectors, name="creep_direction")
        material = fem.Function(cells, name="material")
        material.x.array[:] = domain.cell_phase
        body = fem.Function(cells, name="body")
        body.x.array[:] = domain.cell_body
        self.functions = (
            self._displacement,
            self._contact,
            self._von_mises,
            self._pressure,
            self._creep_strain,
            self._direction,
            material,
            body,
        )

    def update(self) -> None:
        """Fill the functions from the accepted state (collective)."""
        problem = self._problem
        values = problem.model.point_values()
        share = values.volume / values.volume.sum(axis=1, keepdims=True)
        count = len(share)
        for function, field in (
            (self._von_mises, values.mises),
            (self._pressure, values.pressure),
            (self._creep_strain, values.creep_strain),
        ):
            function.x.array[:count] = (share * field).sum(axis=1)
        self._direction.x.array[: 2 * count] = problem.model.creep_directions().ravel()
        moved = problem.model.displacement.x.array.reshape(-1, 2)[self._node]
        self._displacement.x.array[:] = moved.ravel()
        self._contact.x.array[self._surface_dofs] = self._pressures()
        for function in self.functions:
            function.x.scatter_forward()

    def _pressures(self) -> NDArray[np.float64]:
        """Contact pressure at the owned surface nodes in GPa."""
        problem = self._problem
        surface = problem.surface
        everywhere = contact_pressure(
            problem.contact.boundary,
            surface.reference,
            surface.positions(problem.model.displacement),
            surface.sum(pressure_sums(problem.contact, problem.contact_state)),
        )
        pressures: NDArray[np.float64] = everywhere[surface.owned]
        return pressures


def _lookup(keys: NDArray[np.int32], values: NDArray[np.int32]) -> NDArray[np.int32]:
    """Table of the values by their keys; both are given cell by cell in the same order."""
    table = np.empty(int(keys.max()) + 1, dtype=np.int32)
    table[keys] = values
    return table
