"""Particle surfaces as smooth curves over their quadratic finite-element edges.

The finite-element surface has a small kink wherever two quadratic edges meet. Contact needs a
curve with a continuous normal, and needs it to carry loads as the finite elements do: a uniform
pressure must load vertices and mid-nodes in the ratio 1 : 4 : 1 of a quadratic edge, or it bends
the surface at the scale of the mesh. Both hold for the quartic

    c(t) = q(t) + (T0 - q'(0)) phi(t) - (T1 - q'(1)) phi(1 - t),   phi = t (1 - t)^2 (1 - 5 t / 2),

with the quadratic edge q through its three nodes and second-order tangents T0, T1 at its
vertices, each taken from the vertex and the mid-nodes on both sides. phi has unit slope at 0, is
flat at 1, and has zero mean: it turns the tangent and moves no load.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from creep_fem.contact import loops

# Rows: powers of t; columns: start vertex, mid-node, end vertex.
QUADRATIC = np.array([[1.0, 0.0, 0.0], [-3.0, 4.0, -1.0], [2.0, -4.0, 2.0]])
# Powers of t of phi(t) and of -phi(1 - t).
_TURN_START = np.array([0.0, 1.0, -4.5, 6.0, -2.5])
_TURN_END = np.array([0.0, 0.0, 1.5, -4.0, 2.5])
# Gauss-Legendre points on an edge: with four, non-matching edges exchange a uniform pressure
# within half a per cent.
GAUSS_POINTS = 4
# Coordinate that a wall holds.
WALL_COMPONENT = {"left": 0, "right": 0, "bottom": 1, "top": 1}


class Arc(Protocol):
    """One connected piece of the free surface of a body, solid on the left."""

    @property
    def body(self) -> int:
        """Body the surface belongs to."""

    @property
    def nodes(self) -> NDArray[np.int64]:
        """Mesh points along the surface, vertices and mid-nodes in turn, shape (k,)."""

    @property
    def closed(self) -> bool:
        """Whether the last node is joined to the first."""

    @property
    def walls(self) -> tuple[str, str] | None:
        """Walls at the start and end of an open piece."""


def quadratic_weights(t: NDArray[np.float64], derivative: int = 0) -> NDArray[np.float64]:
    """Weights of start, mid-node and end of an edge at t or their derivatives, shape (n, 3).

    Args:
        t: Parameters on the edge, shape (n,).
        derivative: 0 for the weights, 1 for their first derivatives.
    """
    coefficients = QUADRATIC[1:] * [[1.0], [2.0]] if derivative else QUADRATIC
    weights: NDArray[np.float64] = np.vander(t, len(coefficients), increasing=True) @ coefficients
    return weights


@dataclass(frozen=True)
class Boundary:
    """All free surfaces of a packing: ``ns`` surface nodes, ``m`` edges.

    The curve over an edge is controlled by five surface nodes: the mid-node before it, its own
    three nodes, the mid-node after it. Where an arc ends at a wall the missing one is the mirror
    image of the edge's own mid-node: control point = mirror * position + offset.

    Attributes:
        nodes: Mesh point of every surface node, shape (ns,).
        node_body: Body of every surface node, shape (ns,).
        node_lengths: Surface length lumped to every node in the reference state in um: 1/6, 4/6
            and 1/6 of each edge, shape (ns,).
        edge_nodes: Surface nodes of the edges: vertex, mid-node, vertex, shape (m, 3).
        edge_body: Body of every edge, shape (m,).
        edge_lengths: Lengths of the edges in the reference state in um, shape (m,).
        control: Surface nodes of the control points, shape (m, 5).
        mirror: +1, or -1 for a mirrored coordinate, shape (m, 5, 2).
        offset: Twice the wall position for a mirrored coordinate in um, shape (m, 5, 2).
        coefficients: Powers of t (rows) of the weight of each control point, shape (m, 5, 5).
        following: Next edge along the arc, -1 at its end, shape (m,).
        preceding: Previous edge along the arc, -1 at its start, shape (m,).
    """

    nodes: NDArray[np.int64]
    node_body: NDArray[np.int64]
    node_lengths: NDArray[np.float64]
    edge_nodes: NDArray[np.int64]
    edge_body: NDArray[np.int64]
    edge_lengths: NDArray[np.float64]
    control: NDArray[np.int64]
    mirror: NDArray[np.float64]
    offset: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    following: NDArray[np.int64]
    preceding: NDArray[np.int64]

    @classmethod
    def from_arcs(cls, points: NDArray[np.float64], arcs: Sequence[Arc], box: float) -> Boundary:
        """Number the surface nodes arc by arc and build the edges.

        Args:
            points: Mesh points in um, shape (n, 2).
            arcs: Free surfaces.
            box: Edge length of the box in um, whose walls are mirrors.
        """
        parts: list[tuple[NDArray[Any], ...]] = []
        first_node = first_edge = 0
        for arc in arcs:
            part = _arc_edges(arc, points[arc.nodes], box)
            control, mirror, offset, following, preceding, *rest = part
            joined = (np.where(n >= 0, n + first_edge, -1) for n in (following, preceding))
            parts.append((control + first_node, mirror, offset, *joined, *rest))
            first_node += len(arc.nodes)
            first_edge += len(control)
        control, mirror, offset, following, preceding, lengths, coefficients = (
            np.concatenate(column) for column in zip(*parts, strict=True)
        )
        node_body = np.concatenate([np.full(len(a.nodes), a.body) for a in arcs])
        edge_nodes = control[:, 1:4]
        lumped = lengths[:, None] * np.array([1.0, 4.0, 1.0]) / 6.0
        return cls(
            nodes=np.concatenate([a.nodes for a in arcs]),
            node_body=node_body,
            node_lengths=np.bincount(edge_nodes.ravel(), lumped.ravel(), minlength=len(node_body)),
            edge_nodes=edge_nodes,
            edge_body=node_body[edge_nodes[:, 1]],
            edge_lengths=lengths,
            control=control,
            mirror=mirror,
            offset=offset,
            coefficients=coefficients,
            following=following,
            preceding=preceding,
        )

    def weights(
        self, edges: NDArray[np.int64], t: NDArray[np.float64], derivative: int = 0
    ) -> NDArray[np.float64]:
        """Weights of the control points at parameters t of edges, shape (n, 5)."""
        return loops.control_weights(self.coefficients, edges, t, derivative)

    def curves(
        self, positions: NDArray[np.float64], edges: NDArray[np.int64] | None = None
    ) -> Curves:
        """The curves for node positions in um, shape (ns, 2), of all edges or of some only."""
        chosen = np.arange(len(self.control)) if edges is None else edges
        parts = self.control, self.mirror, self.offset, self.coefficients
        return Curves(loops.combine_controls(*parts, positions, chosen))

    def middles(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mid-nodes of all edges in um, shape (m, 2)."""
        middles: NDArray[np.float64] = (
            self.mirror[:, 2] * positions[self.control[:, 2]] + self.offset[:, 2]
        )
        return middles

    def chords(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Lengths from vertex to mid-node and on to the next vertex in um, shape (m, 2)."""
        steps = np.diff(positions[self.edge_nodes], axis=1)
        lengths: NDArray[np.float64] = np.hypot(steps[..., 0], steps[..., 1])
        return lengths


@dataclass(frozen=True)
class Curves:
    """Curves of all edges at given node positions.

    Attributes:
        coefficients: Coefficients of the powers of t in um, NaN for edges that were left out,
            shape (m, 5, 2).
    """

    coefficients: NDArray[np.float64]

    def at(
        self, edges: NDArray[np.int64], t: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Points of the curves and their first and second derivatives, each of shape (n, 2)."""
        point, slope, second = loops.curves_at(self.coefficients, edges, t)
        return point, slope, second


@dataclass(frozen=True)
class SurfacePoints:
    """Points on the finite-element edges that stand for a piece of surface each.

    Attributes:
        edge: Edge of every point, shape (n,).
        parameter: Parameter of the point on its edge, 0 to 1, shape (n,).
        nodes: Surface nodes of that edge, shape (n, 3).
        shape: Weights of these nodes, shape (n, 3).
        length: Integration weight in the reference state in um, shape (n,).
    """

    edge: NDArray[np.int64]
    parameter: NDArray[np.float64]
    nodes: NDArray[np.int64]
    shape: NDArray[np.float64]
    length: NDArray[np.float64]

    @classmethod
    def on_edges(cls, boundary: Boundary, edges: NDArray[np.int64]) -> SurfacePoints:
        """Gauss points on the given edges."""
        abscissae, gauss = np.polynomial.legendre.leggauss(GAUSS_POINTS)
        return cls.at(boundary, edges, 0.5 * (1.0 + abscissae), 0.5 * gauss)

    @classmethod
    def at(
        cls,
        boundary: Boundary,
        edges: NDArray[np.int64],
        parameters: NDArray[np.float64],
        weights: NDArray[np.float64],
    ) -> SurfacePoints:
        """The same k parameters, with weights that are shares of the length, on each edge."""
        count = len(parameters)
        shape = quadratic_weights(parameters)
        length = boundary.edge_lengths[edges][:, None] * weights
        return cls(
            np.repeat(edges, count),
            np.tile(parameters, len(edges)),
            np.repeat(boundary.edge_nodes[edges], count, axis=0),
            np.tile(shape, (len(edges), 1)),
            length.ravel(),
        )

    def positions(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Current positions in um, shape (n, 2), from those of the nodes, shape (ns, 2)."""
        return loops.interpolate(self.nodes, self.shape, positions)

    @cached_property
    def slope_shape(self) -> NDArray[np.float64]:
        """Weights of these nodes in the slope of the edge by its parameter, shape (n, 3)."""
        return quadratic_weights(self.parameter, derivative=1)

    def normals(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Unit outward normals of the finite-element edges, shape (n, 2)."""
        slope = loops.interpolate(self.nodes, self.slope_shape, positions)
        slope /= np.hypot(slope[:, 0], slope[:, 1])[:, None]
        return np.stack([slope[:, 1], -slope[:, 0]], axis=1)


def _arc_edges(arc: Arc, points: NDArray[np.float64], box: float) -> tuple[NDArray[Any], ...]:
    """Control points, mirrors, offsets, neighbours, lengths and coefficients of one arc."""
    k = len(arc.nodes)
    m = k // 2
    control = 2 * np.arange(m)[:, None] + np.array([-1, 0, 1, 2, 3])
    mirror, offset = np.ones((m, 5, 2)), np.zeros((m, 5, 2))
    following, preceding = np.arange(m) + 1, np.arange(m) - 1
    if arc.closed:
        control %= k
        following[-1], preceding[0] = 0, m - 1
    else:
        if arc.walls is None:
            raise ValueError("an open arc needs the walls at its ends")
        for edge, column, wall in ((0, 0, arc.walls[0]), (m - 1, 4, arc.walls[1])):
            axis = WALL_COMPONENT[wall]
            control[edge, column] = 2 * edge + 1
            mirror[edge, column, axis] = -1.0
            offset[edge, column, axis] = 2.0 * box if wall in ("right", "top") else 0.0
        following[-1] = -1
    lengths = _edge_lengths(points[control[:, 1:4]])
    before = np.where(preceding >= 0, lengths[preceding], lengths)
    after = np.where(following >= 0, lengths[following], lengths)
    coefficients = _curve_coefficients(before, lengths, after)
    return control, mirror, offset, following, preceding, lengths, coefficients


def _edge_lengths(nodes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lengths of quadratic edges with nodes of shape (m, 3, 2), by four-point Gauss quadrature."""
    abscissae, gauss = np.polynomial.legendre.leggauss(4)
    slope = quadratic_weights(0.5 * (1.0 + abscissae), derivative=1)
    speed = np.einsum("qk,mki->mqi", slope, nodes)
    lengths: NDArray[np.float64] = np.hypot(speed[..., 0], speed[..., 1]) @ (0.5 * gauss)
    return lengths


def _curve_coefficients(
    before: NDArray[np.float64], length: NDArray[np.float64], after: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Powers of t of the control weights, shape (m, 5, 5), from the lengths of three edges."""
    m = len(length)
    coefficients = np.zeros((m, 5, 5))
    coefficients[:, :3, 1:4] = QUADRATIC
    turn_start = _tangent(before, length)
    turn_start[:, 1:] -= QUADRATIC[1]
    turn_end = _tangent(after, length)[:, ::-1] * -1.0
    turn_end[:, :3] -= QUADRATIC[1] + 2.0 * QUADRATIC[2]
    coefficients[:, :, :4] += _TURN_START[None, :, None] * turn_start[:, None, :]
    coefficients[:, :, 1:] += _TURN_END[None, :, None] * turn_end[:, None, :]
    return coefficients


def _tangent(before: NDArray[np.float64], length: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of mid-node before, vertex, own mid-node, own end in length * dc/ds at the vertex."""
    a, b = 0.5 * before, 0.5 * length
    zero = np.zeros_like(a)
    weights = (-b / (a * (a + b)), (b - a) / (a * b), a / (b * (a + b)), zero)
    return np.stack(weights, axis=1) * length[:, None]
