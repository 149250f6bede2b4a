"""A parameter study: makes the runs of all cases and collects their numbers in a table."""

from __future__ import annotations

import csv
import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from creep_fem.errors import ConfigError, Problem
from creep_fem.results.errors import writing
from creep_fem.study.cases import Case
from creep_fem.study.config import StudyConfig
from creep_fem.study.launch import Launcher, Report
from creep_fem.study.observable import Observable
from creep_fem.study.outcome import RunOutcome, write_whole


@dataclass(frozen=True)
class StudyRow:
    """One line of the table of a study.

    Attributes:
        case: The case.
        outcome: How its run ended; None if it has not been made.
        observables: Numbers by name; NaN where the run has not come so far.
    """

    case: Case
    outcome: RunOutcome | None
    observables: Mapping[str, float]


@dataclass(frozen=True)
class StudyResult:
    """What a study leaves behind.

    Attributes:
        table: File with the table.
        rows: Its rows, in the order of the cases.
    """

    table: Path
    rows: Sequence[StudyRow]


def run_study(
    study: StudyConfig,
    cases: Sequence[Case],
    source: Path,
    output: Path,
    report: Report,
    retry: bool = False,
) -> StudyResult:
    """Make the runs of a study that have not been made yet, and write the table.

    The table is on disk from the start and complete up to the last run that ended.

    Args:
        study: The study.
        cases: Its cases.
        source: Its file, of which a copy is kept with the runs.
        output: Folder in which the folder of the study is made.
        report: Told of each run.
        retry: Whether runs that did not converge, or had bad input, are made again.

    Raises:
        ConfigError: If the folder holds something else.
        StudyError: If the runs cannot be started.
        KeyboardInterrupt: On Ctrl-C, with the table on disk.
    """
    folder = study_folder(output, study.name, source, "study.yaml")
    launcher = Launcher(folder / "runs", study.ranks, study.at_once, retry)
    outcomes: dict[str, RunOutcome] = {}
    table = folder / "table.csv"

    def ended(case: Case, outcome: RunOutcome) -> None:
        outcomes[case.digest] = outcome
        write_whole(table, _table(_rows(study, cases, outcomes)))
        report(case, outcome)

    launcher.run(cases, ended)
    return StudyResult(table, _rows(study, cases, outcomes))


def study_folder(output: Path, name: str, source: Path, copy: str) -> Path:
    """Make or find the folder of a study or a calibration, with a copy of its file.

    Args:
        output: Folder in which it lies.
        name: Name of the study.
        source: File of the study.
        copy: Name of the copy, by which the folder is known again.

    Raises:
        ConfigError: If a folder of this name holds something else.
        ResultError: If it cannot be written.
    """
    folder = output / name
    if folder.exists() and not (folder / copy).exists():
        message = f"there is a folder {folder} that is not of this"
        raise ConfigError(str(source), [Problem("name", message, name, "another name")])
    with writing(folder):
        (folder / "runs").mkdir(parents=True, exist_ok=True)
        if (folder / copy).resolve() != source.resolve():
            shutil.copyfile(source, folder / copy)
    return folder


def observe(
    observables: Mapping[str, Observable], case: Case, outcome: RunOutcome | None
) -> dict[str, float]:
    """Read observables off a run.

    Returns:
        Numbers by name; NaN where the run has not come so far.
    """
    history = outcome.history() if outcome is not None else None
    if history is None:
        return dict.fromkeys(observables, math.nan)
    return {name: item.read(history, case.config) for name, item in observables.items()}


def _rows(
    study: StudyConfig, cases: Sequence[Case], outcomes: Mapping[str, RunOutcome]
) -> list[StudyRow]:
    known = [(case, outcomes.get(case.digest)) for case in cases]
    return [
        StudyRow(case, outcome, observe(study.observables, case, outcome))
        for case, outcome in known
    ]


def _table(rows: Sequence[StudyRow]) -> str:
    """Write rows as CSV: what was varied, how the run ended, and the observables."""
    varied = list(dict.fromkeys(key for row in rows for key in row.case.variation.varied))
    stream = StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["case", *varied, "outcome", "seconds", "folder", *rows[0].observables])
    for row in rows:
        outcome = row.outcome
        folder = outcome.folder.name if outcome is not None and outcome.folder else ""
        writer.writerow(
            [
                row.case.variation.name,
                *(row.case.variation.varied.get(key, "") for key in varied),
                outcome.status.value if outcome is not None else "not run",
                f"{outcome.seconds:.1f}" if outcome is not None else "",
                folder,
                *(repr(value) for value in row.observables.values()),
            ]
        )
    return stream.getvalue()
