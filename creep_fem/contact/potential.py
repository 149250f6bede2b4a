"""Contact energy of a packing with exact gradient and Hessian (pure NumPy).

The energy is sum_i w_i psi(g_i) over the surface nodes i and each other body within reach: g is the
signed distance of the node to that body's spline, w the node's surface length. Variations of
the gap with l = |c'|, curvature kappa = n.c'', D = l^2 - g kappa and
a = tangent.(dx - sum B_k dP_k), b = normal.(sum B'_k dP_k):

    dg  = normal.(dx - sum B_k dP_k)
    d2g = -(kappa a^2 + 2 l a b + g b^2) / D

A wall is a mirror: a node at distance d meets its image across a gap of 2 d.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from creep_fem.contact.boundary import Boundary, basis
from creep_fem.contact.law import PressureGapLaw
from creep_fem.contact.search import FootPoints, _combine, nearby_bodies, project


@dataclass(frozen=True)
class Triplets:
    """Sparse symmetric matrix entries; surface dof = 2 * surface node + component."""

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    values: NDArray[np.float64]


class PairTerms:
    """Energy, gradient and Hessian of node-to-spline pairs at given positions."""

    def __init__(
        self,
        boundary: Boundary,
        law: PressureGapLaw,
        positions: NDArray[np.float64],
        feet: FootPoints,
    ) -> None:
        self.boundary, self.law = boundary, law
        control = boundary.control_points(positions, feet.segment)
        difference = positions[feet.node] - _combine(basis(feet.parameter), control)
        slope = _combine(basis(feet.parameter, 1), control)
        speed = np.hypot(slope[:, 0], slope[:, 1])
        tangent = slope / speed[:, None]
        normal = np.stack([tangent[:, 1], -tangent[:, 0]], axis=1)
        gap = np.einsum("ni,ni->n", normal, difference)
        near = gap < law.cutoff
        self.gap = gap
        self.feet = FootPoints(feet.node[near], feet.segment[near], feet.parameter[near])
        self.near_gap = gap[near]
        self._speed, self._tangent, self._normal = speed[near], tangent[near], normal[near]
        self._curve = _combine(basis(self.feet.parameter, 2), control[near])
        self._weight = boundary.weights[self.feet.node]

    @cached_property
    def pressure(self) -> NDArray[np.float64]:
        """Pressure of every near pair in GPa."""
        return self.law.pressure(self.near_gap)

    @property
    def energy(self) -> float:
        """Sum of the pair potentials in GPa um^2."""
        return float(self._weight @ self.law.potential(self.near_gap))

    @cached_property
    def _dofs(self) -> NDArray[np.int64]:
        """Surface dofs of node and control points, shape (n, 10)."""
        nodes = np.column_stack([self.feet.node, self.boundary.control[self.feet.segment]])
        return (2 * nodes[:, :, None] + np.arange(2)).reshape(len(nodes), 10)

    def _rows(
        self, vector: NDArray[np.float64], weights: NDArray[np.float64], own: float
    ) -> NDArray[np.float64]:
        """Coefficients of (own * dx + sum weights_k dP_k).vector, shape (n, 10)."""
        parts = np.empty((len(vector), 5, 2))
        parts[:, 0] = own * vector
        mirror = self.boundary.mirror[self.feet.segment]
        parts[:, 1:] = weights[:, :, None] * vector[:, None, :] * mirror
        return parts.reshape(-1, 10)

    @cached_property
    def _gap_variation(self) -> NDArray[np.float64]:
        return self._rows(self._normal, -basis(self.feet.parameter), 1.0)

    def add_gradient(self, gradient: NDArray[np.float64]) -> None:
        """Add the energy's gradient in GPa um to a flat array of surface dofs, shape (2 ns,)."""
        force = -(self._weight * self.pressure)[:, None] * self._gap_variation
        gradient += np.bincount(self._dofs.ravel(), force.ravel(), minlength=len(gradient))

    def hessian(self) -> Triplets:
        """Exact second derivative of the energy in GPa (per unit thickness)."""
        if len(self.near_gap) == 0:
            empty = np.empty(0, dtype=np.int64)
            return Triplets(empty, empty, np.empty(0))
        curvature = np.einsum("ni,ni->n", self._normal, self._curve)
        dg = self._gap_variation
        a = self._rows(self._tangent, -basis(self.feet.parameter), 1.0)
        b = self._rows(self._normal, basis(self.feet.parameter, 1), 0.0)
        convexity = self._speed**2 - self.near_gap * curvature
        outer = self._weight * self.law.tangent(self.near_gap)
        geometric = self._weight * self.pressure / convexity  # -psi'/D with psi' = -p, d2g < 0
        left_a = (geometric * curvature)[:, None] * a + (geometric * self._speed)[:, None] * b
        left_b = (geometric * self._speed)[:, None] * a + (geometric * self.near_gap)[:, None] * b
        left = np.stack([outer[:, None] * dg, left_a, left_b], axis=2)
        right = np.stack([dg, a, b], axis=1)
        values = left @ right
        shape = values.shape
        return Triplets(
            np.broadcast_to(self._dofs[:, :, None], shape).ravel(),
            np.broadcast_to(self._dofs[:, None, :], shape).ravel(),
            values.ravel(),
        )


