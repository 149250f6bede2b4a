"""A calibration: fits parameters to targets, and keeps every run that it takes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from creep_fem.results.table import csv_text
from creep_fem.study.calibration import CalibrationConfig, Parameter
from creep_fem.study.cases import Case
from creep_fem.study.errors import StudyError
from creep_fem.study.fit import Array, Fit, Uncertainty, fit, uncertainty
from creep_fem.study.launch import Launcher, Report
from creep_fem.study.outcome import RunOutcome, RunStatus, write_whole
from creep_fem.study.rows import observe
from creep_fem.study.sweep import study_folder
from creep_fem.study.targets import Target

CAVEAT = "Agreement of fitted quantities is not validation."
"""Stands beside every result of a calibration."""


@dataclass(frozen=True)
class Evaluation:
    """One run of a calibration.

    Attributes:
        case: The run.
        outcome: How it ended.
        observables: Its numbers by target; NaN where it has not come so far.
        residuals: Deviations from the targets in tolerances, shape (targets,); not finite if the
            run did not converge.
    """

    case: Case
    outcome: RunOutcome
    observables: Mapping[str, float]
    residuals: Array


@dataclass(frozen=True)
class FittedParameter:
    """A parameter after the fit, in internal units.

    Attributes:
        value: Best value.
        low: Lower end of the 95 % interval, or the bound if that is nearer; None if the targets
            do not determine the parameter.
        high: Upper end, likewise.
        at_bound: Whether the fit has run into a bound, where the interval means little.
    """

    value: float
    low: float | None
    high: float | None
    at_bound: bool


@dataclass(frozen=True)
class FittedTarget:
    """A target after the fit, in the unit of its column.

    Attributes:
        value: The target.
        fitted: What the model gives.
        tolerance: Deviation that counts as met.
        residual: Deviation in tolerances.
        reason: Why the target is not met, as far as the derivatives tell; empty if it is.
    """

    value: float
    fitted: float
    tolerance: float
    residual: float
    reason: str

    @property
    def met(self) -> bool:
        """Whether the deviation is within the tolerance."""
        return abs(self.residual) <= 1.0


@dataclass(frozen=True)
class CalibrationResult:
    """What a calibration leaves behind.

    Attributes:
        file: ``calibration.json``.
        fit: Where the fit ended.
        uncertainty: How far to trust it.
        parameters: By key of the config.
        targets: By name.
        evaluations: Runs it took, found ones included.
    """

    file: Path
    fit: Fit
    uncertainty: Uncertainty
    parameters: Mapping[str, FittedParameter]
    targets: Mapping[str, FittedTarget]
    evaluations: int


class Evaluations:
    """Residuals from runs; each run is made once and written to a table."""

    def __init__(
        self, calibration: CalibrationConfig, launcher: Launcher, table: Path, report: Report
    ) -> None:
        """Prepare to make runs.

        Args:
            calibration: What is fitted to what.
            launcher: Starts the runs.
            table: CSV file that lists all runs in their order.
            report: Told of each run.
        """
        self._calibration, self._launcher = calibration, launcher
        self._table, self._report = table, report
        self.known: dict[str, Evaluation] = {}

    def __call__(self, positions: Array) -> Array:
        """Residuals in tolerances, shape (points, targets), at positions (points, parameters).

        Raises:
            StudyError: If a run fails for another reason than that a step does not converge.
        """
        cases = [self._calibration.case(point.tolist()) for point in positions]
        new = list({c.digest: c for c in cases if c.digest not in self.known}.values())
        if new:
            outcomes = self._launcher.run(new, self._report)
            for case, outcome in zip(new, outcomes, strict=True):
                self.known[case.digest] = self._evaluation(case, outcome)
            write_whole(self._table, self._as_csv())
        return np.array([self.known[case.digest].residuals for case in cases])

    def _evaluation(self, case: Case, outcome: RunOutcome) -> Evaluation:
        if outcome.status not in (RunStatus.DONE, RunStatus.NOT_CONVERGED):
            raise StudyError(f"the run {case.run_name} failed: {outcome.reason}")
        targets = self._calibration.targets
        observables = observe(targets, case, outcome)
        residuals = np.array(
            [(observables[name] - item.value) / item.tolerance for name, item in targets.items()]
        )
        if outcome.done and not np.all(np.isfinite(residuals)):
            absent = [name for name, value in observables.items() if not math.isfinite(value)]
            raise StudyError(f"targets without a value in {case.run_name}: {', '.join(absent)}")
        # A run that stops on the way counts as such even if it has passed all targets.
        found = residuals if outcome.done else np.full(len(targets), np.inf)
        return Evaluation(case, outcome, observables, found)

    def _as_csv(self) -> str:
        parameters, targets = self._calibration.parameters, self._calibration.targets
        columns = ["run", *parameters, *targets, "sum_of_squares", "outcome", "folder"]
        lines: list[list[object]] = []
        for number, item in enumerate(self.known.values(), start=1):
            varied, folder = item.case.variation.varied, item.outcome.folder
            lines.append(
                [
                    number,
                    *(varied[key] for key in parameters),
                    *item.observables.values(),
                    float(item.residuals @ item.residuals),
                    item.outcome.status.value,
                    folder.name if folder is not None else "",
                ]
            )
        return csv_text(columns, lines)


def calibrate(
    calibration: CalibrationConfig, source: Path, output: Path, report: Report
) -> CalibrationResult:
    """Fit the parameters, and write ``evaluations.csv`` and ``calibration.json``.

    The optimiser decides by its runs alone, so a calibration that is started again asks for the
    same runs, finds them, and goes on where it was interrupted.

    Args:
        calibration: What is fitted to what.
        source: Its file, of which a copy is kept with the runs.
        output: Folder in which the folder of the calibration is made.
        report: Told of each run.

    Raises:
        ConfigError: If the folder holds something else.
        StudyError: If a run fails, or does not converge where the fit cannot do without it.
        KeyboardInterrupt: On Ctrl-C.
    """
    folder = study_folder(output, calibration.name, source, "calibration.yaml")
    launcher = Launcher(folder / "runs", calibration.ranks, calibration.at_once)
    evaluations = Evaluations(calibration, launcher, folder / "evaluations.csv", report)
    by = calibration.optimiser
    found = fit(evaluations, calibration.start, by.step, by.tolerance, by.maximum_iterations)
    trust = uncertainty(found)
    result = CalibrationResult(
        folder / "calibration.json",
        found,
        trust,
        _parameters(calibration, found, trust),
        _targets(calibration, evaluations, found),
        len(evaluations.known),
    )
    write_whole(result.file, json.dumps(_as_json(calibration, result), indent=2) + "\n")
    return result


def _parameters(
    calibration: CalibrationConfig, found: Fit, trust: Uncertainty
) -> dict[str, FittedParameter]:
    fitted: dict[str, FittedParameter] = {}
    for index, (key, parameter) in enumerate(calibration.parameters.items()):
        position = float(found.position[index])
        reach = trust.quantile * float(trust.deviation[index])
        # Intervals end at the bounds at the latest; how much wider they are means nothing. The
        # bounds themselves, without round-off, tell such ends from others.
        low = parameter.lower.value
        if position - reach > 0.0:
            low = parameter.value_at(position - reach)
        high = parameter.upper.value
        if position + reach < 1.0:
            high = parameter.value_at(position + reach)
        unknown = (low, high) == (parameter.lower.value, parameter.upper.value)
        fitted[key] = FittedParameter(
            parameter.value_at(position),
            None if unknown else low,
            None if unknown else high,
            bool(found.at_bound[index]),
        )
    return fitted


def _targets(
    calibration: CalibrationConfig, evaluations: Evaluations, found: Fit
) -> dict[str, FittedTarget]:
    best = evaluations.known[calibration.case(found.position.tolist()).digest]
    return {
        name: FittedTarget(
            item.value,
            best.observables[name],
            item.tolerance,
            float(found.residuals[index]),
            _reason(calibration, found, index),
        )
        for index, (name, item) in enumerate(calibration.targets.items())
    }


def _reason(calibration: CalibrationConfig, found: Fit, index: int) -> str:
    """Say why a target is not met, as far as the derivatives at the fit tell."""
    residual, slopes = float(found.residuals[index]), found.jacobian[index]
    if abs(residual) <= 1.0:
        return ""
    reach = float(np.sum(np.abs(slopes)))
    if reach < abs(residual):
        ranges = f"all parameters over their whole ranges move it by {reach:.2g} tolerances only"
        return f"by the derivatives at the fit, {ranges}"
    names = list(calibration.parameters)
    # Where the bound stands in the way: going on would bring the target nearer.
    outward = np.where(found.position > 0.5, 1.0, -1.0)
    held = found.at_bound & (slopes * outward * residual < 0.0)
    if np.any(held):
        return f"at its bound: {', '.join(names[i] for i in np.flatnonzero(held))}"
    if not found.converged:
        return "the fit was stopped before its end"
    if found.doubtful:
        return "by the derivatives at the fit, a further step would lower the sum of squares"
    return "the other targets pull the parameters the other way"


def _as_json(calibration: CalibrationConfig, result: CalibrationResult) -> dict[str, Any]:
    trust, names = result.uncertainty, list(calibration.parameters)
    return {
        "caveat": CAVEAT,
        "converged": result.fit.converged,
        "ended_because": result.fit.message,
        "predicted_reduction": result.fit.predicted_reduction,
        "runs": result.evaluations,
        "parameters": {
            key: _parameter_as_json(calibration.parameters[key], item)
            for key, item in result.parameters.items()
        },
        "targets": {
            name: _target_as_json(calibration.targets[name], item)
            for name, item in result.targets.items()
        },
        "sum_of_squares": trust.chi_squared,
        "degrees_of_freedom": trust.freedom,
        "intervals_widened_by": trust.inflation,
        "quantile_95": trust.quantile,
        "correlation": {"order": names, "matrix": _numbers(trust.correlation)},
        "jacobian_in_tolerances_over_range": _numbers(result.fit.jacobian),
        "singular_values": _numbers(trust.singular_values),
        "undetermined_combinations": [
            dict(zip(names, _numbers(row), strict=True)) for row in trust.weak
        ],
    }


def _parameter_as_json(parameter: Parameter, item: FittedParameter) -> dict[str, Any]:
    return {
        "value": item.value,
        "interval_95": [item.low, item.high],
        "unit": parameter.dimension.unit,
        "at_bound": item.at_bound,
        "bounds": [parameter.lower.value, parameter.upper.value],
        "scale": parameter.scale,
    }


def _target_as_json(target: Target, item: FittedTarget) -> dict[str, Any]:
    return {
        "value": item.value,
        "fitted": item.fitted,
        "unit": target.dimension.unit,
        "tolerance": item.tolerance,
        "residual_in_tolerances": item.residual,
        "met": item.met,
        "reason": item.reason,
        "source": target.source,
    }


def _numbers(values: Array) -> Any:
    """Plain numbers in nested lists; JSON knows neither NaN nor infinity."""
    if values.ndim > 1:
        return [_numbers(row) for row in values]
    return [float(value) if math.isfinite(value) else None for value in values]
