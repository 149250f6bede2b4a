"""Calibrations: their files, the fit, and what it tells about its uncertainty."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from creep_fem.errors import ConfigError, Problem
from creep_fem.study.calibrate import CalibrationResult, Evaluations, calibrate
from creep_fem.study.calibration import Parameter, load_calibration
from creep_fem.study.cases import Case
from creep_fem.study.errors import StudyError
from creep_fem.study.fit import Array, Fit, fit, uncertainty
from creep_fem.study.launch import Launcher
from creep_fem.study.outcome import RunOutcome, RunStatus
from creep_fem.study.tables import interval_text, print_calibration

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "configs" / "demo.yaml"
RATE = "materials.active.override.creep.rate"
GOOD = f"""\
parameters:
  {RATE}: {{scale: log, lower: 1e-7 /s, upper: 1e-3 /s, start: 1e-5 /s}}
targets:
  stress: {{column: mises_mean_active_gpa, cycle: 1, value: 99 MPa, tolerance: 5 MPa, source: a}}
"""


def write(folder: Path, text: str = GOOD) -> Path:
    path = folder / "calibration.yaml"
    path.write_text(f"name: fitted\nbase: {DEMO}\n{text}", encoding="utf-8")
    return path


def problems(folder: Path, text: str) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        load_calibration(write(folder, text))
    return caught.value.problems


def test_values_are_read_in_the_units_of_their_columns(tmp_path: Path) -> None:
    calibration = load_calibration(write(tmp_path))
    assert calibration.targets["stress"].value == 0.099
    assert calibration.targets["stress"].tolerance == 0.005
    assert calibration.start == pytest.approx([0.5])
    creep = calibration.case([0.25]).config.materials.active.creep
    assert creep is not None
    assert creep.rate == pytest.approx(1e-6)


BOUNDS = "temperature: {lower: 298.15 K, upper: 70 degC, start: 40 degC}"
SECOND = "pores: {column: porosity, cycle: 1, value: 5 %, tolerance: 1 %, source: a}"


def test_a_temperature_is_fitted_between_bounds_in_any_unit(tmp_path: Path) -> None:
    two = GOOD.replace("targets:", f"  {BOUNDS}\ntargets:\n  {SECOND}")
    calibration = load_calibration(write(tmp_path, two))
    assert calibration.start == pytest.approx([0.5, 15.0 / 45.0])
    assert calibration.case([0.5, 1.0]).config.temperature == pytest.approx(343.15)


@pytest.mark.parametrize(("name", "parameters"), [("fig4", 3), ("isotropic", 4)])
def test_the_examples_take_the_published_numbers_with_their_own_tolerances(
    name: str, parameters: int
) -> None:
    calibration = load_calibration(ROOT / "configs" / f"calibration_{name}.yaml")
    assert len(calibration.parameters) == parameters
    found = {name: (t.value, t.tolerance) for name, t in calibration.targets.items()}
    assert found == {
        "mises_mean_active_gpa_1": pytest.approx((0.099, 0.005)),
        "mises_mean_active_gpa_20": pytest.approx((0.067, 0.005)),
        "mises_mean_framework_gpa_1": pytest.approx((0.171, 0.01)),
        "mises_mean_framework_gpa_20": pytest.approx((0.156, 0.01)),
        "contact_ratio_active_active_1": pytest.approx((0.705, 0.05)),
        "contact_ratio_active_active_20": pytest.approx((0.844, 0.05)),
        "contact_ratio_active_framework_1": pytest.approx((0.67, 0.05)),
        "contact_ratio_active_framework_20": pytest.approx((0.795, 0.05)),
    }
    assert {t.source for t in calibration.targets.values()} == {
        "Xiong et al. 2024 (xiong_2024.yaml)"
    }
    assert {(t.cycle, t.at) for t in calibration.targets.values()} == {
        (1, "end_of_swelling"),
        (20, "end_of_swelling"),
    }


FILE = """\
source: Someone
labels:
  soft:
    mises_mean_active_gpa: {1: 99 MPa, every: 90 MPa}
    contact_fraction_active_shrunk: {1: 20 %}
    wall_pressure_gpa: {1: 1 GPa}
    porosity: {every: 5 %}
