"""Particle surfaces as C1 Catmull-Rom splines through their finite-element nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

# Rows: powers of t; columns: the four control points (uniform Catmull-Rom spline).
CATMULL_ROM = 0.5 * np.array(
    [[0.0, 2.0, 0.0, 0.0], [-1.0, 0.0, 1.0, 0.0], [2.0, -5.0, 4.0, -1.0], [-1.0, 3.0, -3.0, 1.0]]
)
_WALL_AXIS = {"left": 0, "right": 0, "bottom": 1, "top": 1}


class Arc(Protocol):
    """One connected piece of the free surface of a body, solid on the left."""

    @property
    def body(self) -> int:
        """Body the surface belongs to."""

    @property
    def nodes(self) -> NDArray[np.int64]:
        """Mesh points along the surface, shape (k,)."""

    @property
    def closed(self) -> bool:
        """Whether the last node is joined to the first."""

    @property
    def walls(self) -> tuple[str, str] | None:
        """Walls at the start and end of an open piece."""


def basis(t: NDArray[np.float64], derivative: int = 0) -> NDArray[np.float64]:
    """Weights of the four control points.

    Args:
        t: Spline parameters in [0, 1], shape (n,).
        derivative: 0, 1 or 2.

    Returns:
        Weights, shape (n, 4).
    """
    one, zero = np.ones_like(t), np.zeros_like(t)
    powers = {
        0: (one, t, t * t, t * t * t),
        1: (zero, one, 2.0 * t, 3.0 * t * t),
        2: (zero, zero, 2.0 * one, 6.0 * t),
    }[derivative]
    return np.stack(powers, axis=1) @ CATMULL_ROM


@dataclass(frozen=True)
class Boundary:
    """All free surfaces of a packing; ``ns`` surface nodes, ``m`` spline segments.

    A segment joins two neighbouring nodes. Its control points are surface nodes, mirrored in a
    wall where an arc ends: control point = mirror * position + offset.

    Attributes:
        nodes: Mesh point of every surface node, shape (ns,).
        node_body: Body of every surface node, shape (ns,).
        node_segment: A segment that starts or ends at the node, shape (ns,).
        weights: Surface length lumped to every node in the reference state in um, shape (ns,).
        control: Surface nodes of the control points, shape (m, 4).
        mirror: +1, or -1 for a mirrored coordinate, shape (m, 4, 2).
        offset: Twice the wall position for a mirrored coordinate in um, shape (m, 4, 2).
        segment_body: Body of every segment, shape (m,).
        following: Next segment along the arc, -1 at its end, shape (m,).
        preceding: Previous segment along the arc, -1 at its start, shape (m,).
    """

    nodes: NDArray[np.int64]
    node_body: NDArray[np.int64]
    node_segment: NDArray[np.int64]
    weights: NDArray[np.float64]
    control: NDArray[np.int64]
    mirror: NDArray[np.float64]
    offset: NDArray[np.float64]
    segment_body: NDArray[np.int64]
    following: NDArray[np.int64]
    preceding: NDArray[np.int64]

    @classmethod
    def from_arcs(cls, points: NDArray[np.float64], arcs: Sequence[Arc], box: float) -> Boundary:
        """Number the surface nodes arc by arc and build the segments.

        Args:
            points: Mesh points in um, shape (n, 2).
            arcs: Free surfaces; vertices and mid-nodes of quadratic edges alternate.
            box: Edge length of the box in um, whose walls are mirrors.
        """
        parts = []
        first_node = first_segment = 0
        for arc in arcs:
            part = _arc_segments(arc, first_node, first_segment, box)
            parts.append((*part, _lumped_lengths(points[arc.nodes], arc.closed)))
            first_node += len(arc.nodes)
            first_segment += len(part[0])
        control, mirror, offset, following, preceding, node_segment, weights = (
            np.concatenate(column) for column in zip(*parts, strict=True)
        )
        node_body = np.concatenate([np.full(len(a.nodes), a.body) for a in arcs])
        return cls(
            nodes=np.concatenate([a.nodes for a in arcs]),
            node_body=node_body,
            node_segment=node_segment,
            weights=weights,
            control=control,
            mirror=mirror,
            offset=offset,
            segment_body=node_body[control[:, 1]],
            following=following,
            preceding=preceding,
        )

    def control_points(
        self, positions: NDArray[np.float64], segments: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Control points of segments, shape (n, 4, 2), from node positions, shape (ns, 2)."""
        points: NDArray[np.float64] = (
            self.mirror[segments] * positions[self.control[segments]] + self.offset[segments]
        )
        return points

    def segment_lengths(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Current chord lengths of all segments in um, shape (m,)."""
        chord = positions[self.control[:, 2]] - positions[self.control[:, 1]]
        return np.hypot(chord[:, 0], chord[:, 1])


def _arc_segments(
    arc: Arc, first_node: int, first_segment: int, box: float
) -> tuple[NDArray[Any], ...]:
    """Control points, mirrors, offsets, neighbours and node-to-segment map of one arc."""
    k = len(arc.nodes)
    m = k if arc.closed else k - 1
    local = np.arange(m)[:, None] + np.array([-1, 0, 1, 2])
    mirror, offset = np.ones((m, 4, 2)), np.zeros((m, 4, 2))
    following, preceding = np.arange(m) + 1, np.arange(m) - 1
    if arc.closed:
        local %= k
        following[-1], preceding[0] = 0, m - 1
    else:
        if arc.walls is None:
            raise ValueError("an open arc needs the walls at its ends")
        for segment, column, ghost, wall in ((0, 0, 1, arc.walls[0]), (-1, 3, k - 2, arc.walls[1])):
            axis = _WALL_AXIS[wall]
            local[segment, column] = ghost
            mirror[segment, column, axis] = -1.0
            offset[segment, column, axis] = 2.0 * box if wall in ("right", "top") else 0.0
        following[-1] = -1
    shift = np.where(following >= 0, first_segment, 0)
    following = following + shift
    preceding = np.where(preceding >= 0, preceding + first_segment, -1)
    node_segment = np.minimum(np.arange(k), m - 1) + first_segment
    return local + first_node, mirror, offset, following, preceding, node_segment


def _lumped_lengths(points: NDArray[np.float64], closed: bool) -> NDArray[np.float64]:
    """Simpson-lumped lengths of quadratic edges along an arc, shape (k,)."""
    ring = np.vstack([points, points[:1]]) if closed else points
    start, middle, end = ring[0:-2:2], ring[1:-1:2], ring[2::2]
    # length of a quadratic edge: two-point Gauss rule on |c'(t)| is exact enough for flat arcs
    length = np.zeros(len(start))
    for t in (0.5 - 0.5 / np.sqrt(3.0), 0.5 + 0.5 / np.sqrt(3.0)):
        speed = (4.0 * t - 3.0) * start + (4.0 - 8.0 * t) * middle + (4.0 * t - 1.0) * end
        length += 0.5 * np.hypot(speed[:, 0], speed[:, 1])
    weights = np.zeros(len(ring))
    weights[0:-2:2] += length / 6.0
    weights[1:-1:2] += 4.0 * length / 6.0
    weights[2::2] += length / 6.0
    if closed:
        weights[0] += weights[-1]
        weights = weights[:-1]
    return weights
