"""Samples of parameters, and the effects that are read off their runs."""

from __future__ import annotations

import csv
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from creep_fem.errors import ConfigError, Problem
from creep_fem.study import launch
from creep_fem.study.config import StudyConfig, load_study
from creep_fem.study.effects import (
    changes_text,
    effects_text,
    regress,
    relative_change,
    sample_effects,
)
from creep_fem.study.outcome import RunOutcome, RunStatus
from creep_fem.study.rows import StudyRow
from creep_fem.study.sample import Sample
from creep_fem.study.sweep import run_study
from creep_fem.study.tables import print_study

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "configs" / "demo.yaml"
RATE = "materials.active.override.creep.rate"
YOUNG = "materials.framework.override.young_modulus"
EXPONENT = "materials.active.override.creep.exponent"
GOOD = f"""\
sample:
  size: 8
  seed: 3
  parameters:
    {RATE}: {{lower: 3e-6 /s, upper: 3e-5 /s, scale: log}}
    {YOUNG}: {{lower: 30 GPa, upper: 80 GPa}}
    {EXPONENT}: {{lower: 3, upper: 7}}
observables: {{stress: {{column: mises_mean_active_gpa, cycle: 1}}}}
"""


def write(folder: Path, text: str = GOOD, base: Path = DEMO) -> Path:
    path = folder / "study.yaml"
    path.write_text(f"name: design\nbase: {base}\n{text}", encoding="utf-8")
    return path


def problems(folder: Path, text: str) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        load_study(write(folder, text))
    return caught.value.problems


def sample(size: int, count: int, seed: int = 1) -> Sample:
    keys = [f"entry.number_{index}" for index in range(count)]
    parameters = {key: {"lower": 0.0, "upper": 2.0} for key in keys}
    return Sample.model_validate({"size": size, "seed": seed, "parameters": parameters})


@pytest.mark.parametrize(("size", "count"), [(3, 1), (24, 5), (7, 4)])
def test_each_parameter_takes_one_value_in_each_stratum(size: int, count: int) -> None:
    positions = sample(size, count).positions()
    assert positions.shape == (size, count)
    strata = np.sort(np.floor(positions * size).astype(int), axis=0)
    assert (strata == np.arange(size)[:, None]).all()


def test_parameters_are_hardly_correlated() -> None:
    positions = sample(24, 5).positions()
    found = [
        np.corrcoef(positions[:, i], positions[:, j])[0, 1] for i, j in combinations(range(5), 2)
    ]
    # The standard deviation of a chance correlation of 24 points is 0.21.
    assert np.abs(found).max() < 0.21


def test_the_seed_decides_the_sample() -> None:
    assert np.array_equal(sample(9, 3, 4).positions(), sample(9, 3, 4).positions())
    assert not np.array_equal(sample(9, 3, 4).positions(), sample(9, 3, 5).positions())


def test_values_lie_between_the_bounds_on_their_scale(tmp_path: Path) -> None:
    study, cases = load_study(write(tmp_path))
    assert study.sample is not None
    assert [case.variation.name for case in cases] == [f"point {n}" for n in range(1, 9)]
    for case, (rate, young, exponent) in zip(cases, study.sample.positions(), strict=True):
        creep = case.config.materials.active.creep
        assert creep is not None
        assert creep.rate == pytest.approx(3e-6 * 10.0**rate, rel=1e-8)
        assert creep.exponent == pytest.approx(3.0 + 4.0 * exponent, rel=1e-8)
        framework = case.config.materials.framework
        assert framework.young_modulus == pytest.approx(30.0 + 50.0 * young, rel=1e-8)
        assert case.variation.varied[YOUNG] == f"{framework.young_modulus!r} GPa"
    assert [case.digest for case in load_study(write(tmp_path))[1]] == [c.digest for c in cases]


