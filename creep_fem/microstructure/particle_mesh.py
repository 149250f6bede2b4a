"""The mesh of all particles as plain arrays, and what can be read off its boundary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WALLS = ("left", "right", "bottom", "top")
"""Names of the walls x = 0, x = box, y = 0 and y = box."""

TRIANGLE6_EDGES = np.array([[0, 1, 3], [1, 2, 4], [2, 0, 5]])
"""Start vertex, end vertex and mid-node of each edge of a counter-clockwise triangle6."""

TRIANGLE6_TYPE = 9
"""gmsh's number for second-order triangles."""


@dataclass(frozen=True)
class SurfaceArc:
    """One connected piece of the free surface of one body.

    Attributes:
        body: Index of the body.
        nodes: (k,) indices of points, counter-clockwise (solid on the left), vertices and
            mid-nodes alternating, a vertex first. A closed arc does not repeat its first node; an
            open one ends with a vertex, and both its ends lie on a wall.
        closed: Whether the arc runs around the whole body.
        walls: Names of the walls at start and end of an open arc; None if closed.
    """

    body: int
    nodes: NDArray[np.int64]
    closed: bool
    walls: tuple[str, str] | None


@dataclass(frozen=True)
class ParticleMesh:
    """Second-order triangles of all bodies; no two bodies share a node.

    Attributes:
        box: Edge length of the box in um.
        points: (n, 2) coordinates in um.
        cells: (m, 6) points of each triangle: three vertices counter-clockwise, then the mid-nodes
            of the edges 01, 12 and 20 (gmsh's order).
        cell_body: (m,) body of each cell, ascending.
        body_phase: (bodies,) phase index of each body, 0 active, 1 framework.
        arcs: The free surfaces, by ascending body.
        wall_nodes: Points of cut faces on each wall, vertices and mid-nodes, ascending; their
            coordinate is exactly 0 or box.
    """

    box: float
    points: NDArray[np.float64]
    cells: NDArray[np.int64]
    cell_body: NDArray[np.int32]
    body_phase: NDArray[np.int32]
    arcs: tuple[SurfaceArc, ...]
    wall_nodes: dict[str, NDArray[np.int64]]


def boundary_edges(cells: NDArray[np.int64]) -> NDArray[np.int64]:
    """Edges that belong to one cell only, directed with the solid on the left.

    Args:
        cells: (m, 6) counter-clockwise second-order triangles.

    Returns:
        (e, 3) start vertex, end vertex and mid-node of each edge.
    """
    edges = np.concatenate([cells[:, local] for local in TRIANGLE6_EDGES])
    # A mid-node belongs to one edge, so that it identifies the edge.
    _, first, count = np.unique(edges[:, 2], return_index=True, return_counts=True)
    return np.asarray(edges[np.sort(first[count == 1])])


def walls_of(points: NDArray[np.float64], box: float) -> NDArray[np.bool_]:
    """Tells which points lie exactly on which wall.

    Args:
        points: (n, 2) coordinates in um.
        box: Edge length of the box in um.

    Returns:
        (n, 4) flags in the order of ``WALLS``.
    """
    x, y = points[:, 0], points[:, 1]
    return np.stack([x == 0.0, x == box, y == 0.0, y == box], axis=1)


def surface_arcs(
    body: int, free_edges: NDArray[np.int64], points: NDArray[np.float64], box: float
) -> list[SurfaceArc]:
    """Chains the free edges of one body into arcs.

    Args:
        body: Index of the body.
        free_edges: (e, 3) directed edges (start, end, mid-node) that lie on no wall.
        points: (n, 2) coordinates in um.
        box: Edge length of the box in um.

    Returns:
        Open arcs by ascending start node; or one closed arc that starts at its lowest vertex.
    """
    following = {int(start): (int(mid), int(end)) for start, end, mid in free_edges}
    ends = {end for _, end in following.values()}
    starts = sorted(set(following) - ends)
    if not starts:
        nodes = _chain(min(following), following)
        return [SurfaceArc(body, nodes[:-1], closed=True, walls=None)]
    arcs = []
    for start in starts:
        nodes = _chain(start, following)
        first, last = (WALLS[int(np.argmax(w))] for w in walls_of(points[nodes[[0, -1]]], box))
        arcs.append(SurfaceArc(body, nodes, closed=False, walls=(first, last)))
    return arcs


def _chain(start: int, following: dict[int, tuple[int, int]]) -> NDArray[np.int64]:
    nodes = [start]
    while nodes[-1] in following and (len(nodes) == 1 or nodes[-1] != start):
        nodes.extend(following[nodes[-1]])
    return np.array(nodes, dtype=np.int64)


def jacobian_coefficients(
    points: NDArray[np.float64], cells: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Bezier coefficients of the Jacobian determinant, a quadratic polynomial in each cell.

    The determinant lies between the smallest and the largest coefficient everywhere in the cell,
    so positive coefficients prove a valid cell; half their mean is the area of the curved cell.

    Args:
        points: (n, 2) coordinates in um.
        cells: (m, 6) second-order triangles.

    Returns:
        (m, 6) coefficients in um^2, in the node order of the cells.
    """
    corners = np.array([[0, 0], [1, 0], [0, 1], [0.5, 0], [0.5, 0.5], [0, 0.5]])
    gradients = np.stack([_shape_gradients(r, s) for r, s in corners])
    jacobian = np.einsum("pad,mac->mpcd", gradients, points[cells])
    values = np.linalg.det(jacobian)
    vertices, middles = values[:, :3], values[:, 3:]
    middles = 2.0 * middles - 0.5 * (vertices + np.roll(vertices, -1, axis=1))
    return np.concatenate([vertices, middles], axis=1)


def cell_areas(points: NDArray[np.float64], cells: NDArray[np.int64]) -> NDArray[np.float64]:
    """Exact areas in um^2 of curved second-order triangles, (m,)."""
    return np.asarray(0.5 * jacobian_coefficients(points, cells).mean(axis=1))


def cell_quality(points: NDArray[np.float64], cells: NDArray[np.int64]) -> NDArray[np.float64]:
    """Quality of curved triangles: 1 is straight and equilateral, 0 or less is invalid.

    It is the radius-ratio-like shape quality of the vertices, 4 sqrt(3) area / sum of squared edge
    lengths, times the smallest Jacobian coefficient over the Jacobian of the straight triangle.

    Args:
        points: (n, 2) coordinates in um.
        cells: (m, 6) second-order triangles.

    Returns:
        (m,) dimensionless qualities.
    """
    vertices = points[cells[:, :3]]
    edges = np.roll(vertices, -1, axis=1) - vertices
    squares = np.einsum("mij,mij->m", edges, edges)
    smallest = jacobian_coefficients(points, cells).min(axis=1)
    return np.asarray(2.0 * np.sqrt(3.0) * smallest / squares)


def _shape_gradients(r: float, s: float) -> NDArray[np.float64]:
    """(6, 2) gradients of the second-order shape functions at the reference point (r, s)."""
    t = 1.0 - r - s
    return np.array(
        [
            [1.0 - 4.0 * t, 1.0 - 4.0 * t],
            [4.0 * r - 1.0, 0.0],
            [0.0, 4.0 * s - 1.0],
            [4.0 * (t - r), -4.0 * r],
            [4.0 * s, 4.0 * r],
            [-4.0 * s, 4.0 * (t - s)],
        ]
    )
