"""A small run made of formulas: two curved discs that swell, without any solver."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path

import creep_fem._backend  # noqa: F401

import basix.ufl
import numpy as np
from dolfinx import fem
from dolfinx.cpp.io import perm_gmsh
from dolfinx.mesh import CellType, Mesh, create_mesh
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.spatial import Delaunay

from creep_fem.results.fields import FieldWriter
from creep_fem.results.history import HistoryRow, HistoryWriter
from creep_fem.results.pores import PoreWriter
from creep_fem.results.run_folder import RunFolder

HALF_CYCLE = 36000.0  # s
RADIUS = 0.45  # um
CENTRES = ((0.5, 0.5), (1.5, 0.5))  # um; active, framework


def disc(centre: tuple[float, float]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Mesh a disc with quadratic triangles whose outer mid-nodes lie on the circle."""
    rings = [np.zeros((1, 2))]
    for ring in range(1, 4):
        angle = np.linspace(0, 2 * math.pi, 6 * ring, endpoint=False)
        rings.append(RADIUS * ring / 3 * np.column_stack([np.cos(angle), np.sin(angle)]))
    vertices = np.vstack(rings)
    triangles = Delaunay(vertices).simplices
    edges = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    unique, edge_of, uses = np.unique(edges, axis=0, return_inverse=True, return_counts=True)
    middles = vertices[unique].mean(axis=1)
    outer = uses == 1
    middles[outer] *= RADIUS / np.linalg.norm(middles[outer], axis=1, keepdims=True)
    cells = np.hstack([triangles, len(vertices) + edge_of.reshape(-1, 3)])
    return np.vstack([vertices, middles]) + np.array(centre), cells.astype(np.int64)


def two_discs(comm: MPI.Intracomm) -> Mesh[np.float64]:
    """Distribute the mesh of both discs."""
    meshes = [disc(centre) for centre in CENTRES]
    points = np.vstack([points for points, _ in meshes])
    cells = np.vstack([meshes[0][1], meshes[1][1] + len(meshes[0][0])])
    cells = cells[:, perm_gmsh(CellType.triangle, 6)]
    element = basix.ufl.element("Lagrange", "triangle", 2, shape=(2,))
    if comm.rank > 0:
        points, cells = points[:0], cells[:0]
    return create_mesh(comm, cells, element, points)


