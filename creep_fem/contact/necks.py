"""Necks: the narrow places between discs at which a pore space is cut into pores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist

from creep_fem.contact.boundary import WALL_COMPONENT

NECK_SHARE: Final = 0.25
"""A neck is narrower than this share of the mean radius..."""

SMALLEST_SHARE: Final = 1.0 / 3.0
"""...and than this share of the smallest: then no disc fits into a neck and no two necks cross."""

# A line whose end is this close to a wall, as a share of the radius, runs along the wall.
_ON_WALL: Final = 1e-6
_AXIS: Final = np.array(list(WALL_COMPONENT.values()))


@dataclass(frozen=True)
class Discs:
    """The discs of a packing in its initial state.

    Attributes:
        centres: Centres in um, shape (n, 2).
        radius: Radii in um, shape (n,); no two discs overlap.
        box: Edge length of the box in um.
    """

    centres: NDArray[np.float64]
    radius: NDArray[np.float64]
    box: float

    @property
    def neck_width(self) -> float:
        """Largest width of a neck in um."""
        mean, smallest = float(self.radius.mean()), float(self.radius.min())
        return min(NECK_SHARE * mean, SMALLEST_SHARE * smallest)

    @property
    def walls(self) -> NDArray[np.float64]:
        """Places of the walls in um, in the order of ``WALL_COMPONENT``, shape (4,)."""
        return np.array([self.box if w in ("right", "top") else 0.0 for w in WALL_COMPONENT])

    def clearance(self) -> NDArray[np.float64]:
        """Gaps to the walls in um, negative for a disc that is cut, shape (n, 4)."""
        depth = np.abs(self.centres[:, _AXIS] - self.walls)
        outside = (self.centres[:, _AXIS] < 0.0) | (self.centres[:, _AXIS] > self.box)
        gaps: NDArray[np.float64] = np.where(outside, -depth, depth) - self.radius[:, None]
        return gaps


@dataclass(frozen=True)
class Necks:
    """Shortest lines between two discs, or between a disc and a wall.

    Attributes:
        first: Body at the start of each line, shape (k,).
        second: Body at its end; for a wall the number of bodies plus that of the wall in the order
            of ``WALL_COMPONENT``, shape (k,).
        feet: Its ends in um, shape (k, 2, 2).
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    feet: NDArray[np.float64]


def find_necks(discs: Discs) -> Necks:
    """Find the necks of a packing.

    These are all places narrower than ``neck_width``, where a wall counts as the plane between a
    disc and its mirror image, and the shortest lines that join discs to the rest where no such
    place does: islands would else be holes in a pore. Left out are lines that leave the box or run
    along a wall, and slits: between the line and a wall that cuts both discs nothing is wider than
    a neck, so that there is no pore of its own.

    Args:
        discs: The packing.
    """
    count = len(discs.radius)
    gaps = cdist(discs.centres, discs.centres) - discs.radius[:, None] - discs.radius
    gaps[np.tril_indices(count)] = np.inf
    clearance = discs.clearance()
    to_wall = np.where((clearance > 0.0) & ~_covered(discs), clearance, np.inf)
    links = np.column_stack([gaps, to_wall.min(axis=1)])
    # What a wall cuts is one with it.
    links[(clearance <= 0.0).any(axis=1), count] = np.finfo(np.float64).tiny
    links = np.vstack([links, np.full(count + 1, np.inf)])
    tree = minimum_spanning_tree(links).toarray()[:count] > 0.0
    first, second = np.nonzero((gaps < discs.neck_width) | tree[:, :count])
    nearest = (to_wall == links[:count, count:]) & tree[:, count:]
    body, wall = np.nonzero((to_wall < 0.5 * discs.neck_width) | nearest)
    images = discs.centres[body]
    images[np.arange(len(body)), _AXIS[wall]] = (
        2.0 * discs.walls[wall] - images[np.arange(len(body)), _AXIS[wall]]
    )
    lines = _Lines(
        first=np.concatenate([first, body]),
        ends=np.concatenate([discs.centres[second], images]),
        radius=discs.radius[np.concatenate([second, body])],
    )
    feet = _feet(discs, lines)
    # The line to an image is followed up to the wall.
    feet[len(first) :, 1] = feet[len(first) :].mean(axis=1)
    kept = _inside(discs, feet, lines.first, len(first)) & ~_slits(discs, lines)
    return Necks(lines.first[kept], np.concatenate([second, count + wall])[kept], feet[kept])


@dataclass(frozen=True)
class _Lines:
    """Lines between the centres of discs, or of a disc and its mirror image.

    Attributes:
        first: Disc at the start of each line, shape (k,).
        ends: Centre at its end in um, shape (k, 2).
        radius: Radius around that in um, shape (k,).
    """

    first: NDArray[np.int64]
    ends: NDArray[np.float64]
    radius: NDArray[np.float64]


def _covered(discs: Discs) -> NDArray[np.bool_]:
    """Whether the place on a wall straight ahead of a disc lies in another one, shape (n, 4)."""
    covered = np.zeros((len(discs.radius), len(_AXIS)), dtype=bool)
    for wall, (axis, place) in enumerate(zip(_AXIS, discs.walls, strict=True)):
        ahead = discs.centres.copy()
        ahead[:, axis] = place
        inside = cdist(ahead, discs.centres) < discs.radius
        np.fill_diagonal(inside, False)
        covered[:, wall] = inside.any(axis=1)
    return covered


def _feet(discs: Discs, lines: _Lines) -> NDArray[np.float64]:
    """Where lines leave the discs at their ends in um, shape (k, 2, 2)."""
    centres = discs.centres[lines.first]
    ahead = lines.ends - centres
    ahead /= np.hypot(ahead[:, 0], ahead[:, 1])[:, None]
    begin = centres + discs.radius[lines.first, None] * ahead
    return np.stack([begin, lines.ends - lines.radius[:, None] * ahead], axis=1)


def _inside(
    discs: Discs, feet: NDArray[np.float64], starts: NDArray[np.int64], between: int
) -> NDArray[np.bool_]:
    """Whether lines, the first ones between discs, the others to walls, run inside the box."""
    margin = _ON_WALL * discs.radius[starts, None, None]
    within = ((feet > margin) & (feet < discs.box - margin)).all(axis=2)
    within[between:, 1] = True
    inside: NDArray[np.bool_] = within.all(axis=1)
    return inside


def _slits(discs: Discs, lines: _Lines) -> NDArray[np.bool_]:
    """Whether a wall cuts both discs of a line where they are less than a neck apart."""
    centres, ends = discs.centres[lines.first], lines.ends
    both = (centres, discs.radius[lines.first]), (ends, lines.radius)
    slit = np.zeros(len(ends), dtype=bool)
    for axis, place in zip(_AXIS, discs.walls, strict=True):
        squares = [radius**2 - (centre[:, axis] - place) ** 2 for centre, radius in both]
        chords = sum(np.sqrt(np.maximum(square, 0.0)) for square in squares)
        opening = np.abs(centres[:, 1 - axis] - ends[:, 1 - axis]) - chords
        slit |= (squares[0] > 0.0) & (squares[1] > 0.0) & (opening < discs.neck_width)
    return slit
