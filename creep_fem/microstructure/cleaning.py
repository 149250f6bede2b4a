"""Removes what no good mesh can be made of: slivers at the walls and gaps that are too narrow."""

from __future__ import annotations

from dataclasses import replace
from math import hypot, pi

from creep_fem.errors import ConfigError, Problem
from creep_fem.microstructure.areas import disc_area_in_box
from creep_fem.microstructure.layout import Disc, Layout, check_layout, pairs_within
from creep_fem.microstructure.particle_mesh import WALLS

SMALLEST_SHARE = 0.05
"""A disc with a smaller share of its area in the box is removed: its tips are too sharp."""

SNAP_DISTANCE = 0.02
"""A centre closer to a wall than this share of the radius is moved onto the wall."""

GRAZING_DEPTH = 0.05
"""A wall that cuts off less than this share of the radius does not cut but graze: between wall and
free surface there would be a pore with an angle below 18 degrees. Such a disc is made smaller, and
so is one whose circle passes a corner of the box this closely, which leaves a very short edge."""


def clean_layout(layout: Layout, minimum_gap: float) -> tuple[Layout, list[str]]:
    """Makes a layout fit to be meshed, changing as little as possible.

    In this order: discs with hardly any area in the box are removed; centres next to a wall are
    moved onto it; discs closer to each other than the smallest gap lose half of what is missing
    each; discs that graze a wall are made small enough to keep the smallest gap to it.

    Args:
        layout: Discs that do not overlap.
        minimum_gap: Smallest gap between two discs, and between a disc and a wall that does not cut
            it, in um; below half the smallest radius.

    Returns:
        The clean layout, which a second cleaning leaves as it is, and one message for each change;
        messages number the discs as in the layout given.

    Raises:
        ConfigError: Discs overlap, lie outside the box, or are too small for the gap; or none is
            left.
    """
    check_layout(layout)
    _check_radii(layout, minimum_gap)
    messages: list[str] = []
    kept = _without_slivers(dict(enumerate(layout.discs)), layout, messages)
    kept = {i: _snapped(i, disc, layout, messages) for i, disc in kept.items()}
    kept = _parted(kept, layout, minimum_gap, messages)
    kept = {i: _not_grazing(i, d, layout, minimum_gap, messages) for i, d in kept.items()}
    kept = _without_slivers(kept, layout, messages)
    if not kept:
        raise ConfigError("layout", [Problem("discs", "no disc has a usable part in the box")])
    return Layout(layout.box, tuple(kept.values())), messages


def _check_radii(layout: Layout, minimum_gap: float) -> None:
    problems = [
        Problem(
            f"discs[{index}].r",
            f"{layout.describe(index)} is too small for a gap of {minimum_gap * 1e3:.4g} nm",
            f"{disc.radius:g} um",
            f"above {2.0 * minimum_gap:g} um",
        )
        for index, disc in enumerate(layout.discs)
        if disc.radius <= 2.0 * minimum_gap
    ]
    if problems:
        raise ConfigError("layout", problems)


def _without_slivers(
    discs: dict[int, Disc], layout: Layout, messages: list[str]
) -> dict[int, Disc]:
    kept = {}
    for index, disc in discs.items():
        area = disc_area_in_box(disc.x, disc.y, disc.radius, layout.box)
        share = area / (pi * disc.radius**2)
        if share >= SMALLEST_SHARE:
            kept[index] = disc
        else:
            messages.append(
                f"removed {layout.describe(index)}: only {share:.2%} of its area lies in the box"
            )
    return kept


def _depths(disc: Disc, box: float) -> dict[str, float]:
    """Distance of the centre to each wall in um, positive inside."""
    return dict(zip(WALLS, (disc.x, box - disc.x, disc.y, box - disc.y), strict=True))


def _snapped(index: int, disc: Disc, layout: Layout, messages: list[str]) -> Disc:
    box = layout.box
    for wall, depth in _depths(disc, box).items():
        if 0.0 < abs(depth) <= SNAP_DISTANCE * disc.radius:
            coordinate = 0.0 if wall in ("left", "bottom") else box
            if wall in ("left", "right"):
                disc = replace(disc, x=coordinate)
            else:
                disc = replace(disc, y=coordinate)
            messages.append(
                f"moved the centre of {layout.describe(index)} by {abs(depth) * 1e3:.4g} nm onto "
                f"the {wall} wall"
            )
    return disc


def _parted(
    discs: dict[int, Disc], layout: Layout, minimum_gap: float, messages: list[str]
) -> dict[int, Disc]:
    """Makes discs that are too close smaller; this opens other gaps only, so one pass is enough."""
    missing = dict.fromkeys(discs, 0.0)
    numbers = list(discs)
    for first, second in pairs_within(list(discs.values()), minimum_gap):
        i, j = numbers[first], numbers[second]
        lack = minimum_gap - discs[i].gap_to(discs[j])
        # What rounding leaves of a gap that was just made is wide enough.
        if lack > 1e-9 * minimum_gap:
            missing[i], missing[j] = max(missing[i], lack), max(missing[j], lack)
            messages.append(
                f"made {layout.describe(i)} and {layout.describe(j)} smaller to widen the gap "
                f"between them by {lack * 1e3:.4g} nm"
            )
    return {i: replace(d, radius=d.radius - 0.5 * missing[i]) for i, d in discs.items()}


def _not_grazing(
    index: int, disc: Disc, layout: Layout, minimum_gap: float, messages: list[str]
) -> Disc:
    """Makes a disc smaller until it clearly cuts or clearly misses every wall and corner."""
    box = layout.box
    obstacles = [
        (depth, depth - minimum_gap, f"{wall} wall") for wall, depth in _depths(disc, box).items()
    ]
    for x, y in ((0.0, 0.0), (box, 0.0), (box, box), (0.0, box)):
        distance = hypot(disc.x - x, disc.y - y)
        name = f"corner ({x:g}, {y:g}) um"
        obstacles.append((distance, distance / (1.0 + GRAZING_DEPTH), name))
    # A smaller disc can come to graze what it has clearly cut before, but only what is nearer: the
    # farthest obstacle goes first.
    for distance, largest, name in sorted(obstacles, reverse=True):
        lack = disc.radius - largest
        if distance > (1.0 - GRAZING_DEPTH) * disc.radius and lack > 1e-9 * disc.radius:
            disc = replace(disc, radius=largest)
            messages.append(
                f"made the radius of {layout.describe(index)} smaller by {lack * 1e3:.4g} nm: it "
                f"grazes the {name}"
            )
    return disc
