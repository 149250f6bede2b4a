"""Pores: closed-form areas, conservation, and what counts as one pore; their table."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray
from packings import boundary_of, circle, half_circle, rings_of

from creep_fem.contact.boundary import Boundary
from creep_fem.contact.necks import Discs, find_necks
from creep_fem.contact.pore_outlines import trace_pores
from creep_fem.contact.pores import Pores
from creep_fem.microstructure import Disc, Layout, build_mesh, cell_areas, read_layout
from creep_fem.microstructure.particle_mesh import ParticleMesh
from creep_fem.results.errors import ResultError
from creep_fem.results.pores import PoreWriter, read_pores

LAYOUTS = Path(__file__).parents[2] / "meshes"
RADIUS, SPACING, CLEARANCE, NODES = 1.0, 2.1, 0.05, 240
BOX = 2.0 * (RADIUS + CLEARANCE) + SPACING
QUARTER = 0.25 * np.pi * RADIUS**2
MIDDLE = SPACING**2 - 4.0 * QUARTER
SIDE = SPACING * (RADIUS + CLEARANCE) - 2.0 * QUARTER
CORNER = (RADIUS + CLEARANCE) ** 2 - QUARTER
GRID = [
    (RADIUS + CLEARANCE + SPACING * i, RADIUS + CLEARANCE + SPACING * j)
    for i in range(2)
    for j in range(2)
]


def traced(
    pieces: list[NDArray[np.float64]], places: list[tuple[float, float]], box: float
) -> tuple[Pores, NDArray[np.float64]]:
    """Pores of discs of radius 1 and the positions of the surface nodes."""
    boundary, points = boundary_of(pieces, box)
    discs = Discs(np.array(places), np.full(len(places), RADIUS), box)
    return trace_pores(discs, boundary, rings_of(pieces), points), points


def square_of_discs() -> tuple[Pores, NDArray[np.float64]]:
    """Four discs near each other and the walls: a pore in the middle and eight around it."""
    return traced([circle(*place, RADIUS, NODES) for place in GRID], GRID, BOX)


def meshed(layout: Layout, size: float) -> tuple[Pores, ParticleMesh, NDArray[np.float64]]:
    mesh = build_mesh(layout, SimpleNamespace(surface_size=size, interior_size=3.0 * size))
    boundary = Boundary.from_arcs(mesh.points, mesh.arcs, mesh.box)
    discs = Discs(
        np.array([(d.x, d.y) for d in layout.discs]),
        np.array([d.radius for d in layout.discs]),
        layout.box,
    )
    reference = mesh.points[boundary.nodes]
    return trace_pores(discs, boundary, mesh.arcs, reference), mesh, reference


def test_four_discs_in_a_square() -> None:
    pores, points = square_of_discs()
    expected = sorted([MIDDLE, *4 * [SIDE], *4 * [CORNER]])
    assert sorted(pores.areas(points)) == pytest.approx(expected, rel=1e-6)


def test_growth_takes_from_every_pore_what_grows_into_it() -> None:
    pores, points = square_of_discs()
    centres = np.repeat(GRID, NODES, axis=0)
    lost = pores.areas(points) - pores.areas(centres + 1.04 * (points - centres))
    quarters = np.round(lost / (QUARTER * (1.04**2 - 1.0)), 6)
    np.testing.assert_allclose(sorted(quarters), [1, 1, 1, 1, 2, 2, 2, 2, 4], atol=1e-5)


def turned(
    points: NDArray[np.float64],
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    angles: list[float],
) -> NDArray[np.float64]:
    """Discs moved from their old to their new centres and turned."""
    angle = np.repeat(angles, NODES)
    c, s = np.cos(angle), np.sin(angle)
    x, y = (points - np.repeat(before, NODES, axis=0)).T
    moved = np.column_stack([c * x - s * y, s * x + c * y])
    return np.repeat(after, NODES, axis=0) + moved


def area_between(corners: list[tuple[float, float]]) -> float:
    """Polygon of centres, anticlockwise, less the sectors of the discs."""
    x, y = np.array(corners).T
    polygon = 0.5 * float(x @ np.roll(y, -1) - y @ np.roll(x, -1))
    return polygon - 0.5 * np.pi * RADIUS**2 * (len(corners) - 2)


@pytest.mark.parametrize("spin", [0.0, 1.0, -2.5])
def test_discs_that_slide_round_each_other_by_a_micrometre(spin: float) -> None:
    """The smallest of three discs goes round the largest; their pore opens."""
    radius = np.array([2.0, 1.0, 0.5])
    outer, inner = radius[0] + radius[1:] + 0.05
    cosine = (outer**2 + inner**2 - (radius[1] + radius[2] + 0.05) ** 2) / (2.0 * outer * inner)
    first = float(np.arccos(cosine))

    def centres(angle: float) -> NDArray[np.float64]:
        way = np.array([[0.0, 0.0], [outer, 0.0], [np.cos(angle), np.sin(angle)]])
        way[2] *= inner
        return way + 4.0

    def area(places: NDArray[np.float64]) -> float:
        sides = np.roll(places, -1, axis=0) - places
        back = np.roll(-sides, 1, axis=0)
        cross = np.abs(sides[:, 0] * back[:, 1] - sides[:, 1] * back[:, 0])
        corners = np.arctan2(cross, (sides * back).sum(axis=1))
        return 0.5 * float(cross[0]) - 0.5 * float(corners @ radius**2)

    before = centres(first)
    pieces = [circle(*place, size, NODES) for place, size in zip(before, radius, strict=True)]
    boundary, points = boundary_of(pieces, 10.0)
    pores = trace_pores(Discs(before, radius, 10.0), boundary, rings_of(pieces), points)
    areas = pores.areas(points)
    pore = int(np.argmin(areas))
    assert areas[pore] == pytest.approx(area(before), abs=1e-5)
    after = centres(first + 0.5)
    slid = pores.areas(turned(points, before, after, [0.0, -spin, spin]))
    assert slid[pore] == pytest.approx(area(after), abs=1e-4)
    assert slid.sum() == pytest.approx(areas.sum(), abs=1e-11)


def test_discs_that_roll_on_each_other_and_along_walls() -> None:
    """Like cogs: both sides of a neck go the same way."""
    pores, points = square_of_discs()
    places = np.array(GRID)
    rolled = turned(points, places, places, [0.8, -0.8, -0.8, 0.8])
    np.testing.assert_allclose(pores.areas(rolled), pores.areas(points), atol=1e-6)
    assert pores.areas(rolled).sum() == pytest.approx(pores.areas(points).sum(), abs=1e-12)


def neck_between_bodies(pores: Pores) -> int:
    """The only neck that leads from one surface to another."""
    first, second = pores.neck_lines.arc
    (neck,) = np.flatnonzero(first != second)
    return int(neck)


@pytest.mark.parametrize("nodes", [240, 960])
@pytest.mark.parametrize("tilt", [-1e-9, 1e-9])
def test_round_off_does_not_place_the_line_in_a_gap_of_even_width(nodes: int, tilt: float) -> None:
    """Faces a micrometre long, 20 nm apart: the line stays where the discs first were nearest."""
    places = [(4.0, 5.0), (6.05, 5.0)]
    pores, points = traced([circle(*place, RADIUS, nodes) for place in places], places, 10.0)
    moved = points.copy()
    moved[:nodes, 0] = np.minimum(points[:nodes, 0], 4.85)
    moved[nodes:, 0] = np.maximum(points[nodes:, 0] - 0.33, 4.87) + tilt * (points[nodes:, 1] - 5.0)
    ends = pores.points(moved)[pores.necks[neck_between_bodies(pores)]]
    np.testing.assert_allclose(ends, [(4.85, 5.0), (4.87, 5.0)], atol=1e-6)


@pytest.mark.parametrize(
    ("lean", "centre", "at_end"),
    [
        (0.0, (1.05, 7.5), False),
        (1.0, (1.05, 8.5), True),
        (3.0, (1.05, 7.5), False),
        (3.08, (1.19, 8.32), True),
    ],
)
def test_the_line_is_the_best_one_up_to_the_end_of_an_open_arc(
    lean: float, centre: tuple[float, float], at_end: bool
) -> None:
    """Half a disc on a wall that is pulled up along it, and a disc above."""
    first = np.array([(0.0, 5.0), (2.05 * np.cos(1.0), 5.0 + 2.05 * np.sin(1.0))])
    pieces = [half_circle(5.0, RADIUS, 121), circle(*first[1], RADIUS, NODES)]
    pores, points = traced(pieces, [tuple(place) for place in first], 10.0)
    moved = points.copy()
    moved[:121, 1] += lean * np.maximum(0.3 - points[:121, 0], 0.0) * (points[:121, 1] > 5.0)
    moved[121:] += centre - first[1]

    def frame(at: NDArray[np.float64]) -> tuple[complex, complex]:
        surface = at @ (1.0, 1.0j)
        one, other = surface[1:121:2].mean(), surface[122::2].mean()
        return one, other - one

    origin, unit = frame(points)
    origin_now, unit_now = frame(moved)
    seat = origin_now + (1.025 * np.exp(1j) + 5.0j - origin) / unit * unit_now
    ends = pores.points(moved)[pores.necks[neck_between_bodies(pores)]]
    x, y = ends @ (1.0, 1.0j)

    def badness(one: NDArray[np.complex128], other: NDArray[np.complex128]) -> NDArray[np.float64]:
        badness: NDArray[np.float64] = (
            np.abs(one - other) ** 2 + 0.09 * np.abs(0.5 * (one + other) - seat) ** 2
        )
        return badness

    surface = moved @ (1.0, 1.0j)
    assert badness(x, y) <= badness(surface[:121, None], surface[None, 121:]).min()
    # with x given, y is the point of the circle in the direction of
    best, middle = (0.9775 * x + 0.045 * seat) / 1.0225, complex(*centre)
    assert y == pytest.approx(middle + (best - middle) / abs(best - middle), abs=1e-4)
    tip = moved[[0, 120]].max(axis=0) @ (1.0, 1.0j)
    assert (abs(x - tip) < 1e-9) == at_end


@pytest.mark.parametrize("tip", [-0.3, 0.1, 0.3, 0.6])
def test_a_disc_that_is_pushed_between_two_others(tip: float) -> None:
    """What of it lies beyond their neck is taken from the pore ahead, none from the one behind."""
    first = np.array([(5.0, 3.95), (5.0, 6.05), (3.18, 5.0), (6.82, 5.0)])
    pores, points = traced(
        [circle(*place, RADIUS, NODES) for place in first], [tuple(c) for c in first], 10.0
    )
    before = pores.areas(points)
    # The neck between the first two leads upwards: to its left is the pore of the third disc.
    neck = np.flatnonzero((pores.edge[pores.necks] < NODES).all(axis=1))
    behind, ahead = pores.neck_pores[neck[0]]
    start = area_between([(5.0, 3.95), (6.82, 5.0), (5.0, 6.05)])
    assert before[[behind, ahead]] == pytest.approx([start, start], abs=1e-4)
    # The other two make way; the last one stays out of reach.
    after = np.array([(5.0, 3.0), (5.0, 7.0), (4.0 + tip, 5.0), (6.9, 5.0)])
    areas = pores.areas(turned(points, first, after, [0.0, 0.0, 0.0, 0.0]))
    depth = max(tip, 0.0)
    half = np.arccos(1.0 - depth)
    cap = half - np.sin(half) * np.cos(half)
    left = area_between([(5.0, 3.0), (5.0, 7.0), (4.0 + tip, 5.0)]) + cap
    right = area_between([(5.0, 3.0), (6.9, 5.0), (5.0, 7.0)]) - cap
    np.testing.assert_allclose(areas[[behind, ahead]], [left, right], atol=5e-4)
    assert areas.sum() == pytest.approx(before.sum(), abs=1e-11)


@pytest.mark.parametrize("places", [[(3.0, 4.0)], [(3.0, 4.0), (5.5, 6.0)]])
def test_islands_are_no_holes(places: list[tuple[float, float]]) -> None:
    pores, points = traced([circle(*place, RADIUS, NODES) for place in places], places, 10.0)
    assert pores.areas(points) == pytest.approx([100.0 - 4.0 * QUARTER * len(places)], rel=1e-8)


def test_half_a_disc_on_a_wall() -> None:
    pores, points = traced([half_circle(5.0, RADIUS, 121)], [(0.0, 5.0)], 10.0)
    assert pores.areas(points) == pytest.approx([100.0 - 2.0 * QUARTER], rel=1e-8)


def test_a_disc_that_reaches_all_walls_parts_the_box() -> None:
    pores, mesh, reference = meshed(Layout(2.0, (Disc(1.0, 1.0, 1.2, "active"),)), 0.1)
    corner = 0.25 * (4.0 - cell_areas(mesh.points, mesh.cells).sum())
    assert pores.areas(reference) == pytest.approx(4 * [corner], rel=1e-4)


@pytest.mark.parametrize(("x", "necks"), [(0.1, 0), (0.9, 1)])
def test_a_slit_at_a_wall_is_no_pore(x: float, necks: int) -> None:
    discs = Discs(np.array([(x, 2.0), (x, 4.05)]), np.ones(2), 6.0)
    assert len(find_necks(discs).first) == necks


def test_necks_are_as_narrow_as_they_have_to_be() -> None:
    layout = read_layout(LAYOUTS / "reference_60.json")
    radius = np.array([disc.radius for disc in layout.discs])
    places = np.array([(d.x, d.y) for d in layout.discs])
    discs = Discs(places, radius, layout.box)
    necks = find_necks(discs)
    between = necks.second < len(radius)
    length = np.linalg.norm(necks.feet[:, 1] - necks.feet[:, 0], axis=1)
    assert length[between].max() < discs.neck_width
    assert length[~between].max() < 0.5 * discs.neck_width
    assert np.unique(np.column_stack([necks.first, necks.second]), axis=0).shape == (
        len(necks.first),
        2,
    )


def test_pores_fill_a_packing_however_it_moves() -> None:
    pores, mesh, reference = meshed(read_layout(LAYOUTS / "reference_20.json"), 0.4)
    areas = pores.areas(reference)
    solid = cell_areas(mesh.points, mesh.cells).sum()
    assert areas.sum() == pytest.approx(mesh.box**2 - solid, abs=1e-11)
    assert pores.count > 10
    assert areas.min() > 0.1
    # A motion that keeps the walls where they are.
    x, y = (np.pi / mesh.box * mesh.points).T
    motion = 0.1 * np.column_stack([np.sin(x) * np.cos(2.0 * y), np.sin(y) * np.cos(x)])
    boundary = Boundary.from_arcs(mesh.points, mesh.arcs, mesh.box)
    moved = mesh.points + motion
    solid = cell_areas(moved, mesh.cells).sum()
    assert pores.areas(moved[boundary.nodes]).sum() == pytest.approx(mesh.box**2 - solid, abs=1e-11)


def test_table_is_read_back_exactly(tmp_path: Path) -> None:
    path = tmp_path / "pores.csv"
    areas = np.array([[0.1 + 0.2, 1.0 / 3.0], [1e-300, -0.001]])
    with closing(PoreWriter(path, 2)) as writer:
        writer.append(0.0, 1, 0.0, 0.6, areas[0])
        writer.append(36.5, 1, 0.01, 0.59, areas[1])
    pores = read_pores(path)
    np.testing.assert_array_equal(pores.areas, areas)
    np.testing.assert_array_equal(pores.time, [0.0, 36.5])
    np.testing.assert_array_equal(pores.soc, [0.0, 0.01])
    np.testing.assert_array_equal(pores.creep_free, [0.6, 0.59])
    assert path.read_text(encoding="utf-8").startswith(
        "time_s,cycle,soc,creep_free_um2,pore_1_um2,pore_2_um2\n"
    )


@pytest.mark.parametrize(
    "text", ["", "time_s,cycle,soc,creep_free_um2\n", "a,b,c,d,pore_1_um2\n1,2,3,4,5\n"]
)
def test_foreign_tables_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pores.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ResultError, match="not a table of pores"):
        read_pores(path)


def test_missing_table_is_reported_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match=r"cannot read the table of pores .*pores\.csv"):
        read_pores(tmp_path / "pores.csv")