"""
FROM_FILE = f"""\
parameters:
  {RATE}: {{scale: log, lower: 1e-7 /s, upper: 1e-3 /s, start: 1e-5 /s}}
targets_from:
  file: file.yaml
  label: soft
  tolerances: {{mises_mean_active_gpa: 5 MPa, contact_fraction_active_shrunk: 2 %}}
"""


def test_a_file_gives_values_of_single_cycles_at_the_end_of_their_quantity(tmp_path: Path) -> None:
    (tmp_path / "file.yaml").write_text(FILE, encoding="utf-8")
    own = "targets:\n  more: {column: porosity, cycle: 1, value: 5 %, tolerance: 1 %, source: a}\n"
    targets = load_calibration(write(tmp_path, FROM_FILE + own)).targets
    assert {(n, t.column, t.cycle, t.at, t.value, t.tolerance) for n, t in targets.items()} == {
        ("mises_mean_active_gpa_1", "mises_mean_active_gpa", 1, "end_of_swelling", 0.099, 0.005),
        (
            *("contact_fraction_active_shrunk_1", "contact_fraction_active", 1),
            *("end_of_shrinking", 0.2, 0.02),
        ),
        ("more", "porosity", 1, "end_of_swelling", 0.05, 0.01),
    }


@pytest.mark.parametrize(
    ("old", "new", "key", "message", "near"),
    [
        ("file: file.yaml", "file: fiel.yaml", "file", "there is no file", None),
        ("label: soft", "label: sotf", "label", "no such label", "soft"),
        ("label: soft", "label: 3", "label", "not a valid name", None),
        ("mises_mean_active_gpa", "mises_mean_activ_gpa", "tolerances.mises_mean_activ_gpa",
         "no value", "mises_mean_active_gpa"),
        ("mises_mean_active_gpa", "porosity", "tolerances.porosity", "no value", None),
        ("mises_mean_active_gpa", "wall_pressure_gpa", "tolerances.wall_pressure_gpa",
         "several columns", None),
        ("5 MPa", "5 um", "tolerances.mises_mean_active_gpa", "not a unit of one", None),
        ("5 MPa", "0 GPa", "tolerances.mises_mean_active_gpa", "out of range", None),
        ("tolerances:", "tolerance:", "tolerance", "unknown", "targets_from.tolerances"),
        ("tolerances: {m", "tolerances: 3 #", "tolerances", "section", None),
    ],
)  # fmt: skip
def test_mistakes_about_a_file_of_targets_are_found_before(
    tmp_path: Path, old: str, new: str, key: str, message: str, near: str | None
) -> None:
    (tmp_path / "file.yaml").write_text(FILE, encoding="utf-8")
    assert old in FROM_FILE
    (found,) = problems(tmp_path, FROM_FILE.replace(old, new))
    assert (found.key, found.suggestion) == (f"targets_from.{key}", near)
    assert message in found.message
    assert found.line is not None


def test_mistakes_within_the_file_and_beside_it_are_found_together(tmp_path: Path) -> None:
    broken = FILE.replace("99 MPa", "99").replace("20 %", "20 GPa")
    (tmp_path / "file.yaml").write_text(broken, encoding="utf-8")
    text = FROM_FILE.replace("start: 1e-5 /s", "start: 1 /s").replace("5 MPa", "5")
    found = {problem.key: problem.message for problem in problems(tmp_path, text)}
    assert set(found) == {
        f"parameters.{RATE}.start",
        "targets_from.file: labels.soft.mises_mean_active_gpa.1",
        "targets_from.file: labels.soft.contact_fraction_active_shrunk.1",
        "targets_from.tolerances.mises_mean_active_gpa",
    }
    assert "in line 4" in found["targets_from.file: labels.soft.mises_mean_active_gpa.1"]


def test_cycles_of_a_file_that_the_runs_do_not_have_are_found(tmp_path: Path) -> None:
    text = FILE.replace("{1: 99 MPa,", "{1: 99 MPa, 20: 9 MPa,")
    (tmp_path / "file.yaml").write_text(text, encoding="utf-8")
    (found,) = problems(tmp_path, FROM_FILE)
    assert found.key == "targets_from.tolerances.mises_mean_active_gpa"
    assert (found.value, found.allowed) == ("20", "at most 1")


def test_some_target_is_needed_and_each_has_its_name(tmp_path: Path) -> None:
    (tmp_path / "file.yaml").write_text(FILE, encoding="utf-8")
    (found,) = problems(tmp_path, FROM_FILE[: FROM_FILE.index("targets_from")])
    assert "neither targets nor targets_from" in found.message
    entry = "{column: porosity, cycle: 1, value: 5 %, tolerance: 1 %, source: a}"
    own = f"targets:\n  mises_mean_active_gpa_1: {entry}\n"
    (found,) = problems(tmp_path, FROM_FILE + own)
    assert found.key == "targets.mises_mean_active_gpa_1"
    assert "of this name" in found.message


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_positions_and_values_are_inverse(scale: str) -> None:
    parameter = Parameter.model_validate(
        {
            "scale": scale,
            "lower": "20 GPa",
            "upper": "100 GPa",
            "start": "45 GPa",
        }
    )
    assert (parameter.position(20.0), parameter.position(100.0)) == (0.0, 1.0)
    for position in (0.0, 0.3, 1.0):
        value = parameter.value_at(position)
        assert 20.0 <= value <= 100.0
        assert parameter.position(value) == pytest.approx(position, abs=1e-8)


@pytest.mark.parametrize(
    ("old", "new", "key", "message"),
    [
        ("lower: 1e-7 /s", "lower: 0 /s", f"parameters.{RATE}.lower", "no logarithm"),
        ("upper: 1e-3 /s", "upper: 1e-8 /s", f"parameters.{RATE}.upper", "not above"),
        ("upper: 1e-3 /s", "upper: 1 GPa", f"parameters.{RATE}.upper", "different dim"),
        ("start: 1e-5 /s", "start: 1 /s", f"parameters.{RATE}.start", "not within"),
        ("start: 1e-5 /s", "start: 1e-5 /parsec", f"parameters.{RATE}.start", "unknown"),
        ("scale: log", "scael: log", f"parameters.{RATE}.scael", "unknown"),
        ("creep.rate", "creep.exponent", "parameters.materials.active.override.creep.exponent",
         "a plain number"),
        ("99 MPa", "99 um", "targets.stress.value", "is not a unit of one"),
        ("tolerance: 5 MPa", "tolerance: 0 MPa", "targets.stress.tolerance", "range"),
        ("mises_mean_active", "mises_mean_activ", "targets.stress.column", "no such column"),
        ("cycle: 1", "cycle: 2", "targets.stress.cycle", "not all runs"),
        (", source: a", "", "targets.stress.source", "missing"),
    ],
)  # fmt: skip
def test_mistakes_are_found_before(
    tmp_path: Path, old: str, new: str, key: str, message: str
) -> None:
    assert old in GOOD
    found = problems(tmp_path, GOOD.replace(old, new))
    assert any(p.key.startswith(key) and message in p.message for p in found), found


def test_a_bound_that_the_config_refuses_is_found_before(tmp_path: Path) -> None:
    key = "materials.framework.override.poisson_ratio"
    text = GOOD.replace("targets:", f"  {key}: {{lower: 0, upper: 0.7, start: 0.2}}\ntargets:")
    text += "  other: {column: porosity, cycle: 1, value: 0.1, tolerance: 0.01, source: b}\n"
    (found,) = problems(tmp_path, text)
    assert (found.key, found.line) == (f"parameters.{key}.upper", 5)


def test_targets_have_to_be_as_many_as_parameters(tmp_path: Path) -> None:
    entry = "  cycling.soc.high: {lower: 0.5, upper: 1, start: 0.8}\ntargets:"
    (found,) = problems(tmp_path, GOOD.replace("targets:", entry))
    assert "1 targets cannot determine 2 parameters" in found.message


def curved(points: Array) -> Array:
    """Residuals with a minimum of zero at (0.3, 0.6)."""
    x, y = points.T
    first = 10.0 * (np.exp(x) - np.exp(0.3))
    return np.column_stack([first, 20.0 * (y - 0.6) + 2.0 * first**2, first * (y - 0.6)])


def test_a_fit_finds_the_minimum() -> None:
    found = fit(curved, [0.8, 0.2], step=1e-3, tolerance=1e-6, iterations=30)
    assert found.converged
    assert found.position == pytest.approx([0.3, 0.6], abs=1e-4)
    assert not found.at_bound.any()
    assert not found.doubtful


def test_a_fit_stops_at_a_bound_and_says_so() -> None:
    found = fit(lambda x: 5.0 * (x - [0.3, 1.4]), [0.8, 0.2], 1e-3, 1e-5, 50)
    assert found.position == pytest.approx([0.3, 1.0], abs=1e-3)
    assert found.at_bound.tolist() == [False, True]


@pytest.mark.parametrize(
    ("start", "minimum", "held"),
    [(0.97, 1.2, False), (0.995, 1.2, True), (0.995, 0.97, False), (0.03, -0.2, False),
     (0.005, -0.2, True), (0.005, 0.03, False)],
)  # fmt: skip
def test_at_a_bound_means_near_it_with_less_misfit_beyond(
    start: float, minimum: float, held: bool
) -> None:
    # A single trial point: the fit ends where it begins.
    found = fit(lambda x: 5.0 * (x - minimum), [start], 1e-3, tolerance=0.05, iterations=1)
    assert found.position == pytest.approx([start])
    assert found.at_bound.tolist() == [held]


def test_a_fit_stops_after_its_largest_number_of_trial_points() -> None:
    found = fit(curved, [0.8, 0.2], step=1e-3, tolerance=1e-6, iterations=2)
    assert not found.converged
    assert "stopped" in found.message


@pytest.mark.parametrize(
    ("minimum", "promise"), [(0.6, 1.0 - 4.0 / 8.0), (1.4, 1.0 - (4.0 + 10.0**2 * 0.4**2) / 104.0)]
)
def test_a_fit_tells_what_a_further_step_within_the_bounds_promises(
    minimum: float, promise: float
) -> None:
    def evaluate(points: Array) -> Array:
        return np.hstack([10.0 * (points - minimum), np.full_like(points, 2.0)])

    start = 0.4
    found = fit(evaluate, [start], step=1e-3, tolerance=1e-6, iterations=1)
    assert found.predicted_reduction == pytest.approx(promise, rel=1e-6)
    assert f"would lower the sum of squares by {100.0 * promise:.0f} %" in found.message


def hindered(points: Array) -> Array:
    """Residuals that fall steadily, but only over less than any trial step is long."""
    away = points[:, :1] - 0.5
    jump = np.where((np.abs(away) > 0.002) | (away < -1e-9), 10.0, 0.0)
    return np.hstack([5.0 - 6.0 * away + jump, np.full_like(away, 0.5)])


def test_steps_that_shrink_without_a_minimum_are_not_taken_for_one() -> None:
    found = fit(hindered, [0.5], step=1e-3, tolerance=0.03, iterations=30)
    assert found.converged
    assert found.position == pytest.approx([0.5])
    assert found.predicted_reduction == pytest.approx(1.0 - 4.25 / 25.25, rel=1e-3)
    assert found.doubtful
    assert "though by the derivatives there, a further step would lower" in found.message
    assert "runs are noisy" in found.message
    # The same in small: all targets are met anyhow.
    small = fit(lambda x: 0.03 * hindered(x), [0.5], step=1e-3, tolerance=0.03, iterations=30)
    assert small.predicted_reduction == pytest.approx(found.predicted_reduction)
    assert not small.doubtful


def test_points_without_residuals_are_avoided() -> None:
    tried: list[float] = []

    def evaluate(points: Array) -> Array:
        tried.extend(points[:, 0].tolist())
        return np.where(points > 0.303, np.inf, 10.0 * (np.exp(3.0 * points) - np.exp(0.9)))

    # The function is convex: from below, a step of Gauss and Newton goes too far.
    found = fit(evaluate, [0.02], step=1e-4, tolerance=1e-5, iterations=30)
    assert max(tried) > 0.303
    assert found.converged
    assert found.position == pytest.approx([0.3], abs=1e-4)


def test_derivatives_are_taken_on_the_other_side_if_need_be() -> None:
    def evaluate(points: Array) -> Array:
        found = curved(points)
        found[points[:, 0] > 0.3] = np.inf
        return found

    found = fit(evaluate, [0.3, 0.2], step=1e-3, tolerance=1e-5, iterations=30)
    assert found.position == pytest.approx([0.3, 0.6], abs=1e-2)
    assert np.isfinite(found.jacobian).all()


@pytest.mark.parametrize(
    ("start", "message"), [([0.5, 0.5], "at the start"), ([0.3, 0.5], "on either side")]
)
def test_a_fit_that_cannot_go_on_says_why(start: list[float], message: str) -> None:
    def evaluate(points: Array) -> Array:
        found = curved(points)
        found[np.abs(points[:, 0] - 0.3) > 1e-4] = np.nan
        return found

    with pytest.raises(StudyError, match=message):
        fit(evaluate, start, 1e-2, 1e-5, 10)


def fitted(jacobian: NDArray[np.float64], residuals: list[float]) -> Fit:
    count = jacobian.shape[1]
    bound = np.zeros(count, bool)
    return Fit(np.full(count, 0.5), np.array(residuals), jacobian, bound, 0.0, True, "")


def test_deviations_of_a_linear_fit_are_those_of_the_normal_equations() -> None:
    jacobian = np.array([[40.0, 3.0], [-7.0, 25.0], [9.0, 9.0]])
    found = uncertainty(fitted(jacobian, [0.1, -0.2, 0.3]))
    covariance = np.linalg.inv(jacobian.T @ jacobian)
    assert found.deviation == pytest.approx(np.sqrt(np.diag(covariance)))
    expected = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    assert found.correlation == pytest.approx(np.array([[1.0, expected], [expected, 1.0]]))
    assert (found.freedom, found.inflation, len(found.weak)) == (1, 1.0, 0)
    assert found.quantile == pytest.approx(1.959964)


def test_missed_targets_widen_the_intervals() -> None:
    jacobian = np.array([[40.0], [30.0]])
    found = uncertainty(fitted(jacobian, [3.0, -4.0]))
    assert found.inflation == pytest.approx(5.0)
    assert found.deviation == pytest.approx([5.0 / 50.0])
    # Student's t of one degree of freedom, from tables.
    assert found.quantile == pytest.approx(12.706, abs=1e-3)


def test_combinations_that_targets_do_not_see_are_named() -> None:
    # Only the sum counts.
    found = uncertainty(fitted(np.array([[30.0, 30.0], [20.0, 20.0]]), [0.0, 0.0]))
    assert np.isinf(found.deviation).all()
    assert np.abs(found.weak) == pytest.approx(np.full((1, 2), 0.5**0.5))
    assert found.weak[0, 0] * found.weak[0, 1] < 0.0


def test_a_direction_is_weak_if_its_interval_is_wider_than_its_range() -> None:
    limit = 2.0 * 1.959964
    for value, count in ((1.01 * limit, 0), (0.99 * limit, 1)):
        found = uncertainty(fitted(np.diag([100.0, value]), [0.0, 0.0]))
        assert len(found.weak) == count


TWO = f"""{GOOD}\
  pores: {{column: porosity, cycle: 1, value: 0.1, tolerance: 0.01, source: a}}
