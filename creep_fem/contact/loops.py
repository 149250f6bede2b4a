"""Loops over surface points, edges and pairs, compiled to machine code.

They stand together in one module because Numba recognises changes of a compiled function by its
file: what it calls in other files could be out of date. Arrays hold one entry for every edge, point
or pair; see ``boundary.py`` and ``pairs.py`` for their meaning.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from creep_fem.compiled import compiled, inlined

_MAX_PROJECTION_ITERATIONS = 100
# Where Newton's method converges, the error left is like the square of the last change.
_PARAMETER_TOLERANCE = 1e-7


@inlined
def _curve_at(c: NDArray[np.float64], t: float) -> tuple[float, float, float, float, float, float]:
    """Point, slope and second derivative, x and y of each, for coefficients of shape (5, 2)."""
    return (
        (((c[4, 0] * t + c[3, 0]) * t + c[2, 0]) * t + c[1, 0]) * t + c[0, 0],
        (((c[4, 1] * t + c[3, 1]) * t + c[2, 1]) * t + c[1, 1]) * t + c[0, 1],
        ((4.0 * c[4, 0] * t + 3.0 * c[3, 0]) * t + 2.0 * c[2, 0]) * t + c[1, 0],
        ((4.0 * c[4, 1] * t + 3.0 * c[3, 1]) * t + 2.0 * c[2, 1]) * t + c[1, 1],
        (12.0 * c[4, 0] * t + 6.0 * c[3, 0]) * t + 2.0 * c[2, 0],
        (12.0 * c[4, 1] * t + 6.0 * c[3, 1]) * t + 2.0 * c[2, 1],
    )


@compiled
def curves_at(
    coefficients: NDArray[np.float64], edges: NDArray[np.int64], t: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Points, slopes and second derivatives, shape (3, n, 2)."""
    values = np.empty((3, len(edges), 2))
    for i in range(len(edges)):
        x, y, dx, dy, ddx, ddy = _curve_at(coefficients[edges[i]], t[i])
        values[0, i, 0], values[0, i, 1] = x, y
        values[1, i, 0], values[1, i, 1] = dx, dy
        values[2, i, 0], values[2, i, 1] = ddx, ddy
    return values


@compiled
def control_weights(
    coefficients: NDArray[np.float64],
    edges: NDArray[np.int64],
    t: NDArray[np.float64],
    derivative: int,
) -> NDArray[np.float64]:
    """Derivatives of the weights, shape (n, 5), by Horner's rule."""
    weights = np.zeros((len(edges), 5))
    for power in range(4, derivative - 1, -1):
        factor = 1.0
        for lower in range(derivative):
            factor *= power - lower
        for i in range(len(edges)):
            for k in range(5):
                term = factor * coefficients[edges[i], power, k]
                weights[i, k] = weights[i, k] * t[i] + term
    return weights


