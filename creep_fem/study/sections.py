"""What the files of studies and calibrations have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from creep_fem.config.document import Document, EntryPath, key_of
from creep_fem.config.fields import ExistingFile, Section, Whole, refuse_all
from creep_fem.errors import ConfigError, Problem
from creep_fem.study.cases import Case, Override
from creep_fem.study.observable import Observable

RunName = Annotated[
    str,
    Field(
        strict=True,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        description="the name of a folder: letters, digits, dots, hyphens and underscores",
    ),
]


def check_keys(written: object) -> object:
    """Refuse keys that are no paths into a config, or that a study keeps to itself."""
    if isinstance(written, dict):
        problems = [_about(str(key)) for key in written]
        if found := [problem for problem in problems if problem is not None]:
            raise refuse_all(found)
    return written


def _about(key: str) -> Problem | None:
    if not all(part.strip() for part in key.split(".")) or "=" in key:
        return Problem(key, "this is no path of an entry", allowed="such as cycling.cycles")
    if key == "name":
        return Problem(key, "runs get their names from the case", allowed="any other entry")
    return None


def _entries(written: object) -> object:
    """Order entries such that sections come before what is inside of them."""
    checked = check_keys(written)
    if not isinstance(checked, dict):
        return checked
    return dict(sorted(checked.items(), key=lambda item: str(item[0]).count(".")))


Entries = Annotated[dict[str, Any], BeforeValidator(_entries)]
"""A section whose keys are paths of entries of a config, with the values to write there."""


class ManyRuns(Section):
    """How many runs of one config are made.

    Attributes:
        name: Name of the folder that collects the runs.
        base: Config that all runs start from.
        shared: Entries that are replaced in all runs, written as ``set``.
        ranks: Processes of one run.
        at_once: Runs at the same time.
    """

    name: RunName
    base: ExistingFile
    shared: Entries = Field(default_factory=dict, alias="set")
    ranks: Annotated[int, Whole(at_least=1)] = 1
    at_once: Annotated[int, Whole(at_least=1)] = 1

    @property
    def shared_overrides(self) -> tuple[Override, ...]:
        """The entries that are replaced in all runs."""
        return tuple(Override(key, value, ("set", key)) for key, value in self.shared.items())


def check_cycles(
    places: Mapping[EntryPath, Observable], cases: Iterable[Case], document: Document
) -> list[Problem]:
    """Find observables of cycles that a case does not have.

    Args:
        places: What is to be read off every run, by the entries of the file that tell the cycles.
        cases: The runs.
        document: The file, to name lines.
    """
    fewest = min((case.config.cycling.cycles for case in cases), default=None)
    return [
        Problem(
            key_of(place),
            "not all runs have as many cycles",
            str(observable.cycle),
            f"at most {fewest}",
            document.line_of(place),
        )
        for place, observable in places.items()
        if fewest is not None and observable.cycle > fewest
    ]


def raise_problems(path: Path, problems: Iterable[Problem]) -> None:
    """Raise what was found in a file, if anything was.

    Raises:
        ConfigError: With all problems, in the order of lines.
    """
    found = sorted(problems, key=lambda problem: problem.line or 0)
    if found:
        raise ConfigError(str(path), found)
