"""Contact shares and contact pressure by their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from packings import boundary_of, circle

from creep_fem.contact.measures import (
    contact_pressure,
    contact_shares,
    outward_normals,
    phase_distances,
)

BOX = 10.0
PHASES = np.array([0, 0, 1], dtype=np.int32)


def test_normals_point_outwards() -> None:
    boundary, points = boundary_of([circle(3.0, 4.0, 1.5, 40)], BOX)
    np.testing.assert_allclose(
        outward_normals(boundary, points), (points - [3.0, 4.0]) / 1.5, atol=1e-12
    )


def test_distances_to_the_nearest_body_of_each_phase() -> None:
    boundary, points = boundary_of(
        [circle(3.0, 5.0, 1.0, 80), circle(5.5, 5.0, 1.0, 80), circle(3.0, 7.5, 1.0, 80)], BOX
    )
    distance = phase_distances(boundary, points, PHASES, BOX)
    right, top = 0, 20  # nodes of the first disc that look at the second and at the third
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
    # at the corners of the flats the smooth curves swing by some nm
    assert shares.min_gap == pytest.approx(0.001, abs=4e-3)


def test_wall_is_a_mirror() -> None:
    boundary, points = boundary_of([circle(1.002, 5.0, 1.0, 480)], BOX)
    phase = np.zeros(1, dtype=np.int32)
    shares = contact_shares(boundary, points, phase, BOX, touching_gap=0.01)
    assert shares.min_gap == pytest.approx(0.004, abs=1e-6)
    # 2 (0.002 + 1 - cos a) < 0.01 within the angle a on both sides of the apex
    assert shares.fraction[0] == pytest.approx(np.arccos(1.0 - 0.003) / np.pi, rel=0.02)


def test_pressure_of_a_uniformly_squeezed_disc() -> None:
    boundary, points = boundary_of([circle(3.0, 3.0, 1.0, 80)], BOX)
    grown = [3.0, 3.0] + 1.1 * (points - [3.0, 3.0])
    normal = outward_normals(boundary, grown)
    forces = -0.25 * 1.1 * boundary.node_lengths[:, None] * normal
    pressure = contact_pressure(boundary, points, grown, forces)
    np.testing.assert_allclose(pressure, 0.25, rtol=1e-12)
