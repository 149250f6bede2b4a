"""Random dense packings with given area fractions, sizes and smallest gap.

Discs are placed in three kinds of slots: with their centre in a corner, on a wall, or wholly inside
the box. So every free surface meets the symmetry walls at right angles, and no wall cuts off a
sliver. The radii are fixed first, such that the area fractions are met exactly; the discs then grow
from small radii to their own while they push each other apart (after Lubachevsky and Stillinger,
J. Stat. Phys. 60 (1990) 561), are drawn together by a short-ranged cohesion, which turns near
neighbours into near-contacts as compaction does, and are parted to the smallest gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, floor, pi, sqrt
from statistics import NormalDist
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from creep_fem.errors import PackingError
from creep_fem.microstructure.coordination import coordination
from creep_fem.microstructure.layout import PHASES, Disc, Layout
from creep_fem.microstructure.relaxation import Floats, Placement, relax, snap_to_grid

MINIMUM_COORDINATION = 2.0
"""Smallest mean number of near-contacts of an accepted dense packing, see ``coordination``."""

DENSE = 0.5
"""Solid fraction from which packings are dense. Below, discs have room to stay apart: a random
start reaches the minimum coordination seldom or never, so that none is asked for."""

_ATTEMPTS = 30
"""Number of random starts before a packing is given up."""

_DENSEST = pi / sqrt(12.0)
"""Area fraction of the hexagonal packing, the densest one of equal discs."""

_RADIUS_TOLERANCE = 0.2
"""Largest relative change of the radii, made to meet the area fractions with whole discs."""

_GROWTH = np.linspace(0.4, 1.0, 13)
"""Shares of the final radii that the discs grow through."""

_COHESION_REACH = 0.15
"""Reach of the cohesion beyond the smallest gap, as a share of the mean radius."""

_MARGIN = 1e-4
"""Share of the mean radius by which gaps are made larger than asked for; the relaxation ends there
only to a fraction of it."""


class PhasePacking(Protocol):
    """What ``pack`` needs to know about the particles of one phase."""

    @property
    def area_fraction(self) -> float:
        """Share of the box that the phase covers, dimensionless."""

    @property
    def radius(self) -> float:
        """Median radius in um."""

    @property
    def spread(self) -> float:
        """Standard deviation of the logarithm of the radius, dimensionless."""


class Packing(Protocol):
    """What ``pack`` needs to know about a packing."""

    @property
    def box(self) -> float:
        """Edge length of the box in um."""

    @property
    def seed(self) -> int:
        """Seed of the random numbers, not negative."""

    @property
    def minimum_gap(self) -> float:
        """Smallest gap between two discs, and between a disc and a wall, in um."""

    @property
    def active(self) -> PhasePacking:
        """Particles of active material."""

    @property
    def framework(self) -> PhasePacking:
        """Particles of the framework."""


@dataclass(frozen=True)
class _Slots:
    """Where discs may go: walls their centres are pinned to, and the share of a disc in the box."""

    pinned: Floats
    weight: Floats


class _AttemptError(Exception):
    """One random start led nowhere."""


def pack(packing: Packing) -> Layout:
    """Packs discs at random.

    The same parameters give the same layout on every platform.

    Args:
        packing: Box, seed, smallest gap, and for each phase its area fraction and radii; the radii
            are lognormal, and scaled by up to 20 % to meet the fraction with whole discs.

    Returns:
        Discs that lie in a corner, on a wall or wholly inside; their area fractions are met to
        1e-5, and no gap between discs or to a wall is smaller than asked for. The coordination is
        at least ``MINIMUM_COORDINATION`` if the solid fraction is at least ``DENSE``.

    Raises:
        PackingError: No such packing was found; the message says what stood in the way.
    """
    _check_density(packing)
    reasons = []
    for attempt in range(_ATTEMPTS):
        rng = np.random.default_rng([packing.seed, attempt])
        # Sparser packings need a cohesion of longer reach to form contacts.
        reach = _COHESION_REACH * (1.0 + attempt / 4.0)
        try:
            return _attempt(packing, rng, reach)
        except _AttemptError as reason:
            reasons.append(str(reason))
    raise PackingError(
        f"no packing was found in {_ATTEMPTS} attempts with seed {packing.seed}; the last ones "
        f"failed because {'; '.join(dict.fromkeys(reasons[-3:]))}. Choose smaller area fractions, "
        "a smaller gap, a larger box or another seed."
    )


def _check_density(packing: Packing) -> None:
    """Refuses what no arrangement can reach; each disc brings half the gap around it."""
    needed = 0.0
    for phase in (packing.active, packing.framework):
        needed += phase.area_fraction * (1.0 + 0.5 * packing.minimum_gap / phase.radius) ** 2
    if needed == 0.0:
        raise PackingError("both area fractions are 0: there are no particles to pack")
    if needed > _DENSEST:
        raise PackingError(
            f"discs and gaps would fill {needed:.3f} of the box, more than the densest packing "
            f"of equal discs ({_DENSEST:.3f}); choose smaller area fractions or a smaller gap"
        )


def _attempt(packing: Packing, rng: np.random.Generator, reach: float) -> Layout:
    slots = _draw_slots(packing, rng)
    phase = _draw_phases(packing, slots, rng)
    radius = _draw_radii(packing, slots, phase, rng)
    placement = Placement(packing.box, radius, slots.pinned)
    centres = _arrange(placement, packing.minimum_gap, reach, rng)
    order = zip(centres, radius, phase, strict=True)
    layout = Layout(
        packing.box,
        tuple(Disc(float(c[0]), float(c[1]), float(r), PHASES[p]) for c, r, p in order),
    )
    found = coordination(layout)
    solid = packing.active.area_fraction + packing.framework.area_fraction
    if solid >= DENSE and found < MINIMUM_COORDINATION:
        raise _AttemptError(f"the discs have only {found:.2f} near-contacts on average")
    return layout


def _draw_slots(packing: Packing, rng: np.random.Generator) -> _Slots:
    """Chooses how many discs sit on each wall and inside; each corner has one."""
    box = packing.box
    discs = _expected_discs(packing)
    mean = _mean_radius(packing)
    # A line through a random packing runs in discs over the same share as their area fraction; of
    # that length the corners take one diameter.
    fraction = packing.active.area_fraction + packing.framework.area_fraction
    on_wall = max((fraction * box - 2.0 * mean) / (2.0 * mean), 0.0)
    pinned = [(0.0, 0.0), (box, 0.0), (box, box), (0.0, box)]
    for wall in ((0.0, np.nan), (box, np.nan), (np.nan, 0.0), (np.nan, box)):
        pinned += [wall] * floor(on_wall + rng.random())
    cut = np.array(pinned)
    inside = round(sum(discs) - float(_weights(cut).sum()))
    if inside < 0 or len(cut) + inside < len(PHASES):
        raise _AttemptError("the box is too small for discs of these radii")
    every = np.concatenate([cut, np.full((inside, 2), np.nan)])
    every = every[rng.permutation(len(every))]
    return _Slots(every, _weights(every))


def _weights(pinned: Floats) -> Floats:
    """Share of a disc in the box: a half for each wall that its centre is on."""
    return np.asarray(0.5 ** (~np.isnan(pinned)).sum(axis=1))


def _expected_discs(packing: Packing) -> tuple[float, float]:
    """Number of whole discs of each phase that cover its area; E[r^2] = m^2 exp(2 s^2)."""
    active, framework = (
        p.area_fraction * packing.box**2 / (pi * p.radius**2 * exp(2.0 * p.spread**2))
        for p in (packing.active, packing.framework)
    )
    return active, framework


def _mean_radius(packing: Packing) -> float:
    active, framework = _expected_discs(packing)
    total = active * packing.active.radius + framework * packing.framework.radius
    return total / (active + framework)


def _draw_phases(packing: Packing, slots: _Slots, rng: np.random.Generator) -> NDArray[np.int64]:
    """Gives the first slots in random order to the active phase, as many as its area needs."""
    active, framework = _expected_discs(packing)
    order = rng.permutation(len(slots.weight))
    share = np.concatenate([[0.0], np.cumsum(slots.weight[order])]) / slots.weight.sum()
    count = int(np.argmin(np.abs(share - active / (active + framework))))
    if active > 0.0 and framework > 0.0:
        count = min(max(count, 1), len(order) - 1)
    phase = np.ones(len(order), dtype=np.int64)
    phase[order[:count]] = 0
    return phase


def _draw_radii(
    packing: Packing, slots: _Slots, phase: NDArray[np.int64], rng: np.random.Generator
) -> Floats:
    """Draws lognormal radii, one from each of as many equally likely classes as there are discs."""
    radius = np.empty(len(phase))
    for index, wanted in enumerate((packing.active, packing.framework)):
        members = np.flatnonzero(phase == index)
        if not members.size:
            continue
        levels = (rng.permutation(members.size) + rng.random(members.size)) / members.size
        deviates = [NormalDist().inv_cdf(min(max(level, 1e-9), 1.0 - 1e-9)) for level in levels]
        drawn = np.array([wanted.radius * exp(wanted.spread * z) for z in deviates])
        covered = pi * float((slots.weight[members] * drawn**2).sum())
        scale = sqrt(wanted.area_fraction * packing.box**2 / covered)
        if abs(scale - 1.0) > _RADIUS_TOLERANCE:
            raise _AttemptError(
                f"the {PHASES[index]} radii would have to be scaled by {scale:.2f} to cover "
                f"{wanted.area_fraction:.3g} of the box"
            )
        radius[members] = scale * drawn
    return snap_to_grid(radius)


def _arrange(
    placement: Placement, minimum_gap: float, reach: float, rng: np.random.Generator
) -> Floats:
    """Finds places for the discs; the numbers of steps were enough in all cases tried."""
    mean = float(placement.radius.mean())
    gap = minimum_gap + _MARGIN * mean
    centres = snap_to_grid(placement.box * rng.random((len(placement.radius), 2)))
    for share in _GROWTH:
        small = Placement(placement.box, share * placement.radius, placement.pinned)
        centres = relax(small, centres, gap=gap, reach=gap, steps=150)
    centres = relax(placement, centres, gap=gap, reach=gap + reach * mean, steps=600)
    centres = relax(placement, centres, gap=gap, reach=gap, steps=1500)
    smallest = placement.smallest_gap(centres)
    if smallest < minimum_gap:
        raise _AttemptError(f"the discs jam at a smallest gap of {smallest * 1e3:.1f} nm")
    return centres
