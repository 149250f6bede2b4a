"""Contact energy of a packing with exact gradient and Hessian (pure NumPy).

Both sides of every contact are integrated, each with half of the energy: the sum over surface
points i and each other body within reach of w_i/2 psi(g_i). g is the signed distance of the point
to that body's boundary curve c, w the point's surface length, and -psi' the contact pressure.
Variations of the gap with l = |c'|, curvature kappa = n.c'', D = l^2 - g kappa and
a = tangent.(dx - sum S_k dP_k), b = normal.(sum S'_k dP_k), S_k the weights of the control points:

    dg  = normal.(dx - sum S_k dP_k)
    d2g = -(kappa a^2 + 2 l a b + g b^2) / D

A wall is a mirror: a point at distance d meets its image across a gap of 2 d.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from creep_fem.contact.boundary import Boundary, Curves, SurfacePoints
from creep_fem.contact.law import PressureGapLaw
from creep_fem.contact.search import FootPoints, nearby_bodies, project

# Each of the two sides that are integrated has half of the energy.
_SIDE = 0.5


@dataclass(frozen=True)
class NodeBlocks:
    """Dense symmetric blocks of a sparse matrix, to be summed.

    Attributes:
        edges: The two edges whose terms are in each block, shape (n, 2).
        nodes: Surface nodes that each block couples, shape (n, k).
        values: The blocks, components of a node side by side, shape (n, 2 k, 2 k).
    """

    edges: NDArray[np.int64]
    nodes: NDArray[np.int64]
    values: NDArray[np.float64]


class PairTerms:
    """Energy, gradient and Hessian of point-to-curve pairs at given positions.

    Attributes:
        gap: Gaps of all pairs in um, shape (n,).
        feet: The pairs within reach of the pressure law.
        near_gap: Their gaps in um.
    """

    def __init__(
        self,
        boundary: Boundary,
        law: PressureGapLaw,
        points: SurfacePoints,
        places: NDArray[np.float64],
        curves: Curves,
        feet: FootPoints,
    ) -> None:
        """Evaluate gaps and frames.

        Args:
            boundary: The surfaces.
            law: Pressure-gap law.
            points: Integration points.
            places: Their current positions in um, shape (p, 2).
            curves: The surfaces' current curves.
            feet: Closest points of the pairs.
        """
        self.boundary, self.law, self._points = boundary, law, points
        foot, slope, curve = curves.at(feet.edge, feet.parameter)
        difference = places[feet.point] - foot
        speed = np.hypot(slope[:, 0], slope[:, 1])
        tangent = slope / speed[:, None]
        normal = np.stack([tangent[:, 1], -tangent[:, 0]], axis=1)
        self.gap = np.einsum("ni,ni->n", normal, difference)
        near = self.gap < law.cutoff
        self.feet = FootPoints(feet.point[near], feet.edge[near], feet.parameter[near])
        self.near_gap = self.gap[near]
        self._speed, self._tangent, self._normal = speed[near], tangent[near], normal[near]
        self._curve = curve[near]
        self._length = _SIDE * points.length[self.feet.point]

    @cached_property
    def pressure(self) -> NDArray[np.float64]:
        """Pressure of every near pair in GPa."""
        return self.law.pressure(self.near_gap)

    @property
    def energy(self) -> float:
        """Sum of the pair potentials in GPa um^2."""
        return float(self._length @ self.law.potential(self.near_gap))

    @cached_property
    def _nodes(self) -> NDArray[np.int64]:
        """Surface nodes of the point's edge and of the control points, shape (n, 8)."""
        own = self.boundary.edge_nodes[self._points.edge[self.feet.point]]
        return np.hstack([own, self.boundary.control[self.feet.edge]])

    def _weights(self, derivative: int = 0) -> NDArray[np.float64]:
        return self.boundary.weights(self.feet.edge, self.feet.parameter, derivative)

    def _rows(
        self,
        vector: NDArray[np.float64],
        own: NDArray[np.float64],
        weights: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Coefficients of (sum own_k dx_k + sum weights_k dP_k).vector, shape (n, 16)."""
        parts = np.empty((len(vector), 8, 2))
        parts[:, :3] = own[:, :, None] * vector[:, None, :]
        mirror = self.boundary.mirror[self.feet.edge]
        parts[:, 3:] = weights[:, :, None] * vector[:, None, :] * mirror
        return parts.reshape(-1, 16)

    @cached_property
    def _gap_variation(self) -> NDArray[np.float64]:
        return self._rows(self._normal, self._points.shape[self.feet.point], -self._weights())

    def add_gradient(self, gradient: NDArray[np.float64]) -> None:
        """Add the energy's gradient in GPa um to a flat array of surface dofs, shape (2 ns,)."""
        force = -(self._length * self.pressure)[:, None] * self._gap_variation
        dofs = 2 * self._nodes[:, :, None] + np.arange(2)
        gradient += np.bincount(dofs.ravel(), force.ravel(), minlength=len(gradient))

    def hessian(self) -> NodeBlocks:
        """Exact second derivative of the energy in GPa (per unit thickness)."""
        if len(self.near_gap) == 0:
            none = np.empty((0, 8), dtype=np.int64)
            return NodeBlocks(none[:, :2], none, np.empty((0, 16, 16)))
        curvature = np.einsum("ni,ni->n", self._normal, self._curve)
        dg = self._gap_variation
        shape = self._points.shape[self.feet.point]
        a = self._rows(self._tangent, shape, -self._weights())
        b = self._rows(self._normal, np.zeros_like(shape), self._weights(1))
        convexity = self._speed**2 - self.near_gap * curvature
        stiffness = self._length * self.law.tangent(self.near_gap)
        geometric = self._length * self.pressure / convexity  # psi' d2g with psi' = -p
        left_a = (geometric * curvature)[:, None] * a + (geometric * self._speed)[:, None] * b
        left_b = (geometric * self._speed)[:, None] * a + (geometric * self.near_gap)[:, None] * b
        left = np.stack([stiffness[:, None] * dg, left_a, left_b], axis=2)
        right = np.stack([dg, a, b], axis=1)
        return self._grouped(left @ right)

    def _grouped(self, blocks: NDArray[np.float64]) -> NodeBlocks:
        """Sum the blocks of pairs that couple the same two edges."""
        edges = np.column_stack([self._points.edge[self.feet.point], self.feet.edge])
        order = np.lexsort((edges[:, 1], edges[:, 0]))
        new = np.diff(edges[order], axis=0, prepend=-1).any(axis=1)
        first = np.flatnonzero(new)
        summed = np.add.reduceat(blocks[order], first, axis=0)
        return NodeBlocks(edges[order[first]], self._nodes[order[first]], summed)


@dataclass(frozen=True)
class WallTerms:
    """Contact of surface nodes with their own mirror images across the four walls.

    Attributes:
        law: Pressure-gap law.
        box: Edge length of the box in um.
        lengths: Surface lengths of the nodes in um, shape (n,).
        nodes: Surface nodes that are looked at, shape (n,).
        positions: Their positions in um, shape (n, 2).
        free: False where a coordinate is held by the wall itself, shape (n, 2).
    """

    law: PressureGapLaw
    box: float
    lengths: NDArray[np.float64]
    nodes: NDArray[np.int64]
    positions: NDArray[np.float64]
    free: NDArray[np.bool_]

    @cached_property
    def _image_gaps(self) -> NDArray[np.float64]:
        """Gap to the mirror image in the lower and the upper wall, shape (2, n, 2)."""
        gaps = 2.0 * np.stack([self.positions, self.box - self.positions])
        return np.where(self.free, gaps, np.inf)

    @property
    def min_gap(self) -> float:
        """Smallest gap to a mirror image in um (infinite without free nodes)."""
        return float(np.min(self._image_gaps, initial=np.inf))

    @property
    def energy(self) -> float:
        """This side's half of the energy of nodes and images in GPa um^2."""
        potential = self.law.potential(self._image_gaps)
        return _SIDE * float(np.einsum("n,lni->", self.lengths, potential))

    @cached_property
    def pressure(self) -> NDArray[np.float64]:
        """Pressure of the lower and the upper walls at every node in GPa, shape (2, n, 2)."""
        return self.law.pressure(self._image_gaps)

    def forces(self) -> NDArray[np.float64]:
        """Force of the lower and the upper walls on every node in GPa um, shape (2, n, 2)."""
        force = self.pressure * self.lengths[:, None]
        inwards: NDArray[np.float64] = force * np.array([1.0, -1.0])[:, None, None]
        return inwards

    def add_gradient(self, gradient: NDArray[np.float64]) -> None:
        """Add the energy's gradient in GPa um to a flat array of surface dofs, shape (2 ns,)."""
        gradient.reshape(-1, 2)[self.nodes] -= self.forces().sum(axis=0)

    def stiffness(self) -> NDArray[np.float64]:
        """The second derivative of the energy in GPa, which is diagonal, shape (n, 2)."""
        stiffness: NDArray[np.float64] = self.law.tangent(self._image_gaps).sum(axis=0)
        return 2.0 * stiffness * self.lengths[:, None]


@dataclass(frozen=True)
class ContactState:
    """Contact at one configuration, as seen by the surface points of one process.

    Attributes:
        pairs: Point-to-curve terms.
        walls: Node-to-wall terms.
        size: Number of surface nodes of the whole packing.
    """

    pairs: PairTerms
    walls: WallTerms
    size: int

    @property
    def energy(self) -> float:
        """Contact energy in GPa um^2 of this process's points."""
        return self.pairs.energy + self.walls.energy

    @property
    def min_gap(self) -> float:
        """Smallest gap in um, to other bodies and to mirror images (infinite if none is near)."""
        return min(float(np.min(self.pairs.gap, initial=np.inf)), self.walls.min_gap)

    @property
    def active_pairs(self) -> int:
        """Number of point-to-body pairs closer than the reach of the pressure law."""
        return len(self.pairs.near_gap)

    def gradient(self) -> NDArray[np.float64]:
        """Energy gradient in GPa um, all surface dofs, shape (2 ns,): sum it over processes."""
        gradient = np.zeros(2 * self.size)
        self.pairs.add_gradient(gradient)
        self.walls.add_gradient(gradient)
        return gradient

    def hessian(self) -> tuple[NodeBlocks, NDArray[np.float64]]:
        """Energy Hessian in GPa, to be summed over processes.

        Returns:
            What couples surface nodes, and what each of the nodes this process takes care of adds
            to its diagonal, shape (n, 2).
        """
        return self.pairs.hessian(), self.walls.stiffness()


class Contact:
    """Finds pairs and evaluates the contact terms of one process's share of the surface."""

    def __init__(
        self,
        boundary: Boundary,
        law: PressureGapLaw,
        box: float,
        fixed: NDArray[np.bool_],
        nodes: NDArray[np.int64],
    ) -> None:
        """Set up contact.

        Args:
            boundary: All surfaces of the packing.
            law: Pressure-gap law.
            box: Edge length of the box in um.
            fixed: Coordinates of surface nodes held by a wall, shape (ns, 2).
            nodes: Surface nodes this process takes care of, and with a mid-node its edge.
        """
        self.boundary, self.law, self.box = boundary, law, box
        self._free = ~fixed
        self._nodes = nodes
        edges = np.flatnonzero(np.isin(boundary.edge_nodes[:, 1], nodes))
        self.points = SurfacePoints.on_edges(boundary, edges)
        self._bodies = boundary.edge_body[self.points.edge]
        self._candidates: FootPoints | None = None
        self._searched_at = np.empty((0, 2))
        self._margin = 0.0

    @property
    def candidates(self) -> FootPoints:
        """All pairs that the last search found, at their closest points when last evaluated."""
        if self._candidates is None:
            raise RuntimeError("search() has not been called")
        return self._candidates

    def search(self, positions: NDArray[np.float64], margin: float) -> None:
        """Collect candidate pairs that stay valid while no node moves more than ``margin`` um."""
        half_edge = float(self.boundary.chords(positions).max(initial=0.0))
        radius = self.law.cutoff + half_edge + 2.0 * margin
        points = self.points.positions(self.boundary, positions)
        self._candidates = nearby_bodies(self.boundary, positions, points, self._bodies, radius)
        self._searched_at, self._margin = positions.copy(), margin

    def search_is_valid(self, positions: NDArray[np.float64]) -> bool:
        """Whether no surface node has left the margin of the last search."""
        if self._candidates is None:
            return False
        moved = positions - self._searched_at
        return bool(np.max(np.einsum("ni,ni->n", moved, moved), initial=0.0) <= self._margin**2)

    def evaluate(self, positions: NDArray[np.float64]) -> ContactState:
        """Contact terms at current positions in um, shape (ns, 2)."""
        curves = self.boundary.curves(positions)
        places = self.points.positions(self.boundary, positions)
        feet = self._candidates = project(self.boundary, curves, places, self.candidates)
        pairs = PairTerms(self.boundary, self.law, self.points, places, curves, feet)
        nodes = self._nodes
        lengths = self.boundary.node_lengths[nodes]
        walls = WallTerms(self.law, self.box, lengths, nodes, positions[nodes], self._free[nodes])
        return ContactState(pairs, walls, len(positions))

    def coupled_edges(self) -> NDArray[np.int64]:
        """Pairs of edges that the candidates couple, each once, shape (n, 2)."""
        feet = self.candidates
        pairs = np.column_stack([self.points.edge[feet.point], feet.edge])
        unique: NDArray[np.int64] = np.unique(pairs, axis=0)
        return unique

    def with_neighbours(self, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Add the pairs that result if the feet slide to a neighbouring edge, shape (n, 2)."""
        reach = [pairs]
        for neighbour in (self.boundary.following, self.boundary.preceding):
            slid = np.column_stack([pairs[:, 0], neighbour[pairs[:, 1]]])
            reach.append(slid[slid[:, 1] >= 0])
        unique: NDArray[np.int64] = np.unique(np.concatenate(reach), axis=0)
        return unique

    def coupled_nodes(self, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Surface nodes that pairs of edges couple, shape (n, 8)."""
        return np.hstack(
            [self.boundary.edge_nodes[pairs[:, 0]], self.boundary.control[pairs[:, 1]]]
        )
