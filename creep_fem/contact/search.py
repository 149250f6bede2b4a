"""Which surface points may touch which bodies, and where: k-d tree search and projection."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from creep_fem.contact import loops
from creep_fem.contact.boundary import Boundary, Curves


@dataclass(frozen=True)
class FootPoints:
    """Closest points of surface points on other bodies; n pairs.

    Attributes:
        point: Index of the surface point of every pair, shape (n,).
        edge: Edge of the foot point, shape (n,).
        parameter: Parameter of the foot point on that edge, shape (n,).
    """

    point: NDArray[np.int64]
    edge: NDArray[np.int64]
    parameter: NDArray[np.float64]

    def chosen(self, pairs: NDArray[np.bool_] | NDArray[np.int64]) -> FootPoints:
        """Some of the pairs, by a mask of shape (n,) or by their indices."""
        return FootPoints(self.point[pairs], self.edge[pairs], self.parameter[pairs])


def nearby_bodies(
    boundary: Boundary,
    positions: NDArray[np.float64],
    points: NDArray[np.float64],
    bodies: NDArray[np.int64],
    radius: float,
) -> FootPoints:
    """Pair every point with each *other* body that has a mid-node within ``radius``.

    Args:
        boundary: The surfaces.
        positions: Current positions of the surface nodes in um, shape (ns, 2).
        points: Positions to look from in um, shape (p, 2).
        bodies: Bodies the points belong to, shape (p,).
        radius: Search radius in um.

    Returns:
        One pair for each (point, body) with the nearest edge and its middle as first guess.
    """
    middle = boundary.middles(positions)
    if len(points) == 0 or len(middle) == 0:
        empty = np.empty(0, dtype=np.int64)
        return FootPoints(empty, empty, np.empty(0))
    # Most images in the walls are out of reach of all points.
    low, high = points.min(axis=0) - radius, points.max(axis=0) + radius
    within = np.flatnonzero(((middle >= low) & (middle <= high)).all(axis=1))
    tree = KDTree(middle[within])
    found = KDTree(points).sparse_distance_matrix(tree, radius, output_type="ndarray")
    point, edge = found["i"].astype(np.int64), within[found["j"]]
    other = boundary.edge_body[edge] != bodies[point]
    point, edge, distance = point[other], edge[other], found["v"][other]
    body = boundary.edge_body[edge]
    order = np.lexsort((edge, distance, body, point))
    point, edge, body = point[order], edge[order], body[order]
    first = np.ones(len(point), dtype=bool)
    first[1:] = (point[1:] != point[:-1]) | (body[1:] != body[:-1])
    return FootPoints(point[first], edge[first], np.full(int(first.sum()), 0.5))


def project(
    boundary: Boundary,
    curves: Curves,
    points: NDArray[np.float64],
    start: FootPoints,
) -> FootPoints:
    """Newton projection onto the boundary curves, hopping to neighbouring edges.

    At the open ends of an arc the end edge is extended: its mirror image starts there.

    Args:
        boundary: The surfaces.
        curves: Their curves at the current positions.
        points: Positions of the surface points in um, shape (p, 2).
        start: Pairs with first guesses.

    Returns:
        The same pairs at their closest points.
    """
    shape = curves.coefficients, boundary.following, boundary.preceding
    feet = loops.project(*shape, points, start.point, start.edge, start.parameter)
    return FootPoints(start.point, *feet)


def gaps(curves: Curves, points: NDArray[np.float64], feet: FootPoints) -> NDArray[np.float64]:
    """Signed distances in um of surface points at positions ``points`` from their feet."""
    gap, *_ = loops.frames(curves.coefficients, points, feet.point, feet.edge, feet.parameter)
    return gap
