"""The displacement element: quadratic triangles with a bubble, and their quadrature rules.

When creep makes the deformation isochoric, the pressure needs a displacement space of its own
kind: P2 with a bubble is stable with a pressure that is linear in each cell (Crouzeix & Raviart,
RAIRO 7 R3, 1973, 33). The pressure is not an unknown here; the volumetric strain is sampled at the
three points of the rule of degree 2, which makes it linear. Shear is integrated with the six
points of the rule of degree 4: together the two rules leave no deformation without energy.

The textbook's bubble b = 27 L1 L2 L3 has a gradient that these rules do not integrate exactly
against a linear stress: bubbles of the order h^2 appear in every smooth stress field and take an
order of convergence away. Here the bubble is b (c1 + c2 b + c3 s) with
s = 3 (L1 L2 + L2 L3 + L3 L1), its constants chosen such that it is 1 in the centre and both rules,
applied to its gradient times a linear function, give what integration by parts gives. That is also
what stability rests on: for a linear pressure q and a bubble v = b w, w constant, the rule of three
points gives int(q div v) = -int(b grad q . w) on straight cells, as exact integration does, and
int(b) > 0, so that bubbles still control every slope of the pressure.
"""

from __future__ import annotations

import creep_fem._backend  # noqa: F401  isort: skip

import basix
import basix.ufl
import numpy as np
from numpy.typing import NDArray

VOLUMETRIC_DEGREE = 2
SHEAR_DEGREE = 4
VERTEX_AND_MIDDLE_NODES = 6
"""Nodes of a cell that come first; the last one is that of the bubble."""

_TRIANGLE = basix.CellType.triangle
_DEGREE = 6  # of the bubble
_EXACT_DEGREE = 2 * _DEGREE
_SLOPES = np.array([[-1.0, -1.0], [1.0, 0.0], [0.0, 1.0]])  # gradients of L1, L2, L3

Array = NDArray[np.float64]


def displacement_element() -> basix.ufl._ElementBase:
    """Vector-valued element with nodes at vertices, middles of the edges and the centre."""
    orthonormal, weights = _orthonormal()
    points = _rule(_EXACT_DEGREE)[0]
    quadratic = basix.create_element(basix.ElementFamily.P, _TRIANGLE, 2)
    functions = np.vstack([quadratic.tabulate(0, points)[0, :, :, 0].T, _bubble(points)])
    # every node is a point evaluation: P2 less what it gives in the centre, and the bubble
    centre = np.full((1, 2), 1.0 / 3.0)
    functions[:-1] -= np.outer(quadratic.tabulate(0, centre)[0, 0, :, 0], functions[-1])
    nodes = [[centre] if dim == 2 else quadratic.x[dim] for dim in range(3)] + [[]]
    evaluations = [[np.ones((1, 1, 1, 1)) for _ in places] for places in nodes]
    scalar = basix.ufl.custom_element(
        _TRIANGLE,
        (),
        (functions * weights) @ orthonormal.T,
        nodes,
        evaluations,
        0,
        basix.MapType.identity,
        basix.SobolevSpace.H1,
        False,
        2,
        _DEGREE,
    )
    return basix.ufl.blocked_element(scalar, shape=(2,))


def displacement_slopes(points: Array) -> Array:
    """Gradients of a component's shape functions on the reference triangle, shape (n, nodes, 2)."""
    _, *slopes = displacement_element().sub_elements[0].tabulate(1, points)
    return np.stack(slopes, axis=-1)


def _rule(degree: int) -> tuple[Array, Array]:
    """Points, shape (n, 2), and weights of the rule of a degree on the reference triangle."""
    points, weights = basix.make_quadrature(_TRIANGLE, degree)
    return points, weights


def _orthonormal() -> tuple[Array, Array]:
    """Orthonormal polynomials, shape (k, n), at the points of the exact rule, and its weights."""
    points, weights = _rule(_EXACT_DEGREE)
    basis = basix.tabulate_polynomials(basix.PolynomialType.legendre, _TRIANGLE, _DEGREE, points)
    return basis, weights


def _products(points: Array) -> tuple[Array, Array]:
    """The functions b, b^2 and b s, shape (3, n), and their gradients, shape (3, n, 2)."""
    a = np.column_stack([1.0 - points.sum(axis=1), points])
    following, last = np.roll(a, -1, axis=1), np.roll(a, -2, axis=1)
    cubic, pairs = 27.0 * a.prod(axis=1), 3.0 * (a * following).sum(axis=1)
    cubic_slope = 27.0 * (following * last) @ _SLOPES
    pairs_slope = 3.0 * (following + last) @ _SLOPES
    return (
        np.stack([cubic, cubic**2, cubic * pairs]),
        np.stack(
            [
                cubic_slope,
                2.0 * cubic[:, None] * cubic_slope,
                pairs[:, None] * cubic_slope + cubic[:, None] * pairs_slope,
            ]
        ),
    )


def _constants() -> Array:
    """The constants c1, c2, c3 of the bubble."""
    points, weights = _rule(_EXACT_DEGREE)
    integrals = _products(points)[0] @ weights
    rows = [np.ones(3)]
    for degree in (VOLUMETRIC_DEGREE, SHEAR_DEGREE):
        points, weights = _rule(degree)
        # integral of x db/dx = -integral of b; L2 and L3 and all others follow by symmetry
        rows.append(_products(points)[1][:, :, 0] @ (weights * points[:, 0]) + integrals)
    return np.linalg.solve(np.stack(rows), np.array([1.0, 0.0, 0.0]))


def _bubble(points: Array) -> Array:
    values: Array = _constants() @ _products(points)[0]
    return values
