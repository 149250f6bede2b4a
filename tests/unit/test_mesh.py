"""Meshes: geometry of surfaces and walls, arcs, quality, files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import gmsh
import numpy as np
import pytest

from creep_fem.errors import ConfigError, MeshError
from creep_fem.microstructure import (
    WALLS,
    Disc,
    Layout,
    ParticleMesh,
    area_fractions,
    body_name,
    build_mesh,
    cell_areas,
    cell_quality,
    draw_mesh,
    read_layout,
    write_msh,
)
from creep_fem.microstructure.areas import disc_area_in_box
from creep_fem.microstructure.particle_mesh import boundary_edges

MESHES = Path(__file__).parents[2] / "meshes"
WALL_AXIS = {"left": (0, 0.0), "right": (0, 1.0), "bottom": (1, 0.0), "top": (1, 1.0)}

# Cut through the centre, in a corner, off-centre on either side, and one disc cut into two arcs.
MIXED = Layout(
    6.0,
    (
        Disc(3.0, 3.0, 0.9, "active"),
        Disc(0.0, 3.0, 1.0, "framework"),
        Disc(6.0, 0.0, 1.1, "active"),
        Disc(3.0, -0.3, 1.0, "framework"),
        Disc(3.2, 5.6, 1.0, "active"),
        Disc(0.75, 5.25, 1.0, "framework"),
    ),
)


@dataclass(frozen=True)
class Sizes:
    surface_size: float = 0.3
    interior_size: float = 0.5


@pytest.fixture(scope="module", params=["benchmark_19", "reference_20", "mixed"])
def layout(request: pytest.FixtureRequest) -> Layout:
    return MIXED if request.param == "mixed" else read_layout(MESHES / f"{request.param}.json")


@pytest.fixture(scope="module")
def mesh(layout: Layout) -> ParticleMesh:
    return build_mesh(layout, Sizes())


def arc_length(mesh: ParticleMesh, nodes: np.ndarray[Any, Any]) -> float:
    return float(np.linalg.norm(np.diff(mesh.points[nodes], axis=0), axis=1).sum())


def test_bodies_are_the_discs_and_share_no_node(layout: Layout, mesh: ParticleMesh) -> None:
    phases = [("active", "framework")[phase] for phase in mesh.body_phase]
    assert phases == [disc.phase for disc in layout.discs]
    assert np.all(np.diff(mesh.cell_body) >= 0)
    nodes = [np.unique(mesh.cells[mesh.cell_body == b]) for b in range(len(layout.discs))]
    assert min(len(n) for n in nodes) > 0
    assert np.array_equal(np.sort(np.concatenate(nodes)), np.arange(len(mesh.points)))


def test_each_body_is_inside_its_disc_with_its_area(layout: Layout, mesh: ParticleMesh) -> None:
    areas = cell_areas(mesh.points, mesh.cells)
    for body, disc in enumerate(layout.discs):
        points = mesh.points[mesh.cells[mesh.cell_body == body].ravel()]
        assert np.hypot(points[:, 0] - disc.x, points[:, 1] - disc.y).max() < disc.radius + 1e-12
        expected = disc_area_in_box(disc.x, disc.y, disc.radius, layout.box)
        assert areas[mesh.cell_body == body].sum() == pytest.approx(expected, rel=1e-4)


def test_area_converges_with_fourth_order() -> None:
    layout = read_layout(MESHES / "reference_20.json")
    exact = sum(area_fractions(layout).values()) * layout.box**2
    errors = []
    for size in (0.4, 0.2):
        mesh = build_mesh(layout, Sizes(size, size))
        errors.append(abs(cell_areas(mesh.points, mesh.cells).sum() - exact))
    assert np.log2(errors[0] / errors[1]) == pytest.approx(4.0, abs=0.4)


def test_cells_are_counter_clockwise_and_good(mesh: ParticleMesh) -> None:
    a, b, c = (mesh.points[mesh.cells[:, k]] for k in range(3))
    cross = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    assert cross.min() > 0.0
    quality = cell_quality(mesh.points, mesh.cells)
    assert quality.min() > 0.4
    assert np.median(quality) > 0.9


def test_interior_mid_nodes_halve_their_edges(mesh: ParticleMesh) -> None:
    free = set(np.concatenate([arc.nodes for arc in mesh.arcs]).tolist())
    for start, end, middle in ((0, 1, 3), (1, 2, 4), (2, 0, 5)):
        inner = np.array([cell[middle] not in free for cell in mesh.cells])
        ends = mesh.points[mesh.cells[inner, start]] + mesh.points[mesh.cells[inner, end]]
        assert np.allclose(mesh.points[mesh.cells[inner, middle]], 0.5 * ends, rtol=0, atol=1e-12)


def test_all_surface_nodes_lie_on_their_circle(layout: Layout, mesh: ParticleMesh) -> None:
    for arc in mesh.arcs:
        disc = layout.discs[arc.body]
        offset = mesh.points[arc.nodes] - (disc.x, disc.y)
        assert np.allclose(np.hypot(*offset.T), disc.radius, rtol=0, atol=1e-14 * layout.box)


def test_arcs_alternate_vertices_and_mid_nodes(mesh: ParticleMesh) -> None:
    vertices = set(mesh.cells[:, :3].ravel().tolist())
    for arc in mesh.arcs:
        assert arc.nodes.dtype == np.int64
        assert len(arc.nodes) % 2 == (0 if arc.closed else 1)
        assert [int(n) in vertices for n in arc.nodes] == [
            k % 2 == 0 for k in range(len(arc.nodes))
        ]
        assert len(np.unique(arc.nodes)) == len(arc.nodes)


def test_arcs_run_counter_clockwise_around_the_disc(layout: Layout, mesh: ParticleMesh) -> None:
    for arc in mesh.arcs:
        disc = layout.discs[arc.body]
        nodes = np.append(arc.nodes, arc.nodes[0]) if arc.closed else arc.nodes
        x, y = (mesh.points[nodes] - (disc.x, disc.y)).T
        turns = np.diff(np.unwrap(np.arctan2(y, x)))
        assert turns.min() > 0.0
        # Equal steps along the surface, as integration by lumped lengths wants them.
        assert turns.max() < 1.02 * turns.min()
        if arc.closed:
            assert turns.sum() == pytest.approx(2.0 * np.pi, rel=1e-12)


def test_closed_arcs_belong_to_uncut_discs(layout: Layout, mesh: ParticleMesh) -> None:
    box = layout.box
    for arc in mesh.arcs:
        disc = layout.discs[arc.body]
        cut = min(disc.x, box - disc.x, disc.y, box - disc.y) < disc.radius
        assert arc.closed is not cut
        assert (arc.walls is None) is arc.closed


def test_open_arcs_end_on_the_walls_they_name(mesh: ParticleMesh) -> None:
    for arc in mesh.arcs:
        if arc.walls is None:
            continue
        for wall, node in zip(arc.walls, (arc.nodes[0], arc.nodes[-1]), strict=True):
            assert node in mesh.wall_nodes[wall]


def test_wall_nodes_lie_exactly_on_their_wall(mesh: ParticleMesh) -> None:
    assert tuple(mesh.wall_nodes) == WALLS
    for wall, nodes in mesh.wall_nodes.items():
        axis, side = WALL_AXIS[wall]
        assert np.all(mesh.points[nodes, axis] == side * mesh.box)
        others = np.setdiff1d(np.arange(len(mesh.points)), nodes)
        assert np.abs(mesh.points[others, axis] - side * mesh.box).min() > 1e-6


def test_boundary_is_walls_and_arcs_and_nothing_else(mesh: ParticleMesh) -> None:
    edges = boundary_edges(mesh.cells)
    free = {int(n) for arc in mesh.arcs for n in arc.nodes[1::2]}
    cut = {int(n) for nodes in mesh.wall_nodes.values() for n in nodes}
    middles = set(edges[:, 2].tolist())
    assert free <= middles
    assert middles - free <= cut
    assert not free & cut


def test_wall_nodes_include_vertices_and_mid_nodes() -> None:
    mesh = build_mesh(Layout(4.0, (Disc(0.0, 2.0, 1.0, "active"),)), Sizes())
    nodes = mesh.wall_nodes["left"]
    heights = np.sort(mesh.points[nodes, 1])
    assert len(nodes) % 2 == 1
    assert heights[[0, -1]] == pytest.approx([1.0, 3.0], abs=1e-14)
    assert np.allclose(heights[1::2], 0.5 * (heights[:-1:2] + heights[2::2]), rtol=0, atol=1e-12)
    assert [len(mesh.wall_nodes[wall]) for wall in ("right", "bottom", "top")] == [0, 0, 0]


def test_corner_disc_has_its_corner_on_both_walls() -> None:
    mesh = build_mesh(Layout(4.0, (Disc(4.0, 4.0, 1.0, "active"),)), Sizes())
    (corner,) = np.intersect1d(mesh.wall_nodes["right"], mesh.wall_nodes["top"])
    assert mesh.points[corner].tolist() == [4.0, 4.0]
    (arc,) = mesh.arcs
    assert arc.walls == ("top", "right")


def test_disc_that_leaves_a_corner_free_has_two_arcs() -> None:
    mesh = build_mesh(Layout(6.0, (Disc(0.75, 5.25, 1.0, "framework"),)), Sizes())
    assert [arc.walls for arc in mesh.arcs] in (
        [("left", "top"), ("top", "left")],
        [("top", "left"), ("left", "top")],
    )
    lengths = sorted(arc_length(mesh, arc.nodes) for arc in mesh.arcs)
    # The circle meets each wall at acos(0.75) to either side of the wall's normal.
    small = np.pi / 2 - 2 * np.arccos(0.75)
    large = 3 * np.pi / 2 - 2 * np.arccos(0.75)
    assert lengths == pytest.approx([small, large], rel=5e-3)


def test_elements_have_the_sizes_asked_for() -> None:
    mesh = build_mesh(Layout(10.0, (Disc(5.0, 5.0, 4.0, "active"),)), Sizes(0.3, 0.9))
    (arc,) = mesh.arcs
    assert 2 * np.pi * 4.0 / (len(arc.nodes) / 2) == pytest.approx(0.3, rel=0.02)
    vertices = mesh.points[mesh.cells[:, :3]]
    lengths = np.linalg.norm(np.roll(vertices, 1, axis=1) - vertices, axis=2)
    central = np.hypot(*(vertices.mean(axis=1) - 5.0).T) < 1.0
    assert lengths[central].mean() == pytest.approx(0.9, rel=0.15)


def test_same_input_gives_the_same_mesh() -> None:
    first, second = build_mesh(MIXED, Sizes()), build_mesh(MIXED, Sizes())
    assert np.array_equal(first.points, second.points)
    assert np.array_equal(first.cells, second.cells)


def test_gmsh_is_left_as_it_was_found() -> None:
    build_mesh(MIXED, Sizes())
    assert not gmsh.isInitialized()


@pytest.mark.usefixtures("quiet_gmsh")
def test_running_gmsh_session_survives() -> None:
    gmsh.model.add("mine")
    models = gmsh.model.list()
    build_mesh(MIXED, Sizes())
    assert gmsh.isInitialized()
    assert gmsh.model.list() == models
    assert gmsh.model.getCurrent() == "mine"


def test_sixty_particles_are_meshed_in_time() -> None:
    layout = read_layout(MESHES / "reference_60.json")
    start = perf_counter()
    build_mesh(layout, Sizes())
    assert perf_counter() - start < 10.0


def test_overlapping_discs_are_refused() -> None:
    layout = Layout(6.0, (Disc(2.0, 2.0, 1.0, "active"), Disc(3.0, 2.0, 1.0, "framework")))
    with pytest.raises(ConfigError, match=r"disc 0 .* and disc 1 .* overlap"):
        build_mesh(layout, Sizes())


def test_sliver_that_was_not_cleaned_is_named() -> None:
    layout = Layout(6.0, (Disc(2.0, 2.0, 1.0, "active"), Disc(3.0, -0.999, 1.0, "framework")))
    with pytest.raises(MeshError, match=r"disc 1 \(framework, centre \(3, -0.999\) um"):
        build_mesh(layout, Sizes())


def test_quality_of_known_triangles() -> None:
    vertices = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(0.75)]])
    middles = 0.5 * (vertices + np.roll(vertices, -1, axis=0))
    cells = np.arange(6)[None, :]
    points = np.concatenate([vertices, middles])
    assert cell_quality(points, cells)[0] == pytest.approx(1.0, rel=1e-12)
    assert cell_areas(points, cells)[0] == pytest.approx(np.sqrt(3.0) / 4.0, rel=1e-12)
    # An edge bulging by h adds the area of a parabolic segment, 2/3 h.
    points[3, 1] -= 0.05
    assert cell_areas(points, cells)[0] == pytest.approx(np.sqrt(3.0) / 4 + 0.1 / 3, rel=1e-12)
    points[3, 1] = 0.5
    assert cell_quality(points, cells)[0] < 0.0


@pytest.fixture
def quiet_gmsh() -> Iterator[None]:
    gmsh.initialize(readConfigFiles=False, interruptible=False)
    gmsh.option.setNumber("General.Terminal", 0)
    yield
    gmsh.finalize()


@pytest.mark.usefixtures("quiet_gmsh")
def test_msh_file_holds_mesh_and_names(tmp_path: Path) -> None:
    mesh = build_mesh(MIXED, Sizes())
    write_msh(mesh, tmp_path / "mixed.msh")
    gmsh.open(str(tmp_path / "mixed.msh"))
    groups = {gmsh.model.getPhysicalName(d, t): (d, t) for d, t in gmsh.model.getPhysicalGroups()}
    bodies = [body_name(mesh, body) for body in range(len(MIXED.discs))]
    assert bodies[0] == "active_0"
    assert bodies[5] == "framework_5"
    walls = [f"wall_{wall}" for wall in WALLS]
    assert set(groups) == {*bodies, *walls, *(f"surface_{name}" for name in bodies)}
    tags, coordinates, _ = gmsh.model.mesh.getNodes()
    points = coordinates.reshape(-1, 3)[np.argsort(tags), :2]
    # The file holds 16 digits.
    assert np.allclose(points, mesh.points, rtol=1e-15, atol=0)
    cells = np.concatenate(
        [
            gmsh.model.mesh.getElementsByType(9, entity)[1]
            for name in bodies
            for entity in gmsh.model.getEntitiesForPhysicalGroup(*groups[name])
        ]
    )
    assert np.array_equal(cells.reshape(-1, 6) - 1, mesh.cells)
    for wall in WALLS:
        nodes, _ = gmsh.model.mesh.getNodesForPhysicalGroup(*groups[f"wall_{wall}"])
        assert np.array_equal(np.sort(nodes) - 1, mesh.wall_nodes[wall])


def test_msh_file_needs_its_ending_and_a_folder(tmp_path: Path) -> None:
    mesh = build_mesh(MIXED, Sizes(0.6, 0.6))
    with pytest.raises(MeshError, match=r"must end with \.msh"):
        write_msh(mesh, tmp_path / "mixed.vtk")
    with pytest.raises(MeshError, match="nowhere"):
        write_msh(mesh, tmp_path / "nowhere" / "mixed.msh")


def test_drawing_is_a_picture_with_both_phase_colours(tmp_path: Path) -> None:
    from matplotlib.image import imread

    draw_mesh(build_mesh(MIXED, Sizes()), tmp_path / "mixed.png")
    pixels = np.round(imread(tmp_path / "mixed.png")[..., :3] * 255).astype(int)
    for colour in ((0xE6, 0x9F, 0x00), (0x56, 0xB4, 0xE9)):
        assert np.all(pixels == colour, axis=-1).mean() > 0.02