def test_temperatures_energies_and_velocities_can_be_sampled(tmp_path: Path) -> None:
    energy = "materials.active.override.creep.activation_energy"
    text = f"""\
set:
  contact.friction_coefficient: 0.1
  materials.framework.override.creep: none
sample:
  size: 5
  parameters:
    temperature: {{lower: 298 K, upper: 70 degC}}
    {energy}: {{lower: 60 kJ/mol, upper: 90 kJ/mol}}
    contact.slip_regularisation: {{lower: 1e-7 um/s, upper: 1e-5 um/s, scale: log}}
observables: {{stress: {{column: mises_mean_active_gpa, cycle: 1}}}}
"""
    study, cases = load_study(write(tmp_path, text))
    assert study.sample is not None
    for case, (warmth, activation, slip) in zip(cases, study.sample.positions(), strict=True):
        creep, contact = case.config.materials.active.creep, case.config.contact
        assert creep is not None
        assert case.config.temperature == pytest.approx(298.0 + 45.15 * warmth, rel=1e-8)
        assert creep.activation_energy == pytest.approx(60.0 + 30.0 * activation, rel=1e-8)
        assert contact.slip_regularisation == pytest.approx(1e-7 * 100.0**slip, rel=1e-8)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("size: 8", "size: 4", [("sample.size", "4 runs do not tell the effects of 3")]),
        ("size: 8", "sise: 8", [("sample.sise", "unknown")]),
        ("seed: 3", "seed: -1", [("sample.seed", "range")]),
        ("scale: log", "scael: log", [(f"sample.parameters.{RATE}.scael", "unknown")]),
        ("lower: 3e-6 /s", "lower: 0 /s", [(f"sample.parameters.{RATE}.lower", "no logarithm")]),
        ("upper: 80 GPa", "upper: 80 um", [(f"sample.parameters.{YOUNG}.upper", "different dim")]),
        ("upper: 80 GPa", "upper: 20 GPa", [(f"sample.parameters.{YOUNG}.upper", "not above")]),
        (", upper: 80 GPa", "", [(f"sample.parameters.{YOUNG}.upper", "missing")]),
        # What only the config can tell.
        ("upper: 7", "upper: 7e9", [(f"sample.parameters.{EXPONENT}.upper", "range")]),
        (
            "young_modulus",
            "young_moduls",
            [(f"sample.parameters.{YOUNG[:-2]}s.{end}", "unknown") for end in ("lower", "upper")],
        ),
        (
            "lower: 30 GPa, upper: 80 GPa",
            "lower: 30 um, upper: 80 um",
            [(f"sample.parameters.{YOUNG}.{end}", "is not a unit") for end in ("lower", "upper")],
        ),
    ],
)  # fmt: skip
def test_mistakes_are_found_before(
    tmp_path: Path, old: str, new: str, expected: list[tuple[str, str]]
) -> None:
    assert old in GOOD
    found = problems(tmp_path, GOOD.replace(old, new))
    assert len(found) == len(expected)
    for problem, (key, message) in zip(found, expected, strict=True):
        assert problem.key.startswith(key)
        assert message in problem.message
        assert problem.line is not None or "missing" in message


def test_effects_of_a_linear_function_are_exact() -> None:
    positions = sample(12, 3).positions()
    found = regress(positions, 7.0 + positions @ [2.0, -0.5, 0.0])
    assert found is not None
    assert found.changes == pytest.approx([2.0, -0.5, 0.0], abs=1e-12)
    assert found.reaches == pytest.approx([0.0, 0.0, 0.0], abs=1e-12)
    assert found.middle == pytest.approx(7.75)
    assert found.r_squared == pytest.approx(1.0)
    assert found.runs == 12


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    positions, truth = sample(10, 3).positions(), np.array([2.0, -0.5, 0.0])
    noise = np.random.default_rng(1).normal(scale=0.4, size=(400, 10))
    held = []
    for scatter in noise:
        found = regress(positions, positions @ truth + scatter)
        assert found is not None
        held.append(np.abs(found.changes - truth) < found.reaches)
    # Of 400 independent fits, three standard deviations are 3.3 %.
    assert np.mean(held, axis=0) == pytest.approx([0.95] * 3, abs=0.033)


def test_ranks_see_what_is_monotone_and_not_linear() -> None:
    positions = sample(20, 1).positions()
    found = regress(positions, np.exp(-12.0 * positions[:, 0]))
    assert found is not None
    assert found.rank_correlations == pytest.approx([-1.0])
    assert found.r_squared < 0.7


def test_nothing_moves_a_constant() -> None:
    found = regress(sample(6, 2).positions(), np.full(6, 0.3))
    assert found is not None
    assert found.middle == pytest.approx(0.3)
    assert found.changes == pytest.approx([0.0, 0.0], abs=1e-12)
    assert np.isnan(found.r_squared)
    assert np.isnan(found.rank_correlations).all()


def test_runs_that_do_not_tell_effects_apart_give_none() -> None:
    positions = sample(6, 2).positions()
    values = positions @ [1.0, 2.0]
    values[:2] = np.nan
    assert regress(positions, values) is not None
    values[2] = np.nan
    assert regress(positions, values) is None
    same = np.repeat(positions[:, :1], 2, axis=1)
    assert regress(same, same @ [1.0, 2.0]) is None


def rows_of(folder: Path, statuses: list[RunStatus]) -> tuple[StudyConfig, list[StudyRow]]:
    """Rows of the good sample with a stress of 1 GPa plus twice the second position."""
    study, cases = load_study(write(folder))
    assert study.sample is not None
    values = 1.0 + 2.0 * study.sample.positions()[:, 1]
    return study, [
        StudyRow(case, RunOutcome(status), {"stress": float(value)})
        for case, status, value in zip(cases, statuses, values, strict=True)
    ]


