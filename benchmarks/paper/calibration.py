"""The calibration: made or found, and its result as tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.paper.runs import MissingRunsError, origin
from benchmarks.paper.tables import heading_of, scale_of
from creep_fem.report.tables import markdown_text
from creep_fem.results.run_folder import RunFolder
from creep_fem.study.calibrate import calibrate
from creep_fem.study.calibration import CalibrationConfig, load_calibration
from creep_fem.study.launch import Report
from creep_fem.study.observable import Observable
from creep_fem.study.tables import combination_text, interval_text, range_text


def fitted(source: Path, results: Path, report: Report, make: bool) -> dict[str, Any]:
    """Fit the parameters, or take the fit that there is.

    Args:
        source: File of the calibration.
        results: Folder that collects all results of the document.
        report: Told of each run.
        make: Whether runs may be made.

    Returns:
        Contents of ``calibration.json``.

    Raises:
        MissingRunsError: If there is no result of this file and none may be made.
        CreepFemError: If the fit cannot go on.
    """
    calibration = load_calibration(source)
    path = results / calibration.name / "calibration.json"
    if make:
        calibrate(calibration, source, results, report)
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MissingRunsError(f"{source.name} has not been fitted") from error
    if not _belongs(data, calibration):
        raise MissingRunsError(f"{path} belongs to other targets or parameters: fit again")
    return data


def _belongs(data: dict[str, Any], calibration: CalibrationConfig) -> bool:
    """Whether a result is that of a file, which may have been changed since."""
    bounds = {
        key: [item.lower.value, item.upper.value] for key, item in calibration.parameters.items()
    }
    aims = {name: (item.value, item.tolerance) for name, item in calibration.targets.items()}
    return bounds == {key: item["bounds"] for key, item in data["parameters"].items()} and (
        aims == {name: (item["value"], item["tolerance"]) for name, item in data["targets"].items()}
    )


def made_by(source: Path, results: Path, part: str) -> str:
    """By which command and version the fit was made, and the part of the document written."""
    runs = (results / load_calibration(source).name / "runs").iterdir()
    folders = [folder for folder in runs if RunFolder(folder).config.is_file()]
    return (
        f"Made by `creep-fem calibrate configs/{source.name}`: {origin(folders)}. "
        f'Written by `make paper PAPER="--only {part}"`.'
    )


def calibration_tables(data: dict[str, Any], source: Path) -> str:
    """Best fit, and every target with its residual and what stands in the way.

    Args:
        data: Contents of ``calibration.json``.
        source: File of the calibration.
    """
    aims = load_calibration(source).targets
    met = sum(item["met"] for item in data["targets"].values())
    end = "" if data["converged"] else " The fit was stopped before its end."
    sentences = [
        f"{met} of {len(data['targets'])} targets are met, after {data['runs']} runs.{end}",
        f"Sum of squares {data['sum_of_squares']:.3g} at {data['degrees_of_freedom']} degrees of",
        f"freedom. {data['caveat']}",
    ]
    weak = [combination_text(shares) for shares in data["undetermined_combinations"]]
    if weak:
        combinations = "; ".join(f"the combination {text}" for text in weak)
        sentences.append(f"The targets do not determine {combinations} within the bounds.")
    return "\n\n".join([_parameters(data), _targets(data, aims), " ".join(sentences)])


def _parameters(data: dict[str, Any]) -> str:
    cells = [["parameter", "best fit", "95 % interval", "bounds"]]
    for key, item in data["parameters"].items():
        low, high = item["interval_95"]
        interval = interval_text(low, high, item["at_bound"])
        best = f"{item['value']:.4g} {item['unit']}".rstrip()
        cells.append([f"`{key}`", best, interval, range_text(*item["bounds"])])
    return markdown_text(cells[0], cells[1:])


def _targets(data: dict[str, Any], aims: Mapping[str, Observable]) -> str:
    cells = [["target", "cycle", "paper ± tolerance", "best fit", "residual / tolerances", "met"]]
    for name, item in data["targets"].items():
        aim, scale = aims[name], scale_of(aims[name].column)
        value, tolerance, best = (scale * item[key] for key in ("value", "tolerance", "fitted"))
        cells.append(
            [
                heading_of(aim),
                str(aim.cycle),
                f"{value:.3g} ± {tolerance:.2g}",
                f"{best:.3g}",
                f"{item['residual_in_tolerances']:+.2f}",
                "yes" if item["met"] else f"no: {item['reason']}",
            ]
        )
    return markdown_text(cells[0], cells[1:])
