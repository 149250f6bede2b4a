"""Contact energy of a packing, with friction if there is any.

Both sides of every contact are integrated, each with half of the energy: the sum over surface
points i and each other body within reach of w_i/2 psi(g_i). g is the signed distance of the point
to that body's boundary curve c, w the point's surface length, and -psi' the contact pressure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from creep_fem.contact import loops
from creep_fem.contact.boundary import Boundary, Curves, SurfacePoints
from creep_fem.contact.friction import CoulombLaw, FrictionStep, FrictionTerms
from creep_fem.contact.images import MirroredBoundary
from creep_fem.contact.law import PressureGapLaw
from creep_fem.contact.pairs import NodeBlocks, PairTerms
from creep_fem.contact.search import FootPoints, gaps, nearby_bodies, project

# Motion in um after which pairs that may come within reach are listed anew.
_LISTED = 0.02
# Motion in um that the tangent has room for. With more there are fewer patterns, but what stays
# empty is factorised, too; without any, a pattern hardly serves twice.
_ROOM = 0.025
# A gap changes by at most so many times the motion of the nodes: the weights of a surface point add
# up to 1.23 in size, those of a curve between edges of unequal lengths to 1.85.
_GAP_PER_MOTION = 3.1
# Normals out of the box, walls in the order of WALL_COMPONENT.
_OUTWARDS = np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, -1.0], [0.0, 1.0]])


@dataclass(frozen=True)
class ContactState:
    """Contact at one configuration, as seen by the surface points of one process.

    Attributes:
        pairs: Point-to-curve terms.
        size: Number of surface nodes of the whole packing.
        friction: Friction since the start of the step; none without a law of friction.
    """

    pairs: PairTerms
    size: int
    friction: FrictionTerms | None = None

    @property
    def energy(self) -> float:
        """Energy of contact and friction in GPa um^2 of this process's points."""
        return self.pairs.energy + (0.0 if self.friction is None else self.friction.energy)

    @property
    def min_gap(self) -> float:
        """Smallest gap in um, to other bodies and mirror images; infinite if none is in reach.

        It is exact within reach of the law: other pairs are not evaluated every time.
        """
        return float(np.min(self.pairs.gap, initial=np.inf))

    @property
    def active_pairs(self) -> int:
        """Number of point-to-body pairs closer than the reach of the pressure law."""
        return len(self.pairs.near_gap)

    def gradient(self) -> NDArray[np.float64]:
        """Energy gradient in GPa um, all surface dofs, shape (2 ns,): sum it over processes."""
        gradient = self.pairs.gradient(self.pairs.slopes, self.size)
        if self.friction is not None:
            gradient += self.friction.pairs.gradient(self.friction.slopes, self.size)
        return gradient

    def hessian(self) -> NodeBlocks:
        """Energy Hessian in GPa but for what is negligible: sum it over processes."""
        blocks = self.pairs.hessian()
        return blocks if self.friction is None else blocks.with_others(self.friction.hessian())

    def wall_forces(self) -> NDArray[np.float64]:
        """Normal forces across the walls on the packing in GPa um: sum them over processes.

        Returns:
            Forces along the axes, walls in the order of ``WALL_COMPONENT``, shape (4,).
        """
        forces = self.pairs.mirrored_forces(self.pairs.slopes)
        if self.friction is not None:
            forces += self.friction.pairs.mirrored_forces(self.friction.slopes)
        return forces.ravel()


def _moved_less(now: NDArray[np.float64], then: NDArray[np.float64], limit: float) -> bool:
    """Whether no node is more than a limit in um from where it was."""
    return loops.largest_norm(now - then) <= limit


