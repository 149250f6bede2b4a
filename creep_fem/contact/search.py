"""Which surface nodes may touch which bodies, and where: k-d tree search and projection."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from creep_fem.contact.boundary import Boundary, basis

_MAX_PROJECTION_ITERATIONS = 40
_PARAMETER_TOLERANCE = 1e-12


@dataclass(frozen=True)
class FootPoints:
    """Closest points of surface nodes on other bodies; n pairs.

    Attributes:
        node: Surface node of every pair, shape (n,).
        segment: Spline segment of the foot point, shape (n,).
        parameter: Spline parameter on that segment, shape (n,).
    """

    node: NDArray[np.int64]
    segment: NDArray[np.int64]
    parameter: NDArray[np.float64]


def nearby_bodies(
    boundary: Boundary,
    positions: NDArray[np.float64],
    nodes: NDArray[np.int64],
    radius: float,
) -> FootPoints:
    """Pair every node with each *other* body that has a segment mid-point within ``radius``.

    Args:
        boundary: The surfaces.
        positions: Current positions of all surface nodes in um, shape (ns, 2).
        nodes: Surface nodes to look from, shape (n,).
        radius: Search radius in um.

    Returns:
        One pair for each (node, body) with the nearest segment and parameter 0.5 as first guess.
    """
    middle = 0.5 * (positions[boundary.control[:, 1]] + positions[boundary.control[:, 2]])
    if len(nodes) == 0 or len(middle) == 0:
        empty = np.empty(0, dtype=np.int64)
        return FootPoints(empty, empty, np.empty(0))
    found = KDTree(positions[nodes]).sparse_distance_matrix(
        KDTree(middle), radius, output_type="ndarray"
    )
    node, segment = nodes[found["i"]], found["j"].astype(np.int64)
    body = boundary.segment_body[segment]
    other = body != boundary.node_body[node]
    node, segment, body, distance = node[other], segment[other], body[other], found["v"][other]
    order = np.lexsort((segment, distance, body, node))
    node, segment, body = node[order], segment[order], body[order]
    first = np.ones(len(node), dtype=bool)
    first[1:] = (node[1:] != node[:-1]) | (body[1:] != body[:-1])
    return FootPoints(node[first], segment[first], np.full(int(first.sum()), 0.5))


def project(boundary: Boundary, positions: NDArray[np.float64], start: FootPoints) -> FootPoints:
    """Newton projection onto the splines, hopping to neighbouring segments.

    At the open ends of an arc the end segment is extended: its mirror image starts there.

    Args:
        boundary: The surfaces.
        positions: Current positions of all surface nodes in um, shape (ns, 2).
        start: Pairs with first guesses.

    Returns:
        The same pairs at their closest points.
    """
    segment, parameter = start.segment.copy(), start.parameter.copy()
    moving = np.arange(len(segment))
    for _ in range(_MAX_PROJECTION_ITERATIONS):
        if len(moving) == 0:
            break
        s, t = segment[moving], parameter[moving]
        control = boundary.control_points(positions, s)
        difference = positions[start.node[moving]] - _combine(basis(t), control)
        slope, curve = _combine(basis(t, 1), control), _combine(basis(t, 2), control)
        speed2 = np.einsum("ni,ni->n", slope, slope)
        convexity = speed2 - np.einsum("ni,ni->n", difference, curve)
        # Gauss-Newton where the distance is not convex enough for a Newton step
        convexity = np.where(convexity > 0.25 * speed2, convexity, speed2)
        change = np.clip(np.einsum("ni,ni->n", difference, slope) / convexity, -1.0, 1.0)
        t = t + change
        s, t = _hop(boundary, s, t)
        segment[moving], parameter[moving] = s, t
        moving = moving[np.abs(change) > _PARAMETER_TOLERANCE]
    return FootPoints(start.node, segment, parameter)


def _hop(
    boundary: Boundary, segment: NDArray[np.int64], parameter: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Move parameters outside [0, 1] to the neighbouring segment where there is one."""
    onward = (parameter > 1.0) & (boundary.following[segment] >= 0)
    backward = (parameter < 0.0) & (boundary.preceding[segment] >= 0)
    parameter = np.where(onward, parameter - 1.0, np.where(backward, parameter + 1.0, parameter))
    segment = np.where(onward, boundary.following[segment], segment)
    segment = np.where(backward, boundary.preceding[segment], segment)
    return segment, np.clip(parameter, -0.5, 1.5)


def _combine(weights: NDArray[np.float64], control: NDArray[np.float64]) -> NDArray[np.float64]:
    points: NDArray[np.float64] = np.einsum("nk,nki->ni", weights, control)
    return points
