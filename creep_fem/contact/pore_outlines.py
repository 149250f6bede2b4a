"""Traces the outlines of the pores through surfaces, walls and necks of the initial state.

Every point of an outline has one successor, with the pore on the left: backwards along a surface,
anticlockwise along the walls. At the foot of a neck an outline crosses to its other foot and goes
on from there. Successors and crossings together are a permutation of the points, and its cycles
are the pores.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from creep_fem.contact.boundary import WALL_COMPONENT, Arc, Boundary
from creep_fem.contact.neck_ends import Arcs, NeckLines
from creep_fem.contact.necks import Discs, find_necks
from creep_fem.contact.pores import Pores

_WALLS: Final = tuple(WALL_COMPONENT)
# Walls in anticlockwise order, each with the direction in which it is followed.
_AROUND: Final = {"bottom": 1.0, "right": 1.0, "top": -1.0, "left": -1.0}
# Corners in units of the box, where each of these walls starts.
_CORNERS: Final = {"bottom": (0.0, 0.0), "right": (1.0, 0.0), "top": (1.0, 1.0), "left": (0.0, 1.0)}

# Start and end of a piece, and whether it runs along a surface.
_Piece = tuple[int, int, bool]


def trace_pores(
    discs: Discs, boundary: Boundary, arcs: Sequence[Arc], reference: NDArray[np.float64]
) -> Pores:
    """Cut the pore space of the initial state at its necks.

    Args:
        discs: The packing; its discs are the bodies.
        boundary: The surfaces of the meshed packing.
        arcs: The pieces of surface that the boundary was made from.
        reference: Positions of the surface nodes in um, shape (ns, 2).
    """
    points = _Points(discs, boundary, reference)
    partner = _add_necks(points)
    following = _follow_surfaces(points, arcs) | _follow_walls(points)
    pieces: dict[bool, list[tuple[int, int, int]]] = {True: [], False: []}
    count = 0
    for walk in _cycles(following, partner, points.starts(partner)):
        for start, end, along in walk:
            pieces[along].append((count, start, end))
        count += 1
    surfaces, lines = (
        np.array(pieces[along], dtype=np.int64).reshape(-1, 3) for along in (True, False)
    )
    necks = np.array(list(partner.items()), dtype=np.int64).reshape(-1, 2)[::2]
    sides = {(start, end): pore for pore, start, end in pieces[False]}
    neck_pores = [(sides[start, end], sides[end, start]) for start, end in necks.tolist()]
    return Pores(
        count=count,
        edge=np.array(points.edge, dtype=np.int64),
        parameter=np.array(points.parameter),
        free=np.array(points.free),
        place=np.array(points.place),
        necks=necks,
        neck_lines=_neck_lines(points, _arcs(boundary, arcs), necks, reference),
        neck_pores=np.array(neck_pores, dtype=np.int64).reshape(-1, 2),
        surfaces=surfaces[:, 1:],
        surface_pore=surfaces[:, 0],
        lines=lines[:, 1:],
        line_pore=lines[:, 0],
    )


def _arcs(boundary: Boundary, arcs: Sequence[Arc]) -> Arcs:
    edges = np.array([len(arc.nodes) // 2 for arc in arcs], dtype=np.int64)
    return Arcs(
        edge_nodes=boundary.edge_nodes,
        arc=np.repeat(np.arange(len(arcs)), edges),
        first=np.cumsum(edges) - edges,
        edges=edges,
        closed=np.array([arc.closed for arc in arcs]),
    )


def _neck_lines(
    points: _Points, arcs: Arcs, necks: NDArray[np.int64], reference: NDArray[np.float64]
) -> NeckLines:
    second = necks[:, 1]
    held = ~np.array(points.free)[second]
    places = np.array([points.position(point) for point in necks.ravel().tolist()])
    feet = places.reshape(-1, 2, 2)
    return NeckLines.at_first(
        arcs,
        arcs.arc[np.array(points.edge)[necks.T]],
        mirror=np.where(held, -1.0, 1.0),
        offset=np.where(held, 2.0 * np.array(points.place)[second], 0.0),
        middle=np.where(held, feet[:, 1], feet.mean(axis=1)),
        reference=reference,
    )


class _Points:
    """The growing list of the points of all outlines.

    Attributes:
        edge: Edge of each point.
        parameter: Place on its edge.
        free: Which coordinates follow the surface.
        place: Values of those that do not, in um.
        on_wall: Walls of the points that lie on one; a corner belongs to the one that starts there.
        bodies: Points at which a wall, followed anticlockwise, disappears in a body.
    """

    def __init__(self, discs: Discs, boundary: Boundary, reference: NDArray[np.float64]) -> None:
        self.discs = discs
        self._edge_body = boundary.edge_body
        self._nodes = reference[boundary.edge_nodes]
        self.edge: list[int] = []
        self.parameter: list[float] = []
        self.free: list[tuple[bool, bool]] = []
        self.place: list[tuple[float, float]] = []
        self.on_wall: dict[int, str] = {}
        self.bodies: list[int] = []
        self.corners = [
            self._add(0, 0.0, (False, False), (x * discs.box, y * discs.box), wall)
            for wall, (x, y) in _CORNERS.items()
        ]

    def _add(
        self,
        edge: int,
        parameter: float,
        free: tuple[bool, bool] = (True, True),
        place: tuple[float, float] = (0.0, 0.0),
        wall: str | None = None,
    ) -> int:
        number = len(self.edge)
        self.edge.append(edge)
        self.parameter.append(parameter)
        self.free.append(free)
        self.place.append(place)
        if wall is not None:
            self.on_wall[number] = wall
        return number

    def add_end(self, edge: int, parameter: float, wall: str | None) -> int:
        """Add an end of an arc, which may lie on a wall."""
        return self._add(edge, parameter, wall=wall)

    def add_foot(self, body: int, foot: NDArray[np.float64]) -> int:
        """Add the point of a body's surface in the direction of a foot in um, shape (2,)."""
        low, high = np.searchsorted(self._edge_body, [body, body + 1])
        rays = self._nodes[low:high] - self.discs.centres[body]
        start, end = (np.arctan2(rays[:, k, 1], rays[:, k, 0]) for k in (0, 2))
        ahead = foot - self.discs.centres[body]
        share = (np.arctan2(ahead[1], ahead[0]) - start) % (2.0 * np.pi)
        share /= (end - start) % (2.0 * np.pi)
        # The nearest edge ahead; round-off may place a foot on no edge.
        edge = int(np.argmin(share))
        return self._add(int(low) + edge, min(float(share[edge]), 1.0))

    def add_ahead(self, point: int, wall: str) -> int:
        """Add what lies straight ahead of a point on a wall."""
        held = WALL_COMPONENT[wall]
        place = self.discs.box if wall in ("right", "top") else 0.0
        free = (held != 0, held != 1)
        return self._add(self.edge[point], self.parameter[point], free, (place, place), wall)

    def around(self) -> list[int]:
        """Points on the walls in anticlockwise order from the origin."""
        order = {wall: number for number, wall in enumerate(_AROUND)}

        def key(point: int) -> tuple[int, float]:
            wall = self.on_wall[point]
            along = self.position(point)[1 - WALL_COMPONENT[wall]]
            return order[wall], _AROUND[wall] * along

        return sorted(self.on_wall, key=key)

    def position(self, point: int) -> tuple[float, float]:
        """Place of a point in um."""
        t = self.parameter[point]
        shape = np.array([(1.0 - t) * (1.0 - 2.0 * t), 4.0 * t * (1.0 - t), t * (2.0 * t - 1.0)])
        surface = shape @ self._nodes[self.edge[point]]
        x, y = np.where(self.free[point], surface, self.place[point])
        return float(x), float(y)

    def starts(self, partner: dict[int, int]) -> list[int]:
        """Points of which every outline has one."""
        return [*partner, *self.bodies, *([] if self.bodies else self.corners[:1])]


