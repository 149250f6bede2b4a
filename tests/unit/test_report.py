"""Figures: the right state is chosen, the right numbers are drawn, the files have print size."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.quiver import Quiver
from mpi4py import MPI
from numpy.typing import NDArray
from synthetic_run import (
    CLOSING,
    HALF_CYCLE,
    RADIUS,
    disc,
    history_row,
    history_rows,
    write_pores,
    write_run,
)

from creep_fem.microstructure.outlines import body_outlines, cell_outlines
from creep_fem.report.curves import cycles_figure, pressure_figure
from creep_fem.report.figures import draw_run
from creep_fem.report.maps import (
    MAPS_IN_A_ROW,
    SCALE_SHARE,
    creep_figure,
    maps_over_cycles_figure,
    mesh_figure,
    spread_out,
    von_mises_figure,
)
from creep_fem.report.pores import pores_figure
from creep_fem.results.cycle_ends import (
    ends_of_first_cycle,
    first_swollen_time,
    swollen_rows,
    swollen_times,
)
from creep_fem.results.errors import ResultError
from creep_fem.results.history import HistoryRow, HistoryWriter
from creep_fem.results.pores import PoreHistory, read_pores
from creep_fem.results.read import FieldSnapshot, read_fields

CYCLES = 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run")
    write_run(MPI.COMM_SELF, path, CYCLES)
    return path


@pytest.fixture(scope="module")
def swollen(folder: Path) -> FieldSnapshot:
    return read_fields(folder, 1)


def columns(rows: list[HistoryRow]) -> dict[str, NDArray[np.float64]]:
    return {name: np.array([asdict(row)[name] for row in rows], float) for name in asdict(rows[0])}


def _area(polygons: NDArray[np.float64]) -> float:
    x, y = polygons[..., 0], polygons[..., 1]
    return float(np.abs((x * np.roll(y, -1, 1) - y * np.roll(x, -1, 1)).sum(axis=1) / 2).sum())


def test_cell_outlines_fill_the_disc() -> None:
    points, cells = disc((0.5, 0.5))
    exact = math.pi * RADIUS**2
    assert _area(cell_outlines(points, cells)) == pytest.approx(exact, rel=2e-3)
    # Straight triangles alone would miss a tenfold of that.
    assert _area(points[cells[:, :3]]) < 0.985 * exact


def test_body_outlines_follow_the_circle() -> None:
    points, cells = disc((0.5, 0.5))
    curves = body_outlines(points, cells)
    assert curves.shape == (18, 5, 2)
    np.testing.assert_allclose(np.linalg.norm(curves - 0.5, axis=2), RADIUS, rtol=1e-4)


@pytest.mark.parametrize("swells_towards", [1.0, 0.0])
def test_swollen_ends_are_found_for_both_signs(swells_towards: float) -> None:
    history = columns(history_rows(CYCLES, swells_towards))
    rows = swollen_rows(history, 1.0 - swells_towards)
    np.testing.assert_array_equal(history["soc"][rows], swells_towards)
    np.testing.assert_array_equal(history["cycle"][rows], [1, 2, 3])


@pytest.mark.parametrize("start", [0.0, 1.0])
def test_half_cycles_of_one_step_leave_no_doubt_about_the_swollen_end(start: float) -> None:
    swollen, shrunk = 1.0 - start, 0.22 + 0.56 * start
    rows = [
        history_row(step, step * HALF_CYCLE, (step + 1) // 2, soc)
        for step, soc in enumerate([swollen, shrunk, swollen, shrunk], start=1)
    ]
    history = columns(rows)
    np.testing.assert_array_equal(swollen_rows(history, start), [0, 2])
    times = HALF_CYCLE * np.arange(5)
    assert first_swollen_time(times, history, start) == 1
    assert swollen_times(times, history, start) == {1: 1, 2: 3}
    states = {"cycle": np.array([1.0, 1, 1, 2, 2]), "soc": np.array([start, *history["soc"]])}
    assert ends_of_first_cycle(states) == (1, 2)


def test_cycle_stopped_before_its_swollen_end_is_left_out() -> None:
    history = columns(history_rows(2)[:10])
    assert history["cycle"][-1] == 2
    np.testing.assert_array_equal(history["cycle"][swollen_rows(history, 0.0)], [1])


@pytest.mark.parametrize("swells_towards", [1.0, 0.0])
def test_first_swollen_fields_are_chosen(swells_towards: float) -> None:
    history = columns(history_rows(CYCLES, swells_towards))
    times = HALF_CYCLE * np.arange(2 * CYCLES + 1)
    assert first_swollen_time(times, history, 1.0 - swells_towards) == 1
    assert first_swollen_time(times[2:], history, 1.0 - swells_towards) == 1
    assert first_swollen_time(times[:1], history, 1.0 - swells_towards) == 0


@pytest.mark.parametrize("swells_towards", [1.0, 0.0])
def test_fields_are_assigned_to_the_swollen_ends(swells_towards: float) -> None:
    history = columns(history_rows(CYCLES, swells_towards))
    times = HALF_CYCLE * np.arange(2 * CYCLES + 1)
    assert swollen_times(times, history, 1.0 - swells_towards) == {1: 1, 2: 3, 3: 5}
    # Those of the second cycle are missing; a time nearby is another state.
    times[3] += 1.0
    assert swollen_times(times, history, 1.0 - swells_towards) == {1: 1, 3: 5}
    assert swollen_times(times[:1], history, 1.0 - swells_towards) == {}


def test_initial_fields_are_not_taken_for_swollen_after_one_giant_step() -> None:
    history = columns([replace(history_rows(1)[3], time_s=HALF_CYCLE)])
    assert first_swollen_time(np.array([0.0, HALF_CYCLE]), history, 0.0) == 1


def test_run_gives_all_figures_in_column_width(folder: Path) -> None:
    files = draw_run(folder)
    assert [file.name for file in files] == [
        "mesh.png",
        "von_mises_lithiated.png",
        "creep_strain.png",
        "cycles.png",
        "pressure_porosity.png",
        "pores.png",
        "maps_over_cycles.png",
    ]
    for file in files:
        image = imread(file)
        assert image.shape[1] == pytest.approx(90 / 25.4 * 200, abs=1)
        # A blank page has one colour.
        assert len(np.unique(image.reshape(-1, image.shape[2]), axis=0)) > 50


def test_drawing_leaves_the_users_settings_alone(folder: Path) -> None:
    before = dict(mpl.rcParams)
    draw_run(folder)
    assert dict(mpl.rcParams) == before


def test_mesh_is_drawn_undeformed_with_both_phases(swollen: FieldSnapshot) -> None:
    axes = mesh_figure(swollen).axes[0]
    active, framework = (c for c in axes.collections if isinstance(c, PolyCollection))
    for cells, left in ((active, 0.05), (framework, 1.05)):
        corners = np.vstack([path.vertices for path in cells.get_paths()])
        assert corners[:, 0].min() == pytest.approx(left, abs=1e-4)
        assert corners[:, 0].max() == pytest.approx(left + 2 * RADIUS, abs=1e-4)
    assert tuple(active.get_facecolor()[0]) != tuple(framework.get_facecolor()[0])


def test_stress_is_drawn_on_the_deformed_shape(swollen: FieldSnapshot) -> None:
    axes = von_mises_figure(swollen, "title").axes[0]
    (cells,) = (c for c in axes.collections if isinstance(c, PolyCollection))
    np.testing.assert_array_equal(cells.get_array(), swollen.field("von_mises"))
    corners = np.vstack([path.vertices for path in cells.get_paths()])
    assert corners[:, 0].min() == pytest.approx(0.5 - 1.1 * RADIUS, abs=1e-4)


def test_creep_arrows_stand_on_active_cells_and_point_both_ways(swollen: FieldSnapshot) -> None:
    strained = {**swollen.arrays, "creep_strain": swollen.field("creep_strain") + 1.0}
    axes = creep_figure(replace(swollen, arrays=strained), "title").axes[0]
    forth, back = (c for c in axes.collections if isinstance(c, Quiver))
    assert len(forth.U) > 20
    np.testing.assert_allclose([forth.U, forth.V], [-back.U, -back.V])
    offset = np.column_stack([forth.X, forth.Y]) - 0.5
    assert (np.linalg.norm(offset, axis=1) < 1.1 * RADIUS).all()
    along = np.abs(offset[:, 0] * forth.U + offset[:, 1] * forth.V)
    assert (along > 0.9 * np.hypot(forth.U, forth.V) * np.linalg.norm(offset, axis=1)).all()


def test_framework_is_coloured_only_if_it_crept(swollen: FieldSnapshot) -> None:
    def coloured(snapshot: FieldSnapshot) -> int:
        collections = creep_figure(snapshot, "title").axes[0].collections
        values = [c.get_array() for c in collections if isinstance(c, PolyCollection)]
        return sum(len(v) for v in values if v is not None)

    crept = {**swollen.arrays, "creep_strain": swollen.field("creep_strain") + 0.01}
    assert coloured(swollen) == (swollen.field("material") == 0.0).sum()
    assert coloured(replace(swollen, arrays=crept)) == len(swollen.cells)


def _coloured(axes: Axes) -> PolyCollection:
    (cells,) = (
        c for c in axes.collections if isinstance(c, PolyCollection) and c.get_array() is not None
    )
    return cells


def test_cycles_stand_beside_each_other_on_one_scale(swollen: FieldSnapshot) -> None:
    def scaled(factor: float) -> FieldSnapshot:
        names = ("displacement", "von_mises", "creep_strain")
        changed = {name: factor * swollen.field(name) for name in names}
        return replace(swollen, arrays={**swollen.arrays, **changed})

    states = {1: scaled(1.0), 7: scaled(0.5), 20: scaled(2.0)}
    figure = maps_over_cycles_figure(states)
    upper, lower = figure.axes[:3], figure.axes[3:6]
    assert [axes.get_title() for axes in upper] == ["cycle 1", "cycle 7", "cycle 20"]
    assert [axes.get_aspect() for axes in (*upper, *lower)] == [1.0] * 6
    assert {axes.get_xlabel() for axes in lower} == {"x / µm"}
    assert [axes.get_xlabel() for axes in figure.axes[6:]] == [
        "von Mises stress / GPa",
        "accumulated creep strain",
    ]
    active = swollen.field("material") == 0.0
    everywhere = np.ones(len(swollen.cells), dtype=bool)
    rows = ((upper, "von_mises", everywhere), (lower, "creep_strain", active))
    for row, name, mask in rows:
        values = [state.field(name)[mask] for state in states.values()]
        top = np.quantile(np.concatenate(values), SCALE_SHARE)
        for axes, expected, state in zip(row, values, states.values(), strict=True):
            cells = _coloured(axes)
            np.testing.assert_array_equal(cells.get_array(), expected)
            assert cells.get_clim() == (0.0, pytest.approx(top))
            corners = np.vstack([path.vertices for path in cells.get_paths()])
            moved = state.points + state.field("displacement")
            assert corners[:, 0].min() == pytest.approx(moved[:, 0].min(), abs=1e-4)
            # The frame has room for the most swollen state and is that of all maps.
            assert axes.get_xlim() == upper[0].get_xlim()
            assert axes.get_xlim()[0] < moved[:, 0].min()


def test_a_framework_that_creeps_late_is_coloured_in_all_cycles(swollen: FieldSnapshot) -> None:
    crept = {**swollen.arrays, "creep_strain": swollen.field("creep_strain") + 0.01}
    figure = maps_over_cycles_figure({1: swollen, 2: replace(swollen, arrays=crept)})
    assert [len(_coloured(axes).get_paths()) for axes in figure.axes[2:4]] == [
        len(swollen.cells)
    ] * 2


def test_maps_of_creep_are_left_out_where_nothing_crept(swollen: FieldSnapshot) -> None:
    elastic = replace(
        swollen, arrays={**swollen.arrays, "creep_strain": np.zeros(len(swollen.cells))}
    )
    figure = maps_over_cycles_figure({1: elastic, 2: elastic})
    assert [axes.get_xlabel() for axes in figure.axes] == [
        *("x / µm", "x / µm"),
        "von Mises stress / GPa",
    ]
    # Creep in a single state is enough.
    assert len(maps_over_cycles_figure({1: elastic, 2: swollen}).axes) == 6


def test_outlines_tell_the_phases_apart(swollen: FieldSnapshot) -> None:
    figure = von_mises_figure(swollen, "title")
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["active", "framework"]
    lines = [c for c in figure.axes[0].collections if isinstance(c, LineCollection)]
    points = swollen.points + swollen.field("displacement")
    active = swollen.field("material") == 0.0
    for entry, drawn, mask in zip(legend.get_lines(), lines, (active, ~active), strict=True):
        assert to_rgba(entry.get_color()) == tuple(drawn.get_colors()[0])
        np.testing.assert_allclose(drawn.get_segments(), body_outlines(points, swollen.cells[mask]))
    assert legend.get_lines()[0].get_color() != legend.get_lines()[1].get_color()


def test_first_and_last_cycle_are_among_those_that_are_drawn() -> None:
    assert spread_out([1, 2]) == [1, 2]
    assert spread_out([2, 3, 5, 8]) == [2, 3, 5, 8]
    assert spread_out(range(1, 6)) == [1, 2, 3, 5]
    assert spread_out(range(1, 21)) == [1, 2, 5, 20]
    assert len(spread_out(range(1, 1001))) == MAPS_IN_A_ROW


def test_a_run_with_one_swollen_end_has_nothing_to_compare(tmp_path: Path) -> None:
    write_run(MPI.COMM_SELF, tmp_path, cycles=1)
    assert "maps_over_cycles.png" not in [file.name for file in draw_run(tmp_path)]


def test_maps_of_the_stress_free_state_are_drawn(folder: Path) -> None:
    initial = read_fields(folder, 0)
    for figure in (von_mises_figure(initial, "title"), creep_figure(initial, "title")):
        figure.canvas.draw()
        collections = [c for c in figure.axes[0].collections if isinstance(c, PolyCollection)]
        assert sum(len(c.get_paths()) for c in collections) >= len(initial.cells)


def _lines(figure: Figure) -> dict[str, NDArray[np.float64]]:
    return {
        str(line.get_label()): np.asarray(line.get_xydata())
        for axes in figure.axes
        for line in axes.get_lines()
    }


def test_cycles_show_the_swollen_ends() -> None:
    lines = _lines(cycles_figure(columns(history_rows(CYCLES)), 0.0))
    cycle = np.arange(1, CYCLES + 1)
    expected = np.column_stack([cycle, 100 * (1 - 0.3 * 0.9**cycle)])
    np.testing.assert_allclose(lines["active facing active"], expected)
    np.testing.assert_allclose(lines["framework"][:, 1], 0.17 * 0.95**cycle)


def test_single_cycle_is_drawn_over_time() -> None:
    figure = cycles_figure(columns(history_rows(1)), 0.0)
    assert figure.axes[1].get_xlabel() == "time / h"
    assert _lines(figure)["active"][-1, 0] == pytest.approx(20.0)


@pytest.fixture
def pores(tmp_path: Path) -> PoreHistory:
    write_pores(tmp_path / "pores.csv", history_rows(2))
    return read_pores(tmp_path / "pores.csv")


def test_every_pore_is_shown_at_both_ends_of_the_first_cycle(pores: PoreHistory) -> None:
    upper, lower = pores_figure(pores).axes
    lines = {str(line.get_label()): np.asarray(line.get_ydata()) for line in upper.get_lines()}
    np.testing.assert_allclose(lines["state of charge 1.00"], 50.0 * (1.0 - CLOSING))
    np.testing.assert_allclose(lines["state of charge 0.00"], [50.0, 50.0, 50.0])
    assert "all pores, creep-free: 100 %" in lines
    total = {str(line.get_label()): np.asarray(line.get_ydata()) for line in lower.get_lines()}
    assert total["all pores"][0] == pytest.approx(100.0)
    assert total["all pores, creep-free"][4] == pytest.approx(10.0)
    # A pore that overlaps have closed is drawn, not cut off.
    assert upper.get_ylim()[0] < -2.5


def test_pores_of_a_run_that_ends_early_are_shown_as_they_are(pores: PoreHistory) -> None:
    assert ends_of_first_cycle(vars(pores)) == (4, 8)
    early = PoreHistory(
        pores.time[:3], pores.cycle[:3], pores.soc[:3], pores.creep_free[:3], pores.areas[:3]
    )
    assert ends_of_first_cycle(vars(early)) == (2, 2)
    start = PoreHistory(
        pores.time[:1], pores.cycle[:1], pores.soc[:1], pores.creep_free[:1], pores.areas[:1]
    )
    pores_figure(start).canvas.draw()


def test_every_axis_names_its_unit(pores: PoreHistory) -> None:
    history = columns(history_rows(CYCLES))
    figures = (cycles_figure(history, 0.0), pressure_figure(history))
    labels = [axes.get_ylabel() for figure in figures for axes in figure.axes]
    labels += [axes.get_ylabel() for axes in pores_figure(pores).axes]
    units = ["%", "GPa", "GPa", "%", "% of initial", "% of initial"]
    assert [label.rpartition(" / ")[2] for label in labels] == units


def test_absent_phase_is_left_out_of_the_legend() -> None:
    rows = [replace(row, pressure_mean_framework_gpa=math.nan) for row in history_rows(1)]
    legend = pressure_figure(columns(rows)).axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [
        "active",
        "walls in x",
        "walls in y",
    ]


def test_empty_or_missing_results_are_typed_errors(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="cannot read the history"):
        draw_run(tmp_path)
    HistoryWriter(tmp_path / "history.csv").close()
    with pytest.raises(ResultError, match="cannot read the table of pores"):
        draw_run(tmp_path)
    write_pores(tmp_path / "pores.csv", history_rows(1))
    with pytest.raises(ResultError, match="cannot read the fields"):
        draw_run(tmp_path)
    run = tmp_path / "run"
    run.mkdir()
    write_run(MPI.COMM_SELF, run, cycles=1)
    HistoryWriter(run / "history.csv").close()
    with pytest.raises(ResultError, match="no results yet"):
        draw_run(run)
