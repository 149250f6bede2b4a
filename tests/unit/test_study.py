"""Studies: what they vary, which mistakes they find, and how runs are known again."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from creep_fem.errors import ConfigError, Problem
from creep_fem.study import launch
from creep_fem.study.cases import Case, short_names
from creep_fem.study.config import load_study
from creep_fem.study.launch import Launcher
from creep_fem.study.observable import Observable
from creep_fem.study.outcome import RunOutcome, RunStatus, find_outcome
from creep_fem.study.sweep import run_study

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "configs" / "demo.yaml"
OBSERVABLES = "observables: {stress: {column: mises_mean_active_gpa, cycle: 1}}\n"
SAMPLE = "sample: {size: 3, parameters: {cycling.soc.high: {lower: 0.5, upper: 1}}}\n"


def write(folder: Path, text: str, base: Path = DEMO) -> Path:
    path = folder / "study.yaml"
    path.write_text(f"name: study\nbase: {base}\n{text}", encoding="utf-8")
    return path


def names(folder: Path, text: str) -> list[str]:
    return [case.variation.name for case in load_study(write(folder, text + OBSERVABLES))[1]]


def problems(folder: Path, text: str, base: Path = DEMO) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        load_study(write(folder, text, base))
    return caught.value.problems


def ignore(_case: Case, _outcome: RunOutcome) -> None:
    """A report to nobody."""


def test_a_grid_holds_all_combinations(tmp_path: Path) -> None:
    text = (
        "vary:\n  microstructure.packing.seed: [1, 2]\n  cycling.soc.high: [0.5, 1.0]\n"
        "set: {cycling.cycles: 3}\n"
    )
    _, cases = load_study(write(tmp_path, text + OBSERVABLES))
    found = [(c.config.microstructure.packing.seed, c.config.cycling.soc.high) for c in cases]
    assert found == [(1, 0.5), (1, 1.0), (2, 0.5), (2, 1.0)]
    assert {case.config.cycling.cycles for case in cases} == {3}
    assert cases[2].variation.name == "seed=2, high=0.5"
    assert cases[2].run_name == f"seed-2-high-0.5-{cases[2].digest}"


def test_one_at_a_time_sets_each_value_alone_beside_the_base(tmp_path: Path) -> None:
    text = "one_at_a_time: true\nvary: {microstructure.packing.seed: [2], cycling.cycles: [2, 3]}\n"
    assert names(tmp_path, text) == ["base", "seed=2", "cycles=2", "cycles=3"]


def test_cases_are_named_sets_of_entries(tmp_path: Path) -> None:
    text = (
        "cases:\n  hard: {materials.framework.override.young_modulus: 80 GPa}\n"
        # A section and an entry inside of it, in the wrong order.
        "  small: {microstructure.packing.seed: 5, microstructure: {packing: {box: 5 um, seed: 1,"
        " minimum_gap: 20 nm, active: {area_fraction: 0.3, radius: 1 um, spread: 0.1},"
        " framework: {area_fraction: 0.3, radius: 1 um, spread: 0.1}}}}\n"
    )
    _, cases = load_study(write(tmp_path, text + OBSERVABLES))
    assert [case.variation.name for case in cases] == ["hard", "small"]
    assert cases[0].config.materials.framework.young_modulus == 80.0
    assert cases[1].config.microstructure.packing.seed == 5


def test_all_mistakes_are_found_at_once(tmp_path: Path) -> None:
    text = (
        "set:\n  cycling.cycls: 2\n  mesh.surface_size: 3 GPa\n"
        "vary:\n"
        "  materials.framework.override.young_modulus: [30 GPa, 80]\n"
        "  microstructure.packing.seed: [1, -2]\n"
    )
    text += OBSERVABLES
    found = problems(tmp_path, text)
    assert [(p.key, p.value, p.line) for p in found] == [
        ("set.cycling.cycls", "2", 4),
        ("set.mesh.surface_size", "3 GPa", 5),
        ("vary.materials.framework.override.young_modulus[1]", "80", 7),
        ("vary.microstructure.packing.seed[1]", "-2", 8),
    ]
    assert found[0].suggestion == "cycling.cycles"


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        ("vary: {cycling.cycles: [1]}\nrank: 2\n", "rank", "unknown"),
        ("vary: {cycling.cycles: 2}\n", "vary.cycling.cycles", "a list"),
        ("vary: {cycling.cycles: []}\n", "vary.cycling.cycles", "a list"),
        ("vary: {name: [a]}\n", "vary.name", "names from the case"),
        ("vary: {a..b: [1]}\n", "vary.a..b", "no path"),
        ("cases: {one: {name: a}}\n", "cases.one.name", "names from the case"),
        ("cases: {base: {cycling.cycles: 2}}\n", "cases.base.cycling.cycles", "compared with"),
        ("", "vary", "no cases"),
        ("vary: {cycling.cycles: [1]}\ncases: {one: {}}\n", "vary", "both vary and cases"),
        (f"vary: {{cycling.cycles: [1]}}\n{SAMPLE}", "vary", "both vary and sample"),
        (f"cases: {{one: {{}}}}\n{SAMPLE}", "sample", "both sample and cases"),
        (f"one_at_a_time: true\n{SAMPLE}", "one_at_a_time", "no values"),
        ("vary: {cycling.cycles: [1]}\nname: a/b\n", "name", "already given"),
        ("vary: {cycling.cycles: [1]}\nat_once: 0\n", "at_once", "range"),
    ],
)
def test_mistakes_of_the_study_are_reported(
    tmp_path: Path, text: str, key: str, message: str
) -> None:
    (found,) = problems(tmp_path, text + OBSERVABLES)
    assert found.key == key
    assert message in found.message


def test_mistakes_of_observables_are_reported_with_the_nearest(tmp_path: Path) -> None:
    text = (
        "vary: {cycling.cycles: [1]}\nobservables:\n"
        "  a: {column: porosty, cycle: 1}\n"
        "  b: {column: porosity, cycle: 1, att: minimum}\n"
        "  c: {column: porosity, cycle: 0, at: end}\n"
    )
    found = {p.key: p for p in problems(tmp_path, text)}
    assert set(found) == {
        "observables.a.column",
        "observables.b.att",
        "observables.c.cycle",
        "observables.c.at",
    }
    assert found["observables.a.column"].suggestion == "porosity"
    assert found["observables.b.att"].suggestion == "observables.b.at"


def test_a_cycle_that_no_run_reaches_is_found_before(tmp_path: Path) -> None:
    text = "vary: {cycling.cycles: [1, 3]}\nobservables: {late: {column: porosity, cycle: 2}}\n"
    (found,) = problems(tmp_path, text)
    assert (found.key, found.value, found.allowed) == ("observables.late.cycle", "2", "at most 1")


def test_mistakes_of_the_base_are_told_once_with_its_lines(tmp_path: Path) -> None:
    base = tmp_path / "base.yaml"
    base.write_text(DEMO.read_text("utf-8").replace("0.25 um", "0.25"), encoding="utf-8")
    (found,) = problems(tmp_path, "vary: {cycling.cycles: [1, 2]}\n" + OBSERVABLES, base)
    assert found.key == "base: mesh.surface_size"
    assert "the unit is missing in line" in found.message
    assert found.line == 2


def test_names_are_as_short_as_they_can_be() -> None:
    keys = ["a.b.rate", "a.c.rate", "x.seed"]
    assert short_names(keys) == {"a.b.rate": "b.rate", "a.c.rate": "c.rate", "x.seed": "seed"}


def test_runs_are_known_by_all_that_decides_their_results(tmp_path: Path) -> None:
    layout = tmp_path / "one.json"

    def digest(text: str, radius: float = 1.0) -> str:
        disc = {"x": 2.0, "y": 2.0, "r": radius, "phase": "active"}
        layout.write_text(json.dumps({"box": 4.0, "discs": [disc]}), encoding="utf-8")
        source = "microstructure.packing: null, microstructure.layout: one.json"
        base = tmp_path / "base.yaml"
        base.write_text(DEMO.read_text("utf-8"), encoding="utf-8")
        _, (case,) = load_study(
            write(tmp_path, f"cases: {{a: {{{source}{text}}}}}\n{OBSERVABLES}", base)
        )
        return case.digest

    same = digest("")
    assert digest(", output.figures: false") == same
    assert digest(", cycling.soc.high: 0.99") != same
    assert digest("", radius=0.99) != same


@pytest.mark.parametrize(
    ("at", "expected"),
    [("end_of_swelling", 2.0), ("end_of_shrinking", 3.0), ("minimum", 1.0), ("maximum", 7.0)],
)
def test_observables_are_read_at_the_time_they_name(
    tmp_path: Path, at: str, expected: float
) -> None:
    _, (case,) = load_study(write(tmp_path, "cases: {a: {cycling.cycles: 2}}\n" + OBSERVABLES))
    ends = [half.end_time for half in case.config.cycling.half_cycles(0.98)]
    history = {
        "time_s": np.array([0.5 * ends[0], ends[0], 0.5 * (ends[0] + ends[1]), ends[1], ends[2]]),
        "cycle": np.array([1.0, 1.0, 1.0, 1.0, 2.0]),
        "porosity": np.array([1.0, 2.0, 7.0, 3.0, 9.0]),
    }
    first = Observable.model_validate({"column": "porosity", "cycle": 1, "at": at})
    assert first.read(history, case.config) == expected
    second = first.model_copy(update={"cycle": 2})
    assert np.isnan(second.read(history, case.config)) == (at != "end_of_swelling")


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Makes runs fail: the interpreter that starts them is a program that writes and ends."""
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho 'error: out of luck' >&2\nexit 7\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(launch.sys, "executable", str(program))
    return program