def _add_necks(points: _Points) -> dict[int, int]:
    """Add the feet of all necks; the other foot of each."""
    necks = find_necks(points.discs)
    count = len(points.discs.radius)
    partner: dict[int, int] = {}
    for first, second, feet in zip(necks.first, necks.second, necks.feet, strict=True):
        start = points.add_foot(int(first), feet[0])
        if second < count:
            end = points.add_foot(int(second), feet[1])
        else:
            end = points.add_ahead(start, _WALLS[second - count])
        partner[start], partner[end] = end, start
    return partner


def _follow_surfaces(points: _Points, arcs: Sequence[Arc]) -> dict[int, tuple[int, bool]]:
    """Successors along the surfaces; True where the way is a piece of surface."""
    following: dict[int, tuple[int, bool]] = {}
    place = list(zip(points.edge, points.parameter, strict=True))
    feet = sorted((n for n in range(len(place)) if n not in points.on_wall), key=place.__getitem__)
    edge = 0
    for arc in arcs:
        last = edge + len(arc.nodes) // 2 - 1
        walls = arc.walls or (None, None)
        start = points.add_end(edge, 0.0, walls[0])
        end = points.add_end(last, 1.0, walls[1])
        low, high = (bisect_left(feet, (e, 0.0), key=place.__getitem__) for e in (edge, last + 1))
        way = [start, *feet[low:high], end]
        following |= {after: (before, True) for before, after in pairwise(way)}
        if arc.closed:
            # Both are the same point, where the numbering of the edges begins anew.
            following[start] = (end, False)
        else:
            points.bodies.append(end)
        edge = last + 1
    return following


def _follow_walls(points: _Points) -> dict[int, tuple[int, bool]]:
    """Successors along the walls, up to where a body lies on them."""
    around = points.around()
    bodies = set(points.bodies)
    return {
        point: (after, False)
        for point, after in zip(around, [*around[1:], around[0]], strict=True)
        if point not in bodies
    }


def _cycles(
    following: dict[int, tuple[int, bool]], partner: dict[int, int], starts: Sequence[int]
) -> Iterator[list[_Piece]]:
    """Walk around every pore, across the neck at each foot."""
    visited: set[int] = set()
    for start in starts:
        point, walk = start, list[_Piece]()
        while point not in visited:
            visited.add(point)
            after, along = following[point]
            walk.append((point, after, along))
            if after in partner:
                walk.append((after, partner[after], False))
            point = partner.get(after, after)
        if walk:
            yield walk
