"""The reproduction of the paper: which runs are missing, and what the tables say."""

from __future__ import annotations

import math
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import typer
from finished_runs import DEMO, scaled_rows, write_finished_run, write_run_of

sys.path.insert(0, str(Path(__file__).parents[2]))

import creep_fem
from benchmarks.paper import __main__ as command
from benchmarks.paper import calibration, tables
from benchmarks.paper.page import Page
from benchmarks.paper.parts import PARTS
from benchmarks.paper.runs import (
    CONFIGS,
    MissingRunsError,
    Plan,
    failures,
    finished,
    make,
    missing,
    origin,
    plan,
    require,
    rows,
)
from creep_fem.config import load_config
from creep_fem.results.comparison import compare
from creep_fem.results.first_swelling import ValueAtSoc
from creep_fem.results.groups import read_groups
from creep_fem.results.targets import read_targets
from creep_fem.study.calibration import load_calibration
from creep_fem.study.cases import Case, Variation, fingerprint
from creep_fem.study.observable import Observable
from creep_fem.study.outcome import RunOutcome, RunStatus, record_outcome
from creep_fem.study.rows import StudyRow

STUDY = """\
name: two
base: tiny.yaml
at_once: 2
cases: {base: {}, faster: {materials.active.override.creep.rate: 1e-4 /s}}
observables:
  stress: {column: mises_mean_active_gpa, cycle: 1}
  porosity: {column: porosity, cycle: 1, at: end_of_shrinking}
"""
STRESSES = {
    f"stress_{cycle}": Observable.model_validate(
        {"column": "mises_mean_active_gpa", "cycle": cycle}
    )
    for cycle in (5, 1)
}


@pytest.fixture
def study(tiny: Path) -> Path:
    path = tiny.with_name("study_two.yaml")
    path.write_text(STUDY, encoding="utf-8")
    return path


def row(name: str, values: dict[str, float], status: RunStatus = RunStatus.DONE) -> StudyRow:
    case = SimpleNamespace(variation=SimpleNamespace(name=name))
    message = "error: step 3 at t = 9 s did not converge: too full; dt = 1e-3 s, residuals 1 2"
    return StudyRow(case, RunOutcome(status, message=message), values)


def test_all_parts_have_their_runs_and_their_place_in_the_document(tmp_path: Path) -> None:
    document = command.DOCUMENT.read_text(encoding="utf-8")
    for name in command.NAMES:
        begin, end = command.markers(name)
        assert document.count(begin) == document.count(end) == 1
        assert document.index(begin) < document.index(end)
    sources = {source for part in PARTS for source in part.sources}
    for source in sources:
        assert plan(CONFIGS / f"{source}.yaml", tmp_path).cases
    assert set(re.findall(r"study_\w+", " ".join(sources))) == {
        path.stem for path in CONFIGS.glob("study_*.yaml")
    }


def test_figures_in_the_document_exist() -> None:
    links = re.findall(r"\]\((images/[^)]+)\)", command.DOCUMENT.read_text(encoding="utf-8"))
    assert [link for link in links if not (command.DOCUMENT.parent / link).is_file()] == []


def test_runs_are_missing_until_they_have_ended_by_themselves(study: Path, tmp_path: Path) -> None:
    item = plan(study, tmp_path / "results")
    assert missing([item]) == ["study_two.yaml: base", "study_two.yaml: faster"]
    with pytest.raises(MissingRunsError, match=r"2 runs are missing(.|\n)*study_two.yaml: faster"):
        require([item])
    item.runs.mkdir(parents=True)
    # A step that does not converge will not do so again; whoever interrupts a run wants it later.
    record_outcome(item.runs, item.cases[0], 3, 1.0, "error: too full; dt = 1e-3 s")
    record_outcome(item.runs, item.cases[1], 130, 1.0, "")
    assert missing([item]) == ["study_two.yaml: faster"]
    assert failures(rows(item)) == ["base: not converged: too full"]
    assert finished(item) == {}


