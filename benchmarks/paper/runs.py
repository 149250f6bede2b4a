"""The runs behind the document: which there have to be, which there are, and how they ended."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from creep_fem.errors import CreepFemError
from creep_fem.results.run_folder import RunFolder
from creep_fem.study.cases import Case, Variation, make_case
from creep_fem.study.config import StudyConfig, load_study
from creep_fem.study.launch import Launcher, Report
from creep_fem.study.outcome import RunOutcome, find_outcome
from creep_fem.study.rows import StudyRow, observe
from creep_fem.study.sweep import run_study

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "configs"

AT_ONCE = 2
"""Runs of single configs at the same time, each of one process; studies say so themselves."""

_SINGLE = "configs"
_A_LITTLE_MORE = 1.0 + 1e-9  # for round-off of times
_COMMIT = re.compile(r"\b([0-9a-f]{10})[0-9a-f]{30}\b")
_ORIGIN = ("creep_fem", "git commit", "dolfinx", "PETSc")


class MissingRunsError(CreepFemError):
    """Runs that the document needs have not been made, or were interrupted or crashed."""


@dataclass(frozen=True)
class Plan:
    """The runs of one file.

    Attributes:
        source: A study, or the config of a single run.
        runs: Folder that collects the run folders.
        cases: The runs, one of a config.
        study: The study; None for a config.
    """

    source: Path
    runs: Path
    cases: tuple[Case, ...]
    study: StudyConfig | None = None

    @property
    def command(self) -> str:
        """What makes these runs, as it would be typed."""
        verb = "run" if self.study is None else "study"
        return f"creep-fem {verb} configs/{self.source.name}"


def plan(source: Path, results: Path) -> Plan:
    """Find out which runs a file asks for.

    Args:
        source: A study, recognised by its name ``study_*.yaml``, or a config.
        results: Folder that collects all results of the document.

    Raises:
        ConfigError: With all mistakes of the file.
    """
    if source.name.startswith("study_"):
        study, cases = load_study(source)
        return Plan(source, results / study.name / "runs", tuple(cases), study)
    case = make_case(Variation(source.stem, (), {}), source)
    return Plan(source, results / _SINGLE, (case,))


def make(plans: Sequence[Plan], results: Path, report: Report) -> None:
    """Make the runs that have not been made yet; all single configs together come first.

    Args:
        plans: What to run.
        results: Folder that collects all results of the document.
        report: Told of each run that ends or is found.

    Raises:
        CreepFemError: If runs cannot be started or their results not be written.
        KeyboardInterrupt: On Ctrl-C; the next call goes on from there.
    """
    results.mkdir(parents=True, exist_ok=True)
    single = [case for item in plans if item.study is None for case in item.cases]
    if single:
        folder = results / _SINGLE
        folder.mkdir(exist_ok=True)
        Launcher(folder, ranks=1, at_once=AT_ONCE).run(single, report)
    for item in plans:
        if item.study is not None:
            run_study(item.study, item.cases, item.source, results, report)


def outcome_of(item: Plan, case: Case) -> RunOutcome | None:
    """How a run ended; None if it has to be made (again).

    A run that did not converge, or whose particles could not be packed, is a result.
    """
    found = find_outcome(item.runs, case)
    return None if found is None or found.status.repeatable else found


def missing(plans: Iterable[Plan]) -> list[str]:
    """Name all runs that have to be made (again), as file and case."""
    return [
        f"{item.source.name}: {case.variation.name}"
        for item in plans
        for case in item.cases
        if outcome_of(item, case) is None
    ]


def require(plans: Iterable[Plan]) -> None:
    """Refuse to go on without all runs.

    Raises:
        MissingRunsError: With the names of those that are missing.
    """
    names = missing(plans)
    if names:
        lines = "".join(f"\n  {name}" for name in names)
        raise MissingRunsError(
            f"{len(names)} runs are missing or did not end by themselves:{lines}"
        )


def rows(item: Plan) -> list[StudyRow]:
    """Outcomes of all runs of a file, with the observables if it is a study."""
    observables = {} if item.study is None else item.study.observables
    known = [(case, outcome_of(item, case)) for case in item.cases]
    return [StudyRow(case, found, observe(observables, case, found)) for case, found in known]


def finished(item: Plan) -> dict[str, Path]:
    """Folders of the runs that reached their end, by the name of the case."""
    return {
        row.case.variation.name: row.outcome.folder
        for row in rows(item)
        if row.done and row.outcome is not None and row.outcome.folder is not None
    }


def failures(found: Iterable[StudyRow]) -> list[str]:
    """Say of each run that did not reach its end where it stopped and why."""
    return [
        f"{row.case.variation.name}: {row.outcome.status.value}{_reached(row.case, row.outcome)}: "
        f"{row.outcome.reason.partition('; dt = ')[0]}"
        for row in found
        if row.outcome is not None and not row.outcome.done
    ]


def _reached(case: Case, outcome: RunOutcome) -> str:
    history = outcome.history()
    if history is None or not history["soc"].size:
        return ""
    time, soc = history["time_s"][-1], history["soc"][-1]
    config = case.config
    halves = config.cycling.half_cycles(config.materials.active.volume_change)
    # A step that ends a half-cycle was not the one that failed: that belongs to the next one.
    number = sum(half.end_time <= time * _A_LITTLE_MORE for half in halves[:-1])
    doing = ("swelling", "shrinking")[number % 2]
    return f" in cycle {halves[number].cycle} after soc {soc:.2f}, while {doing}"


def origin(folders: Iterable[Path]) -> str:
    """Name the versions that runs were made with, and how many with each, most of them first.

    Args:
        folders: Run folders.
    """
    counts: dict[str, int] = {}
    for folder in folders:
        facts = _facts(RunFolder(folder).config.read_text(encoding="utf-8"))
        text = ", ".join(f"{key} {facts[key]}" for key in _ORIGIN if key in facts)
        text = _COMMIT.sub(r"\1", text)
        counts[text] = counts.get(text, 0) + 1
    most = sorted(counts.items(), key=lambda entry: -entry[1])
    return "; ".join(f"{count} run{'s' * (count > 1)} with {text}" for text, count in most)


def _facts(config: str) -> dict[str, str]:
    """The comments on top of a resolved config, by topic."""
    head = [line.removeprefix("# ") for line in config.splitlines() if line.startswith("# ")]
    return {key: value for key, _, value in (line.partition(": ") for line in head)}
