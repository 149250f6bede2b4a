"""What touches what: contact shares and contact pressure of the particle surfaces.

Definitions, used by every number and figure of the package:

* The *distance* of a surface point to a phase is the signed distance to the nearest other body of
  that phase. A wall is a mirror: where the outward normal points to a wall (within 60 degrees), the
  point also has the distance 2 d to its own image, which is of its own phase.
* A point *faces* the phase it is nearest to.
* A point *touches* if that distance is below the touching gap.

Distances are taken at points along every edge and interpolated in between, so that shares change
continuously and do not jump by whole elements.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from creep_fem.contact.boundary import Boundary, Curves, SurfacePoints
from creep_fem.contact.potential import Contact, ContactState
from creep_fem.contact.search import FootPoints, gaps, nearby_bodies, project

_INTERVALS = 6  # pieces of an edge between whose ends distances are interpolated
_FACING_COSINE = 0.5
_FAR = 1e6  # um, stands for "nothing there" where infinity would spoil interpolation


@dataclass(frozen=True)
class ContactShares:
    """Touching shares of the surfaces in their current lengths; P phases.

    Attributes:
        ratio: Touching share of the surface of phase a that faces phase b, shape (P, P);
            NaN where no surface of a faces b.
        fraction: Touching share of the whole surface of each phase, shape (P,).
        min_gap: Smallest distance found in um; negative where bodies overlap.
    """

    ratio: NDArray[np.float64]
    fraction: NDArray[np.float64]
    min_gap: float


def phase_distances(
    boundary: Boundary,
    positions: NDArray[np.float64],
    points: SurfacePoints,
    body_phase: NDArray[np.int32],
    box: float,
) -> NDArray[np.float64]:
    """Distance of surface points to every phase.

    Args:
        boundary: The surfaces.
        positions: Current positions of the surface nodes in um, shape (ns, 2).
        points: The points, n of them.
        body_phase: Phase of every body, shape (bodies,).
        box: Edge length of the box in um.

    Returns:
        Distances in um, shape (n, phases). Only the smallest of a row is exact; others may
        be missing (large) if they exceed it by more than the search radius.
    """
    places = points.positions(positions)
    body = boundary.edge_body[points.edge]
    distance = np.full((len(places), int(body_phase.max()) + 1), _FAR)
    normals = points.normals(positions)
    _include_images(distance, body_phase[body], normals, places, box)
    longest = 2.0 * float(boundary.chords(positions).max())
    radius = 2.0 * longest
    missing = np.arange(len(places))
    curves = boundary.curves(positions)
    while len(missing) and radius < 4.0 * box:
        start = nearby_bodies(boundary, positions, places[missing], body[missing], radius)
        feet = project(boundary, curves, places[missing], start)
        found = _signed_distance(curves, places[missing], feet)
        phase = body_phase[boundary.edge_body[feet.edge]]
        np.minimum.at(distance, (missing[feet.point], phase), found)
        # what is nearer than the radius (less half an edge) cannot have been missed
        missing = missing[distance[missing].min(axis=1) > radius - longest]
        radius *= 2.0
    return distance


def contact_shares(
    boundary: Boundary,
    positions: NDArray[np.float64],
    body_phase: NDArray[np.int32],
    box: float,
    touching_gap: float,
) -> ContactShares:
    """Touching shares of all surfaces.

    Args:
        boundary: The surfaces.
        positions: Current positions of the surface nodes in um, shape (ns, 2).
        body_phase: Phase of every body, shape (bodies,).
        box: Edge length of the box in um.
        touching_gap: Distance in um below which surfaces touch.
    """
    edges = np.arange(len(boundary.edge_body))
    parameters = np.linspace(0.0, 1.0, _INTERVALS + 1)
    points = SurfacePoints.at(boundary, edges, parameters, np.zeros_like(parameters))
    distance = phase_distances(boundary, positions, points, body_phase, box)
    phases = distance.shape[1]
    distance = distance.reshape(len(edges), _INTERVALS + 1, phases)
    places = points.positions(positions).reshape(len(edges), _INTERVALS + 1, 2)
    pieces = np.diff(places, axis=1)
    length = np.hypot(pieces[..., 0], pieces[..., 1])
    touching = length * _share_below(distance.min(axis=2) - touching_gap)
    total, touched = np.zeros((phases, phases)), np.zeros((phases, phases))
    own = body_phase[boundary.edge_body]
    for phase in range(phases):
        others = np.delete(distance, phase, axis=2).min(axis=2, initial=_FAR)
        facing = _share_below(distance[..., phase] - others)
        for sums, part in ((total, length * facing), (touched, touching * facing)):
            sums[:, phase] = np.bincount(own, part.sum(axis=1), minlength=phases)
    with np.errstate(invalid="ignore"):
        ratio, fraction = touched / total, touched.sum(axis=1) / total.sum(axis=1)
    return ContactShares(ratio, fraction, float(distance.min()))


def _share_below(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of each interval in which the linear interpolation of its ends is below zero.

    Args:
        values: Values at the ends of the k intervals of each edge, shape (m, k + 1).
    """
    low = np.minimum(values[:, :-1], values[:, 1:])
    high = np.maximum(values[:, :-1], values[:, 1:])
    span = np.where(high > low, high - low, 1.0)
    return np.where(high > low, np.clip(-low / span, 0.0, 1.0), (low < 0.0).astype(np.float64))