@pytest.mark.parametrize(
    ("steps", "place"),
    [
        (3, "in cycle 1 after soc 0.75, while swelling"),
        # The step that failed is the first one after the turn.
        (4, "in cycle 1 after soc 1.00, while shrinking"),
        (6, "in cycle 1 after soc 0.50, while shrinking"),
        (8, "in cycle 2 after soc 0.00, while swelling"),
        (9, "in cycle 2 after soc 0.25, while swelling"),
    ],
)
@pytest.mark.parametrize("emptied", [False, True])
def test_where_a_run_stopped_tells_the_half_cycle(
    steps: int, place: str, emptied: bool, tmp_path: Path
) -> None:
    overrides = ["cycling.cycles=2", "cycling.soc.low=0"]
    if emptied:
        # It swells while its state of charge falls.
        overrides += ["materials.active.override.volume_change=-0.04", "cycling.soc.start=1.0"]
        soc = float(re.findall(r"soc (\S+),", place)[0])
        place = place.replace(f"{soc:.2f}", f"{1.0 - soc:.2f}")
    config = load_config(DEMO, overrides)
    case = Case(Variation("run", (), {}), DEMO, config, fingerprint(config))
    write_run_of(tmp_path / case.run_name, case.config, steps=steps)
    outcome = record_outcome(tmp_path, case, 3, 1.0, "error: too full")
    (sentence,) = failures([StudyRow(case, outcome, {})])
    assert sentence == f"run: not converged {place}: too full"


def test_a_document_without_its_runs_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = command.DOCUMENT.read_bytes()
    with pytest.raises(typer.Exit) as stopped:
        command.main(only=["interfaces"], no_runs=True, results=tmp_path)
    assert stopped.value.exit_code == 1
    assert "interface_rigid_soft.yaml" in capsys.readouterr().err
    with pytest.raises(typer.BadParameter, match="nothing: choose from"):
        command.main(only=["nothing"], no_runs=True, results=tmp_path)
    assert command.DOCUMENT.read_bytes() == before
    assert list(tmp_path.iterdir()) == []


def test_a_document_without_a_place_for_a_part_is_refused_before_any_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    document, results = tmp_path / "page.md", tmp_path / "results"
    document.write_text("nothing\n", encoding="utf-8")
    monkeypatch.setattr(command, "DOCUMENT", document)
    with pytest.raises(typer.Exit) as stopped:
        command.main(only=["interfaces"], results=results)
    assert stopped.value.exit_code == 1
    assert "lacks the lines <!-- written by make paper: interfaces -->" in " ".join(
        capsys.readouterr().err.split()
    )
    assert not results.exists()


def test_sensitivity_shows_cycles_in_their_order_and_changes_against_the_first_case() -> None:
    cases = [
        row("base", {"stress_1": 0.1, "stress_5": 0.05}),
        row("soft", {"stress_1": 0.11, "stress_5": 0.04}),
        row("none", {"stress_1": -0.1, "stress_5": 0.0}),
        row("full", {"stress_1": math.nan, "stress_5": math.nan}, RunStatus.NOT_CONVERGED),
    ]
    lines = tables.study_table(STRESSES, cases, compared=True).splitlines()
    assert lines[0] == "| case | outcome | mean von Mises stress, active / GPa, cycle 1 → 5 |"
    assert lines[2] == "| base | done | 0.1 → 0.05 |"
    assert lines[3] == "| soft | done | 0.11 → 0.04 (+10, -20 %) |"
    assert lines[4] == "| none | done | -0.1 → 0 (-200, -100 %) |"
    assert lines[5] == "| full | not converged | - → - |"
    of_negative = [row("base", {"stress_1": -0.1, "stress_5": 0.0}), cases[0]]
    line = tables.study_table(STRESSES, of_negative, compared=True).splitlines()[-1]
    assert line == "| base | done | 0.1 → 0.05 (+200 %) |"
    (sentence,) = failures(cases)
    assert sentence == "full: not converged: step 3 at t = 9 s did not converge: too full"


def test_spread_counts_complete_runs_only() -> None:
    ratio = {"ratio": Observable.model_validate({"column": "porosity", "cycle": 2})}
    cases = [row("a", {"ratio": 0.1}), row("b", {"ratio": 0.2})]
    cases.append(row("c", {"ratio": 0.9}, RunStatus.NOT_CONVERGED))
    last = tables.spread_table(ratio, cases).splitlines()[-1]
    assert last == "| porosity / % | 2 | 15 | 7.07 | 10 to 20 | 2 |"


