"""The calibration: made or found, and its result as tables."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.paper.runs import MissingRunsError, origin
from benchmarks.paper.tables import heading_of, scale_of
from creep_fem.config.document import read_document
from creep_fem.report.tables import markdown_text
from creep_fem.study.calibrate import calibrate
from creep_fem.study.calibration import CalibrationConfig, load_calibration
from creep_fem.study.launch import Report
from creep_fem.study.observable import Observable
from creep_fem.study.outcome import find_outcome
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
    folder = results / calibration.name
    if make:
        calibrate(calibration, source, results, report)
    path = folder / "calibration.json"
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MissingRunsError(f"{source.name} has not been fitted") from error
    if reason := _foreign(data, calibration, source, folder):
        raise MissingRunsError(f"{path} {reason}: fit again")
    return data


def _foreign(
    data: Mapping[str, Any], calibration: CalibrationConfig, source: Path, folder: Path
) -> str:
    """Why a result is not that of a file and of all it refers to; empty if it is.

    The kept copy shows whether the file has changed. What it refers to has no copy: published
    values stand in the result, and base config, materials and version decide the digest of runs.
    """
    copy = folder / "calibration.yaml"
    if not copy.is_file() or _content(copy) != _content(source):
        return f"was not made from {source.name} as it is"
    aims = {name: (item.value, item.tolerance) for name, item in calibration.targets.items()}
    if aims != {name: (of["value"], of["tolerance"]) for name, of in data["targets"].items()}:
        return "belongs to other targets"
    runs = _evaluated(folder)
    if len(runs) != data["runs"]:
        return "was not made from the runs in evaluations.csv"
    parameters = calibration.parameters.items()
    best = calibration.case(
        [item.position(data["parameters"][key]["value"]) for key, item in parameters]
    )
    found = find_outcome(folder / "runs", best)
    if found is None or not found.done or found.folder not in runs:
        return "has no run of its best fit: the base config, a material or the version has changed"
    return ""


def _content(path: Path) -> dict[str, Any]:
    """Entries of a calibration that has been checked, but for what does not decide the result."""
    entries: dict[str, Any] = read_document(path.read_text(encoding="utf-8")).data
    return {key: value for key, value in entries.items() if key != "at_once"}


def _evaluated(folder: Path) -> list[Path | None]:
    """Folders of the runs of the last fit; None for one that came to have none."""
    table = folder / "evaluations.csv"
    if not table.is_file():
        return []
    with table.open(encoding="utf-8", newline="") as file:
        names = [row["folder"] for row in csv.DictReader(file)]
    return [folder / "runs" / name if name else None for name in names]


def made_by(source: Path, results: Path, part: str) -> str:
    """By which command and version the fit was made, and the part of the document written."""
    evaluated = _evaluated(results / load_calibration(source).name)
    return (
        f"Made by `creep-fem calibrate configs/{source.name}`: "
        f"{origin([folder for folder in evaluated if folder is not None])}. "
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
    sentences = [
        f"{met} of {len(data['targets'])} targets are met.",
        f"The fit ended after {data['runs']} runs: {data['ended_because']}.",
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
        interval = interval_text(low, high, item["at_bound"], item["bounds"])
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