class Contact:
    """Finds pairs and evaluates the contact terms of one process's share of the surface."""

    def __init__(
        self,
        boundary: Boundary,
        law: PressureGapLaw,
        box: float,
        nodes: NDArray[np.int64],
        friction: CoulombLaw | None = None,
    ) -> None:
        """Set up contact.

        Args:
            boundary: All surfaces of the packing.
            law: Pressure-gap law.
            box: Edge length of the box in um.
            nodes: Surface nodes this process takes care of, and with a mid-node its edge.
            friction: Law of friction; none for smooth surfaces.
        """
        self.boundary, self.law, self.box = boundary, law, box
        self.friction = friction
        self._step: FrictionStep | None = None
        self._mirrored = MirroredBoundary.of(boundary, box)
        self._targets = self._mirrored.edges
        edges = np.flatnonzero(np.isin(boundary.edge_nodes[:, 1], nodes))
        self.points = SurfacePoints.on_edges(boundary, edges)
        self._bodies = boundary.edge_body[self.points.edge]
        self._candidates: FootPoints | None = None
        self._touchable = np.empty(0, dtype=np.int64)
        self._near = self._own_walls = np.empty(0, dtype=np.int64)
        self._listed_at: NDArray[np.float64] | None = None
        self._searched_at = np.empty((0, 2))
        self._margin = 0.0

    @property
    def _edge_count(self) -> int:
        """Number of edges that feet may lie on, images included."""
        return len(self._targets.edge_body)

    @property
    def candidates(self) -> FootPoints:
        """All pairs that the last search found, at their closest points when last projected."""
        if self._candidates is None:
            raise RuntimeError("search() has not been called")
        return self._candidates

    def search(self, positions: NDArray[np.float64], margin: float) -> None:
        """Collect candidate pairs that stay valid while no node moves more than ``margin`` um.

        Two surfaces come nearer by at most twice the margin where nodes move alike along an edge.
        """
        half_edge = float(self.boundary.chords(positions).max(initial=0.0))
        radius = self.law.cutoff + half_edge + 2.0 * margin
        points = self.points.positions(positions)
        near = nearby_bodies(self._targets, positions, points, self._bodies, radius)
        self._candidates = self._mirrored.touchable(near, self._bodies)
        own = self._mirrored.is_own_image(self._candidates, self._bodies)
        self._own_walls = np.where(own, self._mirrored.wall(self._candidates.edge), -1)
        # Feet slide along the curves of their bodies; most images are out of reach.
        bodies = self._targets.edge_body[self._candidates.edge]
        self._touchable = np.flatnonzero(np.isin(self._targets.edge_body, bodies))
        self._searched_at, self._margin = positions.copy(), margin
        self._listed_at = None

    def search_is_valid(self, positions: NDArray[np.float64]) -> bool:
        """Whether no surface node has left the margin of the last search."""
        if self._candidates is None:
            return False
        return _moved_less(positions, self._searched_at, self._margin)

    def begin_step(self, positions: NDArray[np.float64], dt: float) -> None:
        """Measure slip from these positions in um, shape (ns, 2), in a step of dt seconds.

        Nothing is to be done without friction.
        """
        if self.friction is not None:
            pairs = self.evaluate(positions).pairs
            self._step = FrictionStep(pairs, self.friction, positions, dt)

    def evaluate(self, positions: NDArray[np.float64]) -> ContactState:
        """Contact terms at current positions in um, shape (ns, 2)."""
        curves = self._targets.curves(positions, self._touchable)
        places = self.points.positions(positions)
        feet = self._facing(self._feet(positions, places, curves), positions, curves)
        pairs = PairTerms(self._targets, self.law, self.points, places, curves, feet)
        friction = None if self._step is None else self._step.at(positions)
        return ContactState(pairs, len(positions), friction)

    def _feet(
        self, positions: NDArray[np.float64], places: NDArray[np.float64], curves: Curves
    ) -> FootPoints:
        """Closest points of the pairs that may be within reach of the law.

        Most candidates are not, and stay so for many evaluations: only now and then all of them
        are projected, and those listed that little motion might bring within reach.
        """
        candidates = self.candidates
        if self._listed_at is not None and _moved_less(positions, self._listed_at, _LISTED):
            feet = project(self._targets, curves, places, candidates.chosen(self._near))
            edge, parameter = candidates.edge.copy(), candidates.parameter.copy()
            edge[self._near], parameter[self._near] = feet.edge, feet.parameter
            self._candidates = FootPoints(candidates.point, edge, parameter)
            return feet
        self._candidates = feet = project(self._targets, curves, places, candidates)
        gap = gaps(curves, places, feet)
        self._near = np.flatnonzero(gap < self.law.cutoff + _GAP_PER_MOTION * _LISTED)
        self._listed_at = positions.copy()
        return feet.chosen(self._near)

    def _facing(
        self, feet: FootPoints, positions: NDArray[np.float64], curves: Curves
    ) -> FootPoints:
        """Leave out of the near pairs images of a point's own body that the point does not face.

        Where a body meets a wall at a small angle, its surface and that of its image are turned
        away from each other as well, back to back.
        """
        walls = self._own_walls[self._near]
        surface = self.points.nodes, self.points.slope_shape, positions
        pairs = feet.point, feet.edge, feet.parameter
        faces = loops.facing(curves.coefficients, *surface, *pairs, walls, _OUTWARDS)
        return feet if faces.all() else feet.chosen(faces)

    def coupled_edges(self, positions: NDArray[np.float64]) -> NDArray[np.int64]:
        """Pairs of edges that the Hessian couples or may couple after little motion, each once.

        That is motion by 25 nm, with feet that slide no further than over one end of their edge.

        Args:
            positions: Surface nodes in um, shape (ns, 2).

        Returns:
            Edges of points and those of feet, shape (n, 2).
        """
        curves = self._targets.curves(positions, self._touchable)
        places = self.points.positions(positions)
        feet = project(self._targets, curves, places, self.candidates)
        pairs = feet.point, feet.edge, feet.parameter
        gap, _, speed, _ = loops.frames(curves.coefficients, places, *pairs)
        near = gap < self.law.stiff_reach + _GAP_PER_MOTION * _ROOM
        # the point may move one way, its foot the other
        feet, slide = feet.chosen(near), 2.0 * _ROOM / speed[near]
        own, coupled = self.points.edge[feet.point], [feet.edge]
        for neighbour, parameter in (
            (self._targets.preceding, 1.0 - feet.parameter),
            (self._targets.following, feet.parameter),
        ):
            coupled.append(np.where(parameter + slide > 1.0, neighbour[feet.edge], -1))
        edges = np.column_stack([np.tile(own, 3), np.concatenate(coupled)])
        return self.each_once(edges[edges[:, 1] >= 0])

    def each_once(self, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Sort pairs of edges by their keys and leave out repetitions, shape (n, 2)."""
        # numbers are sorted many times as fast as rows are
        return np.column_stack(np.divmod(np.unique(self.pair_keys(pairs)), self._edge_count))

    def pair_keys(self, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
        """One number for each pair of edges, shape (n,)."""
        keys: NDArray[np.int64] = pairs[:, 0] * self._edge_count + pairs[:, 1]
        return keys

    def coupled_nodes(self, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Surface nodes that pairs of edges couple, shape (n, 8)."""
        return np.hstack(
            [self._targets.edge_nodes[pairs[:, 0]], self._targets.control[pairs[:, 1]]]
        )
