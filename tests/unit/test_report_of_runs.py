"""Several runs together: the right ones are grouped, mean and spread are drawn and tabulated."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from finished_runs import DEMO, scaled_rows, write_finished_run
from matplotlib.collections import PolyCollection
from matplotlib.image import imread
from synthetic_run import history_rows

from creep_fem.errors import ConfigError
from creep_fem.report import style
from creep_fem.report.comparison import report_runs
from creep_fem.report.group_curves import LOOKS, Look, panel_figure, use_logarithm, with_looks
from creep_fem.report.over_cycles import CONTACT, CONTACT_KEPT, STRESS, over_cycles_figure
from creep_fem.results.comparison import compare
from creep_fem.results.cycles import QUANTITIES, CycleEnd, cycle_table
from creep_fem.results.groups import RunGroup, read_groups
from creep_fem.results.history import read_history
from creep_fem.results.targets import NO_TARGETS, Target, Targets, read_targets
from creep_fem.results.titles import is_shrunk, title_of

CYCLES = 3
FACTORS = (0.8, 1.0, 1.5)
TARGETS = """\
source: Someone 2024
labels:
  soft:
    mises_mean_active_gpa: {1: 90 MPa, 20: 0.06 GPa, fitted: [1]}
    contact_ratio_active_active: {every: 70 %}
    contact_fraction_active: {every: 60 %, fitted: [every]}
  other:
    porosity: {1: 5 %}