optimiser: {{step: 1e-3, tolerance: 0.03}}
"""


@pytest.fixture
def calibrate_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., CalibrationResult]:
    """Calibrates with residuals of the two targets by a function in place of runs."""

    def run(self: Launcher, cases: list[Case], report: object) -> list[RunOutcome]:
        return [RunOutcome(RunStatus.DONE) for _ in cases]

    def calibrated(model: Callable[[Array], Array], text: str = TWO) -> CalibrationResult:
        source = write(tmp_path, text)
        calibration = load_calibration(source)
        ((key, parameter),) = calibration.parameters.items()

        def observe(targets: object, case: Case, outcome: object) -> Mapping[str, float]:
            value = case.variation.varied[key]
            assert isinstance(value, float)
            stress, pores = model(np.array([[parameter.position(value)]]))[0].tolist()
            return {"stress": 0.099 + 0.005 * stress, "pores": 0.1 + 0.01 * pores}

        monkeypatch.setattr("creep_fem.study.calibrate.observe", observe)
        result = calibrate(calibration, source, tmp_path, lambda *_: None)
        print_calibration(calibration, result)
        return result

    monkeypatch.setattr(Launcher, "run", run)
    return calibrated


CalibrateModel = Callable[..., CalibrationResult]


def linear(slope: float, minimum: float, missed: float) -> Callable[[Array], Array]:
    return lambda x: np.hstack([slope * (x - minimum), np.full_like(x, missed)])


def test_intervals_are_those_of_student_where_misses_widen_them(
    calibrate_model: CalibrateModel,
) -> None:
    for missed, reach in ((0.5, 1.959964), (1.2, 1.2 * 12.7062)):
        result = calibrate_model(linear(100.0, 0.4, missed))
        written = json.loads(result.file.read_text("utf-8"))
        # Four decades over the range.
        expected = [10.0 ** (-7.0 + 4.0 * (0.4 + sign * reach / 100.0)) for sign in (-1.0, 1.0)]
        assert written["parameters"][RATE]["interval_95"] == pytest.approx(expected, rel=1e-4)
        assert written["quantile_95"] * written["intervals_widened_by"] == pytest.approx(reach)


def test_interval_ends_at_a_bound_are_the_bound_and_marked(
    calibrate_model: CalibrateModel, capsys: pytest.CaptureFixture[str]
) -> None:
    # More digits than values have.
    upper = "1.00000000004e-3"
    text = TWO.replace("upper: 1e-3", f"upper: {upper}")
    item = calibrate_model(linear(4.0, 0.8, 0.0), text).parameters[RATE]
    assert item.high == float(upper)
    assert item.low == pytest.approx(item.value * 10.0 ** (-4.0 * 1.959964 / 4.0), rel=1e-4)
    assert f"{item.low:.3g} to the bound 0.001" in capsys.readouterr().out
    assert interval_text(1e-7, 1e-4, False, (1e-7, 1e-3)) == "the bound 1e-07 to 0.0001"
    assert interval_text(2e-7, 1e-4, False, (1e-7, 1e-3)) == "2e-07 to 0.0001"


def test_there_is_no_interval_where_targets_say_next_to_nothing(
    calibrate_model: CalibrateModel,
) -> None:
    item = calibrate_model(linear(1e-3, 0.4, 0.5)).parameters[RATE]
    assert (item.low, item.high) == (None, None)


def test_a_target_out_of_reach_is_so_by_the_derivatives_at_the_fit(
    calibrate_model: CalibrateModel,
) -> None:
    target = calibrate_model(linear(50.0, 0.4, 3.0)).targets["pores"]
    assert target.reason == (
        "by the derivatives at the fit, "
        "all parameters over their whole ranges move it by 0 tolerances only"
    )


def test_a_doubtful_end_is_told_with_what_a_further_step_promises(
    calibrate_model: CalibrateModel, capsys: pytest.CaptureFixture[str]
) -> None:
    result = calibrate_model(hindered)
    written = json.loads(result.file.read_text("utf-8"))
    assert written["converged"]
    assert written["predicted_reduction"] == pytest.approx(1.0 - 4.25 / 25.25, rel=1e-3)
    assert "a further step would lower" in written["targets"]["stress"]["reason"]
    assert "would lower the sum of squares by 83 %: runs are noisy" in capsys.readouterr().out


def test_only_steps_that_do_not_converge_are_part_of_a_fit(tmp_path: Path) -> None:
    calibration = load_calibration(write(tmp_path))

    class Ending(Launcher):
        status = RunStatus.NOT_CONVERGED

        def run(self, cases: list[Case], report: object) -> list[RunOutcome]:  # type: ignore[override]
            return [RunOutcome(self.status, message="error: why") for _ in cases]

    launcher = Ending(tmp_path, ranks=1, at_once=1)
    evaluations = Evaluations(calibration, launcher, tmp_path / "table.csv", lambda *_: None)
    assert not np.isfinite(evaluations(np.array([[0.5]]))).any()
    (row,) = csv.DictReader((tmp_path / "table.csv").read_text("utf-8").splitlines())
    assert (row["outcome"], row[RATE]) == ("not converged", "1e-05")
    launcher.status = RunStatus.FAILED
    with pytest.raises(StudyError, match=r"failed: why"):
        evaluations(np.array([[0.6]]))


def test_a_known_rate_is_found_again_and_the_fit_repeats_without_runs(
    tiny: Path, tmp_path: Path
) -> None:
    # What the model gives for 1e-5 /s, computed by `creep-fem run`.
    text = f"""\
