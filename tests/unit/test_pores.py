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


def test_sliding_moves_area_between_neighbours_and_keeps_the_sum() -> None:
    """The right column goes up: what it shears keeps its area, above it there is less."""
    pores, points = square_of_discs()
    shift = np.where(points[:, :1] > 0.5 * BOX, [[0.0, 0.04]], 0.0)
    before, after = pores.areas(points), pores.areas(points + shift)
    middle = int(np.argmin(np.abs(before - MIDDLE)))
    assert after[middle] == pytest.approx(before[middle], abs=1e-12)
    assert after.sum() == pytest.approx(before.sum(), abs=1e-12)
    # Corners below and above lose and gain 0.04 times their width.
    change = np.sort(after - before)
    assert change[0] < -0.04 * (RADIUS + CLEARANCE) + 1e-12
    assert change[-1] > 0.04 * (RADIUS + CLEARANCE) - 1e-12


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
