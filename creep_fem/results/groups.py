"""Groups finished runs that differ in their packing only, and tells their mean and spread."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from creep_fem.config import RunConfig, load_config
from creep_fem.cycling import HalfCycle
from creep_fem.errors import ConfigError, Problem
from creep_fem.results.cycle_ends import History
from creep_fem.results.cycles import CycleTable, cycle_table
from creep_fem.results.errors import ResultError
from creep_fem.results.history import read_history
from creep_fem.results.pores import PoreHistory, read_pores
from creep_fem.results.run_folder import RunFolder

_SOURCE: Final = "runs to report"
_SEED: Final = re.compile(r"[-_.]*(?:seed|packing)[-_.]*\d+$")
# What decides the physics, and the mesh: the spread of a group is that of its packings alone.
_SHARED_SECTIONS: Final = ("mesh", "materials", "cycling", "contact")


@dataclass(frozen=True)
class Spread:
    """Statistics over the runs of a group, each of shape (places,): cycles or states of charge.

    Attributes:
        mean: Mean.
        deviation: Standard deviation of a sample (divisor runs - 1); NaN for a single run.
        smallest: Smallest value.
        largest: Largest value.
    """

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    smallest: NDArray[np.float64]
    largest: NDArray[np.float64]

    @classmethod
    def over_runs(cls, values: NDArray[np.float64]) -> Spread:
        """Mean and spread over the runs; NaN where one of them has no value.

        Args:
            values: Values of shape (runs, places).
        """
        single = len(values) == 1
        return cls(
            values.mean(axis=0),
            np.full(values.shape[1], np.nan) if single else values.std(axis=0, ddof=1),
            values.min(axis=0),
            values.max(axis=0),
        )


@dataclass(frozen=True)
class RunGroup:
    """Runs with one label.

    Attributes:
        label: Name in figures and tables.
        folders: Folders of the runs, in the order given.
        cycle: Numbers of the complete cycles, shape (cycles,).
        values: Every quantity of ``QUANTITIES`` by name, in internal units, each of shape
            (runs, cycles).
        swelling: The first half-cycle, the same one for all runs.
        histories: Columns of the history of every run.
        pores: Pore areas of every run.
    """

    label: str
    folders: tuple[Path, ...]
    cycle: NDArray[np.int64]
    values: Mapping[str, NDArray[np.float64]]
    swelling: HalfCycle
    histories: tuple[History, ...]
    pores: tuple[PoreHistory, ...]

    def spread(self, name: str) -> Spread:
        """Mean and spread of a quantity over the runs; NaN where one of them has no value.

        Args:
            name: Name of the quantity.
        """
        return Spread.over_runs(self.values[name])


@dataclass(frozen=True)
class _Run:
    """One run as it was read."""

    label: str
    folder: Path
    config: RunConfig
    table: CycleTable
    swelling: HalfCycle
    history: History
    pores: PoreHistory


def read_groups(chosen: Sequence[str]) -> list[RunGroup]:
    """Read run folders and group them by label.

    Args:
        chosen: Each a folder or pattern (``results/se_mse*``), or ``LABEL=FOLDER,FOLDER...`` of
            such. Without a label, it is the name in the run's config without a seed at its end.

    Returns:
        The groups in the order of their first runs.

    Raises:
        ConfigError: With all problems: what is no finished run of this version, is given twice,
            or differs within a label in more than the packing.
    """
    problems: list[Problem] = []
    groups: dict[str, list[_Run]] = {}
    seen: set[Path] = set()
    for label, folder in _folders(chosen, problems):
        if folder.resolve() in seen:
            problems.append(Problem(str(folder), "this folder is given twice"))
            continue
        seen.add(folder.resolve())
        try:
            run = _read_run(label, folder)
        except ResultError as error:
            problems.append(Problem(str(folder), str(error)))
            continue
        groups.setdefault(run.label, []).append(run)
    for runs in groups.values():
        problems += _mismatches(runs)
    if problems:
        raise ConfigError(_SOURCE, problems)
    return [_group(label, runs) for label, runs in groups.items()]


def _folders(chosen: Sequence[str], problems: list[Problem]) -> list[tuple[str | None, Path]]:
    """Split labels off and expand patterns."""
    found: list[tuple[str | None, Path]] = []
    for written in chosen:
        label, equals, rest = written.partition("=")
        # Folders of parameter studies may have an equals sign in their name.
        if not equals or Path(written).is_dir():
            label, rest = "", written
        elif not label.strip() or not rest:
            message = "this is neither a folder nor a label with folders"
            problems.append(Problem(written, message, allowed="FOLDER or LABEL=FOLDER,FOLDER..."))
            continue
        for pattern in [rest] if not equals or not label else rest.split(","):
            matches = _matches(pattern)
            if not matches:
                problems.append(Problem(written, "there is no such folder", pattern))
            found += [(label.strip() or None, folder) for folder in matches]
    return found


def _matches(pattern: str) -> list[Path]:
    path = Path(pattern)
    if path.is_dir():
        return [path]
    root = Path(path.anchor)
    # Patterns such as results/* also match loose files, which nobody meant.
    return sorted(found for found in root.glob(str(path.relative_to(root))) if found.is_dir())


def _read_run(label: str | None, folder: Path) -> _Run:
    run = RunFolder(folder)
    needed = (run.config, run.history, run.pores)
    missing = [path.name for path in needed if not path.is_file()]
    if missing:
        message = f"this is no run folder of this version: it has no {' and no '.join(missing)}"
        raise ResultError(message)
    try:
        config = load_config(run.config)
    except ConfigError as error:
        raise ResultError(f"the config is not one of this version: {error}") from error
    swelling, shrinking = config.cycling.half_cycles(config.materials.active.volume_change)[:2]
    history, pores = read_history(run.history), read_pores(run.pores)
    table = cycle_table(history, swelling.end_soc, shrinking.end_soc)
    if not len(table.cycle):
        raise ResultError("the run has not completed a cycle")
    name = label or _SEED.sub("", config.name) or config.name
    return _Run(name, folder, config, table, swelling, history, pores)


def _mismatches(runs: Sequence[_Run]) -> list[Problem]:
    """Compare all runs of a label with the first one, and their packings with each other."""
    first, *others = runs
    problems = []
    packings = {_packing(first): first.folder}
    for run in others:
        key = str(run.folder)
        twin = packings.setdefault(_packing(run), run.folder)
        if twin != run.folder:
            message = f"this run has the packing of {twin}, so it adds nothing to the spread"
            problems.append(Problem(key, message))
        expected, found = (len(r.table.cycle) for r in (first, run))
        if found != expected:
            message = f"the run has another number of complete cycles than {first.folder}"
            problems.append(Problem(key, message, str(found), str(expected)))
        if differing := _differing_sections(first.config, run.config):
            message = f"the run differs from {first.folder}, which has the same label"
            allowed = f"runs that differ in their packing only, or other labels than {run.label}"
            problems.append(Problem(key, message, ", ".join(differing), allowed))
    return problems


def _packing(run: _Run) -> str:
    layout = run.config.microstructure.layout
    return str(run.folder) if layout is None else layout.read_text(encoding="utf-8")


def _differing_sections(one: RunConfig, other: RunConfig) -> list[str]:
    # Only the cycles that were completed count.
    one, other = (
        c.model_copy(update={"cycling": c.cycling.model_copy(update={"cycles": 1})})
        for c in (one, other)
    )
    return [name for name in _SHARED_SECTIONS if getattr(one, name) != getattr(other, name)]


def _group(label: str, runs: Sequence[_Run]) -> RunGroup:
    names = runs[0].table.values
    return RunGroup(
        label,
        tuple(run.folder for run in runs),
        runs[0].table.cycle,
        {name: np.stack([run.table.values[name] for run in runs]) for name in names},
        runs[0].swelling,
        tuple(run.history for run in runs),
        tuple(run.pores for run in runs),
    )