name: back
base: {tiny}
parameters:
  {RATE}: {{scale: log, lower: 1e-6 /s, upper: 1e-4 /s, start: 1.5e-5 /s}}
targets:
  swollen:
    {{column: mises_mean_active_gpa, cycle: 1, value: TRUTH GPa, tolerance: 1 MPa, source: model}}
optimiser: {{tolerance: 1e-2}}
"""
    path = tmp_path / "back.yaml"
    path.write_text(text.replace("TRUTH", "0.1"), encoding="utf-8")
    begun = load_calibration(path)
    launcher = Launcher(tmp_path / "truth", ranks=1, at_once=1)
    truth = Evaluations(begun, launcher, tmp_path / "truth.csv", lambda *_: None)
    truth(np.array([[0.5]]))
    (known,) = truth.known.values()
    path.write_text(text.replace("TRUTH", repr(known.observables["swollen"])), encoding="utf-8")

    seen: list[str] = []

    def report(_case: Case, outcome: RunOutcome) -> None:
        seen.append(str(outcome.folder))

    calibration = load_calibration(path)
    result = calibrate(calibration, path, tmp_path, report)
    assert result.fit.converged
    assert result.targets["swollen"].met
    rate = result.parameters[RATE]
    assert rate.value == pytest.approx(1e-5, rel=0.01)
    assert rate.low is not None
    assert rate.high is not None
    assert rate.low < 1e-5 < rate.high
    written = json.loads(result.file.read_text("utf-8"))
    assert written["parameters"][RATE]["value"] == rate.value
    assert written["caveat"] == "Agreement of fitted quantities is not validation."

    folders = sorted((tmp_path / "back" / "runs").iterdir())
    first, table = list(seen), (tmp_path / "back" / "evaluations.csv").read_bytes()
    again = calibrate(calibration, path, tmp_path, report)
    assert again.parameters == result.parameters
    assert seen == first * 2
    assert sorted((tmp_path / "back" / "runs").iterdir()) == folders
    assert (tmp_path / "back" / "evaluations.csv").read_bytes() == table
