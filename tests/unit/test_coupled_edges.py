"""What the tangent couples, and what it has room for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from packings import boundary_of, circle, half_circle

from creep_fem.contact.boundary import Boundary
from creep_fem.contact.friction import CoulombLaw
from creep_fem.contact.law import CohesiveTail, PressureGapLaw
from creep_fem.contact.potential import Contact

LAW = PressureGapLaw(100.0, 0.002, 0.1, negligible_stiffness=1e-6)
STICKY = replace(LAW, adhesion=CohesiveTail(strength=0.05, reach=0.08))
BOX = 5.06
MARGIN = 0.2  # um
MOTION = 0.025


def three_bodies(law: PressureGapLaw) -> tuple[Boundary, NDArray[np.float64], Contact]:
    """Two discs and a half disc on a wall that touch."""
    pieces = [circle(2.0, 1.9, 1.0, 40), circle(4.002, 2.3, 1.05, 44), half_circle(3.75, 1.2, 25)]
    boundary, points = boundary_of(pieces, BOX)
    contact = Contact(boundary, law, BOX, np.arange(len(points)))
    contact.search(points, margin=MARGIN)
    return boundary, points, contact


def needed(contact: Contact, positions: NDArray[np.float64]) -> NDArray[np.int64]:
    """Keys of the pairs of edges that the Hessian couples."""
    contact.search(positions, margin=MARGIN)
    return contact.pair_keys(contact.evaluate(positions).hessian().edges)


def test_pairs_beyond_the_stiff_reach_change_no_direction() -> None:
    assert LAW.stiff_reach < LAW.cutoff
    assert LAW.tangent(np.array(LAW.stiff_reach)) == pytest.approx(1e-6, rel=1e-6)
    assert STICKY.stiff_reach == STICKY.cutoff == 0.08
    exact, soft = (replace(LAW, negligible_stiffness=slope) for slope in (0.0, 1e3))
    assert exact.stiff_reach == replace(LAW, negligible_stiffness=1e-30).stiff_reach == LAW.cutoff
    assert soft.stiff_reach == pytest.approx(-LAW.offset)
    _, points, contact = three_bodies(LAW)
    pairs = contact.evaluate(points).pairs
    stiff = pairs.near_gap < LAW.stiff_reach
    assert 0 < stiff.sum() < len(stiff)
    feet = pairs.feet.chosen(stiff)
    edges = contact.each_once(np.column_stack([contact.points.edge[feet.point], feet.edge]))
    np.testing.assert_array_equal(contact.each_once(pairs.hessian().edges), edges)


@pytest.mark.parametrize("law", [LAW, STICKY], ids=["repulsion", "adhesion"])
def test_there_is_room_for_motion_in_any_direction(law: PressureGapLaw) -> None:
    boundary, points, contact = three_bodies(law)
    room = contact.pair_keys(contact.coupled_edges(points))
    now = needed(contact, points)
    assert set(now) < set(room)
    # one disc moves one way, the other the other way, and the body at the wall stays
    way = np.array([1.0, -1.0, 0.0])[boundary.node_body][:, None]
    other = []
    for angle in np.linspace(0.0, 2.0 * np.pi, 24, endpoint=False):
        direction = np.array([np.cos(angle), np.sin(angle)])
        keys = needed(contact, points + MOTION * way * direction)
        assert np.isin(keys, room).all()
        other.append(not np.isin(keys, now).all())
    assert any(other)


def test_friction_keeps_its_blocks_while_pairs_slide() -> None:
    """What is stiff once it sticks needs a place in the matrix all the time."""
    boundary, points, _ = three_bodies(LAW)
    places = np.arange(len(points))
    counts = []
    for least in (0.0, 1e-6):
        law = replace(LAW, negligible_stiffness=least)
        contact = Contact(boundary, law, BOX, places, CoulombLaw(0.3, 1e-6))
        contact.search(points, MARGIN)
        contact.begin_step(points, 1000.0)
        edges = []
        for slip in (0.0, 0.01):
            moved = points + slip * (boundary.node_body == 1)[:, None] * [-0.2, 1.0]
            friction = contact.evaluate(moved).friction
            edges.append(friction.hessian().edges)
        np.testing.assert_array_equal(*edges)
        counts.append(len(edges[0]))
    assert 0 < counts[1] < counts[0]


def test_there_is_no_room_for_what_is_far() -> None:
    """Room that stays empty is factorised all the same."""
    _, points, contact = three_bodies(LAW)
    feet = contact.candidates
    candidates = contact.each_once(np.column_stack([contact.points.edge[feet.point], feet.edge]))
    assert len(contact.coupled_edges(points)) < 0.8 * len(candidates)


def test_without_candidates_nothing_is_coupled() -> None:
    boundary, points = boundary_of([circle(1.2, 2.5, 1.0, 40), circle(3.9, 2.5, 1.0, 40)], BOX)
    for nodes in (np.arange(len(points)), np.empty(0, dtype=np.int64)):
        contact = Contact(boundary, LAW, BOX, nodes)
        contact.search(points, margin=0.05)
        assert contact.coupled_edges(points).shape == (0, 2)
