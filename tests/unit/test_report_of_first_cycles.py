"""First cycles of several runs: curves over the state of charge, and single pores."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from finished_runs import scaled_rows, write_finished_run
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.lines import AxLine
from numpy.typing import NDArray
from synthetic_run import history_rows

from creep_fem.report.comparison import report_runs
from creep_fem.report.first_swelling import first_swelling_figure
from creep_fem.report.group_pores import group_pores_figure
from creep_fem.results.first_swelling import FOLLOWED, spread_at, swelling_range, tabulate
from creep_fem.results.groups import RunGroup, read_groups
from creep_fem.results.pore_change import RESOLUTION, SMALLEST, pore_change, summarise
from creep_fem.results.pores import PoreHistory
from creep_fem.results.targets import NO_TARGETS, Targets

FACTORS = (0.8, 1.0, 1.5)
FIRST = 0.09  # mean von Mises stress of the active phase at soc 1, by `history_row`


@pytest.fixture
def full(tmp_path: Path) -> RunGroup:
    """Three runs between the states of charge 0 and 1."""
    for number, factor in enumerate(FACTORS):
        write_finished_run(tmp_path / f"full-{number}", scaled_rows(2, factor))
    (group,) = read_groups([f"full={tmp_path}/full-*"])
    return group


@pytest.fixture
def part(tmp_path: Path) -> RunGroup:
    """A run of which the states of charge end at 0.3, with fifty times the stress."""
    rows = [
        replace(row, soc=0.3 * row.soc, mises_mean_active_gpa=50 * 0.3 * row.mises_mean_active_gpa)
        for row in history_rows(1)
    ]
    write_finished_run(tmp_path / "part", rows, ["cycling.soc.high=0.3"])
    (group,) = read_groups([f"part={tmp_path}/part"])
    return group


def test_first_swelling_is_interpolated_and_never_extrapolated(
    full: RunGroup, part: RunGroup
) -> None:
    # The first step ends at a quarter of the way; what was before is unknown.
    socs = np.array([0.1, 0.25, 0.3, 0.6, 1.0])
    found = spread_at(full, "mises_mean_active_gpa", socs)
    expected = FIRST * np.where(socs < 0.25, np.nan, socs)
    np.testing.assert_allclose(found.mean, 1.1 * expected)
    np.testing.assert_allclose(found.smallest, 0.8 * expected)
    np.testing.assert_allclose(found.largest, 1.5 * expected)
    np.testing.assert_allclose(
        spread_at(part, "mises_mean_active_gpa", socs).mean,
        50 * FIRST * np.array([0.1, 0.25, 0.3, np.nan, np.nan]),
    )
    assert swelling_range(full) == (0.25, 1.0)
    assert swelling_range(part) == pytest.approx((0.075, 0.3))


def test_only_the_first_swelling_counts(full: RunGroup) -> None:
    # In the second cycle, and while they shrink, the runs have other stresses at the same soc.
    (history, *_) = full.histories
    changed = np.where(np.arange(len(history["soc"])) > 3, 7.0, history["mises_mean_active_gpa"])
    others = replace(full, histories=({**history, "mises_mean_active_gpa": changed},))
    found = spread_at(others, "mises_mean_active_gpa", np.array([0.5, 1.0]))
    np.testing.assert_allclose(found.mean, 0.8 * FIRST * np.array([0.5, 1.0]))


def test_runs_that_swell_while_they_are_emptied_go_the_other_way(tmp_path: Path) -> None:
    overrides = ["materials.active.override.volume_change=-0.04", "cycling.soc.start=1.0"]
    rows = history_rows(1, swells_towards=0.0)
    write_finished_run(tmp_path / "run", rows, overrides, 1.0)
    (group,) = read_groups([str(tmp_path / "run")])
    assert swelling_range(group) == (0.75, 0.0)
    found = spread_at(group, "porosity", np.array([0.0, 0.5, 0.75, 0.8]))
    np.testing.assert_allclose(found.mean, [0.25, 0.15, 0.1, np.nan])
    axes = first_swelling_figure([group]).axes[FOLLOWED.index("porosity")]
    np.testing.assert_allclose(axes.get_lines()[0].get_xdata()[[0, -1]], [0.75, 0.0])


def test_a_swelling_in_one_giant_step_has_its_end_alone(tmp_path: Path) -> None:
    rows = [row for row in history_rows(1) if row.step in (4, 8)]
    write_finished_run(tmp_path / "run", rows)
    (group,) = read_groups([str(tmp_path / "run")])
    assert {row.soc for row in tabulate([group])} == {1.0}
    lines = first_swelling_figure([group]).axes[0].get_lines()
    np.testing.assert_allclose(lines[0].get_xydata(), [[1.0, FIRST]] * 2)


def test_groups_are_tabulated_as_far_as_they_went(full: RunGroup, part: RunGroup) -> None:
    rows = tabulate([full, part])
    assert {row.soc for row in rows if row.label == "full"} == {0.3, 0.5, 1.0}
    assert {row.soc for row in rows if row.label == "part"} == {0.1, 0.2, 0.3}
    row = next(
        r for r in rows if (r.label, r.quantity, r.soc) == ("full", "contact_fraction_active", 0.5)
    )
    contact = np.array([f * 0.5 * 0.55 + 0.01 * f for f in FACTORS])
    assert (row.unit, row.runs) == ("%", 3)
    assert (row.mean, row.standard_deviation) == pytest.approx(
        (100 * contact.mean(), 100 * contact.std(ddof=1))
    )
    assert (row.smallest, row.largest) == pytest.approx((100 * contact[0], 100 * contact[2]))


def test_the_end_of_a_group_is_a_row_of_all(full: RunGroup, part: RunGroup) -> None:
    early = {name: np.array(values) for name, values in part.histories[0].items()}
    early["soc"] *= 0.9
    swelling = replace(part.swelling, end_soc=0.27)
    rows = tabulate([full, replace(part, histories=(early,), swelling=swelling)])
    assert 0.27 in {row.soc for row in rows if row.label == "full"}
    assert max(row.soc for row in rows if row.label == "part") == 0.27


def test_each_group_is_drawn_up_to_its_end(full: RunGroup, part: RunGroup) -> None:
    figure = first_swelling_figure([full, part])
    assert [axes.get_ylabel().rpartition(" / ")[2] for axes in figure.axes] == [
        *("GPa", "GPa", "%", "GPa", "%")
    ]
    assert figure.axes[-1].get_xlabel().startswith("state of charge")
    upper = figure.axes[0]
    long, short = upper.get_lines()
    x, y = np.asarray(long.get_xdata()), np.asarray(long.get_ydata())
    assert (x[0], x[-1]) == (0.25, 1.0)
    np.testing.assert_allclose(y, 1.1 * FIRST * x)
    np.testing.assert_allclose(np.asarray(short.get_xdata())[-1], 0.3)
    (band,) = (c for c in upper.collections if isinstance(c, PolyCollection))
    corners = band.get_paths()[0].vertices
    at_end = corners[np.isclose(corners[:, 0], 1.0), 1]
    assert (at_end.min(), at_end.max()) == pytest.approx((0.8 * FIRST, 1.5 * FIRST))
    # 50 * 0.3 times the stress is drawn so that both can be read, the porosity as before.
    assert upper.get_yscale() == "log"
    assert figure.axes[FOLLOWED.index("porosity")].get_yscale() == "linear"
    assert first_swelling_figure([full]).axes[0].get_yscale() == "linear"


def test_an_absent_phase_leaves_its_panel_empty(full: RunGroup) -> None:
    nothing = np.full(len(full.histories[0]["soc"]), np.nan)
    absent = tuple({**h, "mises_mean_framework_gpa": nothing} for h in full.histories)
    figure = first_swelling_figure([replace(full, histories=absent)])
    figure.canvas.draw()
    assert figure.axes[1].get_yscale() == "linear"
    assert "mises_mean_framework_gpa" not in {
        row.quantity for row in tabulate([replace(full, histories=absent)])
    }


def pores(initial: list[float], swollen: list[float], shrunk: list[float]) -> PoreHistory:
    """Areas in the initial state, at both ends of the first cycle, and later."""
    areas = np.array([initial, swollen, shrunk, swollen])
    free = areas[0].sum() * np.array([1.0, 0.1, 0.8, 0.1])
    time, soc = np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.0, 1.0, 0.2, 1.0])
    return PoreHistory(time, np.array([1.0, 1.0, 1.0, 2.0]), soc, free, areas)


TINY = 0.9 * SMALLEST  # of a mean area near 1
ONE = pores([1.0, 2.0, 1.0, TINY], [0.5, 0.2, 0.1, -TINY], [0.9, 1.0, 0.05, 9 * TINY])
# The last pore loses less than can be resolved.
TWO = pores([0.5, 1.5], [0.1, 0.3], [0.1 - 0.9 * RESOLUTION, 1.8])


PUBLISHED = Targets("Someone 2024", (), {"full": 0.45})


@pytest.fixture
def creeping(full: RunGroup) -> RunGroup:
    return replace(full, folders=full.folders[:2], pores=(ONE, TWO))


def test_pores_of_all_runs_are_followed_through_the_first_cycle(creeping: RunGroup) -> None:
    change = pore_change(creeping)
    np.testing.assert_allclose(change.swollen, [0.5, 0.1, 0.1, 0.2, 0.2])
    np.testing.assert_allclose(
        change.shrunk, [0.9, 0.5, 0.05, 0.2 - 1.8 * RESOLUTION, 1.2], rtol=1e-12
    )
    assert change.shrinks_further.tolist() == [False, False, True, False, False]
    np.testing.assert_allclose(change.regained, 0.8)


def test_pores_are_counted(creeping: RunGroup) -> None:
    (row,) = summarise([creeping])
    assert (row.label, row.runs, row.pores, row.left_out) == ("full", 2, 5, 1)
    assert (row.median_swollen, row.median_shrunk) == pytest.approx((20.0, 50.0))
    assert row.smallest_swollen == pytest.approx(10.0)
    assert (row.below_creep_free, row.shrink_further) == (3, 1)
    initial = 6.0 + TINY
    assert row.total_swollen == pytest.approx(100 * (1.2 - TINY) / initial)
    shrunk = 1.95 + 9 * TINY + 1.9 - 0.9 * RESOLUTION
    assert row.total_shrunk == pytest.approx(100 * shrunk / initial)
    assert row.total_creep_free == pytest.approx(80.0)


def shares(axes: Axes) -> NDArray[np.float64]:
    line, *_ = axes.get_lines()
    return np.column_stack([line.get_xdata(), line.get_ydata()])


def test_distributions_and_both_ends_of_every_pore_are_drawn(creeping: RunGroup) -> None:
    figure = group_pores_figure([creeping])
    figure.canvas.draw()
    _, swollen, shrunk, both = figure.axes
    for axes, areas in (
        (swollen, [10, 10, 20, 20, 50]),
        (shrunk, [5, 20 - 180 * RESOLUTION, 50, 90, 120]),
    ):
        found = shares(axes)
        np.testing.assert_allclose(np.unique(found[1:, 0]), np.unique(areas))
        assert found[-1, 1] == 1.0
    # Two of five pores are at or below half of the area.
    assert shares(shrunk)[found[:, 0] < 51][-1, 1] == pytest.approx(0.6)
    _, free = shrunk.get_lines()
    assert free.get_xdata()[0] == pytest.approx(80.0)
    points = next(line for line in both.get_lines() if line.get_linestyle() == "None")
    np.testing.assert_allclose(points.get_xdata(), 100 * pore_change(creeping).swollen)
    np.testing.assert_allclose(points.get_ydata(), 100 * pore_change(creeping).shrunk)
    assert [line.get_slope() for line in both.get_lines() if isinstance(line, AxLine)] == [1.0]
    labels = [swollen.get_ylabel(), shrunk.get_xlabel(), both.get_xlabel(), both.get_ylabel()]
    assert all("%" in label for label in labels)


def test_pores_of_one_run_are_drawn_over_the_first_cycle(creeping: RunGroup) -> None:
    course = group_pores_figure([creeping]).axes[0]
    *single, median, free = course.get_lines()
    # Those of the first run that are large enough.
    for line, initial, areas in zip(
        single, (1.0, 2.0, 1.0), ((1.0, 0.5, 0.9), (2.0, 0.2, 1.0), (1.0, 0.1, 0.05)), strict=True
    ):
        np.testing.assert_allclose(line.get_ydata(), 100.0 * np.array(areas) / initial)
        assert line.get_linewidth() < median.get_linewidth()
    np.testing.assert_allclose(median.get_ydata(), [100.0, 10.0, 50.0])
    np.testing.assert_allclose(free.get_ydata(), [100.0, 10.0, 80.0])
    np.testing.assert_allclose(free.get_xdata(), np.array([0.0, 1.0, 2.0]) / 3600.0)
    # Single pores of several groups could not be told apart.
    several = group_pores_figure([creeping, replace(creeping, label="other")]).axes[0]
    assert len(several.get_lines()) == 4


def test_the_legend_of_pores_has_every_line_as_it_is_drawn(creeping: RunGroup) -> None:
    figure = group_pores_figure([creeping], PUBLISHED)
    (legend,) = figure.legends
    _, _, shrunk, both = figure.axes
    _, free, published = shrunk.get_lines()
    (diagonal,) = (line for line in both.get_lines() if isinstance(line, AxLine))
    assert published.get_xdata()[0] == pytest.approx(45.0)
    _, *entries = legend.get_lines()
    for entry, line in zip(entries, (free, published, diagonal), strict=True):
        assert entry.get_color() == line.get_color()
        assert entry.get_linestyle() == line.get_linestyle()
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts[1].endswith("creep-free: 80 % at the shrunk end")
    assert texts[2] == "the same in Someone 2024: 45 %"
    (known,) = summarise([replace(creeping, label="unknown")], PUBLISHED)
    assert (known.published_creep_free, known.below_published) == (None, None)


def test_tables_of_the_first_cycle_are_written(
    full: RunGroup, part: RunGroup, creeping: RunGroup, tmp_path: Path
) -> None:
    files = {file.name: file for file in report_runs([creeping, part], PUBLISHED, tmp_path)}

    def rows(name: str) -> list[dict[str, str]]:
        return list(csv.DictReader(files[name].read_text("utf-8").splitlines()))

    row = next(
        r
        for r in rows("first_lithiation.csv")
        if (r["label"], r["quantity"], r["soc"]) == ("full", "mises_mean_active_gpa", "1.0")
    )
    assert float(row["mean"]) == pytest.approx(1.1 * FIRST)
    assert len(rows("first_lithiation.csv")) == 2 * 3 * len(FOLLOWED)
    alone = [r["standard_deviation"] for r in rows("first_lithiation.csv") if r["label"] == "part"]
    assert set(alone) == {""}
    assert "| part | mises_mean_active / GPa | 0.3 | 1 | 1.35 |  |  |\n" in files[
        "first_lithiation.md"
    ].read_text("utf-8")
    assert [(r["label"], r["pores"], r["shrink_further"]) for r in rows("pores.csv")] == [
        ("full", "5", "1"),
        ("part", "3", "0"),
    ]
    markdown = files["pores.md"].read_text("utf-8")
    assert (
        "| pores below the creep-free share | 3 | 3 |\n"
        "| pores below the creep-free share of Someone 2024 | 2 (below 45 %) |  |\n"
    ) in markdown
    report_runs([creeping], NO_TARGETS, tmp_path)
    assert "pores below the creep-free share of" not in files["pores.md"].read_text("utf-8")
    assert markdown.startswith("| pores in the first cycle, areas in % of the initial ones | full")
