"""Writes a mesh for other programs: gmsh's MSH format with named physical groups."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creep_fem.errors import MeshError
from creep_fem.microstructure.generate import gmsh_session
from creep_fem.microstructure.layout import PHASES
from creep_fem.microstructure.particle_mesh import (
    TRIANGLE6_TYPE,
    WALLS,
    ParticleMesh,
    boundary_edges,
    walls_of,
)

_LINE3 = 8
"""gmsh's number for second-order edges."""


def body_name(mesh: ParticleMesh, body: int) -> str:
    """Name of a body, such as ``active_3``; the number is that of the disc in the layout."""
    return f"{PHASES[mesh.body_phase[body]]}_{body}"


def write_msh(mesh: ParticleMesh, path: str | Path) -> None:
    """Writes the mesh in um as MSH 4.1 text.

    The physical groups are the bodies, ``active_0``, ``framework_1``..., as surfaces; the cut faces
    on each wall, ``wall_left``..., and the free surface of each body, ``surface_active_0``..., as
    curves.

    Args:
        mesh: The mesh of all bodies.
        path: File to write; its name ends with ``.msh``.

    Raises:
        MeshError: The file cannot be written.
    """
    path = Path(path)
    if path.suffix != ".msh":
        raise MeshError(f"{path}: the name of a mesh file must end with .msh")
    with gmsh_session() as gmsh:
        gmsh.model.add(path.stem)
        try:
            _add_bodies(gmsh, mesh)
            _add_curves(gmsh, mesh)
            gmsh.write(str(path))
        # gmsh raises bare Exception with its last message.
        except Exception as error:
            raise MeshError(f"{path}: {error}") from error
        finally:
            gmsh.model.remove()


def _add_bodies(gmsh: Any, mesh: ParticleMesh) -> None:
    """Adds one surface a body; gmsh counts entities and nodes from 1."""
    for body in range(len(mesh.body_phase)):
        cells = mesh.cells[mesh.cell_body == body]
        nodes = np.unique(cells)
        coordinates = np.zeros((len(nodes), 3))
        coordinates[:, :2] = mesh.points[nodes]
        gmsh.model.addDiscreteEntity(2, body + 1)
        gmsh.model.mesh.addNodes(2, body + 1, nodes + 1, coordinates.ravel())
        gmsh.model.mesh.addElementsByType(body + 1, TRIANGLE6_TYPE, [], cells.ravel() + 1)
        gmsh.model.addPhysicalGroup(2, [body + 1], name=body_name(mesh, body))


def _add_curves(gmsh: Any, mesh: ParticleMesh) -> None:
    edges = boundary_edges(mesh.cells)
    flags = walls_of(mesh.points, mesh.box)[edges].all(axis=1)
    curves = {f"wall_{name}": edges[flags[:, k]] for k, name in enumerate(WALLS)}
    free = edges[~flags.any(axis=1)]
    owner = np.empty(len(mesh.points), dtype=np.int32)
    owner[mesh.cells] = mesh.cell_body[:, None]
    for body in range(len(mesh.body_phase)):
        curves[f"surface_{body_name(mesh, body)}"] = free[owner[free[:, 0]] == body]
    filled = {name: lines for name, lines in curves.items() if len(lines)}
    for tag, (name, lines) in enumerate(filled.items(), start=1):
        _add_curve(gmsh, tag, name, lines)


def _add_curve(gmsh: Any, tag: int, name: str, lines: NDArray[np.int64]) -> None:
    gmsh.model.addDiscreteEntity(1, tag)
    gmsh.model.mesh.addElementsByType(tag, _LINE3, [], lines.ravel() + 1)
    gmsh.model.addPhysicalGroup(1, [tag], name=name)