def test_comparison_shows_what_was_fitted(tmp_path: Path) -> None:
    factors = enumerate((0.8, 1.2), start=1)
    folders = [
        write_finished_run(tmp_path / f"r{n}", scaled_rows(2, f), [f"name=soft_seed{n}"])
        for n, f in factors
    ]
    (tmp_path / "targets.yaml").write_text(
        "source: S\nlabels: {soft: {mises_mean_active_gpa: {1: 0.1 GPa, fitted: [1]}}}\n",
        encoding="utf-8",
    )
    compared = compare(
        read_groups([str(folder) for folder in folders]), read_targets(tmp_path / "targets.yaml")
    )
    (line,) = tables.comparison_table(compared).splitlines()[2:]
    mean, deviation = 0.1 * 0.9, float(np.std([0.072, 0.108], ddof=1))
    assert line == (
        "| soft | mean von Mises stress, active / GPa | 1 | 0.1 (fitted) | "
        f"{mean:.3g} ± {deviation:.3g} | 0.072 to 0.108 (2) | {mean - 0.1:+.3g} |"
    )
    chosen = tables.comparison_table(compared, ["porosity"]).splitlines()[2:]
    assert all(line.startswith("| soft | porosity / % |") for line in chosen)
    assert len(chosen) == 2
    assert tables.comparison_table(compared, ["porosity"]).startswith(
        "| runs | quantity | cycle | here | range (packings) |\n"
    )


def test_materials_are_compared_where_both_have_been() -> None:
    values = [
        *(("Se", 0.3, 1.0, 0.1), ("Se", 1.0, 4.0, math.nan)),
        *(("FeS", 0.1, 3.0, 0.3), ("FeS", 0.3, 2.0, 0.2)),
    ]
    rows_of_both = [
        ValueAtSoc(label, "porosity", "%", soc, 2, mean, deviation, 0.0, 9.0)
        for label, soc, mean, deviation in values
    ]
    assert tables.equal_lithiation_table(rows_of_both).splitlines()[2:] == [
        "| porosity / % | 0.1 | - | 3 ± 0.3 |",
        "| porosity / % | 0.3 | 1 ± 0.1 | 2 ± 0.2 |",
        "| porosity / % | 1 | 4 | - |",
    ]


def test_origin_names_versions_and_how_many_runs_have_each(tmp_path: Path) -> None:
    heads = ["0123456789abcdef" * 2 + "01234567", "f" * 40 + " with local changes"]
    for number, commit in enumerate([heads[0], heads[1], heads[0]]):
        folder = tmp_path / str(number)
        folder.mkdir()
        text = f"# creep_fem: 0.1.0\n# git commit: {commit}\n# command: secret\n\nname: a\n"
        (folder / "config.yaml").write_text(text, encoding="utf-8")
    assert origin(sorted(tmp_path.iterdir())) == (
        "2 runs with creep_fem 0.1.0, git commit 0123456789; "
        "1 run with creep_fem 0.1.0, git commit ffffffffff with local changes"
    )


def test_calibration_tells_what_is_met() -> None:
    source = command.CALIBRATIONS["calibration"]
    loaded = load_calibration(source)
    data = {
        "caveat": "Not validation.",
        "ended_because": "stopped; a further step would lower it by 40 %",
        "runs": 7,
        "sum_of_squares": 12.3,
        "degrees_of_freedom": 5,
        "undetermined_combinations": [{"rate": 0.9, "exponent": 0.01}],
        "parameters": {
            key: {
                "value": item.start.value,
                "interval_95": [item.start.value, item.upper.value],
                "unit": item.dimension.unit,
                "at_bound": False,
                "bounds": [item.lower.value, item.upper.value],
            }
            for key, item in loaded.parameters.items()
        },
        "targets": {
            name: {
                "value": item.value,
                "fitted": item.value + 2.0 * item.tolerance,
                "unit": item.dimension.unit,
                "tolerance": item.tolerance,
                "residual_in_tolerances": 2.0,
                "met": False,
                "reason": "walls",
            }
            for name, item in loaded.targets.items()
        },
    }
    text = calibration.calibration_tables(data, source)
    stress = (
        "| mean von Mises stress, active / GPa | 1 | 0.099 ± 0.005 | 0.109 | +2.00 | no: walls |"
    )
    assert stress in text
    assert "| contact, active on active / % | 20 | 84.4 ± 5 | 94.4 | +2.00 | no: walls |" in text
    assert (
        "0 of 8 targets are met. "
        "The fit ended after 7 runs: stopped; a further step would lower it by 40 %."
    ) in text
    assert "| 4.5 to the bound 10 | 2 to 10 |" in text
    assert "Not validation." in text
    assert "the combination +0.90 rate within" in text


FIT = """\
name: fit
base: tiny.yaml
parameters:
  materials.active.override.creep.rate: {scale: log, lower: 1e-6 /s, upper: 1e-4 /s, start: 2e-5 /s}
targets_from: {file: targets.yaml, label: soft, tolerances: {mises_mean_active_gpa: 1 MPa}}
optimiser: {maximum_iterations: 1}
at_once: 2
"""
PUBLISHED = "source: S\nlabels: {soft: {mises_mean_active_gpa: {1: 0.1 GPa}}}\n"


