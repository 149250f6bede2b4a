"""Pushes discs apart, and near neighbours together, until the gaps are as wanted.

The discs are moved by damped dynamics under their gap forces. All state is kept on a grid of one
picometre: rounding differences between processors, which such chaotic motion would amplify to
another packing, fall below the grid and vanish. For the same reason only correctly rounded
operations and plain sums are used here, no linear algebra library.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np
from numpy.typing import NDArray

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

    def pair_distance(self) -> Floats:
        """(n, n) distance of the centres of touching discs in um."""
        return np.asarray(self.radius[:, None] + self.radius[None, :])

    def smallest_gap(self, centres: Floats) -> float:
        """Smallest gap in um between two discs, or between a disc and a wall it is not on."""
        pairs = _distances(_offsets(centres)) - self.pair_distance()
        return float(min(pairs.min(), self.wall_gaps(centres).min()))

    def wall_gaps(self, centres: Floats) -> Floats:
        """(n, 4) gaps in um to the walls left, bottom, right, top, infinite to a disc's own."""
        gaps = np.concatenate([centres, self.box - centres], axis=1) - self.radius[:, None]
        gaps[np.concatenate([self.pinned == 0.0, self.pinned == self.box], axis=1)] = np.inf
        return gaps


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
    for _ in range(steps):
        push = _pair_push(placement, centres, gap, reach)
        push += _wall_push(placement, centres, gap, reach)
        velocity = snap_to_grid(_INERTIA * velocity + _STIFFNESS * push)
        velocity[held] = 0.0
        if not velocity.any():
            break
        centres = snap_to_grid(centres + velocity)
    return centres


def _pair_push(placement: Placement, centres: Floats, gap: float, reach: float) -> Floats:
    offset = _offsets(centres)
    distance = _distances(offset)
    error = _gap_error(distance - placement.pair_distance(), gap, reach)
    # Two centres at the same place repel along no direction; the growth from small radii and the
    # other neighbours part them.
    unit = offset / np.maximum(distance, _GRID)[..., None]
    return np.asarray((error[..., None] * unit).sum(axis=1))


def _wall_push(placement: Placement, centres: Floats, gap: float, reach: float) -> Floats:
    error = _gap_error(placement.wall_gaps(centres), gap, reach)
    return error[:, :2] - error[:, 2:]


def _offsets(centres: Floats) -> Floats:
    """(n, n, 2) vectors from the second disc's centre to the first's in um."""
    return centres[:, None, :] - centres[None, :, :]


def _distances(offsets: Floats) -> Floats:
    """(n, n) distances in um, infinite on the diagonal; sqrt is correctly rounded, hypot is not."""
    distance = np.sqrt(offsets[..., 0] ** 2 + offsets[..., 1] ** 2)
    np.fill_diagonal(distance, np.inf)
    return distance


def _gap_error(gaps: Floats, gap: float, reach: float) -> Floats:
    """Missing gap in um: positive to push apart, negative to pull together."""
    return np.where(gaps < reach, gap - gaps, 0.0)
