"""Pores: the parts into which necks cut the space between particles, and their areas.

A pore is material. Its outline runs along the surfaces of the particles, along walls, and across
the necks on straight lines between points that stay where they are in the material. So a pore
remains the same one however particles move, and the pores always fill the pore space: neighbours
share the line across their neck, and what one loses by its motion the other gains.

Areas follow from Green's theorem over the quadratic finite-element edges, exactly. An edge with
nodes p0, p1, p2 sweeps, from its start to the parameter t and seen from the origin,

    S(t) = 1/2 [4/3 (1 - (1 - t)^3) p0 x p1 + 4/3 t^3 p1 x p2 - 1/6 (1 - (1 - 2 t)^3) p0 x p2].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from creep_fem.contact.boundary import QUADRATIC, powers


@dataclass(frozen=True)
class Pores:
    """Outlines of the pores: ``p`` points that move with the material, joined by pieces.

    Attributes:
        count: Number of pores.
        edge_nodes: Surface nodes of the edges, shape (m, 3).
        edge: Edge that each point lies on, shape (p,).
        parameter: Place on its edge, 0 to 1, shape (p,).
        free: Whether a coordinate follows the surface, shape (p, 2): one coordinate of the foot of
            a neck on a wall does not, and none of a corner.
        place: What a coordinate is that does not, in um, shape (p, 2).
        surfaces: Start and end of the pieces of surface, solid on the right, shape (s, 2).
        surface_pore: Pore of each piece of surface, shape (s,).
        lines: Start and end of the straight pieces, shape (l, 2).
        line_pore: Pore of each straight piece, shape (l,).
    """

    count: int
    edge_nodes: NDArray[np.int64]
    edge: NDArray[np.int64]
    parameter: NDArray[np.float64]
    free: NDArray[np.bool_]
    place: NDArray[np.float64]
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
        nodes = positions[self.edge_nodes]
        whole = _sweep(nodes, np.ones(len(nodes)))
        swept = (np.cumsum(whole) - whole)[self.edge] + _sweep(nodes[self.edge], self.parameter)
        start, end = self.surfaces.T
        areas = np.bincount(self.surface_pore, swept[end] - swept[start], minlength=self.count)
        points = self.points(positions)
        start, end = self.lines.T
        sectors = 0.5 * _cross(points[start], points[end])
        areas += np.bincount(self.line_pore, sectors, minlength=self.count)
        return areas

    def points(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Current places of the points in um, shape (p, 2), from those of the surface nodes."""
        nodes = positions[self.edge_nodes[self.edge]]
        moved = np.einsum("pk,pki->pi", powers(self.parameter, 3) @ QUADRATIC, nodes)
        points: NDArray[np.float64] = np.where(self.free, moved, self.place)
        return points


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
