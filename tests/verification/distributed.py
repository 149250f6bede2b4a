"""Packings on several processes: meshed once, and measured over all of them in one order."""

from __future__ import annotations

from dataclasses import fields

import creep_fem._backend  # noqa: F401  isort: skip

import numpy as np
from mpi4py import MPI
from shapes import Array

from creep_fem.mechanics.model import MechanicsModel, PointValues
from creep_fem.microstructure import Layout, MeshSizes, ParticleMesh, build_mesh


def meshed(layout: Layout, sizes: MeshSizes) -> ParticleMesh:
    """Mesh a layout once for all processes (collective)."""
    comm = MPI.COMM_WORLD
    mesh: ParticleMesh = comm.bcast(build_mesh(layout, sizes) if comm.rank == 0 else None)
    return mesh


def gathered(model: MechanicsModel, owned: Array) -> Array:
    """Rows of all processes, on every process (collective)."""
    return np.concatenate(model.domain.mesh.comm.allgather(owned))


def point_displacements(model: MechanicsModel, packing: ParticleMesh) -> Array:
    """Displacement of every point of the packing in um, shape (n, 2) (collective)."""
    domain = model.domain
    point = domain.node_point[: domain.owned_nodes]
    moves = np.zeros_like(packing.points)
    # nodes without a point are those of bubbles
    moves[point[point >= 0]] = model.displacement.x.array.reshape(-1, 2)[: len(point)][point >= 0]
    domain.mesh.comm.Allreduce(MPI.IN_PLACE, moves)
    return moves


def point_values(model: MechanicsModel) -> PointValues:
    """State at the quadrature points of all cells in the packing's order (collective)."""
    values = model.point_values()
    cells = model.domain.mesh.topology.original_cell_index[: len(values.volume)]
    order = np.argsort(gathered(model, cells))
    rows = (gathered(model, getattr(values, field.name))[order] for field in fields(values))
    return PointValues(*rows)