def test_a_failure_is_recorded_and_the_rest_goes_on(tmp_path: Path, broken: Path) -> None:
    path = write(tmp_path, "vary: {cycling.cycles: [1, 2]}\nat_once: 2\n" + OBSERVABLES)
    study, cases = load_study(path)
    result = run_study(study, cases, path, tmp_path, ignore)
    assert [row.outcome.status for row in result.rows if row.outcome] == [RunStatus.FAILED] * 2
    rows = list(csv.DictReader(result.table.read_text("utf-8").splitlines()))
    assert [(row["case"], row["outcome"], row["stress"]) for row in rows] == [
        ("cycles=1", "failed", "nan"),
        ("cycles=2", "failed", "nan"),
    ]
    known = find_outcome(tmp_path / "study" / "runs", cases[0])
    assert known is not None
    assert known.reason == "out of luck"
    assert (
        json.loads((tmp_path / f"study/runs/{cases[0].run_name}.json").read_text("utf-8"))[
            "exit_code"
        ]
        == 7
    )


@pytest.mark.parametrize(
    ("code", "status", "again"),
    [
        (1, RunStatus.FAILED, True),
        (2, RunStatus.BAD_INPUT, False),
        (3, RunStatus.NOT_CONVERGED, False),
        (130, RunStatus.INTERRUPTED, True),
    ],
)
def test_only_what_may_end_otherwise_is_repeated(
    tmp_path: Path, broken: Path, code: int, status: RunStatus, again: bool
) -> None:
    count = tmp_path / "count"
    broken.write_text(f"#!/bin/sh\necho x >> {count}\nexit {code}\n", encoding="utf-8")
    _, cases = load_study(write(tmp_path, "cases: {a: {}}\n" + OBSERVABLES))
    (tmp_path / "runs").mkdir()
    for retry, attempts in ((False, 1), (False, 2 if again else 1), (True, 3 if again else 2)):
        launcher = Launcher(tmp_path / "runs", ranks=1, at_once=1, retry=retry)
        (outcome,) = launcher.run(cases, ignore)
        assert outcome.status is status
        assert count.read_text("utf-8").count("x") == attempts


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "study").mkdir()
    path = write(tmp_path, "cases: {a: {}}\n" + OBSERVABLES)
    study, cases = load_study(path)
    with pytest.raises(ConfigError, match="not of this"):
        run_study(study, cases, path, tmp_path, ignore)
    assert list((tmp_path / "study").iterdir()) == []


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("study_*.yaml")), ids=str)
def test_the_examples_are_valid(path: Path) -> None:
    _, cases = load_study(path)
    assert len({case.digest for case in cases}) == len(cases) > 1


