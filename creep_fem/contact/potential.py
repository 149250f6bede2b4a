"""Contact energy of a packing with exact gradient and Hessian (pure NumPy).

Both sides of every contact are integrated, each with half of the energy: the sum over surface
points i and each other body within reach of w_i/2 psi(g_i). g is the signed distance of the point
to that body's boundary curve c, w the point's surface length, and -psi' the contact pressure.
Variations of the gap with l = |c'|, curvature kappa = n.c'', D = l^2 - g kappa and
a = tangent.(dx - sum S_k dP_k), b = normal.(sum S'_k dP_k), S_k the weights of the control points:

    dg  = normal.(dx - sum S_k dP_k)
    d2g = -(kappa a^2 + 2 l a b + g b^2) / D

A wall is a mirror: what touches it touches an image (``images.py``), whose control points move as
mirrored ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from creep_fem.contact.boundary import Boundary, Curves, SurfacePoints
from creep_fem.contact.images import MirroredBoundary
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
        self.feet = feet.chosen(near)
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

    @property
    def _slopes(self) -> NDArray[np.float64]:
        """Derivatives of the near pairs' energies by their nodes in GPa um, shape (n, 16)."""
        return -(self._length * self.pressure)[:, None] * self._gap_variation

    def add_gradient(self, gradient: NDArray[np.float64]) -> None:
        """Add the energy's gradient in GPa um to a flat array of surface dofs, shape (2 ns,)."""
        dofs = 2 * self._nodes[:, :, None] + np.arange(2)
        gradient += np.bincount(dofs.ravel(), self._slopes.ravel(), minlength=len(gradient))

    def mirrored_forces(self) -> NDArray[np.float64]:
        """Forces that the planes of symmetry exert in GPa um: axes by lower and upper wall.

        A control point behind a wall passes its force on to its node as in a mirror: the wall
        takes up twice the normal component.
        """
        normal = -2.0 * self._slopes.reshape(-1, 8, 2)[:, 3:]
        behind = self.boundary.mirror[self.feet.edge] < 0.0
        upper = self.boundary.offset[self.feet.edge] > 0.0
        lower_and_upper = [np.where(behind & side, normal, 0.0) for side in (~upper, upper)]
        forces: NDArray[np.float64] = np.stack([f.sum(axis=(0, 1)) for f in lower_and_upper], 1)
        return forces

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
        # A product with a matrix of ones is many times as fast as NumPy's sums over groups.
        count = len(blocks)
        members = csr_array((np.ones(count), order, np.append(first, count)), (len(first), count))
        summed = (members @ blocks.reshape(count, -1)).reshape(-1, *blocks.shape[1:])
        return NodeBlocks(edges[order[first]], self._nodes[order[first]], summed)


@dataclass(frozen=True)
class ContactState:
    """Contact at one configuration, as seen by the surface points of one process.

    Attributes:
        pairs: Point-to-curve terms.
        size: Number of surface nodes of the whole packing.
    """

    pairs: PairTerms
    size: int

    @property
    def energy(self) -> float:
        """Contact energy in GPa um^2 of this process's points."""
        return self.pairs.energy

    @property
    def min_gap(self) -> float:
        """Smallest gap in um, to other bodies and to mirror images (infinite if none is near)."""
        return float(np.min(self.pairs.gap, initial=np.inf))

    @property
    def active_pairs(self) -> int:
        """Number of point-to-body pairs closer than the reach of the pressure law."""
        return len(self.pairs.near_gap)

    def gradient(self) -> NDArray[np.float64]:
        """Energy gradient in GPa um, all surface dofs, shape (2 ns,): sum it over processes."""
        gradient = np.zeros(2 * self.size)
        self.pairs.add_gradient(gradient)
        return gradient

    def hessian(self) -> NodeBlocks:
        """Energy Hessian in GPa: sum it over processes."""
        return self.pairs.hessian()

    def wall_forces(self) -> NDArray[np.float64]:
        """Normal forces across the walls on the packing in GPa um: sum them over processes.

        Returns:
            Forces along the axes, walls in the order of ``WALL_COMPONENT``, shape (4,).
        """
        return self.pairs.mirrored_forces().ravel()