def test_a_fit_is_taken_for_its_own_file_base_targets_and_runs_only(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, results = tmp_path / "fit.yaml", tmp_path / "results"
    aims, folder = tmp_path / "targets.yaml", results / "fit"
    source.write_text(FIT, encoding="utf-8")
    aims.write_text(PUBLISHED, encoding="utf-8")
    results.mkdir()

    def take(make: bool = False) -> dict[str, Any]:
        return calibration.fitted(source, results, lambda *_: None, make)

    def refused(file: Path, old: str, new: str, reason: str) -> None:
        before = file.read_text(encoding="utf-8")
        assert before.count(old) == 1
        file.write_text(before.replace(old, new), encoding="utf-8")
        with pytest.raises(MissingRunsError, match=f"{reason}.*: fit again"):
            take()
        file.write_text(before, encoding="utf-8")

    with pytest.raises(MissingRunsError, match="has not been fitted"):
        take()
    data = take(make=True)
    assert take() == data
    assert "of 1 targets" in calibration.calibration_tables(data, source)
    # How many runs were made at a time, and what else lies beside them, decide nothing.
    source.write_text(FIT.replace("at_once: 2", "at_once: 1  # slow"), encoding="utf-8")
    write_finished_run(folder / "runs" / "stray", scaled_rows(1, 1.0))
    assert take() == data
    text = calibration.made_by(source, results, "small")
    assert text.startswith("Made by `creep-fem calibrate configs/fit.yaml`: ")
    assert f": {data['runs']} runs with creep_fem" in text
    assert "; " not in text

    for old, new in [
        ("start: 2e-5 /s", "start: 3e-5 /s"),
        ("maximum_iterations: 1", "maximum_iterations: 2"),
        ("base: tiny.yaml", "base: tiny.yaml\nset: {cycling.cycles: 2}"),
        ("upper: 1e-4 /s", "upper: 2e-4 /s"),
    ]:
        refused(source, old, new, "was not made from fit.yaml as it is")
    refused(tiny, "exponent: 4.5", "exponent: 4.4", "no run of its best fit")
    refused(aims, "0.1 GPa", "0.2 GPa", "belongs to other targets")
    last = (folder / "evaluations.csv").read_text(encoding="utf-8").splitlines()[-1]
    refused(folder / "evaluations.csv", f"{last}\n", "", "not made from the runs")
    best = next(iter(data["parameters"].values()))["value"]
    refused(folder / "calibration.json", f'"value": {best!r}', '"value": 2.1e-05', "no run of its")
    assert take() == data
    monkeypatch.setattr(creep_fem, "__version__", "0.0")
    with pytest.raises(MissingRunsError, match="no run of its best fit"):
        take()


def test_runs_are_made_once_and_shown_with_their_origin(study: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    plans = {path.stem: plan(path, results) for path in (study, study.with_name("tiny.yaml"))}
    seen: list[RunStatus] = []
    for _ in range(2):
        make(list(plans.values()), results, lambda _, outcome: seen.append(outcome.status))
    assert seen == 6 * [RunStatus.DONE]
    require(plans.values())
    folders = [path.parent for path in results.rglob("history.csv")]
    assert len(folders) == 3

    page = Page("small", plans, results, tmp_path / "docs" / "page.md")
    slow, fast = (r.observables["stress"] for r in page.rows("study_two"))
    assert slow > fast > 0.0
    groups = page.groups({"slow": [page.finished("study_two")["base"]], "none": []})
    text = page.compared(groups, {"stress_over_cycles": "Stress."}, table="pores")
    picture = "![Stress.](images/paper/small_stress_over_cycles.png)\n\n*Stress.*"
    assert text.startswith(f"{picture}\n\n| pores in the first cycle")
    assert (tmp_path / "docs/images/paper/small_stress_over_cycles.png").stat().st_size > 1000
    closing = page.closing()
    assert closing.startswith("Made by `creep-fem study configs/study_two.yaml`, `creep-fem run ")
    assert "3 runs with creep_fem" in closing
    assert str(tmp_path) not in closing


def test_a_config_is_a_plan_of_one_run(tiny: Path, tmp_path: Path) -> None:
    item = plan(tiny, tmp_path)
    assert isinstance(item, Plan)
    assert [case.variation.name for case in item.cases] == ["tiny"]
    assert item.command == "creep-fem run configs/tiny.yaml"