def pressure_sums(contact: Contact, state: ContactState) -> NDArray[np.float64]:
    """What the contact pressure at the surface nodes is made of: sum it over processes.

    The pressure of the integration points is averaged with hat functions over the half edges:
    weights that are nowhere negative, so a surface that only pushes shows no tension.

    Returns:
        Pressure times length in GPa um and length in um, shape (ns, 2).
    """
    boundary, points = contact.boundary, contact.points
    feet = state.pairs.feet
    pressure = np.bincount(feet.point, state.pairs.pressure, minlength=len(points.edge))
    along = 2.0 * points.parameter
    hats = np.stack(
        [np.maximum(1.0 - along, 0.0), 1.0 - np.abs(1.0 - along), np.maximum(along - 1.0, 0.0)],
        axis=1,
    )
    nodes = boundary.edge_nodes[points.edge].ravel()
    weights = hats * points.length[:, None]
    sums = np.zeros((state.size, 2))
    for column, parts in enumerate((weights * pressure[:, None], weights)):
        sums[:, column] = np.bincount(nodes, parts.ravel(), minlength=state.size)
    return sums


def contact_pressure(
    boundary: Boundary,
    reference: NDArray[np.float64],
    positions: NDArray[np.float64],
    sums: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Contact pressure at the surface nodes.

    Args:
        boundary: The surfaces.
        reference: Positions in the reference state in um, shape (ns, 2).
        positions: Current positions in um, shape (ns, 2).
        sums: :func:`pressure_sums` of all processes, shape (ns, 2).

    Returns:
        Contact pressure in GPa, per current length, shape (ns,).
    """
    stretch = _chord_sums(boundary, positions) / _chord_sums(boundary, reference)
    pressure: NDArray[np.float64] = sums[:, 0] / sums[:, 1] / stretch
    return pressure


def _chord_sums(boundary: Boundary, positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of the chords that end at every node in um, shape (ns,)."""
    chords = boundary.chords(positions)
    parts = np.stack([chords[:, 0], chords.sum(axis=1), chords[:, 1]], axis=1)
    sums: NDArray[np.float64] = np.bincount(
        boundary.edge_nodes.ravel(), parts.ravel(), minlength=len(positions)
    )
    return sums


def _signed_distance(
    curves: Curves, points: NDArray[np.float64], feet: FootPoints
) -> NDArray[np.float64]:
    """Distance to the foot points, negative for points inside the other body."""
    foot, *_ = curves.at(feet.edge, feet.parameter)
    length = np.hypot(*(points[feet.point] - foot).T)
    gap = gaps(curves, points, feet)
    # past an open end the foot is no projection, and "inside" has no meaning there
    projected = np.abs(gap) > 0.99 * length
    signed: NDArray[np.float64] = np.where(projected & (gap < 0.0), -length, length)
    return signed


def _include_images(
    distance: NDArray[np.float64],
    own_phase: NDArray[np.int32],
    normal: NDArray[np.float64],
    places: NDArray[np.float64],
    box: float,
) -> None:
    """Lower the distance to the own phase to that of the mirror images in the walls."""
    rows = np.arange(len(places))
    for component in range(2):
        for depth, outward in (
            (places[:, component], -normal[:, component]),
            (box - places[:, component], normal[:, component]),
        ):
            image = np.where(outward > _FACING_COSINE, 2.0 * depth, _FAR)
            distance[rows, own_phase] = np.minimum(distance[rows, own_phase], image)
