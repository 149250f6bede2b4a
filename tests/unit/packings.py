"""Small surfaces and meshes for tests of contact and mechanics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from creep_fem.contact.boundary import Boundary


@dataclass(frozen=True)
class Ring:
    """A piece of surface: a whole circle, or a half one on the left wall."""

    body: int
    nodes: NDArray[np.int64]
    closed: bool
    walls: tuple[str, str] | None


def circle(x: float, y: float, radius: float, count: int) -> NDArray[np.float64]:
    """Points of a whole circle, counter-clockwise."""
    angle = np.linspace(0.0, 2.0 * np.pi, count, endpoint=False)
    return np.column_stack([x + radius * np.cos(angle), y + radius * np.sin(angle)])


def half_circle(y: float, radius: float, count: int) -> NDArray[np.float64]:
    """Points of the half of a circle around (0, y) that lies to the right of the wall x = 0."""
    angle = np.linspace(-0.5 * np.pi, 0.5 * np.pi, count)
    points = np.column_stack([radius * np.cos(angle), y + radius * np.sin(angle)])
    points[[0, -1], 0] = 0.0
    return points


def rings_of(pieces: list[NDArray[np.float64]]) -> list[Ring]:
    """Whole circles, and half ones (an odd number of points) on the left wall."""
    rings, first = [], 0
    for body, points in enumerate(pieces):
        nodes = np.arange(first, first + len(points))
        closed = len(points) % 2 == 0
        rings.append(Ring(body, nodes, closed, None if closed else ("left", "left")))
        first += len(points)
    return rings


def boundary_of(pieces: list[NDArray[np.float64]], box: float) -> tuple[Boundary, NDArray]:
    """Surfaces of the pieces that ``rings_of`` numbers, and their points."""
    points = np.vstack(pieces)
    return Boundary.from_arcs(points, rings_of(pieces), box), points


@dataclass(frozen=True)
class Patch:
    """A unit square of quadratic triangles as one body, in gmsh's order."""

    points: NDArray[np.float64]
    cells: NDArray[np.int64]
    cell_body: NDArray[np.int32]
    body_phase: NDArray[np.int32]
    wall_nodes: dict[str, NDArray[np.int64]]


def unit_square(divisions: int, held: tuple[str, ...]) -> Patch:
    """A unit square with zero normal displacement on the held sides."""
    n = 2 * divisions + 1
    grid = np.linspace(0.0, 1.0, n)
    x, y = np.meshgrid(grid, grid, indexing="ij")
    number = np.arange(n * n).reshape(n, n)
    cells = []
    for i in range(0, n - 1, 2):
        for j in range(0, n - 1, 2):
            corners = [(i, j), (i + 2, j), (i + 2, j + 2), (i, j + 2)]
            for a, b, c in ((0, 1, 2), (0, 2, 3)):
                p, q, r = (np.array(corners[k]) for k in (a, b, c))
                nodes = (p, q, r, (p + q) // 2, (q + r) // 2, (r + p) // 2)
                cells.append([number[tuple(node)] for node in nodes])
    points = np.column_stack([x.ravel(), y.ravel()])
    sides = {
        "left": np.flatnonzero(points[:, 0] == 0.0),
        "right": np.flatnonzero(points[:, 0] == 1.0),
        "bottom": np.flatnonzero(points[:, 1] == 0.0),
        "top": np.flatnonzero(points[:, 1] == 1.0),
    }
    return Patch(
        points,
        np.array(cells),
        np.zeros(len(cells), np.int32),
        np.zeros(1, np.int32),
        {side: nodes if side in held else nodes[:0] for side, nodes in sides.items()},
    )
