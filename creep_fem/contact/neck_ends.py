"""Where the necks of a pore space are now: the shortest lines between the surfaces at their ends.

A neck belongs to two arcs of surface, or to one and its mirror image in a wall. Its line joins
the points x and y of the two that minimise

    |x - y|^2 + TIE^2 |(x + y)/2 - c|^2,

c the place that the middle of the neck had at first in the frame of the two arcs, whose origin and
unit are the middle of the one, the mean of its mid-nodes, and the vector from there to that of the
other. Between surfaces in contact many places are equally near; the second term picks the one next
to c. It changes nothing at first, and little however round particles roll round one another.
Lines are found from the pair of nodes that is best by Newton's method over the quadratic edges.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from creep_fem.contact.boundary import QUADRATIC, quadratic_weights

TIE: Final = 0.3
"""Weight of the second term: small beside a gap that grows along curved surfaces, decisive between
surfaces that have taken each other's shape. Without it the line across a gap of even width, as it
opens after a contact, would jump from one end of the gap to the other."""

_ITERATIONS: Final = 20
_SHORTEST_STEP: Final = 1e-7  # edges: far less than the areas can tell
# An arc of length h and radius r is off by h^3/(12 * 64 r): 1e-5 um^2 for h = 0.2 and r = 1 um.
_SAMPLES: Final = np.arange(8) / 8.0


@dataclass(frozen=True)
class Arcs:
    """Arcs, the connected pieces of the surfaces, as runs of ``m`` quadratic edges; ``a`` arcs.

    A place on an arc is the number of its edge plus the parameter there.

    Attributes:
        edge_nodes: Surface nodes of the edges, shape (m, 3).
        arc: Arc that each edge belongs to, shape (m,).
        first: First edge of each arc, shape (a,).
        edges: Number of its edges, shape (a,).
        closed: Whether its end is its start, shape (a,).
    """

    edge_nodes: NDArray[np.int64]
    arc: NDArray[np.int64]
    first: NDArray[np.int64]
    edges: NDArray[np.int64]
    closed: NDArray[np.bool_]

    def bounds(self, arc: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """First and last places on arcs, infinite for closed ones, which go round and round."""
        low, closed = self.first[arc].astype(np.float64), self.closed[arc]
        high = low + self.edges[arc]
        return np.where(closed, -np.inf, low), np.where(closed, np.inf, high)

    def split(
        self, arc: NDArray[np.int64], place: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """Edges, parameters and whole turns of places on arcs."""
        along, edges = place - self.first[arc], self.edges[arc]
        turns = np.where(self.closed[arc], np.floor(along / edges), 0.0)
        along = np.clip(along - turns * edges, 0.0, edges)
        edge = np.minimum(along.astype(np.int64), edges - 1)
        return self.first[arc] + edge, along - edge, turns

    def polygon(self, nodes: NDArray[np.float64], arc: int) -> NDArray[np.float64]:
        """Points along an arc in um, shape (n, 2), from nodes of edges, shape (m, 3, 2)."""
        own = nodes[self.first[arc] : self.first[arc] + self.edges[arc]]
        points = np.einsum("sk,mki->msi", quadratic_weights(_SAMPLES), own).reshape(-1, 2)
        return np.vstack([points, own[-1:, 2]])


@dataclass(frozen=True)
class NeckLines:
    """The arcs that necks join; ``k`` necks.

    Attributes:
        arcs: All arcs.
        arc: Arcs at both ends, twice the same for a wall, shape (2, k).
        seat: Where the middles of the necks were at first in the frame of their arcs, as complex
            numbers, shape (k,).
        mirror: -1 for a coordinate of the second end that a wall mirrors, else 1, shape (k, 2).
        offset: Twice the place of that wall in um, else 0, shape (k, 2).
    """

    arcs: Arcs
    arc: NDArray[np.int64]
    seat: NDArray[np.complex128]
    mirror: NDArray[np.float64]
    offset: NDArray[np.float64]

    @classmethod
    def at_first(
        cls,
        arcs: Arcs,
        arc: NDArray[np.int64],
        mirror: NDArray[np.float64],
        offset: NDArray[np.float64],
        middle: NDArray[np.float64],
        reference: NDArray[np.float64],
    ) -> NeckLines:
        """The necks of the initial state.

        Args:
            arcs: All arcs.
            arc: Arcs at both ends, twice the same for a wall, shape (2, k).
            mirror: -1 for a coordinate of the second end that a wall mirrors, else 1, shape (k, 2).
            offset: Twice the place of that wall in um, else 0, shape (k, 2).
            middle: Middles of the necks in um, on the wall for those to a wall, shape (k, 2).
            reference: Positions of the surface nodes in um, shape (ns, 2).
        """
        unseated = cls(arcs, arc, np.zeros(arc.shape[1], complex), mirror, offset)
        origin, unit = unseated._frames(reference[arcs.edge_nodes])
        return replace(unseated, seat=(_complex(middle) - origin) / unit)

    def nearest(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Places of the ends on their arcs, shape (2, k), for positions of the surface nodes."""
        nodes = positions[self.arcs.edge_nodes]
        coefficients = np.einsum("ab,mbi->ami", QUADRATIC, nodes)
        origin, unit = self._frames(nodes)
        seat = origin + self.seat * unit
        centre = np.column_stack([seat.real, seat.imag])
        low, high = self.arcs.bounds(self.arc)
        place = self._best_nodes(nodes, centre)
        energy, step = self._descent(coefficients, place, centre)
        share = np.ones(place.shape[1])
        for _ in range(_ITERATIONS):
            trial = np.clip(place + share * step, low, high)
            if np.abs(trial - place).max(initial=0.0) < _SHORTEST_STEP:
                break
            trial_energy, trial_step = self._descent(coefficients, trial, centre)
            lower = trial_energy < energy
            place, step = np.where(lower, trial, place), np.where(lower, trial_step, step)
            energy = np.where(lower, trial_energy, energy)
            share = np.where(lower, 1.0, 0.25 * share)
        return place

    def _frames(
        self, nodes: NDArray[np.float64]
    ) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
        """Middles of the first arcs and vectors to those of the second, each of shape (k,)."""
        sums = np.add.reduceat(nodes[:, 1], self.arcs.first)
        one, other = (sums / self.arcs.edges[:, None])[self.arc]
        origin = _complex(one)
        return origin, _complex(self.mirror * other + self.offset) - origin

    def _best_nodes(
        self, nodes: NDArray[np.float64], centre: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Places of the two nodes of each neck between which the line is best, shape (2, k)."""
        first, edges = self.arcs.first, self.arcs.edges
        along = [
            np.vstack([nodes[low:high, :2].reshape(-1, 2), nodes[high - 1, 2:]])
            for low, high in zip(first, first + edges, strict=True)
        ]
        place = np.empty(self.arc.shape)
        for neck, (a, b) in enumerate(self.arc.T):
            other = self.mirror[neck] * along[b] + self.offset[neck]
            line = cdist(along[a], other, "sqeuclidean")
            # |(x + y)/2 - c| is half the distance from x to the image of y in c
            line += 0.25 * TIE**2 * cdist(along[a], 2.0 * centre[neck] - other, "sqeuclidean")
            i, j = divmod(int(line.argmin()), len(other))
            place[:, neck] = first[a] + 0.5 * i, first[b] + 0.5 * j
        return place

    def _at(
        self, coefficients: NDArray[np.float64], place: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Points and their first and second derivatives, each of shape (2, k, 2)."""
        edge, t, _ = self.arcs.split(self.arc, place)
        c0, c1, c2 = coefficients[:, edge]
        t = t[..., None]
        point, slope, second = c0 + t * (c1 + t * c2), c1 + 2.0 * t * c2, 2.0 * c2
        point[1] = self.mirror * point[1] + self.offset
        slope[1] *= self.mirror
        second[1] *= self.mirror
        return point, slope, second

    def _descent(
        self,
        coefficients: NDArray[np.float64],
        place: NDArray[np.float64],
        centre: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Half of what is minimised, shape (k,), and Newton's step, shape (2, k)."""
        (x, y), slope, second = self._at(coefficients, place)
        gap, aside = x - y, 0.5 * TIE**2 * (0.5 * (x + y) - centre)
        energy = 0.5 * _dot(gap, gap) + _dot(aside, aside) / (0.5 * TIE**2)
        force = np.stack([aside + gap, aside - gap])
        gradient = _dot(force, slope)
        mixed = (0.25 * TIE**2 - 1.0) * _dot(slope[0], slope[1])
        # an end that would leave its open arc stays, and the other one moves by itself
        low, high = self.arcs.bounds(self.arc)
        held = ((place <= low) & (gradient > 0.0)) | ((place >= high) & (gradient < 0.0))
        gradient = np.where(held, 0.0, gradient)
        mixed = np.where(held.any(axis=0), 0.0, mixed)
        along = (1.0 + 0.25 * TIE**2) * _dot(slope, slope)
        bent = along + _dot(force, second)
        concave = (bent <= 0.0).any(axis=0) | (bent[0] * bent[1] <= mixed**2)
        # as if the surfaces were straight, which is always convex
        bent = np.where(concave, along, bent)
        step = mixed * gradient[::-1] - bent[::-1] * gradient
        return energy, step / (bent[0] * bent[1] - mixed**2)


def area_beyond(
    polygon: NDArray[np.float64], start: NDArray[np.float64], end: NDArray[np.float64]
) -> float:
    """Area of the smaller part of a polygon that a line from ``start`` to ``end`` cuts in two.

    The polygon of an open arc is closed between its ends; a body that covers a corner of the box
    lacks that corner.

    Returns:
        The area in um^2, negative if the part lies to the right; 0 if the line misses it.
    """
    ahead = end - start
    length = float(np.hypot(*ahead))
    if length == 0.0:
        return 0.0
    along = (polygon - start) @ (ahead / length)
    aside = (polygon - start) @ (np.array([-ahead[1], ahead[0]]) / length)
    s0, s1, h0, h1 = along, np.roll(along, -1), aside, np.roll(aside, -1)
    cut = (h0 > 0.0) != (h1 > 0.0)
    if not cut.any():
        return 0.0
    across = (s0 + (s1 - s0) * h0 / np.where(cut, h0 - h1, 1.0))[cut]
    if min(across.max(), length) <= max(across.min(), 0.0):
        return 0.0
    # Both parts as integrals of the height over the line, exact for straight sides.
    width = np.where(cut, 2.0 * (np.abs(h0) + np.abs(h1)), 1.0)
    above = np.maximum(h0, 0.0) ** 2 + np.maximum(h1, 0.0) ** 2
    heights = np.where(cut, above / width, 0.5 * np.maximum(h0 + h1, 0.0))
    left = float(((s0 - s1) * heights).sum())
    right = float(((s0 - s1) * 0.5 * (h0 + h1)).sum()) - left
    return left if left <= right else -right


def _complex(points: NDArray[np.float64]) -> NDArray[np.complex128]:
    numbers: NDArray[np.complex128] = points[:, 0] + 1j * points[:, 1]
    return numbers


def _dot(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    product: NDArray[np.float64] = (a * b).sum(axis=-1)
    return product
