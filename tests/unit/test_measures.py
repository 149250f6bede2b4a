"""Contact shares and contact pressure by their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from packings import boundary_of, circle

from creep_fem.contact.boundary import SurfacePoints
from creep_fem.contact.law import PressureGapLaw
from creep_fem.contact.measures import (
    contact_pressure,
    contact_shares,
    phase_distances,
    pressure_sums,
)
from creep_fem.contact.potential import Contact

BOX = 10.0
PHASES = np.array([0, 0, 1], dtype=np.int32)


def test_normals_point_outwards() -> None:
    boundary, points = boundary_of([circle(3.0, 4.0, 1.5, 80)], BOX)
    vertices = SurfacePoints.at(boundary, np.arange(40), np.array([0.5]), np.ones(1))
    places = vertices.positions(points)
    np.testing.assert_allclose(vertices.normals(points), (places - [3.0, 4.0]) / 1.5, atol=1e-12)


def test_distances_to_the_nearest_body_of_each_phase() -> None:
    pieces = [circle(3.0, 5.0, 1.0, 80), circle(5.5, 5.0, 1.0, 80), circle(3.0, 7.5, 1.0, 80)]
    boundary, points = boundary_of(pieces, BOX)
    starts = SurfacePoints.at(boundary, np.arange(40), np.zeros(1), np.ones(1))
    distance = phase_distances(boundary, points, starts, PHASES, BOX)
    right, top = 0, 10  # edges of the first disc whose start looks at the second, at the third
    assert distance[right, 0] == pytest.approx(0.5, abs=1e-5)
    assert distance[top, 1] == pytest.approx(0.5, abs=1e-5)


def flattened(count: int, depth: float) -> NDArray[np.float64]:
    """A disc of radius 1 around (0, 0), cut off flat at x = 1 - depth."""
    points = circle(0.0, 0.0, 1.0, count)
    points[:, 0] = np.minimum(points[:, 0], 1.0 - depth)
    return points


@pytest.mark.parametrize("count", [60, 120, 240])
def test_shares_do_not_depend_on_the_mesh(count: int) -> None:
    """Two discs that meet in a flat of known length, 1 nm apart."""
    depth = 0.2
    left = np.array([3.0, 5.0]) + flattened(count, depth)
    far = np.array([3.0 + 2.0 * (1.0 - depth) + 0.001, 5.0])
    right = far + np.array([-1.0, 1.0]) * flattened(count, depth)[::-1]
    boundary, points = boundary_of([left, right, circle(3.8, 7.2, 1.0, count)], BOX)
    shares = contact_shares(boundary, points, PHASES, BOX, touching_gap=0.01)
    chord = 2.0 * np.sqrt(1.0 - (1.0 - depth) ** 2)
    whole = chord + 2.0 * np.pi - 2.0 * np.arccos(1.0 - depth)
    # beside the flat the gap opens to 10 nm over some nm only: the flat is what touches
    assert shares.fraction[0] == pytest.approx(chord / whole, abs=0.004)
    assert shares.fraction[1] == 0.0
    assert shares.ratio[0, 0] > shares.fraction[0]
    assert shares.ratio[0, 1] == 0.0


def test_wall_is_a_mirror() -> None:
    boundary, points = boundary_of([circle(1.002, 5.0, 1.0, 480)], BOX)
    phase = np.zeros(1, dtype=np.int32)
    shares = contact_shares(boundary, points, phase, BOX, touching_gap=0.01)
    assert shares.min_gap == pytest.approx(0.004, abs=1e-6)
    # 2 (0.002 + 1 - cos a) < 0.01 within the angle a on both sides of the apex
    assert shares.fraction[0] == pytest.approx(np.arccos(1.0 - 0.003) / np.pi, rel=0.02)


def test_smallest_gap_is_found_between_nodes() -> None:
    """The discs overlap deepest between two nodes of a coarse mesh."""
    angle = np.pi / 24.0
    points = np.array([3.0, 5.0]) + circle(0.0, 0.0, 1.0, 24) @ np.array(
        [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
    )
    pieces = [points, circle(4.99, 5.0, 1.0, 24), circle(3.0, 8.0, 0.9, 24)]
    boundary, points = boundary_of(pieces, BOX)
    shares = contact_shares(boundary, points, PHASES, BOX, touching_gap=0.01)
    assert shares.min_gap == pytest.approx(-0.01, abs=5e-4)


def test_shares_change_continuously() -> None:
    fractions = []
    for shift in (0.0, 1e-7):
        pieces = [circle(3.0, 5.0, 1.0, 60), circle(5.002 + shift, 5.0, 1.0, 60)]
        boundary, points = boundary_of(pieces, BOX)
        shares = contact_shares(boundary, points, PHASES[:2], BOX, touching_gap=0.01)
        fractions.append(shares.fraction[0])
    assert 0.0 < fractions[0] - fractions[1] < 1e-5


def test_pressure_averages_that_of_the_law_and_is_never_negative() -> None:
    law = PressureGapLaw(100.0, 0.004, 0.1)
    pieces = [circle(3.0, 5.0, 1.0, 360), circle(4.99, 5.0, 1.0, 360)]
    boundary, points = boundary_of(pieces, BOX)
    contact = Contact(boundary, law, BOX, np.arange(len(points)))
    contact.search(points, margin=0.05)
    sums = pressure_sums(contact, contact.evaluate(points))
    pressure = contact_pressure(boundary, points, points, sums)
    assert pressure.min() >= 0.0
    assert pressure.max() == pytest.approx(law.pressure(np.array([-0.01]))[0], rel=0.1)
    # half of the force comes from each side
    force = -contact.evaluate(points).gradient().reshape(-1, 2)[:360]
    assert np.hypot(*force.sum(axis=0)) == pytest.approx(
        (pressure * boundary.node_lengths)[:360].sum(), rel=0.05
    )


def test_pressure_is_per_current_length() -> None:
    law = PressureGapLaw(100.0, 0.004, 0.1)
    pieces = [circle(3.0, 5.0, 1.0, 60), circle(4.99, 5.0, 1.0, 60)]
    boundary, points = boundary_of(pieces, BOX)
    contact = Contact(boundary, law, BOX, np.arange(len(points)))
    contact.search(points, margin=0.05)
    sums = pressure_sums(contact, contact.evaluate(points))
    np.testing.assert_allclose(
        contact_pressure(boundary, points / 1.1, points, sums),
        contact_pressure(boundary, points, points, sums) / 1.1,
        rtol=1e-12,
    )
