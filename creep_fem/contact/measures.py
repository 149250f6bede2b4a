"""What touches what: contact shares and contact pressure of the particle surfaces.

Definitions, used by every number and figure of the package:

* The *distance* of a surface point to a phase is the signed distance to the nearest other body of
  that phase. A wall is a mirror: where the outward normal points to a wall (within 60 degrees), the
  point also has the distance 2 d to its own image, which is of its own phase.
* A point *faces* the phase it is nearest to.
* A point *touches* if that distance is below the touching gap.

Between surface nodes distances are interpolated, so shares do not jump by whole elements.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from creep_fem.contact.boundary import Boundary
from creep_fem.contact.search import FootPoints, nearby_bodies, project

_SAMPLES = 16  # points per half edge at which shares are counted
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


def outward_normals(boundary: Boundary, positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit outward normals at all surface nodes, shape (ns, 2)."""
    edges = np.arange(len(boundary.edge_body))
    control = boundary.control_points(positions, edges)
    normal = np.empty_like(positions)
    for place, t in enumerate((0.0, 0.5, 1.0)):
        weights = boundary.weights(edges, np.full(len(edges), t), 1)
        slope = np.einsum("nk,nki->ni", weights, control)
        slope /= np.hypot(slope[:, 0], slope[:, 1])[:, None]
        # vertices are written twice, by the edges on both sides: the tangent is the same
        normal[boundary.edge_nodes[:, place]] = np.stack([slope[:, 1], -slope[:, 0]], axis=1)
    return normal


def phase_distances(
    boundary: Boundary,
    positions: NDArray[np.float64],
    body_phase: NDArray[np.int32],
    box: float,
) -> NDArray[np.float64]:
    """Distance of every surface node to every phase.

    Args:
        boundary: The surfaces.
        positions: Current positions of the surface nodes in um, shape (ns, 2).
        body_phase: Phase of every body, shape (bodies,).
        box: Edge length of the box in um.

    Returns:
        Distances in um, shape (ns, phases). Only the smallest of a row is exact; others may
        be missing (large) if they exceed it by more than the search radius.
    """
    distance = np.full((len(positions), int(body_phase.max()) + 1), _FAR)
    own_phase = body_phase[boundary.node_body]
    _include_images(distance, own_phase, outward_normals(boundary, positions), positions, box)
    longest = 2.0 * float(boundary.chords(positions).max())
    radius = 4.0 * longest
    open_nodes = np.arange(len(positions))
    while len(open_nodes) and radius < 4.0 * box:
        points = positions[open_nodes]
        near = nearby_bodies(boundary, positions, points, boundary.node_body[open_nodes], radius)
        feet = project(boundary, positions, points, near)
        phase = body_phase[boundary.edge_body[feet.edge]]
        found = _signed_distance(boundary, positions, points, feet)
        np.minimum.at(distance, (open_nodes[feet.point], phase), found)
        # what is nearer than the radius (less half an edge) cannot have been missed
        open_nodes = open_nodes[distance[open_nodes].min(axis=1) > radius - longest]
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
    distance = phase_distances(boundary, positions, body_phase, box)
    phases = distance.shape[1]
    t = (np.arange(_SAMPLES) + 0.5) / _SAMPLES
    start, end = (distance[boundary.edge_nodes[:, k : k + 2]] for k in (0, 1))
    sampled = start[..., None, :] + t[:, None] * (end - start)[..., None, :]
    facing = sampled.argmin(axis=-1)
    touching = sampled.min(axis=-1) < touching_gap
    length = np.broadcast_to(boundary.chords(positions)[..., None], facing.shape)
    own = body_phase[boundary.edge_body][:, None, None]
    pair = (own * phases + facing).ravel()
    total, touched = (
        np.bincount(pair, lengths.ravel(), minlength=phases**2).reshape(phases, phases)
        for lengths in (length, length * touching)
    )
    with np.errstate(invalid="ignore"):
        ratio, fraction = touched / total, touched.sum(axis=1) / total.sum(axis=1)
    return ContactShares(ratio, fraction, float(distance.min()))


def contact_pressure(
    boundary: Boundary,
    reference: NDArray[np.float64],
    positions: NDArray[np.float64],
    forces: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Normal traction at the surface nodes.

    Args:
        boundary: The surfaces.
        reference: Positions in the reference state in um, shape (ns, 2).
        positions: Current positions in um, shape (ns, 2).
        forces: Contact forces on the nodes in GPa um, shape (ns, 2).

    Returns:
        Contact pressure in GPa, per current length, shape (ns,).
    """
    stretch = _chord_sums(boundary, positions) / _chord_sums(boundary, reference)
    normal = outward_normals(boundary, positions)
    pressure: NDArray[np.float64] = -np.einsum("ni,ni->n", forces, normal) / (
        boundary.node_lengths * stretch
    )
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
    boundary: Boundary,
    positions: NDArray[np.float64],
    points: NDArray[np.float64],
    feet: FootPoints,
) -> NDArray[np.float64]:
    """Distance to the foot points, negative for points inside the other body."""
    control = boundary.control_points(positions, feet.edge)
    foot, slope = (
        np.einsum("nk,nki->ni", boundary.weights(feet.edge, feet.parameter, order), control)
        for order in range(2)
    )
    difference = points[feet.point] - foot
    length = np.hypot(difference[:, 0], difference[:, 1])
    cross = difference[:, 0] * slope[:, 1] - difference[:, 1] * slope[:, 0]
    gap = cross / np.hypot(slope[:, 0], slope[:, 1])
    # past an open end the foot is no projection, and "inside" has no meaning there
    projected = np.abs(gap) > 0.99 * length
    signed: NDArray[np.float64] = np.where(projected & (gap < 0.0), -length, length)
    return signed


def _include_images(
    distance: NDArray[np.float64],
    own_phase: NDArray[np.int32],
    normal: NDArray[np.float64],
    positions: NDArray[np.float64],
    box: float,
) -> None:
    """Lower the distance to the own phase to that of the mirror images in the walls."""
    nodes = np.arange(len(positions))
    for component in range(2):
        for depth, outward in (
            (positions[:, component], -normal[:, component]),
            (box - positions[:, component], normal[:, component]),
        ):
            image = np.where(outward > _FACING_COSINE, 2.0 * depth, _FAR)
            distance[nodes, own_phase] = np.minimum(distance[nodes, own_phase], image)
