"""Law, splines, projection and the contact energy with its derivatives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from packings import boundary_of, circle, half_circle
from scipy.integrate import quad

from creep_fem.contact.boundary import Boundary
from creep_fem.contact.friction import CoulombLaw
from creep_fem.contact.images import MirroredBoundary
from creep_fem.contact.law import CohesiveTail, PressureGapLaw
from creep_fem.contact.pairs import NodeBlocks
from creep_fem.contact.potential import Contact, ContactState
from creep_fem.contact.search import gaps, nearby_bodies, project

LAW = PressureGapLaw(stiffness=100.0, smoothing=0.004, zero_gap_pressure=0.1)
STICKY = replace(LAW, adhesion=CohesiveTail(strength=0.05, reach=0.2))
BOX = 5.06


def three_bodies(noise: float = 0.0) -> tuple[Boundary, NDArray[np.float64], Contact]:
    """Two discs and a half disc that overlap by some nm."""
    pieces = [circle(2.0, 1.9, 1.0, 40), circle(4.002, 2.3, 1.05, 44), half_circle(3.75, 1.2, 25)]
    boundary, points = boundary_of(pieces, BOX)
    points = points + noise * np.random.default_rng(0).standard_normal(points.shape)
    contact = Contact(boundary, LAW, BOX, np.arange(len(points)))
    contact.search(points, margin=0.05)
    return boundary, points, contact


def dense(pairs: NodeBlocks, size: int) -> NDArray[np.float64]:
    matrix = np.zeros((size, size))
    for nodes, block in zip(pairs.nodes, pairs.values, strict=True):
        dofs = (2 * nodes[:, None] + np.arange(2)).ravel()
        # a node may appear twice: mirrored control points
        np.add.at(matrix, (dofs[:, None], dofs[None, :]), block)
    return matrix


@pytest.mark.parametrize("gap", [-0.05, -0.004, 0.0, 0.003, 0.02])
def test_potential_is_integral_of_pressure(gap: float) -> None:
    far = gap + 60.0 * LAW.smoothing
    work, _ = quad(lambda g: float(LAW.pressure(np.array(g))), gap, far, epsabs=1e-14)
    potential = LAW.potential(np.array([gap]))[0] - LAW.potential(np.array([far]))[0]
    assert potential == pytest.approx(work, rel=1e-9)


def test_tangent_is_slope_of_pressure() -> None:
    gap, h = np.linspace(-0.03, 0.03, 13), 1e-7
    slope = (LAW.pressure(gap + h) - LAW.pressure(gap - h)) / (2.0 * h)
    np.testing.assert_allclose(LAW.tangent(gap), -slope, rtol=1e-6, atol=1e-9)


def test_zero_gap_pressure_and_cutoff() -> None:
    assert LAW.pressure(np.array([0.0]))[0] == pytest.approx(0.1, rel=1e-12)
    assert LAW.pressure(np.array([LAW.cutoff]))[0] < 1e-15


def test_tension_is_c1_ends_at_its_range_and_does_its_work() -> None:
    tail = CohesiveTail(strength=0.005, reach=0.02)
    assert tail.tension(np.array([0.01]))[0] == pytest.approx(0.005, rel=1e-14)
    ends = np.array([-1.0, 0.0, 0.02, 1.0])
    assert not tail.tension(ends).any()
    assert not tail.slope(ends).any()
    gap = np.linspace(0.001, 0.019, 7)
    slope = (tail.tension(gap + 1e-7) - tail.tension(gap - 1e-7)) / 2e-7
    np.testing.assert_allclose(tail.slope(gap), slope, rtol=1e-6, atol=1e-8)
    for start in (-0.01, 0.0, 0.007, 0.02):
        work, _ = quad(lambda g: float(tail.tension(np.array(g))), max(start, 0.0), 0.02)
        assert tail.remaining_work(np.array([start]))[0] == pytest.approx(work, rel=1e-10)
    assert tail.work == pytest.approx(tail.remaining_work(np.array([0.0]))[0], rel=1e-14)


def test_adhesion_adds_to_the_law_without_changing_the_repulsion() -> None:
    tail = CohesiveTail(strength=0.05, reach=0.3)
    law, gap = replace(LAW, adhesion=tail), np.linspace(-0.02, 0.35, 38)
    np.testing.assert_allclose(law.pressure(gap), LAW.pressure(gap) - tail.tension(gap))
    np.testing.assert_allclose(law.tangent(gap), LAW.tangent(gap) + tail.slope(gap))
    assert law.cutoff == 0.3
    assert replace(law, adhesion=replace(tail, reach=0.01)).cutoff == LAW.cutoff


def test_work_of_adhesion_is_that_from_rest_to_parting() -> None:
    law = replace(LAW, adhesion=CohesiveTail(strength=0.05, reach=0.06))
    gap = np.linspace(-0.01, 0.2, 20001)
    assert law.work_of_adhesion == pytest.approx(-law.potential(gap).min(), rel=1e-5)
    assert 0.0 < law.work_of_adhesion < law.adhesion.work
    assert LAW.work_of_adhesion == 0.0
    assert replace(LAW, adhesion=CohesiveTail(1e-9, 0.06)).work_of_adhesion == 0.0


def test_offset_of_a_soft_law_does_not_overflow() -> None:
    law = PressureGapLaw(stiffness=1.0, smoothing=1e-4, zero_gap_pressure=0.1)
    assert law.pressure(np.array([0.0]))[0] == pytest.approx(0.1, rel=1e-12)


def test_law_is_finite_far_apart_and_far_inside() -> None:
    gap = np.array([-10.0, 10.0, np.inf])
    with np.errstate(over="raise", invalid="raise"):
        assert np.all(np.isfinite(LAW.pressure(gap)))
    assert LAW.potential(gap)[1:] == pytest.approx([0.0, 0.0], abs=1e-300)


def test_lumped_lengths_add_up_to_the_circumference() -> None:
    boundary, _ = boundary_of([circle(2.5, 2.5, 1.0, 64), half_circle(2.5, 1.2, 33)], BOX)
    assert boundary.node_lengths[:64].sum() == pytest.approx(2.0 * np.pi, rel=1e-5)
    assert boundary.node_lengths[64:].sum() == pytest.approx(1.2 * np.pi, rel=1e-5)


def test_curve_over_a_circle_has_order_four() -> None:
    errors = []
    for count in (16, 32, 64):
        boundary, points = boundary_of([circle(0.0, 0.0, 1.0, count)], BOX)
        edges = np.repeat(np.arange(count // 2), 9)
        t = np.tile(np.linspace(0.0, 1.0, 9), count // 2)
        curve, *_ = boundary.curves(points).at(edges, t)
        errors.append(np.abs(np.hypot(curve[:, 0], curve[:, 1]) - 1.0).max())
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert orders == pytest.approx(4.0, abs=0.2)


def test_curve_has_a_continuous_tangent_between_unequal_edges() -> None:
    pieces = [circle(2.5, 2.5, 1.0, 24), half_circle(2.5, 1.2, 25)]
    boundary, points = boundary_of(pieces, BOX)
    angle = np.arctan2(points[:24, 1] - 2.5, points[:24, 0] - 2.5)
    angle[::4] += 0.05  # every other vertex is moved along the circle, mid-nodes to the middle
    angle[1::2] = 0.5 * (angle[::2] + np.unwrap(np.roll(angle[::2], -1) - angle[::2]) + angle[::2])
    boundary, points = boundary_of([circle(2.5, 2.5, 1.0, 24), half_circle(2.5, 1.2, 25)], BOX)
    points = points + 0.02 * np.random.default_rng(1).normal(size=points.shape)
    for edge, onward in enumerate(boundary.following):
        if onward < 0:
            continue
        tangents = [
            boundary.curves(points).at(np.array([e]), np.array([t]))[1][0]
            / boundary.edge_lengths[e]
            for e, t in ((edge, 1.0), (onward, 0.0))
        ]
        np.testing.assert_allclose(*tangents, atol=1e-12)


def test_uniform_pressure_loads_nodes_like_the_finite_elements() -> None:
    boundary, _ = boundary_of([circle(2.5, 2.5, 1.0, 32)], BOX)
    t, gauss = np.polynomial.legendre.leggauss(6)
    loads = (0.5 * gauss) @ boundary.weights(np.full(6, 3), 0.5 * (1.0 + t))
    np.testing.assert_allclose(loads, [0.0, 1.0 / 6.0, 4.0 / 6.0, 1.0 / 6.0, 0.0], atol=1e-14)


def test_gap_between_discs_is_that_of_circles() -> None:
    centres, radii = np.array([[1.5, 2.0], [3.6, 2.4]]), (1.0, 1.1)
    boundary, points = boundary_of(
        [circle(*c, r, 128) for c, r in zip(centres, radii, strict=True)], BOX
    )
    contact = Contact(boundary, LAW, BOX, np.arange(len(points)))
    contact.search(points, margin=0.2)
    contact.evaluate(points)
    feet = contact.candidates
    body = 1 - boundary.edge_body[contact.points.edge[feet.point]]
    places = contact.points.positions(points)
    exact = np.hypot(*(places[feet.point] - centres[body]).T) - np.array(radii)[body]
    curves = boundary.curves(points)
    np.testing.assert_allclose(gaps(curves, places, feet), exact, atol=1e-6)


@pytest.mark.parametrize("law", [LAW, STICKY], ids=["repulsion", "adhesion"])
def test_pairs_that_are_not_projected_every_time_are_not_missed(law: PressureGapLaw) -> None:
    """Two bodies drift towards each other, so that more and more pairs come within reach."""
    boundary, points, _ = three_bodies()
    points[boundary.node_body == 0] -= [0.06, 0.03]
    towards = np.array([[0.7, 0.7], [-0.7, -0.7], [0.0, 0.0]])[boundary.node_body]
    contact = Contact(boundary, law, BOX, np.arange(len(points)))
    contact.search(points, margin=0.05)
    active, projected = [], []
    for step in range(50):
        moved = points + 0.001 * step * towards
        assert contact.search_is_valid(moved)
        state = contact.evaluate(moved)
        fresh = Contact(boundary, law, BOX, np.arange(len(points)))
        fresh.search(moved, margin=0.05)
        anew = fresh.evaluate(moved)
        assert state.active_pairs == anew.active_pairs
        assert state.energy == pytest.approx(anew.energy, rel=1e-12)
        np.testing.assert_allclose(state.gradient(), anew.gradient(), atol=1e-12)
        active.append(state.active_pairs)
        projected.append(len(state.pairs.gap))
    assert active[-1] > active[0]
    assert np.mean(projected) < 0.8 * len(contact.candidates.point)


def test_gradient_and_hessian_against_finite_differences() -> None:
    _, points, contact = three_bodies(noise=0.003)
    state = contact.evaluate(points)
    assert state.active_pairs > 8
    assert state.min_gap < 0.0
    size, h = points.size, 1e-7
    hessian = dense(state.hessian(), points.size)
    gradient, numeric_gradient = state.gradient(), np.zeros(size)
    numeric_hessian = np.zeros((size, size))
    for dof in range(size):
        change = np.zeros(size)
        change[dof] = h
        ahead, behind = (contact.evaluate(points + s * change.reshape(-1, 2)) for s in (1, -1))
        numeric_gradient[dof] = (ahead.energy - behind.energy) / (2.0 * h)
        numeric_hessian[dof] = (ahead.gradient() - behind.gradient()) / (2.0 * h)
    # a mirrored control point moves with the wall's own coordinate only through fixed dofs
    free = np.setdiff1d(np.arange(size), [2 * 84, 2 * 108])
    np.testing.assert_allclose(
        numeric_gradient[free], gradient[free], atol=1e-7 * np.abs(gradient).max()
    )
    np.testing.assert_allclose(
        numeric_hessian[np.ix_(free, free)],
        hessian[np.ix_(free, free)],
        atol=1e-7 * np.abs(hessian).max(),
    )
    np.testing.assert_allclose(hessian, hessian.T, atol=1e-14 * np.abs(hessian).max())


def test_action_equals_reaction() -> None:
    boundary, points = boundary_of([circle(1.5, 2.5, 1.0, 40), circle(3.49, 2.6, 1.0, 44)], BOX)
    contact = Contact(boundary, LAW, BOX, np.arange(len(points)))
    contact.search(points, margin=0.05)
    forces = -contact.evaluate(points).gradient().reshape(-1, 2)
    scale = np.abs(forces).max()
    assert scale > 1e-3
    assert np.abs(forces.sum(axis=0)).max() < 1e-13 * scale
    torque = points[:, 0] * forces[:, 1] - points[:, 1] * forces[:, 0]
    assert abs(torque.sum()) < 1e-13 * scale


def test_shares_of_nodes_add_up_to_the_whole() -> None:
    boundary, points, contact = three_bodies()
    whole = contact.evaluate(points)
    gradient, energy = np.zeros(points.size), 0.0
    for nodes in (np.arange(0, 109, 2), np.arange(1, 109, 2)):
        part = Contact(boundary, LAW, BOX, nodes)
        part.search(points, margin=0.05)
        state = part.evaluate(points)
        gradient, energy = gradient + state.gradient(), energy + state.energy
    assert energy == pytest.approx(whole.energy, rel=1e-13)
    np.testing.assert_allclose(gradient, whole.gradient(), rtol=0, atol=1e-15)


def test_wall_acts_like_the_mirror_image() -> None:
    """A disc pressed against a wall feels the force that its mirror image would exert."""
    box, radius = 6.0, 1.0
    x = radius - 0.001
    pieces = [circle(x, 3.0, radius, 192)]
    boundary, points = boundary_of(pieces, box)
    wall = Contact(boundary, LAW, box, np.arange(len(points)))
    wall.search(points, margin=0.05)
    by_wall = -wall.evaluate(points).gradient().reshape(-1, 2)[:, 0].sum()

    shifted = [circle(x + 2.0, 3.0, radius, 192), circle(2.0 - x, 3.0, radius, 192)]
    boundary, points = boundary_of(shifted, box)
    pair = Contact(boundary, LAW, box, np.arange(len(points)))
    pair.search(points, margin=0.05)
    by_image = -pair.evaluate(points).gradient().reshape(-1, 2)[:192, 0].sum()
    assert by_wall == pytest.approx(by_image, rel=1e-10)


def test_a_flat_body_on_a_wall_does_not_touch_its_image() -> None:
    """Its surface and that of the image are turned away from each other, back to back."""
    flat = half_circle(2.5, 1.2, 41)
    flat[:, 0] *= 0.1
    boundary, points = boundary_of([flat], BOX)
    contact = Contact(boundary, LAW, BOX, np.arange(len(points)))
    contact.search(points, margin=0.05)
    assert len(contact.candidates.point) > 0
    assert contact.evaluate(points).active_pairs == 0


def test_a_body_that_spreads_along_a_wall_touches_its_image() -> None:
    """The surface beyond the cut leans over to the wall."""
    angle = np.linspace(-1.7, 1.7, 81) * np.pi / 2.0
    leaning = np.column_stack([np.cos(angle), 2.5 + np.sin(angle)])
    leaning[:, 0] -= leaning[0, 0] - 0.001
    leaning[[0, -1], 0] = 0.0
    boundary, points = boundary_of([leaning], BOX)
    contact = Contact(boundary, LAW, BOX, np.arange(len(points)))
    contact.search(points, margin=0.05)
    state = contact.evaluate(points)
    assert state.active_pairs > 0
    assert state.wall_forces()[0] > 0.0


def energy_in_box(pieces: list[NDArray[np.float64]], box: float) -> tuple[float, ContactState]:
    boundary, points = boundary_of(pieces, box)
    contact = Contact(boundary, LAW, box, np.arange(len(points)))
    contact.search(points, margin=0.05)
    state = contact.evaluate(points)
    return state.energy, state


def test_each_wall_feels_the_change_of_energy_with_its_place() -> None:
    """A disc in the corner is squeezed between left and right and rests on the bottom."""
    box, radius, step = 2.0, 1.0, 1e-6
    disc = circle(0.999, 0.9985, radius, 192)
    _, state = energy_in_box([disc], box)
    left, right, bottom, top = state.wall_forces()
    # The energy has no terms of two walls: each force follows from the motion of its wall alone.
    moved = [energy_in_box([disc], box + sign * step)[0] for sign in (1.0, -1.0)]
    by_upper_walls = -(moved[0] - moved[1]) / (2.0 * step)
    assert -(right + top) == pytest.approx(by_upper_walls, rel=1e-5)
    pushed = -state.gradient().reshape(-1, 2).sum(axis=0)
    assert left + right == pytest.approx(pushed[0], rel=1e-12)
    assert bottom + top == pytest.approx(pushed[1], rel=1e-12)
    assert bottom > left > -right > 0.0


def test_without_pairs_there_is_a_gradient_of_floats() -> None:
    boundary, points = boundary_of([circle(2.0, 2.0, 1.0, 40), circle(6.0, 2.0, 1.0, 40)], 8.0)
    contact = Contact(boundary, LAW, 8.0, np.arange(len(points)))
    contact.search(points, margin=0.05)
    gradient = contact.evaluate(points).gradient()
    assert gradient.dtype == np.float64  # processes add them up
    assert not gradient.any()


def test_search_notices_motion() -> None:
    _, points, contact = three_bodies()
    assert contact.search_is_valid(points + 0.03)
    assert not contact.search_is_valid(points + 0.05)


@pytest.mark.parametrize("place", [0.0, 0.3, 0.7])
def test_search_misses_nothing_when_surfaces_approach_by_the_margin(place: float) -> None:
    """Discs that are out of reach, whichever points of their edges are nearest to each other."""
    margin = 0.2
    apart = LAW.cutoff + 2.0 * margin - 0.02
    pieces = [circle(1.5, 2.0, 0.9, 40), circle(2.6 + apart, 2.0 + 0.1 * place, 0.2, 10)]
    boundary, points = boundary_of(pieces, BOX)
    contact = Contact(boundary, LAW, BOX, np.arange(len(points)))
    contact.search(points, margin)
    assert contact.evaluate(points).active_pairs == 0
    moved = points + np.where(boundary.node_body == 0, margin, -margin)[:, None] * [1.0, 0.0]
    assert contact.search_is_valid(0.5 * (points + moved))
    kept = contact.evaluate(moved).active_pairs
    contact.search(moved, margin)
    assert kept == contact.evaluate(moved).active_pairs > 0


def test_search_finds_all_images_within_reach() -> None:
    """Images that no point can reach are left out before the search, and no others."""
    boundary, points, _ = three_bodies()
    mirrored = MirroredBoundary.of(boundary, BOX)
    radius, body = 1.9, boundary.node_body
    found = nearby_bodies(mirrored.edges, points, points, body, radius)
    middle = mirrored.edges.middles(points)
    distance = np.hypot(*(points[:, None] - middle[None]).transpose(2, 0, 1))
    near = (distance <= radius) & (mirrored.edges.edge_body != body[:, None])
    point, edge = np.nonzero(near)
    expected = set(zip(point, mirrored.edges.edge_body[edge], strict=True))
    assert {mirrored.wall(np.array([e]))[0] for e in edge} == {-1, 0, 1, 2, 3}
    pairs = list(zip(found.point, mirrored.edges.edge_body[found.edge], strict=True))
    assert set(pairs) == expected
    assert len(pairs) == len(expected)
    assert np.all(distance[found.point, found.edge] <= radius)


def test_curves_are_those_of_the_edges_asked_for() -> None:
    boundary, points, _ = three_bodies(noise=0.003)
    count = len(boundary.edge_body)
    some = np.arange(3, count, 4)
    every = boundary.curves(points).coefficients
    part = boundary.curves(points, some).coefficients
    np.testing.assert_array_equal(part[some], every[some])
    assert np.isnan(np.delete(part, some, axis=0)).all()


def test_hessian_has_one_block_for_each_pair_of_edges() -> None:
    _, points, contact = three_bodies()
    state = contact.evaluate(points)
    blocks = state.hessian()
    assert state.active_pairs > len(blocks.edges)
    assert len(np.unique(blocks.edges, axis=0)) == len(blocks.edges)


def test_projection_ends_at_a_foot_of_the_perpendicular() -> None:
    """Wavy curves over unequal edges, on which plain Newton steps swing to and fro for ever."""
    rng = np.random.default_rng(5)
    boundary, points = boundary_of([circle(2.5, 2.5, 1.0, 40), circle(2.5, 2.5, 1.05, 44)], BOX)
    for _ in range(20):
        wavy = points + 0.015 * rng.normal(size=points.shape)
        bodies = boundary.node_body
        curves = boundary.curves(wavy)
        feet = project(boundary, curves, wavy, nearby_bodies(boundary, wavy, wavy, bodies, 0.4))
        nodes, e = wavy[boundary.control[feet.edge]], feet.edge
        control = boundary.mirror[e] * nodes + boundary.offset[e]
        foot, slope = (
            np.einsum("nk,nki->ni", boundary.weights(feet.edge, feet.parameter, k), control)
            for k in (0, 1)
        )
        np.testing.assert_allclose(curves.at(feet.edge, feet.parameter)[:2], [foot, slope])
        along = np.einsum("ni,ni->n", wavy[feet.point] - foot, slope)

        assert np.abs(along).max() < 1e-13


def rubbing_discs(shift: float) -> tuple[Contact, NDArray[np.float64], NDArray[np.float64]]:
    """Two discs that press, and their nodes after the second has moved along the first, in um."""
    boundary, points = boundary_of([circle(1.5, 2.5, 1.0, 40), circle(3.49, 2.5, 1.0, 44)], BOX)
    contact = Contact(boundary, LAW, BOX, np.arange(len(points)), CoulombLaw(0.3, 1e-4))
    contact.search(points, margin=0.05)
    moved = points + np.where(boundary.node_body == 1, shift, 0.0)[:, None] * [0.0, 1.0]
    return contact, points, moved


def test_friction_opposes_the_motion_with_mu_times_the_pressure_of_the_start() -> None:
    contact, points, moved = rubbing_discs(1e-3)
    normal = contact.evaluate(points)
    contact.begin_step(points, 1.0)
    friction = contact.evaluate(moved).friction
    pressing = normal.pairs.length @ normal.pairs.pressure
    forces = -friction.pairs.gradient(friction.slopes, len(points)).reshape(-1, 2)
    first, second = forces[:40].sum(axis=0), forces[40:].sum(axis=0)
    np.testing.assert_allclose(first, -second, atol=1e-15)
    assert np.abs(friction.force).sum() == pytest.approx(0.3 * pressing, rel=1e-9)
    # the contact is short, so that its tangents hardly turn
    assert second[1] == pytest.approx(-0.3 * pressing, rel=5e-3)


def test_friction_is_viscous_below_the_speed_of_the_regularisation() -> None:
    contact, points, moved = rubbing_discs(1e-5)
    contact.begin_step(points, 1.0)
    slow = contact.evaluate(moved).friction
    contact.begin_step(points, 2.0)
    slower = contact.evaluate(moved).friction
    share = np.abs(slow.force).sum() / slow.strength.sum()
    assert share == pytest.approx(0.1 * (2.0 - 0.1), rel=2e-2)
    assert np.abs(slower.force).sum() / slower.strength.sum() == pytest.approx(
        0.05 * (2.0 - 0.05), rel=2e-2
    )


def test_friction_starts_anew_with_each_step() -> None:
    contact, points, moved = rubbing_discs(1e-3)
    contact.begin_step(points, 1.0)
    assert contact.evaluate(moved).friction.energy > 0.0
    contact.begin_step(moved, 1.0)
    assert contact.evaluate(moved).friction.energy == 0.0