class Contact:
    """Finds pairs and evaluates the contact terms of one process's share of the surface."""

    def __init__(
        self,
        boundary: Boundary,
        law: PressureGapLaw,
        box: float,
        nodes: NDArray[np.int64],
    ) -> None:
        """Set up contact.

        Args:
            boundary: All surfaces of the packing.
            law: Pressure-gap law.
            box: Edge length of the box in um.
            nodes: Surface nodes this process takes care of, and with a mid-node its edge.
        """
        self.boundary, self.law, self.box = boundary, law, box
        self._mirrored = MirroredBoundary.of(boundary, box)
        self._targets = self._mirrored.edges
        edges = np.flatnonzero(np.isin(boundary.edge_nodes[:, 1], nodes))
        self.points = SurfacePoints.on_edges(boundary, edges)
        self._bodies = boundary.edge_body[self.points.edge]
        self._candidates: FootPoints | None = None
        self._touchable = np.empty(0, dtype=np.int64)
        self._searched_at = np.empty((0, 2))
        self._margin = 0.0

    @property
    def edge_count(self) -> int:
        """Number of edges that feet may lie on, images included."""
        return len(self._targets.edge_body)

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
        near = nearby_bodies(self._targets, positions, points, self._bodies, radius)
        self._candidates = self._mirrored.touchable(near, self._bodies)
        # Feet slide along the curves of their bodies; most images are out of reach.
        bodies = self._targets.edge_body[self._candidates.edge]
        self._touchable = np.flatnonzero(np.isin(self._targets.edge_body, bodies))
        self._searched_at, self._margin = positions.copy(), margin

    def search_is_valid(self, positions: NDArray[np.float64]) -> bool:
        """Whether no surface node has left the margin of the last search."""
        if self._candidates is None:
            return False
        moved = positions - self._searched_at
        return bool(np.max(np.einsum("ni,ni->n", moved, moved), initial=0.0) <= self._margin**2)

    def evaluate(self, positions: NDArray[np.float64]) -> ContactState:
        """Contact terms at current positions in um, shape (ns, 2)."""
        curves = self._targets.curves(positions, self._touchable)
        places = self.points.positions(self.boundary, positions)
        self._candidates = project(self._targets, curves, places, self.candidates)
        feet = self._facing(self._candidates, positions, curves)
        pairs = PairTerms(self._targets, self.law, self.points, places, curves, feet)
        return ContactState(pairs, len(positions))

    def _facing(
        self, feet: FootPoints, positions: NDArray[np.float64], curves: Curves
    ) -> FootPoints:
        """Leave out images of a point's own body that the point does not face."""
        own = np.flatnonzero(self._mirrored.is_own_image(feet, self._bodies))
        normal = self.points.chosen(feet.point[own]).normals(self.boundary, positions)
        slope = curves.at(feet.edge[own], feet.parameter[own])[1]
        turned = normal[:, 0] * slope[:, 1] - normal[:, 1] * slope[:, 0]  # n . n_foot |c'|
        kept = np.ones(len(feet.point), dtype=bool)
        kept[own[turned >= 0.0]] = False
        return feet.chosen(kept)

    def coupled_edges(self) -> NDArray[np.int64]:
        """Pairs of edges that the candidates couple, each once, shape (n, 2)."""
        feet = self.candidates
        pairs = np.column_stack([self.points.edge[feet.point], feet.edge])
        unique: NDArray[np.int64] = np.unique(pairs, axis=0)
        return unique

    def with_neighbours(self, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Add the pairs that result if the feet slide to a neighbouring edge, shape (n, 2)."""
        reach = [pairs]
        for neighbour in (self._targets.following, self._targets.preceding):
            slid = np.column_stack([pairs[:, 0], neighbour[pairs[:, 1]]])
            reach.append(slid[slid[:, 1] >= 0])
        unique: NDArray[np.int64] = np.unique(np.concatenate(reach), axis=0)
        return unique

    def coupled_nodes(self, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Surface nodes that pairs of edges couple, shape (n, 8)."""
        return np.hstack(
            [self._targets.edge_nodes[pairs[:, 0]], self._targets.control[pairs[:, 1]]]
        )