"""


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    return [
        write_finished_run(
            tmp_path / f"soft-{n}", scaled_rows(CYCLES, factor), [f"name=soft_seed{n}"]
        )
        for n, factor in enumerate(FACTORS, start=1)
    ]


@pytest.fixture
def group(folders: list[Path]) -> RunGroup:
    (group,) = read_groups([str(folder) for folder in folders])
    return group


@pytest.fixture
def targets(tmp_path: Path) -> Targets:
    path = tmp_path / "targets.yaml"
    path.write_text(TARGETS, encoding="utf-8")
    return read_targets(path)


def problems_of(chosen: list[str]) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        read_groups(chosen)
    return {Path(p.key).name: f"{p.message} {p.value} {p.allowed}" for p in caught.value.problems}


def test_quantities_are_taken_at_both_ends_of_every_cycle(folders: list[Path]) -> None:
    table = cycle_table(read_history(folders[1] / "history.csv"), swollen=1.0, shrunk=0.0)
    cycle = np.arange(1, CYCLES + 1)
    np.testing.assert_array_equal(table.cycle, cycle)
    np.testing.assert_allclose(table.values["mises_mean_active_gpa"], 0.1 * 0.9**cycle)
    np.testing.assert_allclose(table.values["contact_fraction_active_shrunk"], 0.01)
    np.testing.assert_allclose(table.values["wall_pressure_gpa"], 0.155)
    np.testing.assert_allclose(table.values["porosity"], 0.05)


def test_a_cycle_without_its_shrunk_end_does_not_count() -> None:
    rows = history_rows(2)[:-1]
    history = {name: np.array([vars(row)[name] for row in rows], float) for name in vars(rows[0])}
    np.testing.assert_array_equal(cycle_table(history, 1.0, 0.0).cycle, [1])
    assert len(cycle_table({n: v[:3] for n, v in history.items()}, 1.0, 0.0).cycle) == 0


def test_runs_of_one_name_but_for_the_seed_are_one_group(group: RunGroup) -> None:
    assert group.label == "soft"
    spread = group.spread("mises_mean_active_gpa")
    first = 0.1 * 0.9 * np.array(FACTORS)
    assert spread.mean[0] == pytest.approx(1.1 * 0.09)
    assert spread.deviation[0] == pytest.approx(
        math.sqrt(((first - first.mean()) ** 2).sum() / (len(first) - 1))
    )
    assert (spread.smallest[0], spread.largest[0]) == pytest.approx((first.min(), first.max()))


def test_labels_and_patterns_choose_the_runs(folders: list[Path], tmp_path: Path) -> None:
    (tmp_path / "soft-notes.txt").write_text("", encoding="utf-8")
    one, two = read_groups([f"A={folders[0]},{folders[1]}", f"B={tmp_path}/soft-3*"])
    assert (one.label, one.folders) == ("A", tuple(folders[:2]))
    assert (two.label, two.folders) == ("B", (folders[2],))
    (everything,) = read_groups([f"{tmp_path}/soft-*"])
    assert everything.folders == tuple(folders)


def test_a_folder_with_an_equals_sign_is_a_folder(tmp_path: Path) -> None:
    path = write_finished_run(tmp_path / "rate=1", history_rows(1))
    (group,) = read_groups([str(path)])
    assert (group.label, group.folders) == ("demo", (path,))


def test_material_that_swells_when_emptied_is_taken_at_its_low_end(tmp_path: Path) -> None:
    overrides = [
        "materials.active.override.volume_change=-0.04",
        "cycling.soc.start=1.0",
    ]
    path = write_finished_run(tmp_path / "run", history_rows(2, swells_towards=0.0), overrides, 1.0)
    (group,) = read_groups([str(path)])
    np.testing.assert_array_equal(group.values["porosity"], [[0.25, 0.25]])


def test_all_problems_are_found_at_once(folders: list[Path], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    foreign = write_finished_run(tmp_path / "foreign", history_rows(CYCLES))
    (foreign / "history.csv").write_text("step,time\n0,1\n", encoding="utf-8")
    poreless = write_finished_run(tmp_path / "poreless", history_rows(CYCLES))
    (poreless / "pores.csv").unlink()
    begun = write_finished_run(tmp_path / "begun", history_rows(1)[:5])
    old = write_finished_run(tmp_path / "old", history_rows(CYCLES))
    (old / "config.yaml").write_text("name: old\n", encoding="utf-8")
    short = write_finished_run(tmp_path / "short", history_rows(2), ["name=soft_seed9"])
    faster = write_finished_run(
        tmp_path / "faster", history_rows(CYCLES), ["name=soft_seed8", "cycling.c_rate=1 /h"]
    )
    bad = [tmp_path / "empty", foreign, poreless, begun, old, short, faster, folders[0]]
    bad.append(tmp_path / "gone")
    found = problems_of([*map(str, [*folders, *bad]), "=x"])
    assert set(found) == {*(path.name for path in bad), "=x"}
    assert "no config.yaml and no history.csv" in found["empty"]
    assert "not a history of this version" in found["foreign"]
    assert "it has no pores.csv" in found["poreless"]
    assert "not completed a cycle" in found["begun"]
    assert "not one of this version" in found["old"]
    assert "another number of complete cycles" in found["short"]
    assert " 2 3" in found["short"]
    assert "cycling" in found["faster"]
    assert "given twice" in found["soft-1"]
    assert "no such folder" in found["gone"]


def test_the_number_of_cycles_in_the_config_may_differ(tmp_path: Path) -> None:
    one = write_finished_run(tmp_path / "one", history_rows(2), ["cycling.cycles=2"])
    two = write_finished_run(tmp_path / "two", history_rows(2), ["cycling.cycles=20"])
    (group,) = read_groups([str(one), str(two)])
    assert len(group.folders) == 2


def test_one_packing_twice_is_no_spread(tmp_path: Path) -> None:
    layout = DEMO.parents[1] / "meshes" / "reference_20.json"
    source = f"microstructure={{layout: {layout}}}"
    one, two = (
        write_finished_run(tmp_path / name, history_rows(1), [source]) for name in ("one", "two")
    )
    for folder in (one, two):
        (folder / "layout.json").write_bytes(layout.read_bytes())
        config = folder / "config.yaml"
        text = config.read_text(encoding="utf-8").replace(str(layout), "layout.json")
        config.write_text(text, encoding="utf-8")
    assert "has the packing of" in problems_of([str(one), str(two)])["two"]


def test_targets_are_read_in_internal_units(targets: Targets) -> None:
    assert targets.source == "Someone 2024"
    first = targets.at("soft", "mises_mean_active_gpa", 1)
    assert first is not None
    assert (first.value, first.fitted) == (pytest.approx(0.09), True)
    last = targets.at("soft", "mises_mean_active_gpa", 20)
    assert last is not None
    assert not last.fitted
    assert targets.at("soft", "mises_mean_active_gpa", 2) is None
    every = targets.at("soft", "contact_ratio_active_active", 7)
    assert every is not None
    assert (every.value, every.fitted) == (pytest.approx(0.7), False)
    chosen = targets.at("soft", "contact_fraction_active", 7)
    assert chosen is not None
    assert chosen.fitted


def test_all_mistakes_of_a_target_file_are_found_at_once(tmp_path: Path) -> None:
    path = tmp_path / "targets.yaml"
    path.write_text(
        "source: 3\n"
        "labels:\n"
        "  soft:\n"
        "    mises_mean_activ_gpa: {1: 1 GPa}\n"
        "    porosity: {0: 5 %, 1: 5 GPa, fitted: true}\n"
        "    wall_pressure_gpa: {1: 0.1, fitted: [1, 20]}\n"
        "  other: 3\n"
        "creep_free_pores: {soft: 78 GPa, hard: 60 %}\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigError) as caught:
        read_targets(path)
    found = {problem.key: problem for problem in caught.value.problems}
    assert set(found) == {
        "source",
        "labels.soft.mises_mean_activ_gpa",
        "labels.soft.porosity.0",
        "labels.soft.porosity.1",
        "labels.soft.porosity.fitted",
        "labels.soft.wall_pressure_gpa.1",
        "labels.soft.wall_pressure_gpa.fitted[1]",
        "labels.other",
        "creep_free_pores.soft",
    }
    assert found["labels.soft.mises_mean_activ_gpa"].suggestion == "mises_mean_active_gpa"
    assert found["labels.soft.wall_pressure_gpa.1"].line == 6
    assert "unit is missing" in found["labels.soft.wall_pressure_gpa.1"].message
    no_cycle = found["labels.soft.wall_pressure_gpa.fitted[1]"]
    assert (no_cycle.value, no_cycle.allowed) == ("20", "a list of cycles with a value: 1")
    assert found["labels.soft.porosity.fitted"].value == "true"


@pytest.mark.parametrize("text", ["", "[]", "source: x", "{", "source: x\nlabels: {}\nmore: 1"])
def test_other_files_are_no_targets(tmp_path: Path, text: str) -> None:
    path = tmp_path / "targets.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="1 problem:"):
        read_targets(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_targets(tmp_path / "none.yaml")


def test_the_delivered_targets_are_the_published_numbers() -> None:
    targets = read_targets(DEMO.parent / "targets" / "xiong_2024.yaml")
    last = targets.at("se_mse", "contact_ratio_active_framework", 20)
    stress = targets.at("se_mse", "mises_mean_active_gpa", 1)
    constant = targets.at("lco_mse", "contact_ratio_active_active", 12)
    assert last is not None
    assert stress is not None
    assert constant is not None
    assert (last.value, stress.value, constant.value) == pytest.approx((0.795, 0.099, 0.0384))
    relaxed = targets.at("se_mse", "mises_mean_active_gpa", 20)
    assert relaxed is not None
    assert (stress.fitted, relaxed.fitted) == (True, False)
    assert targets.creep_free_pores == {"se_mse": pytest.approx(0.78)}
    assert targets.labels == {"se_mse", "lco_mse"}
    assert replace(targets, values=()).labels == {"se_mse"}


def test_runs_and_targets_stand_side_by_side(group: RunGroup, targets: Targets) -> None:
    rows = {(row.quantity, row.cycle): row for row in compare([group], targets)}
    assert {cycle for _, cycle in rows} == {1, CYCLES}
    assert len(rows) == 2 * len(QUANTITIES)
    stress = rows["mises_mean_active_gpa", 1]
    assert (stress.unit, stress.runs, stress.fitted) == ("GPa", 3, True)
    assert (stress.target, stress.difference) == pytest.approx((0.09, 0.1 * 0.09))
    contact = rows["contact_ratio_active_active", CYCLES]
    assert (contact.unit, contact.end) == ("%", "swollen")
    assert contact.mean == pytest.approx(100 * (1 - 0.3 * 0.9**CYCLES))
    assert contact.difference == pytest.approx(contact.mean - 70.0)
    assert rows["porosity", 1].target is None


def test_mean_band_and_targets_are_drawn(group: RunGroup, targets: Targets) -> None:
    upper = over_cycles_figure([group], targets, STRESS).axes[0]
    mean, first, last = upper.get_lines()
    cycle = np.arange(1, CYCLES + 1)
    np.testing.assert_allclose(mean.get_ydata(), 1.1 * 0.1 * 0.9**cycle)
    assert [line.get_xydata()[0].tolist() for line in (first, last)] == [
        pytest.approx([1, 0.09]),
        pytest.approx([20, 0.06]),
    ]
    (band,) = (c for c in upper.collections if isinstance(c, PolyCollection))
    corners = band.get_paths()[0].vertices
    at_first = corners[np.isclose(corners[:, 0], 1.0), 1]
    assert (at_first.min(), at_first.max()) == pytest.approx((0.09 * 0.8, 0.09 * 1.5))


def test_the_legend_tells_runs_band_and_fitted_targets(group: RunGroup, targets: Targets) -> None:
    def words(figure_targets: Targets) -> list[str]:
        (legend,) = over_cycles_figure([group], figure_targets, STRESS).legends
        assert legend.get_title().get_text() == "line: mean of the runs, band: smallest to largest"
        return [text.get_text() for text in legend.get_texts()]

    assert words(targets) == [
        "soft (3 runs)",
        "Someone 2024",
        "Someone 2024, to which parameters were fitted",
    ]
    assert words(NO_TARGETS) == ["soft (3 runs)"]


def test_a_single_cycle_and_a_single_run_are_visible(group: RunGroup) -> None:
    def cut(runs: int, cycles: int) -> RunGroup:
        values = {name: of[:runs, :cycles] for name, of in group.values.items()}
        return replace(
            group, folders=group.folders[:runs], cycle=group.cycle[:cycles], values=values
        )

    upper = over_cycles_figure([cut(3, 1)], NO_TARGETS, STRESS).axes[0]
    (bar,) = upper.collections
    ends = bar.get_paths()[0].vertices[:, 1]
    assert (ends.min(), ends.max()) == pytest.approx((0.09 * 0.8, 0.09 * 1.5))
    alone = over_cycles_figure([cut(1, 3)], NO_TARGETS, STRESS).axes[0]
    assert not alone.collections
    assert alone.get_lines()[0].get_marker() == "o"
    assert math.isnan(cut(1, 3).spread("porosity").deviation[0])


def test_stresses_far_apart_get_a_logarithmic_axis(group: RunGroup) -> None:
    values = {name: 30.0 * of for name, of in group.values.items()}
    stiff = replace(group, label="stiff", values=values)
    for groups, scale in (([group], "linear"), ([group, stiff], "log")):
        figure = over_cycles_figure(groups, NO_TARGETS, STRESS)
        figure.canvas.draw()
        assert figure.axes[0].get_yscale() == scale


@pytest.mark.parametrize(
    ("decades", "between"), [(1.2, True), (2.0, True), (2.5, False), (7.0, False)]
)
def test_labels_of_a_logarithmic_axis_do_not_overlap(decades: float, between: bool) -> None:
    with style.figure_style():
        figure, (axes,) = panel_figure(1, [], "title")
        axes.plot([0.0, 1.0], [0.13, 0.13 * 10.0**decades])
        use_logarithm(axes)
        figure.draw_without_rendering()
        low, high = axes.get_ylim()
        ticks = axes.yaxis.get_major_ticks()
        boxes = [t.label1.get_window_extent() for t in ticks if low <= t.get_loc() <= high]
    assert len(boxes) > 2
    assert all(lower.y1 < upper.y0 for lower, upper in pairwise(boxes))
    assert ("0.2" in [tick.label1.get_text() for tick in ticks]) == between


def test_large_shares_that_are_nearly_alike_keep_room_for_their_markers(group: RunGroup) -> None:
    values = {name: 0.99 + 0.001 * of for name, of in group.values.items()}
    axes = over_cycles_figure([replace(group, values=values)], NO_TARGETS, CONTACT).axes[0]
    low, high = axes.get_ylim()
    assert low == 0.0
    assert high - axes.dataLim.y1 == pytest.approx(0.05 * high, rel=0.06)


def test_every_axis_names_unit_and_end(group: RunGroup) -> None:
    some = replace(group, values={name: of + 0.01 for name, of in group.values.items()})
    for panels, end in ((CONTACT, "swollen"), (CONTACT_KEPT, "shrunk")):
        axes = over_cycles_figure([some], NO_TARGETS, panels).axes
        assert [place.get_ylabel().rpartition(" / ")[2] for place in axes] == ["%"] * 3
        assert axes[-1].get_xlabel() == f"cycle, at its {end} end"


def test_groups_differ_without_colour() -> None:
    assert len({look.marker for look in LOOKS}) == len({look.colour for look in LOOKS})


def test_shares_of_zero_throughout_get_an_axis_of_positive_shares(group: RunGroup) -> None:
    values = {name: 0.0 * of for name, of in group.values.items()}
    (axes, *_) = over_cycles_figure([replace(group, values=values)], NO_TARGETS, CONTACT).axes
    low, high = axes.get_ylim()
    assert -0.1 < low < 0.0
    assert high == 1.0


def test_a_share_that_is_zero_throughout_is_named_instead_of_drawn(group: RunGroup) -> None:
    values = {**group.values, CONTACT[0]: 0.0 * group.values[CONTACT[0]]}
    none = replace(group, values=values)
    axes = over_cycles_figure([none], NO_TARGETS, CONTACT).axes
    assert [place.get_ylabel() for place in axes] == [
        "contact,\nactive on framework / %",
        "contact,\nall active surface / %",
    ]
    assert axes[-1].get_xlabel() == "cycle, at its swollen end\ncontact, active on active: zero"
    # One group that has some, or something to compare with, is enough.
    assert len(over_cycles_figure([none, group], NO_TARGETS, CONTACT).axes) == 3
    known = Targets("S", (Target("soft", CONTACT[0], 1, 0.7, fitted=False),))
    assert len(over_cycles_figure([none], known, CONTACT).axes) == 3


def test_groups_that_are_alike_do_not_cover_each_other(group: RunGroup, targets: Targets) -> None:
    groups = [group, replace(group, label="twin"), replace(group, label="triplet")]
    axes = over_cycles_figure(groups, targets, STRESS).axes[0]
    one, first, _, two, three = (np.asarray(line.get_xdata()) for line in axes.get_lines())
    np.testing.assert_allclose(two, np.arange(1, CYCLES + 1))
    assert (two - one).min() == pytest.approx((three - two).max())
    # Side by side, each still nearer to its own cycle than to others, targets beside their group.
    assert 0.02 < (two - one).min() < 0.15
    assert first[0] == one[0]


def looks_of(group: RunGroup, *labels: str) -> list[Look]:
    return [look for _, look in with_looks([replace(group, label=name) for name in labels])]


def test_variants_have_the_colour_of_their_original_and_other_dashes(group: RunGroup) -> None:
    first, second, *_ = LOOKS
    soft, sticky, stiff, rough = looks_of(group, "Se", "Se, sticky", "LCO", "Se, rough")
    assert {soft.colour, sticky.colour, rough.colour} == {first.colour}
    assert stiff == second._replace(dashes="-")
    assert (soft.dashes, sticky.dashes, rough.dashes) == ("-", "--", ":")
    assert [look.fill for look in (soft, sticky, rough)] == ["full", "none", "none"]
    # An original may come after its variants.
    assert looks_of(group, "Se, sticky", "Se") == [sticky, soft]


@pytest.mark.parametrize("labels", [("Se", "Se2"), ("I, Se", "I, LCO"), ("a", *"bcd")])
def test_labels_that_continue_no_other_have_looks_of_their_own(group: RunGroup, labels) -> None:
    assert looks_of(group, *labels) == list(LOOKS[: len(labels)])


def test_more_variants_than_dashes_have_looks_of_their_own(group: RunGroup) -> None:
    assert looks_of(group, "a", "a, 1", "a, 2", "a, 3", "a, 4") == list(LOOKS[:5])


def test_report_writes_figures_of_column_width_and_tables(
    group: RunGroup, targets: Targets, tmp_path: Path
) -> None:
    files = report_runs([group], targets, tmp_path)
    assert [file.name for file in files] == [
        "contact_over_cycles.png",
        "contact_kept_over_cycles.png",
        "stress_over_cycles.png",
        "pressure_and_porosity_over_cycles.png",
        "over_first_lithiation.png",
        "pores_first_cycle.png",
        "cycles.csv",
        "cycles.md",
        "first_lithiation.csv",
        "first_lithiation.md",
        "pores.csv",
        "pores.md",
    ]
    for file in files[:6]:
        assert imread(file).shape[1] == pytest.approx(90 / 25.4 * 200, abs=1)
    with files[6].open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    row = next(r for r in rows if r["quantity"] == "mises_mean_active_gpa" and r["cycle"] == "1")
    assert float(row["mean"]) == pytest.approx(0.099)
    assert float(row["difference"]) == pytest.approx(0.009)
    assert next(r for r in rows if r["quantity"] == "porosity")["target"] == ""
    markdown = files[7].read_text(encoding="utf-8")
    line = (
        "| soft | mises_mean_active / GPa | swollen | 1 | 3 | 0.099 | 0.03245 | "
        "0.072 to 0.135 | 0.09 (fitted) | 0.009 |\n"
    )
    assert line in markdown
    assert "agreement validates nothing" in markdown


def test_too_many_groups_are_refused(group: RunGroup, tmp_path: Path) -> None:
    groups = [replace(group, label=str(n)) for n in range(len(LOOKS) + 1)]
    with pytest.raises(ConfigError, match="cannot hold so many"):
        report_runs(groups, NO_TARGETS, tmp_path)
    assert not list(tmp_path.glob("*.png"))


def test_every_quantity_has_a_title_that_tells_no_end() -> None:
    for name in QUANTITIES:
        assert "_" not in title_of(name)
        assert title_of(name) == title_of(name.removesuffix("_shrunk"))
        assert is_shrunk(name) == (QUANTITIES[name].end is CycleEnd.SHRUNK)
    assert len({title_of(name) for name in ("wall_pressure_gpa", "wall_pressure_x_gpa")}) == 2
    assert title_of("drag_traction_max_gpa") == "drag_traction_max_gpa"
