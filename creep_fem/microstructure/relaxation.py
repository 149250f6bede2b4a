"""Pushes discs apart, and near neighbours together, until the gaps are as wanted.

The discs are moved by damped dynamics under their gap forces. All state is kept on a grid of one
picometre: rounding differences between processors, which such chaotic motion would amplify to
another packing, fall below the grid and vanish. For the same reason only correctly rounded
operations and plain sums are used here, no linear algebra library; and forces are summed in the
order of the discs, so that it does not matter which farther discs are on the list of neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import pi, sqrt

import numpy as np
from numpy.typing import NDArray

from creep_fem.microstructure.neighbours import close_pairs

Floats = NDArray[np.float64]

_DECIMALS = 6
"""Decimal places of the grid in um."""

_GRID = 10.0**-_DECIMALS
"""Width of the grid in um."""

# With round factors the results would often lie midway between two points of the grid, where the
# last bit decides which way they are rounded.
_STIFFNESS = 1.0 / pi
"""Share of a gap error that one step removes, seen from each of the two discs."""

_INERTIA = 0.25 * pi
"""Share of a step's displacement that is carried into the next one."""

_SKIN = 0.7
"""Distance beyond the reach up to which discs are on the list of neighbours, as a share of the mean
radius. It changes the time needed, not the result."""


@dataclass(frozen=True)
class Placement:
    """Discs to place in the box [0, box] x [0, box].

    Attributes:
        box: Edge length of the box in um.
        radius: (n,) radii in um.
        pinned: (n, 2) coordinates in um of walls that a centre stays on, NaN where it is free.
    """

    box: float
    radius: Floats
    pinned: Floats

    def smallest_gap(self, centres: Floats) -> float:
        """Smallest gap in um between near discs, or between a disc and a wall it is not on."""
        pairs = _Pairs(self, centres, float(self.radius.mean())).gaps(centres)
        return float(min(pairs.min(initial=np.inf), self.wall_gaps(centres).min()))

    def wall_gaps(self, centres: Floats) -> Floats:
        """(n, 4) gaps in um to the walls left, bottom, right, top, infinite to a disc's own."""
        gaps = np.concatenate([centres, self.box - centres], axis=1) - self.radius[:, None]
        gaps[self._own_walls] = np.inf
        return gaps

    @cached_property
    def _own_walls(self) -> NDArray[np.bool_]:
        """(n, 4) walls that a disc's centre is on, in the order of ``wall_gaps``."""
        return np.concatenate([self.pinned == 0.0, self.pinned == self.box], axis=1)


def snap_to_grid(values: Floats) -> Floats:
    """Rounds lengths in um to the picometre grid."""
    return np.round(values, _DECIMALS)


def relax(placement: Placement, centres: Floats, *, gap: float, reach: float, steps: int) -> Floats:
    """Moves the discs until no gap is smaller than wanted, or the steps are used up.

    Args:
        placement: Radii and walls.
        centres: (n, 2) starting positions in um, on the grid.
        gap: Gap in um below which discs and walls repel each other.
        reach: Gap in um above which neighbours ignore each other; between ``gap`` and ``reach``
            they attract each other. Equal to ``gap`` for pure repulsion.
        steps: Largest number of steps.

    Returns:
        (n, 2) positions in um, on the grid.
    """
    velocity = np.zeros_like(centres)
    held = ~np.isnan(placement.pinned)
    centres = np.where(held, placement.pinned, centres)
    pairs = _Pairs(placement, centres, reach)
    for _ in range(steps):
        push = pairs.push(centres, gap)
        push += _wall_push(placement, centres, gap, reach)
        velocity = snap_to_grid(_INERTIA * velocity + _STIFFNESS * push)
        velocity[held] = 0.0
        if not velocity.any():
            break
        centres = snap_to_grid(centres + velocity)
    return centres


class _Pairs:
    """Pairs of discs within a reach, found anew when a disc has moved by half the skin."""

    def __init__(self, placement: Placement, centres: Floats, reach: float) -> None:
        """Finds the pairs with gaps in um up to the reach at the given (n, 2) centres in um."""
        self._placement, self._reach = placement, reach
        self._skin = _SKIN * float(placement.radius.mean())
        self._find(centres)

    def _find(self, centres: Floats) -> None:
        radius = self._placement.radius
        pairs = close_pairs(centres, radius, self._reach + self._skin)
        self._first, self._second = pairs.T.copy()
        self._touching = radius[self._first] + radius[self._second]
        # A disc's partners of lower number come first, those of higher number second: this is the
        # order of the discs, in which bincount adds up.
        self._ends = np.concatenate([self._second, self._first])
        self._found_at = centres

    def _offsets(self, centres: Floats) -> Floats:
        """(p, 2) vectors from the second disc's centre to the first's in um."""
        # A disc has moved by less than half the skin if its coordinates have by less than this.
        if np.abs(centres - self._found_at).max() > 0.5 / sqrt(2.0) * self._skin:
            self._find(centres)
        offsets: Floats = np.take(centres, self._first, axis=0)
        offsets -= np.take(centres, self._second, axis=0)
        return offsets

    def gaps(self, centres: Floats) -> Floats:
        """(p,) gaps in um, among them all that are smaller than the reach."""
        return np.asarray(_distances(self._offsets(centres)) - self._touching)

    def push(self, centres: Floats, gap: float) -> Floats:
        """(n, 2) sums of the missing gaps in um along the lines of centres."""
        offset = self._offsets(centres)
        distance = _distances(offset)
        error = _gap_error(distance - self._touching, gap, self._reach)
        # Two centres at the same place repel along no direction; the growth from small radii and
        # the other neighbours part them.
        parts = error * (offset.T / np.maximum(distance, _GRID))
        both = np.concatenate([-parts, parts], axis=1)
        sums = [np.bincount(self._ends, part, minlength=len(centres)) for part in both]
        # Of no pairs at all bincount makes integers.
        return np.stack(sums, axis=1, dtype=np.float64)


def _wall_push(placement: Placement, centres: Floats, gap: float, reach: float) -> Floats:
    error = _gap_error(placement.wall_gaps(centres), gap, reach)
    return error[:, :2] - error[:, 2:]


def _distances(offsets: Floats) -> Floats:
    """(p,) distances in um; sqrt is correctly rounded, hypot is not."""
    return np.asarray(np.sqrt(offsets[:, 0] ** 2 + offsets[:, 1] ** 2))


def _gap_error(gaps: Floats, gap: float, reach: float) -> Floats:
    """Missing gap in um: positive to push apart, negative to pull together."""
    return np.where(gaps < reach, gap - gaps, 0.0)