@compiled
def interpolate(
    nodes: NDArray[np.int64], shape: NDArray[np.float64], positions: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Sums of weighted positions, shape (n, 2)."""
    points = np.zeros((len(nodes), 2))
    for i in range(len(nodes)):
        for k in range(nodes.shape[1]):
            points[i, 0] += shape[i, k] * positions[nodes[i, k], 0]
            points[i, 1] += shape[i, k] * positions[nodes[i, k], 1]
    return points


@compiled
def combine_controls(
    control: NDArray[np.int64],
    mirror: NDArray[np.float64],
    offset: NDArray[np.float64],
    coefficients: NDArray[np.float64],
    positions: NDArray[np.float64],
    edges: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Powers of t of the curves of some of all m edges, NaN for others, shape (m, 5, 2)."""
    curves = np.full((len(control), 5, 2), np.nan)
    for e in edges:
        curves[e] = 0.0
        for k in range(5):
            node = control[e, k]
            x = mirror[e, k, 0] * positions[node, 0] + offset[e, k, 0]
            y = mirror[e, k, 1] * positions[node, 1] + offset[e, k, 1]
            for power in range(5):
                curves[e, power, 0] += coefficients[e, power, k] * x
                curves[e, power, 1] += coefficients[e, power, k] * y
    return curves


@compiled
def largest_norm(vectors: NDArray[np.float64]) -> float:
    """Largest Euclidean norm of vectors, shape (n, 2): 0 without any, NaN if one of them is."""
    largest = 0.0
    for i in range(len(vectors)):
        square = vectors[i, 0] ** 2 + vectors[i, 1] ** 2
        if square > largest or np.isnan(square):
            largest = square
    return float(np.sqrt(largest))


@compiled
def project(
    curves: NDArray[np.float64],
    following: NDArray[np.int64],
    preceding: NDArray[np.int64],
    points: NDArray[np.float64],
    point: NDArray[np.int64],
    edge: NDArray[np.int64],
    parameter: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Edges and parameters of the closest points, from first guesses, one for each pair."""
    edge, parameter = edge.copy(), parameter.copy()
    for i in range(len(point)):
        e, t, last = edge[i], parameter[i], 0.0
        for _ in range(_MAX_PROJECTION_ITERATIONS):
            change = _newton_change(curves[e], points[point[i]], t)
            # a step back over more than half the way would swing around the foot point for ever
            bound = 0.5 * abs(last) if change * last < 0.0 else 1.0
            last = change = min(max(change, -bound), bound)
            before = e, t
            e, t = _hop(following[e], preceding[e], e, t + change)
            # past an open end the parameter stays where it is, however large the change
            if abs(change) <= _PARAMETER_TOLERANCE or before == (e, t):
                break
        edge[i], parameter[i] = e, t
    return edge, parameter


@inlined
def _newton_change(curve: NDArray[np.float64], point: NDArray[np.float64], t: float) -> float:
    """Change of a parameter towards the point of a curve that is closest to ``point``."""
    x, y, dx, dy, ddx, ddy = _curve_at(curve, t)
    x, y = point[0] - x, point[1] - y
    speed2 = dx * dx + dy * dy
    convexity = speed2 - (x * ddx + y * ddy)
    # Gauss-Newton where the distance is not convex enough for a Newton step
    return float((x * dx + y * dy) / (convexity if convexity > 0.02 * speed2 else speed2))


@inlined
def _hop(following: int, preceding: int, edge: int, t: float) -> tuple[int, float]:
    """Move a parameter outside [0, 1] to the neighbouring edge where there is one."""
    if 0.0 <= t <= 1.0:
        return edge, t
    # the neighbour is as long as the edge, give or take; the projection mends the rest
    if t > 1.0 and following >= 0:
        edge, t = following, t - 1.0
    elif t < 0.0 and preceding >= 0:
        edge, t = preceding, t + 1.0
    return edge, min(max(t, -0.25), 1.25)


@compiled
def frames(
    curves: NDArray[np.float64],
    places: NDArray[np.float64],
    point: NDArray[np.int64],
    edge: NDArray[np.int64],
    parameter: NDArray[np.float64],
) -> tuple[NDArray[np.float64], ...]:
    """Gaps and the curves' unit tangents, speeds |c'| and curvatures n.c'' at the feet."""
    count = len(point)
    gap, speed, curvature = np.empty(count), np.empty(count), np.empty(count)
    tangent = np.empty((count, 2))
    for i in range(count):
        x, y, dx, dy, ddx, ddy = _curve_at(curves[edge[i]], parameter[i])
        speed[i] = np.hypot(dx, dy)
        dx, dy = dx / speed[i], dy / speed[i]
        tangent[i, 0], tangent[i, 1] = dx, dy
        gap[i] = dy * (places[point[i], 0] - x) - dx * (places[point[i], 1] - y)
        curvature[i] = dy * ddx - dx * ddy
    return gap, tangent, speed, curvature


@compiled
def facing(
    curves: NDArray[np.float64],
    nodes: NDArray[np.int64],
    slope_shape: NDArray[np.float64],
    positions: NDArray[np.float64],
    point: NDArray[np.int64],
    edge: NDArray[np.int64],
    parameter: NDArray[np.float64],
    wall: NDArray[np.int64],
    outwards: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Whether the surface at a point and at its foot behind a wall face each other, for each pair.

    The point looks towards the wall, against the surface at its foot. Pairs without a wall (-1) are
    not asked.
    """
    faces = np.ones(len(point), np.bool_)
    for i in range(len(point)):
        if wall[i] >= 0:
            sx = sy = 0.0
            for k in range(3):
                weight, node = slope_shape[point[i], k], nodes[point[i], k]
                sx += weight * positions[node, 0]
                sy += weight * positions[node, 1]
            _, _, dx, dy, _, _ = _curve_at(curves[edge[i]], parameter[i])
            towards = sy * outwards[wall[i], 0] - sx * outwards[wall[i], 1]
            faces[i] = towards > 0.0 and sx * dx + sy * dy < 0.0
    return faces


@compiled
def variations(
    vector: NDArray[np.float64],
    own: NDArray[np.float64],
    weights: NDArray[np.float64],
    mirror: NDArray[np.float64],
    edge: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Coefficients of (sum own_k dx_k + sum weights_k dP_k).vector, shape (n, 16)."""
    rows = np.empty((len(vector), 16))
    for i in range(len(vector)):
        for axis in range(2):
            for k in range(3):
                rows[i, 2 * k + axis] = own[i, k] * vector[i, axis]
            for k in range(5):
                moved = weights[i, k] * mirror[edge[i], k, axis]
                rows[i, 6 + 2 * k + axis] = moved * vector[i, axis]
    return rows


@compiled
def scatter(
    nodes: NDArray[np.int64], slopes: NDArray[np.float64], size: int
) -> NDArray[np.float64]:
    """Sums of the two components of each of the pairs' nodes, for all nodes, shape (2 size,)."""
    gradient = np.zeros(2 * size)
    for i in range(len(nodes)):
        for k in range(nodes.shape[1]):
            gradient[2 * nodes[i, k]] += slopes[i, 2 * k]
            gradient[2 * nodes[i, k] + 1] += slopes[i, 2 * k + 1]
    return gradient


@compiled
def sum_products(
    block: NDArray[np.int64],
    rows: NDArray[np.float64],
    factors: NDArray[np.float64],
    blocks: int,
) -> NDArray[np.float64]:
    """Sums of sum_kl factors_kl row_k x row_l of all pairs of a block, shape (blocks, 16, 16)."""
    count, terms, width = rows.shape
    values = np.zeros((blocks, width, width))
    scaled = np.empty(width)
    for i in range(count):
        varied, sums = rows[i], values[block[i]]
        for term in range(terms):
            for column in range(width):
                scaled[column] = 0.0
                for other in range(terms):
                    scaled[column] += factors[i, term, other] * varied[other, column]
            for row in range(width):
                for column in range(width):
                    sums[row, column] += varied[term, row] * scaled[column]
    return values