@dataclass(frozen=True)
class State:
    """All functions that a run writes."""

    displacement: fem.Function[np.float64]
    contact_pressure: fem.Function[np.float64]
    von_mises: fem.Function[np.float64]
    pressure: fem.Function[np.float64]
    creep_strain: fem.Function[np.float64]
    creep_direction: fem.Function[np.float64]
    material: fem.Function[np.float64]
    body: fem.Function[np.float64]

    @classmethod
    def on(cls, mesh: Mesh[np.float64]) -> State:
        """Create the functions, all zero but the material."""
        shapes = {
            "displacement": ("Lagrange", 2, (2,)),
            "contact_pressure": ("Lagrange", 2),
            "creep_direction": ("DG", 0, (2,)),
        }
        state = cls(
            **{
                field.name: fem.Function(
                    fem.functionspace(mesh, shapes.get(field.name, ("DG", 0))), name=field.name
                )
                for field in fields(cls)
            }
        )
        for function in (state.material, state.body):
            function.interpolate(lambda x: (x[0] > 1.0).astype(np.float64))
        return state

    def all(self) -> list[fem.Function[np.float64]]:
        """List the functions."""
        return [getattr(self, field.name) for field in fields(self)]

    def swell(self, soc: float) -> None:
        """Set every function to a formula: the active disc grows by a tenth times soc."""
        left = CENTRES[0]

        def active(x: NDArray[np.float64]) -> NDArray[np.float64]:
            return (x[0] < 1.0).astype(np.float64)

        def from_centre(x: NDArray[np.float64]) -> NDArray[np.float64]:
            return active(x) * (x[:2] - np.array(left)[:, None])

        def direction(x: NDArray[np.float64]) -> NDArray[np.float64]:
            offset = from_centre(x)
            return offset / np.maximum(np.linalg.norm(offset, axis=0), 1e-12)

        def radius(x: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.linalg.norm(from_centre(x), axis=0)

        self.displacement.interpolate(lambda x: 0.1 * soc * from_centre(x))
        self.contact_pressure.interpolate(lambda x: soc * radius(x))
        self.von_mises.interpolate(lambda x: soc * (0.05 + 0.1 * x[0]))
        self.pressure.interpolate(lambda x: soc * x[1])
        self.creep_strain.interpolate(lambda x: soc * radius(x))
        self.creep_direction.interpolate(direction)


def history_row(step: int, time: float, cycle: int, soc: float) -> HistoryRow:
    """Make a plausible row; contact grows and stress falls with the cycles."""
    return HistoryRow(
        step=step,
        time_s=time,
        dt_s=HALF_CYCLE / 4,
        cycle=cycle,
        soc=soc,
        newton_iterations=5,
        chord_iterations=2,
        mises_mean_active_gpa=0.1 * soc * 0.9**cycle,
        mises_mean_framework_gpa=0.17 * soc * 0.95**cycle,
        pressure_mean_active_gpa=0.2 * soc,
        pressure_mean_framework_gpa=0.25 * soc,
        creep_strain_mean_active=0.1 * soc,
        porosity=0.25 - 0.2 * soc,
        contact_ratio_active_active=soc * (1 - 0.3 * 0.9**cycle),
        contact_ratio_active_framework=soc * (1 - 0.4 * 0.9**cycle),
        contact_fraction_active=soc * (1 - 0.5 * 0.9**cycle),
        contact_fraction_framework=soc * (1 - 0.6 * 0.9**cycle),
        wall_pressure_x_gpa=0.15 * soc,
        wall_pressure_y_gpa=0.16 * soc,
        min_gap_um=0.001,
        mises_max_active_gpa=0.4 * soc,
        mises_max_framework_gpa=1.1 * soc,
        creep_strain_max=0.6 * soc,
        drag_traction_max_gpa=0.0001,
        rejected_steps=0,
    )


def history_rows(cycles: int, swells_towards: float = 1.0) -> list[HistoryRow]:
    """Cycle soc between 0 and 1 with four steps per half-cycle, beginning at the unswollen end."""
    rows = []
    for step in range(1, 8 * cycles + 1):
        quarter = (step - 1) % 8 + 1
        swelling = (quarter if quarter <= 4 else 8 - quarter) / 4
        soc = swelling if swells_towards == 1.0 else 1.0 - swelling
        rows.append(history_row(step, step * HALF_CYCLE / 4, (step - 1) // 8 + 1, soc))
    return rows


PORES = np.array([0.3, 0.1, 0.2])  # um^2, initial
CLOSING = np.array([0.9, 0.5, 1.05])  # share lost at soc 1


def write_pores(path: Path, rows: Sequence[HistoryRow], start: float = 0.0) -> None:
    """Write three pores that close and open with the state of charge and creep to a half."""
    with closing(PoreWriter(path, len(PORES))) as table:
        table.append(0.0, 1, start, PORES.sum(), PORES)
        for row in rows:
            swelling = abs(row.soc - start)
            areas = PORES * (1.0 - CLOSING * swelling) * 0.5
            free = (1.0 - 0.9 * swelling) * PORES.sum()
            table.append(row.time_s, row.cycle, row.soc, free, areas)


def write_fields(
    comm: MPI.Intracomm, folder: RunFolder, states: Sequence[tuple[float, float]]
) -> None:
    """Write the fields at times in s, each with its state of charge; collective."""
    state = State.on(two_discs(comm))
    mesh = state.displacement.function_space.mesh
    with closing(FieldWriter(comm, mesh, folder.fields, state.all())) as fields_of_run:
        for time, soc in states:
            state.swell(soc)
            fields_of_run.write(time)


def write_run(comm: MPI.Intracomm, path: Path, cycles: int) -> RunFolder:
    """Write history, pores and fields; fields at the start and at every half-cycle; collective."""
    folder = RunFolder(path)
    write_fields(comm, folder, [(half * HALF_CYCLE, half % 2) for half in range(2 * cycles + 1)])
    if comm.rank == 0:
        with closing(HistoryWriter(folder.history)) as history:
            for row in history_rows(cycles):
                history.append(row)
        write_pores(folder.pores, history_rows(cycles))
    return folder
