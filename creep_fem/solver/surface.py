"""Where the surface nodes live in the distributed displacement vector."""

from __future__ import annotations

import creep_fem._backend  # noqa: F401  isort: skip

import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc

from creep_fem.contact import loops
from creep_fem.contact.boundary import Boundary
from creep_fem.mechanics.domain import Domain


class SurfaceNodes:
    """Map between the replicated surface nodes and the distributed displacement.

    Attributes:
        comm: Communicator of the mesh.
        owned: Surface nodes owned by this process, shape (k,).
        owned_local: Their local displacement nodes, shape (k,).
        reference: Positions of all surface nodes in the reference state in um, shape (ns, 2).
        global_nodes: Global number of the displacement node of every surface node, shape (ns,).
        owners: Process that owns every surface node, shape (ns,).
        fixed: Coordinates held by a wall, shape (ns, 2).
    """

    def __init__(self, domain: Domain, boundary: Boundary, fixed_dofs: NDArray[np.int32]) -> None:
        """Locate the surface nodes (collective).

        Args:
            domain: The distributed mesh.
            boundary: Surfaces in particle-mesh numbering.
            fixed_dofs: Local displacement dofs with a Dirichlet condition.
        """
        self.comm: MPI.Intracomm = domain.mesh.comm
        self._size = len(boundary.nodes)
        order = np.argsort(boundary.nodes)
        points = domain.node_point[: domain.owned_nodes]
        place = np.searchsorted(boundary.nodes, points, sorter=order)
        place = order[np.minimum(place, self._size - 1)]
        on_surface = boundary.nodes[place] == points
        self.owned = place[on_surface].astype(np.int64)
        self.owned_local = np.flatnonzero(on_surface)
        start = domain.displacement_space.dofmap.index_map.local_range[0]
        coordinates = domain.displacement_space.tabulate_dof_coordinates()[self.owned_local, :2]
        self.reference = self.replicate(coordinates)
        numbers = (self.owned_local + start).astype(np.float64)
        ranks = np.full_like(numbers, self.comm.rank)
        replicated = self.replicate(np.column_stack([numbers, ranks]))
        self.global_nodes, self.owners = replicated.T.astype(PETSc.IntType)
        is_fixed = np.zeros(2 * len(domain.node_point))
        is_fixed[fixed_dofs] = 1.0
        self.fixed = self.replicate(self.owned_values(is_fixed)) > 0.5

    def replicate(self, owned_values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Bring the values of the owned surface nodes, shape (k, 2), to all as (ns, 2)."""
        values = np.zeros((self._size, 2))
        values[self.owned] = owned_values
        self.comm.Allreduce(MPI.IN_PLACE, values, op=MPI.SUM)
        return values

    def sum(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum replicated arrays over all processes, in place."""
        self.comm.Allreduce(MPI.IN_PLACE, values, op=MPI.SUM)
        return values

    def positions(self, displacement: fem.Function) -> NDArray[np.float64]:
        """Current positions of all surface nodes in um, shape (ns, 2) (collective)."""
        return self.reference + self.replicate(self.owned_values(displacement.x.array))

    def owned_values(self, local: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values of a displacement-like array at the owned surface nodes, shape (k, 2)."""
        values: NDArray[np.float64] = local.reshape(-1, 2)[self.owned_local]
        return values

    def add_owned(self, values: NDArray[np.float64], local: NDArray[np.float64]) -> None:
        """Add values at the owned surface nodes, shape (k, 2), to a displacement-like array."""
        local.reshape(-1, 2)[self.owned_local] += values

    def max_motion(self, local: NDArray[np.float64]) -> float:
        """Largest Euclidean norm of a displacement-like array over all surface nodes."""
        largest = loops.largest_norm(self.owned_values(local))
        return float(self.comm.allreduce(largest, op=MPI.MAX))
