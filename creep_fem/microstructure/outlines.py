"""Shapes of quadratic triangles as polygons fine enough to look curved."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from creep_fem.microstructure.particle_mesh import TRIANGLE6_EDGES, boundary_edges

SEGMENTS: Final = 4
"""Straight pieces that a curved edge is drawn with."""


def cell_outlines(points: NDArray[np.float64], cells: NDArray[np.int64]) -> NDArray[np.float64]:
    """Trace the curved outline of every cell.

    Args:
        points: Points in um, shape (n, 2).
        cells: Quadratic triangles, shape (m, 6).

    Returns:
        One closed polygon per cell without repeating its first corner, shape
        (m, 3 * SEGMENTS, 2) in um.
    """
    curves = _trace(points[cells[:, TRIANGLE6_EDGES]])[:, :, :-1]
    return curves.reshape(len(cells), 3 * SEGMENTS, 2)


def body_outlines(points: NDArray[np.float64], cells: NDArray[np.int64]) -> NDArray[np.float64]:
    """Trace the edges that belong to one cell only: free surfaces and cut faces.

    Args:
        points: Points in um, shape (n, 2).
        cells: Quadratic triangles, shape (m, 6).

    Returns:
        One open curve per edge, shape (e, SEGMENTS + 1, 2) in um.
    """
    return _trace(points[boundary_edges(cells)])


def cell_middles(points: NDArray[np.float64], cells: NDArray[np.int64]) -> NDArray[np.float64]:
    """Average the vertices of every cell.

    Args:
        points: Points in um, shape (n, 2).
        cells: Quadratic triangles, shape (m, 6).

    Returns:
        Shape (m, 2) in um.
    """
    middles: NDArray[np.float64] = points[cells[:, :3]].mean(axis=1)
    return middles


def _trace(edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Evaluate quadratic edges (..., 3, 2) at equal parameter steps: (..., SEGMENTS + 1, 2)."""
    s = np.linspace(0.0, 1.0, SEGMENTS + 1)
    shapes = np.column_stack([(1 - s) * (1 - 2 * s), s * (2 * s - 1), 4 * s * (1 - s)])
    curves: NDArray[np.float64] = np.einsum("sk,...kd->...sd", shapes, edges)
    return curves