def test_a_study_runs_collects_and_is_resumed_without_computing(tiny: Path, tmp_path: Path) -> None:
    rate = "materials.active.override.creep.rate"
    text = f"vary: {{{rate}: [1e-5 /s, 1e-4 /s]}}\nat_once: 2\n" + OBSERVABLES
    path = write(tmp_path, text, tiny)
    study, cases = load_study(path)
    seen: list[tuple[str, RunStatus]] = []

    def report(case: Case, outcome: RunOutcome) -> None:
        seen.append((case.variation.name, outcome.status))

    first = run_study(study, cases, path, tmp_path, report)
    assert set(seen) == {(f"rate={r} /s", RunStatus.DONE) for r in ("1e-4", "1e-5")}
    slow, fast = (row.observables["stress"] for row in first.rows)
    # Stress of a particle that creeps as fast as it grows: q ~ rate^(-1/n), n = 4.5.
    assert slow / fast == pytest.approx(10.0 ** (1.0 / 4.5), rel=0.05)
    rows = list(csv.DictReader(first.table.read_text("utf-8").splitlines()))
    assert [(row[rate], float(row["stress"])) for row in rows] == [
        ("1e-5 /s", slow),
        ("1e-4 /s", fast),
    ]

    runs = sorted((tmp_path / "study" / "runs").iterdir())
    times = [file.stat().st_mtime_ns for file in runs]
    # Other names, and another order.
    changed = f"cases: {{again: {{{rate}: 1e-4 /s}}, new: {{{rate}: 1e-5 /s}}}}\n" + OBSERVABLES
    other = write(tmp_path, changed, tiny)
    second = run_study(*load_study(other), other, tmp_path, report)
    assert [row.observables["stress"] for row in second.rows] == [fast, slow]
    assert sorted((tmp_path / "study" / "runs").iterdir()) == runs
    assert [file.stat().st_mtime_ns for file in runs] == times

    # A run that was killed is made again, and what it had computed is kept.
    (folder,) = (tmp_path / "study" / "runs").glob(f"*{cases[0].digest}/history.csv")
    cut = "".join(folder.read_text("utf-8").splitlines(keepends=True)[:4])
    folder.write_text(cut, encoding="utf-8")
    third = run_study(*load_study(other), other, tmp_path, report)
    assert [row.observables["stress"] for row in third.rows] == [fast, slow]
    assert folder.read_text("utf-8") == cut