@dataclass(frozen=True)
class WallTerms:
    """Contact of surface nodes with their own mirror images across the four walls.

    Attributes:
        law: Pressure-gap law.
        box: Edge length of the box in um.
        weights: Surface lengths of the nodes in um, shape (n,).
        nodes: Surface nodes that are looked at, shape (n,).
        positions: Their positions in um, shape (n, 2).
        free: False where a coordinate is held by the wall itself, shape (n, 2).
    """

    law: PressureGapLaw
    box: float
    weights: NDArray[np.float64]
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
        """Half the energy of node and image in GPa um^2."""
        return float(np.einsum("n,lni->", self.weights, self.law.potential(self._image_gaps)))

    def forces(self) -> NDArray[np.float64]:
        """Force of the lower and the upper walls on every node in GPa um, shape (2, n, 2)."""
        pressure = 2.0 * self.law.pressure(self._image_gaps) * self.weights[:, None]
        inwards: NDArray[np.float64] = pressure * np.array([1.0, -1.0])[:, None, None]
        return inwards

    def add_gradient(self, gradient: NDArray[np.float64]) -> None:
        """Add the energy's gradient in GPa um to a flat array of surface dofs, shape (2 ns,)."""
        gradient.reshape(-1, 2)[self.nodes] -= self.forces().sum(axis=0)

    def hessian(self) -> Triplets:
        """Diagonal second derivative of the energy in GPa (per unit thickness)."""
        values = 4.0 * self.law.tangent(self._image_gaps).sum(axis=0) * self.weights[:, None]
        node, component = np.nonzero(values)
        dofs = 2 * self.nodes[node] + component
        return Triplets(dofs, dofs, values[node, component])


@dataclass(frozen=True)
class ContactState:
    """Contact at one configuration, as seen by the nodes of one process.

    Attributes:
        pairs: Node-to-spline terms.
        walls: Node-to-wall terms.
        size: Number of surface nodes of the whole packing.
    """

    pairs: PairTerms
    walls: WallTerms
    size: int

    @property
    def energy(self) -> float:
        """Contact energy in GPa um^2 of this process's nodes."""
        return self.pairs.energy + self.walls.energy

    @property
    def min_gap(self) -> float:
        """Smallest gap in um, to other bodies and to mirror images (infinite if none is near)."""
        return min(float(np.min(self.pairs.gap, initial=np.inf)), self.walls.min_gap)

    @property
    def active_pairs(self) -> int:
        """Number of node-to-body pairs closer than the reach of the pressure law."""
        return len(self.pairs.near_gap)

    def gradient(self) -> NDArray[np.float64]:
        """Energy gradient in GPa um, all surface dofs, shape (2 ns,): sum it over processes."""
        gradient = np.zeros(2 * self.size)
        self.pairs.add_gradient(gradient)
        self.walls.add_gradient(gradient)
        return gradient

    def hessian(self) -> Triplets:
        """Energy Hessian in GPa: sum it over processes."""
        parts = (self.pairs.hessian(), self.walls.hessian())
        return Triplets(
            np.concatenate([p.rows for p in parts]),
            np.concatenate([p.columns for p in parts]),
            np.concatenate([p.values for p in parts]),
        )


class Contact:
    """Finds pairs and evaluates the contact terms of the nodes of one process."""

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
            nodes: Surface nodes this process integrates over.
        """
        self.boundary, self.law, self.box = boundary, law, box
        self._free = ~fixed
        self._nodes = nodes
        self._candidates: FootPoints | None = None
        self._searched_at = np.empty((0, 2))
        self._margin = 0.0

    @property
    def candidates(self) -> FootPoints:
        """All pairs that the last search found."""
        if self._candidates is None:
            raise RuntimeError("search() has not been called")
        return self._candidates

    def search(self, positions: NDArray[np.float64], margin: float) -> None:
        """Collect candidate pairs that stay valid while no node moves more than ``margin`` um."""
        half_segment = 0.5 * float(self.boundary.segment_lengths(positions).max(initial=0.0))
        radius = self.law.cutoff + half_segment + 2.0 * margin
        self._candidates = nearby_bodies(self.boundary, positions, self._nodes, radius)
        self._searched_at, self._margin = positions.copy(), margin

    def search_is_valid(self, positions: NDArray[np.float64]) -> bool:
        """Whether no surface node has left the margin of the last search."""
        if self._candidates is None:
            return False
        moved = positions - self._searched_at
        return bool(np.max(np.einsum("ni,ni->n", moved, moved), initial=0.0) <= self._margin**2)

    def evaluate(self, positions: NDArray[np.float64]) -> ContactState:
        """Contact terms at current positions in um, shape (ns, 2)."""
        self._candidates = project(self.boundary, positions, self.candidates)
        pairs = PairTerms(self.boundary, self.law, positions, self._candidates)
        nodes = self._nodes
        walls = WallTerms(
            self.law,
            self.box,
            self.boundary.weights[nodes],
            nodes,
            positions[nodes],
            self._free[nodes],
        )
        return ContactState(pairs, walls, len(positions))