def test_only_finished_runs_count(tmp_path: Path) -> None:
    study, rows = rows_of(tmp_path, [RunStatus.DONE] * 5 + [RunStatus.NOT_CONVERGED] * 3)
    assert study.sample is not None
    rows[-1] = StudyRow(rows[-1].case, rows[-1].outcome, {"stress": 1e6})
    positions = study.sample.positions()
    effects = sample_effects(positions, rows)
    text = effects_text(effects, list(study.sample.parameters), study.observables)
    lines = list(csv.DictReader(text.splitlines()))
    assert [line["parameter"] for line in lines] == [RATE, YOUNG, EXPONENT]
    assert {(line["observable"], line["unit"], line["runs"]) for line in lines} == {
        ("stress", "GPa", "5")
    }
    assert [float(line["change"]) for line in lines] == pytest.approx([0.0, 2.0, 0.0], abs=1e-9)
    assert sample_effects(positions[:4], rows[:4]) == {"stress": None}


def test_a_rise_is_positive_whatever_the_sign_of_the_base() -> None:
    assert relative_change(-0.05, -0.1) == pytest.approx(0.5)
    assert relative_change(-0.2, -0.1) == pytest.approx(-1.0)
    assert relative_change(0.11, 0.1) == pytest.approx(0.1)
    assert np.isnan(relative_change(1.0, 0.0))


def test_changes_from_the_base_are_written_as_they_are_printed(tmp_path: Path) -> None:
    text = (
        "one_at_a_time: true\nvary: {cycling.soc.high: [0.5]}\n"
        "observables: {stress: {column: mises_mean_active_gpa, cycle: 1},"
        " pores: {column: porosity, cycle: 1}}\n"
    )
    study, cases = load_study(write(tmp_path, text))
    done = RunOutcome(RunStatus.DONE)
    base, other = (
        StudyRow(case, done, {"stress": stress, "pores": pores})
        for case, stress, pores in zip(cases, (0.2, 0.25), (0.0, 0.1), strict=True)
    )
    lines = list(csv.reader(changes_text([base, other], base, study.observables).splitlines()))
    assert lines[0][:4] == ["case", "outcome", "observable", "unit"]
    assert lines[1] == ["base", "done", "stress", "GPa", "0.2", "0.0", "0.0"]
    assert lines[3][:4] == ["high=0.5", "done", "stress", "GPa"]
    assert [float(entry) for entry in lines[3][4:]] == pytest.approx([0.25, 0.05, 0.25])
    # There is no change relative to nothing.
    assert lines[4] == ["high=0.5", "done", "pores", "", "0.1", "0.1", "nan"]


def test_too_few_finished_runs_are_said_and_give_no_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(launch.sys, "executable", str(program))
    path = write(tmp_path)
    study, cases = load_study(path)
    (tmp_path / "design").mkdir()
    for name in ("study.yaml", "effects.csv"):
        (tmp_path / "design" / name).write_text("of another time", encoding="utf-8")
    result = run_study(study, cases, path, tmp_path, lambda *_: None)
    print_study(study, result)
    assert "too few finished runs: 0, at least 5 are needed" in capsys.readouterr().out
    assert result.effects_file is None
    assert not (tmp_path / "design" / "effects.csv").exists()


def test_a_sample_runs_and_shows_the_effects_of_the_creep_law(
    tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"""\
at_once: 2
sample:
  size: 5
  parameters:
    {RATE}: {{lower: 1e-5 /s, upper: 1.2e-5 /s, scale: log}}
    {YOUNG}: {{lower: 30 GPa, upper: 80 GPa}}
observables:
  stress: {{column: mises_mean_active_gpa, cycle: 1}}
  contact: {{column: contact_ratio_active_framework, cycle: 1}}
"""
    path = write(tmp_path, text, tiny)
    study, cases = load_study(path)
    result = run_study(study, cases, path, tmp_path, lambda *_: None)
    found = result.effects["stress"]
    assert found is not None
    # A particle that creeps as fast as it grows, q ~ rate^(-1/4.5), and does not touch the other.
    expected = -np.log(1.2) / 4.5 * found.middle
    assert found.changes[0] == pytest.approx(expected, rel=0.1)
    assert found.changes[1] == pytest.approx(0.0, abs=0.02 * abs(expected))
    assert found.r_squared > 0.99
    assert result.effects_file is not None
    print_study(study, result)
    printed = capsys.readouterr().out
    for word in ("change over the whole range", "rate", "young_modulus", "0 in all 5 runs"):
        assert word in printed

    runs = sorted((tmp_path / "design" / "runs").iterdir())
    written = result.effects_file.read_bytes()
    run_study(*load_study(path), path, tmp_path, lambda *_: None)
    assert sorted((tmp_path / "design" / "runs").iterdir()) == runs
    assert result.effects_file.read_bytes() == written
