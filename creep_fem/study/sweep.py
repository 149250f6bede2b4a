"""A parameter study: makes the runs of all cases and collects their numbers in a table."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from creep_fem.errors import ConfigError, Problem
from creep_fem.results.errors import writing
from creep_fem.study.cases import Case
from creep_fem.study.config import StudyConfig
from creep_fem.study.effects import (
    Effects,
    changes_text,
    effects_text,
    find_base,
    sample_effects,
)
from creep_fem.study.launch import Launcher, Report
from creep_fem.study.outcome import RunOutcome, write_whole
from creep_fem.study.rows import StudyRow, observe, table_text

_TABLE: Final = "table.csv"
_EFFECTS: Final = "effects.csv"


@dataclass(frozen=True)
class StudyResult:
    """What a study leaves behind.

    Attributes:
        table: File with the table.
        rows: Its rows, in the order of the cases.
        effects_file: File with the effects of parameters, if the study shows any.
        effects: Of a sample, the effects on every observable; None where too few runs are done.
    """

    table: Path
    rows: Sequence[StudyRow]
    effects_file: Path | None = None
    effects: Mapping[str, Effects | None] = field(default_factory=dict)


def run_study(
    study: StudyConfig,
    cases: Sequence[Case],
    source: Path,
    output: Path,
    report: Report,
    retry: bool = False,
) -> StudyResult:
    """Make the runs of a study that have not been made yet, and write table and effects.

    The table is on disk from the start and complete up to the last run that ended; effects follow
    at the end.

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
    with writing(folder):
        # Effects of other runs, from before the study was changed, are not those of its table.
        (folder / _EFFECTS).unlink(missing_ok=True)

    def ended(case: Case, outcome: RunOutcome) -> None:
        outcomes[case.digest] = outcome
        write_whole(folder / _TABLE, table_text(_rows(study, cases, outcomes)))
        report(case, outcome)

    launcher.run(cases, ended)
    return _finished(study, folder, _rows(study, cases, outcomes))


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


def _rows(
    study: StudyConfig, cases: Sequence[Case], outcomes: Mapping[str, RunOutcome]
) -> list[StudyRow]:
    known = [(case, outcomes.get(case.digest)) for case in cases]
    return [
        StudyRow(case, outcome, observe(study.observables, case, outcome))
        for case, outcome in known
    ]


def _finished(study: StudyConfig, folder: Path, rows: Sequence[StudyRow]) -> StudyResult:
    """Find what the runs show of the effects of parameters, and write it."""
    effects: Mapping[str, Effects | None] = {}
    text, base = "", find_base(rows)
    if study.sample is not None:
        effects = sample_effects(study.sample.positions(), rows)
        if any(effects.values()):
            text = effects_text(effects, list(study.sample.parameters), study.observables)
    elif base is not None:
        text = changes_text(rows, base, study.observables)
    file = folder / _EFFECTS
    if text:
        write_whole(file, text)
    return StudyResult(folder / _TABLE, rows, file if text else None, effects)
