"""Quadratic triangle meshes of simple shapes, as one body in gmsh's node order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mapping = Callable[[Array], Array]
"""From the unit square, shape (n, 2), to the body, shape (n, 2) in um."""

_MID_SIDES = ((0, 1), (1, 2), (2, 0))


@dataclass(frozen=True)
class Body:
    """One body of second-order triangles; see ``creep_fem.mechanics.domain.ParticleCells``."""

    points: Array
    cells: NDArray[np.int64]

    @property
    def cell_body(self) -> NDArray[np.int32]:
        """Body of every cell."""
        return np.zeros(len(self.cells), np.int32)

    @property
    def body_phase(self) -> NDArray[np.int32]:
        """Phase of the only body."""
        return np.zeros(1, np.int32)

    @property
    def wall_nodes(self) -> dict[str, NDArray[np.int64]]:
        """None: the cases hold the body themselves."""
        return {}


def identity(points: Array) -> Array:
    """The unit square itself."""
    return points


def quarter_ring(inner: float, outer: float) -> Mapping:
    """Quarter of a ring around the origin; radii in geometric progression."""

    def to_ring(points: Array) -> Array:
        radius = inner * (outer / inner) ** points[:, 0]
        angle = 0.5 * np.pi * points[:, 1]
        return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])

    return to_ring


def mapped_square(
    columns: int, rows: int, mapping: Mapping = identity, irregularity: float = 0.0
) -> Body:
    """Triangles of a mapped unit square; mid-side nodes lie on the curved sides.

    Args:
        columns: Cells along the first direction.
        rows: Cells along the second direction.
        mapping: From the unit square to the body, keeping the orientation.
        irregularity: Random shift of the inner vertices as a part of the cell size; when
            positive the diagonals run in random directions, too.
    """
    random = np.random.default_rng(20)
    x, y = np.meshgrid(np.arange(columns + 1), np.arange(rows + 1), indexing="ij")
    shift = irregularity * random.uniform(-1.0, 1.0, (2, *x.shape))
    shift[0, [0, -1], :] = shift[1, :, [0, -1]] = 0.0
    square = np.column_stack([((x + shift[0]) / columns).ravel(), ((y + shift[1]) / rows).ravel()])
    flipped = random.uniform(size=(columns, rows)) < (0.5 if irregularity > 0.0 else 0.0)
    vertices = _triangles(flipped)
    points, cells = _with_mid_sides(square, vertices)
    return Body(mapping(points), cells)


def _triangles(flipped: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Vertices of the two triangles of every cell, counter-clockwise, shape (2 cells, 3)."""
    columns, rows = flipped.shape
    number = np.arange((columns + 1) * (rows + 1)).reshape(columns + 1, rows + 1)
    corners = np.stack([number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]], -1)
    halves = np.array([[[0, 1, 2], [0, 2, 3]], [[0, 1, 3], [1, 2, 3]]])
    chosen = halves[flipped.astype(int)].reshape(-1, 6)
    return np.take_along_axis(corners.reshape(-1, 4), chosen, axis=1).reshape(-1, 3)


def _with_mid_sides(square: Array, vertices: NDArray[np.int64]) -> tuple[Array, NDArray[np.int64]]:
    """Append the midpoints of all sides."""
    sides = np.sort(np.stack([vertices[:, side] for side in _MID_SIDES], axis=1), axis=2)
    unique, place = np.unique(sides.reshape(-1, 2), axis=0, return_inverse=True)
    points = np.vstack([square, square[unique].mean(axis=1)])
    return points, np.hstack([vertices, len(square) + place.reshape(-1, 3)])
