"""The particle mesh distributed over the processes of a communicator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import creep_fem._backend  # noqa: F401  isort: skip

import basix.ufl
import numpy as np
from dolfinx import fem, mesh
from dolfinx.cpp.io import perm_gmsh
from mpi4py import MPI
from numpy.typing import NDArray

from creep_fem.mechanics.element import VERTEX_AND_MIDDLE_NODES, displacement_element

NO_POINT = -1
"""Stands for a point of the particle mesh where there is none: at the node of a bubble."""


class Triangles(Protocol):
    """Second-order triangles of separate bodies, known on every process."""

    @property
    def points(self) -> NDArray[np.float64]:
        """Points in um, shape (n, 2)."""

    @property
    def cells(self) -> NDArray[np.int64]:
        """Points of every cell in gmsh's order, shape (m, 6)."""

    @property
    def cell_body(self) -> NDArray[np.int32]:
        """Body of every cell, shape (m,)."""


class ParticleCells(Triangles, Protocol):
    """The triangles of particles between walls."""

    @property
    def body_phase(self) -> NDArray[np.int32]:
        """Phase of every body, shape (bodies,)."""

    @property
    def wall_nodes(self) -> dict[str, NDArray[np.int64]]:
        """Points of cut faces on the walls left, right, bottom and top."""


@dataclass(frozen=True)
class Domain:
    """Distributed mesh with the maps between its numbering and that of the particle mesh.

    "Point" is a point of the particle mesh: its numbers do not depend on the partition.

    Attributes:
        mesh: P2-geometry triangle mesh.
        displacement_space: Vector-valued P2 space with bubbles.
        cell_body: Body of every local cell (owned, then ghosts).
        cell_phase: Phase of every local cell.
        node_point: Point of every local displacement node (owned, then ghosts); NO_POINT for the
            nodes of bubbles.
        owned_nodes: Number of displacement nodes owned by this process.
        wall_nodes: Local displacement nodes on each wall.
    """

    mesh: mesh.Mesh
    displacement_space: fem.FunctionSpace
    cell_body: NDArray[np.int32]
    cell_phase: NDArray[np.int32]
    node_point: NDArray[np.int64]
    owned_nodes: int
    wall_nodes: dict[str, NDArray[np.int32]]

    @classmethod
    def distribute(cls, comm: MPI.Intracomm, particles: ParticleCells) -> Domain:
        """Distribute a particle mesh (collective; every process passes the same one)."""
        permuted = particles.cells[:, perm_gmsh(mesh.CellType.triangle, 6)]
        root = comm.rank == 0
        element = basix.ufl.element("Lagrange", "triangle", 2, shape=(2,), dtype=np.float64)
        distributed = mesh.create_mesh(
            comm,
            permuted if root else permuted[:0],
            element,
            particles.points if root else particles.points[:0],
        )
        space = fem.functionspace(distributed, displacement_element())
        cell_body = particles.cell_body[distributed.topology.original_cell_index]
        node_point = _node_points(distributed, space)
        index_map = space.dofmap.index_map
        walls = {
            name: np.flatnonzero(np.isin(node_point, nodes)).astype(np.int32)
            for name, nodes in particles.wall_nodes.items()
        }
        return cls(
            mesh=distributed,
            displacement_space=space,
            cell_body=cell_body,
            cell_phase=particles.body_phase[cell_body],
            node_point=node_point,
            owned_nodes=index_map.size_local,
            wall_nodes=walls,
        )


def _node_points(distributed: mesh.Mesh, space: fem.FunctionSpace) -> NDArray[np.int64]:
    """Input point of every local node of the displacement space: its P2 part is the geometry's."""
    geometry = distributed.geometry
    index_map = space.dofmap.index_map
    node_point = np.full(index_map.size_local + index_map.num_ghosts, NO_POINT, dtype=np.int64)
    cells = space.dofmap.list[:, :VERTEX_AND_MIDDLE_NODES]
    node_point[cells] = np.asarray(geometry.input_global_indices)[geometry.dofmaps[0]]
    return node_point
