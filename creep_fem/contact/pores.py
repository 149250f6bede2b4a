"""Pores: the parts into which necks cut the space between particles, and their areas.

A pore belongs to its necks. Its outline runs along the surfaces of the particles, along walls, and
across the necks, in every state where the two bodies of each are nearest to each other. So a pore
remains the same one however particles move, roll or slide, and the pores always fill the pore
space: neighbours share the line across their neck, and what one loses the other gains. Where a
third body has been pushed through a neck, what of it lies beyond the line takes its room from the
pore that it lies in.

Areas follow from Green's theorem over the quadratic finite-element edges, exactly but for the part
of a body that is pushed through a neck, which is that of a polygon. An edge with nodes p0, p1, p2
sweeps, from its start to the parameter t and seen from the origin,

    S(t) = 1/2 [4/3 (1 - (1 - t)^3) p0 x p1 + 4/3 t^3 p1 x p2 - 1/6 (1 - (1 - 2 t)^3) p0 x p2].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from creep_fem.contact.boundary import quadratic_weights
from creep_fem.contact.neck_ends import NeckLines, area_beyond


@dataclass(frozen=True)
class Pores:
    """Outlines of the pores: ``p`` points, joined by pieces.

    Attributes:
        count: Number of pores.
        edge: Edge that each point lies on in the initial state, shape (p,).
        parameter: Place on its edge, 0 to 1, shape (p,).
        free: Whether a coordinate follows the surface, shape (p, 2): one coordinate of the foot of
            a neck on a wall does not, and none of a corner.
        place: What a coordinate is that does not, in um, shape (p, 2).
        necks: Points at the ends of the necks, the first one on a surface, shape (k, 2).
        neck_lines: What finds them.
        neck_pores: Pores to the left and right of the necks, shape (k, 2).
        surfaces: Start and end of the pieces of surface, solid on the right, shape (s, 2).
        surface_pore: Pore of each piece of surface, shape (s,).
        lines: Start and end of the straight pieces, shape (l, 2).
        line_pore: Pore of each straight piece, shape (l,).
    """

    count: int
    edge: NDArray[np.int64]
    parameter: NDArray[np.float64]
    free: NDArray[np.bool_]
    place: NDArray[np.float64]
    necks: NDArray[np.int64]
    neck_lines: NeckLines
    neck_pores: NDArray[np.int64]
    surfaces: NDArray[np.int64]
    surface_pore: NDArray[np.int64]
    lines: NDArray[np.int64]
    line_pore: NDArray[np.int64]

    def areas(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Areas of all pores.

        Overlaps of particles count as negative pore space, so that the sum is the area of the box
        less those of all particles, and a closed pore may come out slightly negative.

        Args:
            positions: Current positions of the surface nodes in um, shape (ns, 2).

        Returns:
            Areas in um^2, shape (count,).
        """
        arcs = self.neck_lines.arcs
        nodes = positions[arcs.edge_nodes]
        edge, parameter, turns = self._places(positions)
        whole = _sweep(nodes, np.ones(len(nodes)))
        swept = (np.cumsum(whole) - whole)[edge] + _sweep(nodes[edge], parameter)
        swept += turns * np.add.reduceat(whole, arcs.first)[arcs.arc[edge]]
        start, end = self.surfaces.T
        areas = np.bincount(self.surface_pore, swept[end] - swept[start], minlength=self.count)
        points = self._positions(nodes[edge], parameter)
        start, end = self.lines.T
        sectors = 0.5 * _cross(points[start], points[end])
        areas += np.bincount(self.line_pore, sectors, minlength=self.count)
        return areas + self._pushed_through(nodes, points)

    def points(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Current places of the points in um, shape (p, 2), from those of the surface nodes."""
        edge, parameter, _ = self._places(positions)
        return self._positions(positions[self.neck_lines.arcs.edge_nodes[edge]], parameter)

    def _places(
        self, positions: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """Where the points are now: edges, parameters and whole turns, each of shape (p,).

        An arc turns as one: of all places of a foot, which differ by whole turns, the one is taken
        that has moved most like the others. So feet keep their order while their neighbours do.
        """
        arcs, ends = self.neck_lines.arcs, self.neck_lines.nearest(positions)
        on_wall = ~self.free[self.necks[:, 1]].all(axis=1)
        # straight ahead of the foot on a wall
        now = np.concatenate([ends[0], np.where(on_wall, ends[0], ends[1])])
        feet = self.necks.T.ravel()
        arc = arcs.arc[self.edge[feet]]
        moved = now - (self.edge + self.parameter)[feet]
        edges = arcs.edges[arc]
        direction = np.zeros(len(arcs.first), dtype=np.complex128)
        np.add.at(direction, arc, np.exp(2j * np.pi * moved / edges))
        likely = np.angle(direction)[arc] / (2.0 * np.pi)
        now += np.where(arcs.closed[arc], edges * np.round(likely - moved / edges), 0.0)
        edge, parameter, turns = self.edge.copy(), self.parameter.copy(), np.zeros(len(self.edge))
        edge[feet], parameter[feet], turns[feet] = arcs.split(arc, now)
        return edge, parameter, turns

    def _positions(
        self, nodes: NDArray[np.float64], parameter: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Points in um at parameters (p,) of edges with nodes (p, 3, 2)."""
        moved = np.einsum("pk,pki->pi", quadratic_weights(parameter), nodes)
        points: NDArray[np.float64] = np.where(self.free, moved, self.place)
        return points

    def _pushed_through(
        self, nodes: NDArray[np.float64], points: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """What bodies pushed through a neck give the pore that they come from, shape (count,).

        Outlines follow them beyond the line of the neck, round an area that is not theirs.
        """
        arcs = self.neck_lines.arcs
        low = np.minimum.reduceat(nodes.min(axis=1), arcs.first)
        high = np.maximum.reduceat(nodes.max(axis=1), arcs.first)
        ends = points[self.necks]
        near = (ends.min(axis=1)[:, None] < high) & (ends.max(axis=1)[:, None] > low)
        near = near.all(axis=2)
        np.put_along_axis(near, arcs.arc[self.edge[self.necks]], False, axis=1)
        given = np.zeros(self.count)
        for neck, arc in np.argwhere(near):
            area = area_beyond(arcs.polygon(nodes, arc), *ends[neck])
            left, right = self.neck_pores[neck]
            given[right] += area
            given[left] -= area
        return given


def _sweep(nodes: NDArray[np.float64], t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Area in um^2 that edges with nodes (n, 3, 2) sweep up to parameters (n,)."""
    first, middle, last = nodes.transpose(1, 0, 2)
    swept: NDArray[np.float64] = (
        2.0 / 3.0 * (1.0 - (1.0 - t) ** 3) * _cross(first, middle)
        + 2.0 / 3.0 * t**3 * _cross(middle, last)
        - (1.0 - (1.0 - 2.0 * t) ** 3) / 12.0 * _cross(first, last)
    )
    return swept


def _cross(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    product: NDArray[np.float64] = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    return product
