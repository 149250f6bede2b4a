"""Meshes every particle of a layout with gmsh, each as a body of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import hypot
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from creep_fem.errors import MeshError
from creep_fem.microstructure.layout import PHASES, Disc, Layout, check_layout
from creep_fem.microstructure.particle_mesh import (
    TRIANGLE6_TYPE,
    WALLS,
    ParticleMesh,
    SurfaceArc,
    boundary_edges,
    cell_quality,
    surface_arcs,
    walls_of,
)

MINIMUM_QUALITY = 0.1
"""Cells below this ``cell_quality`` are refused: they spoil the conditioning of the stiffness."""

_SIZE_GRADIENT = 0.25
"""Growth of the element size with the depth below the free surface, um per um."""

_WALL_TOLERANCE = 1e-7
"""Points closer to a wall than this share of the box are put exactly onto it."""

_GMSH_OPTIONS = {
    "General.Terminal": 0,
    "General.NumThreads": 1,
    "Mesh.Algorithm": 6,  # frontal Delaunay: the most regular triangles at a given size
    "Mesh.Smoothing": 10,
    "Mesh.RandomSeed": 1,
    "Mesh.MeshSizeFromPoints": 0,
    "Mesh.MeshSizeFromCurvature": 0,
    "Mesh.MeshSizeExtendFromBoundary": 0,
    "Mesh.SecondOrderLinear": 0,  # mid-nodes of boundary edges belong on the curve
    "Mesh.HighOrderOptimize": 0,
}


class MeshSizes(Protocol):
    """Element edge lengths that ``build_mesh`` asks for."""

    @property
    def surface_size(self) -> float:
        """Edge length along free surfaces in um."""

    @property
    def interior_size(self) -> float:
        """Largest edge length inside the particles in um."""


@dataclass(frozen=True)
class _BodyMesh:
    points: NDArray[np.float64]
    cells: NDArray[np.int64]


@contextmanager
def gmsh_session() -> Iterator[Any]:
    """Provides gmsh, silent and single-threaded, and finalises it if it was not already running."""
    import gmsh

    owned = not gmsh.isInitialized()
    if owned:
        gmsh.initialize(readConfigFiles=False, interruptible=False)
    try:
        for name, value in _GMSH_OPTIONS.items():
            gmsh.option.setNumber(name, value)
        yield gmsh
    finally:
        if owned:
            gmsh.finalize()


def build_mesh(layout: Layout, mesh: MeshSizes) -> ParticleMesh:
    """Meshes the parts of all discs that lie in the box with curved second-order triangles.

    The nodes of free surfaces lie on their circles, those of cut faces on their walls, to rounding.
    The same input gives the same mesh.

    Args:
        layout: Discs that do not overlap; body i of the mesh is disc i.
        mesh: Element sizes in um.

    Returns:
        The mesh of all bodies.

    Raises:
        ConfigError: Discs overlap or lie outside the box.
        MeshError: A body could not be meshed with good elements; the message names it.
    """
    check_layout(layout)
    bodies = []
    with gmsh_session() as gmsh:
        for index, disc in enumerate(layout.discs):
            try:
                body = _mesh_disc(gmsh, disc, layout.box, mesh)
            # gmsh raises bare Exception with its last message.
            except Exception as error:
                raise MeshError(f"{layout.describe(index)}: {error}") from error
            worst = float(cell_quality(body.points, body.cells).min())
            if worst < MINIMUM_QUALITY:
                raise MeshError(
                    f"{layout.describe(index)}: the worst element has quality {worst:.3g}, below "
                    f"{MINIMUM_QUALITY}; clean the layout or choose a smaller mesh.surface_size"
                )
            bodies.append(body)
    return _assemble(layout, bodies)


def _mesh_disc(gmsh: Any, disc: Disc, box: float, sizes: MeshSizes) -> _BodyMesh:
    """Meshes one disc in a model of its own, so that bodies cannot be fused."""
    gmsh.model.add("body")
    try:
        _add_cut_disc(gmsh, disc, box)
        gmsh.model.mesh.setSizeCallback(_size_function(disc, sizes))
        gmsh.model.mesh.generate(2)
        gmsh.model.mesh.setOrder(2)
        tags, coordinates, _ = gmsh.model.mesh.getNodes()
        kinds, _, connectivity = gmsh.model.mesh.getElements(2)
    finally:
        gmsh.model.mesh.removeSizeCallback()
        gmsh.model.remove()
    if list(kinds) != [TRIANGLE6_TYPE]:
        raise MeshError("gmsh made no second-order triangles")
    points = coordinates.reshape(-1, 3)[:, :2]
    cells = np.asarray(connectivity[0]).reshape(-1, 6).astype(np.int64)
    return _renumbered(tags.astype(np.int64), points, cells, box)


def _add_cut_disc(gmsh: Any, disc: Disc, box: float) -> None:
    occ = gmsh.model.occ
    normals = {
        (-1.0, 0.0): disc.x,
        (1.0, 0.0): box - disc.x,
        (0.0, -1.0): disc.y,
        (0.0, 1.0): box - disc.y,
    }
    # The seam of the circle points to the nearest wall, where a cut removes it: it would otherwise
    # add a vertex to the free surface, possibly very close to the wall.
    seam = min(normals, key=lambda normal: normals[normal])
    circle = occ.addDisk(
        disc.x, disc.y, 0, disc.radius, disc.radius, zAxis=[0, 0, 1], xAxis=[*seam, 0]
    )
    if min(normals.values()) < disc.radius:
        square = occ.addRectangle(0, 0, 0, box, box)
        occ.intersect([(2, circle)], [(2, square)])
    occ.synchronize()
    if len(gmsh.model.getEntities(2)) != 1:
        raise MeshError("the part inside the box is not one surface")


def _size_function(disc: Disc, sizes: MeshSizes) -> Any:
    """The function that gmsh asks for the element size at (x, y) on an entity."""

    def size(_dim: int, _tag: int, x: float, y: float, *_: float) -> float:
        depth = max(disc.radius - hypot(x - disc.x, y - disc.y), 0.0)
        return min(sizes.interior_size, sizes.surface_size + _SIZE_GRADIENT * depth)

    return size


def _renumbered(
    tags: NDArray[np.int64],
    points: NDArray[np.float64],
    cells: NDArray[np.int64],
    box: float,
) -> _BodyMesh:
    """Numbers the nodes of the cells from 0 and puts those of cut faces exactly onto the walls."""
    used, flat = np.unique(cells, return_inverse=True)
    order = np.argsort(tags)
    points = points[order[np.searchsorted(tags, used, sorter=order)]].copy()
    cells = flat.reshape(cells.shape).astype(np.int64)
    for wall in (0.0, box):
        points[np.abs(points - wall) < _WALL_TOLERANCE * box] = wall
    return _BodyMesh(points, cells)


def _on_wall(
    edges: NDArray[np.int64], points: NDArray[np.float64], box: float
) -> NDArray[np.bool_]:
    """(e,) whether all three nodes of an edge lie on one wall."""
    flags = walls_of(points, box)[edges]
    return np.asarray(flags.all(axis=1).any(axis=1))


def _assemble(layout: Layout, bodies: list[_BodyMesh]) -> ParticleMesh:
    offsets = np.cumsum([0] + [len(body.points) for body in bodies])
    points = np.concatenate([body.points for body in bodies])
    cells = np.concatenate([b.cells + start for b, start in zip(bodies, offsets, strict=False)])
    edges = boundary_edges(cells)
    on_wall = _on_wall(edges, points, layout.box)
    flags = walls_of(points, layout.box)
    cut_nodes = np.unique(edges[on_wall])
    free = edges[~on_wall]
    edge_body = np.searchsorted(offsets, free[:, 2], side="right") - 1
    arcs: list[SurfaceArc] = []
    for index in range(len(bodies)):
        arcs += surface_arcs(index, free[edge_body == index], points, layout.box)
    counts = [len(body.cells) for body in bodies]
    return ParticleMesh(
        box=layout.box,
        points=points,
        cells=cells,
        cell_body=np.repeat(np.arange(len(bodies), dtype=np.int32), counts),
        body_phase=np.array([PHASES.index(d.phase) for d in layout.discs], dtype=np.int32),
        arcs=tuple(arcs),
        wall_nodes={name: cut_nodes[flags[cut_nodes, k]] for k, name in enumerate(WALLS)},
    )
