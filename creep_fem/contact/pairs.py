"""Energy of pairs of a surface point and a curve, with its gradient and Hessian.

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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creep_fem.contact import loops
from creep_fem.contact.boundary import Boundary, Curves, SurfacePoints
from creep_fem.contact.law import PressureGapLaw
from creep_fem.contact.search import FootPoints

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

    def with_others(self, others: NodeBlocks) -> NodeBlocks:
        """These blocks and others of the same width."""
        both = zip(self._parts(), others._parts(), strict=True)
        return NodeBlocks(*(np.concatenate(parts) for parts in both))

    def _parts(self) -> tuple[NDArray[Any], ...]:
        return self.edges, self.nodes, self.values


class PairTerms:
    """Energy, gradient and Hessian of point-to-curve pairs at given positions.

    Attributes:
        gap: Gaps of all pairs in um, shape (n,).
        feet: The pairs within reach of the pressure law.
        near_gap: Their gaps in um.
        length: Half of the surface length that each near pair stands for, in um.
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
        pairs = feet.point, feet.edge, feet.parameter
        self.gap, tangent, speed, curvature = loops.frames(curves.coefficients, places, *pairs)
        near = self.gap < law.cutoff
        self.feet = feet.chosen(near)
        self.near_gap = self.gap[near]
        self._tangent, self._speed, self._curvature = tangent[near], speed[near], curvature[near]
        self.length = _SIDE * points.length[self.feet.point]

    @cached_property
    def pressure(self) -> NDArray[np.float64]:
        """Pressure of every near pair in GPa."""
        return self.law.pressure(self.near_gap)

    @property
    def energy(self) -> float:
        """Sum of the pair potentials in GPa um^2."""
        return float(self.length @ self.law.potential(self.near_gap))

    @cached_property
    def nodes(self) -> NDArray[np.int64]:
        """Surface nodes of the point's edge and of the control points, shape (n, 8)."""
        own = self._points.nodes[self.feet.point]
        return np.hstack([own, self.boundary.control[self.feet.edge]])

    @cached_property
    def _normal(self) -> NDArray[np.float64]:
        return np.stack([self._tangent[:, 1], -self._tangent[:, 0]], axis=1)

    @cached_property
    def _own(self) -> NDArray[np.float64]:
        """Weights of the nodes of the point's edge, shape (n, 3)."""
        return self._points.shape[self.feet.point]

    def _weights(self, derivative: int = 0) -> NDArray[np.float64]:
        return self.boundary.weights(self.feet.edge, self.feet.parameter, derivative)

    def _rows(
        self,
        vector: NDArray[np.float64],
        own: NDArray[np.float64],
        weights: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Coefficients of (sum own_k dx_k + sum weights_k dP_k).vector, shape (n, 16)."""
        return loops.variations(vector, own, weights, self.boundary.mirror, self.feet.edge)

    @cached_property
    def _gap_variation(self) -> NDArray[np.float64]:
        return self._rows(self._normal, self._own, -self._weights())

    @cached_property
    def slip_variation(self) -> NDArray[np.float64]:
        """Tangential motion of the point against the material of its foot, shape (n, 16)."""
        return self._rows(self._tangent, self._own, -self._weights())

    @property
    def slopes(self) -> NDArray[np.float64]:
        """Derivatives of the near pairs' energies by their nodes in GPa um, shape (n, 16)."""
        return -(self.length * self.pressure)[:, None] * self._gap_variation

    def gradient(self, slopes: NDArray[np.float64], size: int) -> NDArray[np.float64]:
        """Sum derivatives by the nodes of each pair, shape (n, 16), to all dofs of ``size`` nodes.

        Returns:
            Gradient by the surface dofs, shape (2 size,).
        """
        return loops.scatter(self.nodes, slopes, size)

    def mirrored_forces(self, slopes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Forces that the planes of symmetry exert in GPa um: axes by lower and upper wall.

        A control point behind a wall passes its force on to its node as in a mirror: the wall
        takes up twice the normal component.

        Args:
            slopes: Derivatives of each pair's energy by its nodes in GPa um, shape (n, 16).
        """
        normal = -2.0 * slopes.reshape(-1, 8, 2)[:, 3:]
        behind = self.boundary.mirror[self.feet.edge] < 0.0
        upper = self.boundary.offset[self.feet.edge] > 0.0
        lower_and_upper = [np.where(behind & side, normal, 0.0) for side in (~upper, upper)]
        forces: NDArray[np.float64] = np.stack([f.sum(axis=(0, 1)) for f in lower_and_upper], 1)
        return forces

    def hessian(self) -> NodeBlocks:
        """Second derivative of the energy in GPa (per unit thickness).

        It is exact but for pairs whose stiffness is negligible.
        """
        b = self._rows(self._normal, np.zeros_like(self._own), self._weights(1))
        convexity = self._speed**2 - self.near_gap * self._curvature
        geometric = self.length * self.pressure / convexity  # psi' d2g with psi' = -p
        factors = np.zeros((len(b), 3, 3))
        factors[:, 0, 0] = self.length * self.law.tangent(self.near_gap)
        factors[:, 1, 1] = geometric * self._curvature
        factors[:, 1, 2] = factors[:, 2, 1] = geometric * self._speed
        factors[:, 2, 2] = geometric * self.near_gap
        variations = np.stack([self._gap_variation, self.slip_variation, b], axis=1)
        return self.blocks(variations, factors, self.near_gap < self.law.stiff_reach)

    def blocks(
        self,
        variations: NDArray[np.float64],
        factors: NDArray[np.float64],
        chosen: NDArray[np.bool_],
    ) -> NodeBlocks:
        """Second derivatives of some pairs, those that couple the same two edges summed.

        Args:
            variations: What the second derivative of a pair is quadratic in, by the pair's
                nodes, shape (n, r, 16).
            factors: Factors of their products, symmetric, shape (n, r, r).
            chosen: Pairs that matter, shape (n,): a matrix need not have room for the others.
        """
        feet, nodes = self.feet.chosen(chosen), self.nodes[chosen]
        edges = np.column_stack([self._points.edge[feet.point], feet.edge])
        keys = edges[:, 0] * len(self.boundary.control) + edges[:, 1]
        _, first, block = np.unique(keys, return_index=True, return_inverse=True)
        values = loops.sum_products(block, variations[chosen], factors[chosen], len(first))
        return NodeBlocks(edges[first], nodes[first], values)
