"""Variations of one config: what each changes, how it is called, and whether it is valid."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import creep_fem
from creep_fem.config import RunConfig, load_config
from creep_fem.config.document import Document, EntryPath, key_of
from creep_fem.errors import ConfigError, Problem

_LONGEST_NAME = 80
_DIGITS = 12


@dataclass(frozen=True)
class Override:
    """One entry that a variation replaces.

    Attributes:
        key: Path of the entry in the config, such as ``cycling.cycles``.
        value: What is written there instead, as YAML would hold it.
        at: Where this stands in the file of the study.
    """

    key: str
    value: Any
    at: EntryPath = ()

    @property
    def text(self) -> str:
        """The override as ``--set`` takes it; JSON is YAML, and tells texts from numbers."""
        return f"{self.key}={json.dumps(self.value, default=str)}"


@dataclass(frozen=True)
class Variation:
    """What is changed in the base config.

    Attributes:
        name: What the variation is called in tables.
        overrides: Entries to replace, in this order.
        varied: What tells this variation from the others: values by key.
    """

    name: str
    overrides: tuple[Override, ...]
    varied: Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """A variation that has been checked and can be run.

    Attributes:
        variation: What is changed in the base config.
        base: File of the base config.
        config: The resolved config.
        digest: Fingerprint of all that decides the results.
    """

    variation: Variation
    base: Path
    config: RunConfig
    digest: str

    @property
    def run_name(self) -> str:
        """Name of the run folder: readable, and unique by the digest."""
        readable = re.sub(r"[^A-Za-z0-9.]+", "-", self.variation.name)[:_LONGEST_NAME].strip("-.")
        return f"{readable or 'run'}-{self.digest}"


def make_case(variation: Variation, base: Path) -> Case:
    """Resolve the config of one variation.

    Raises:
        ConfigError: If it is not valid.
    """
    config = load_config(base, [override.text for override in variation.overrides])
    return Case(variation, base, config, fingerprint(config))


def check_cases(
    variations: Sequence[Variation], base: Path, document: Document
) -> tuple[list[Case], list[Problem]]:
    """Resolve the configs of all variations.

    Args:
        variations: What is changed in each case.
        base: File of the base config.
        document: File of the study, to name lines.

    Returns:
        The valid cases, and all problems of the others; one that many have is told once.
    """
    cases: list[Case] = []
    problems: dict[Problem, None] = {}
    for variation in variations:
        try:
            cases.append(make_case(variation, base))
        except ConfigError as error:
            for problem in error.problems:
                problems[_located(problem, variation, document)] = None
    return cases, list(problems)


def _located(problem: Problem, variation: Variation, document: Document) -> Problem:
    """Say where in the study the cause of a problem of a config stands."""
    if problem.line is None:
        for override in reversed(variation.overrides):
            rest = problem.key.removeprefix(override.key)
            inside = problem.key != rest and rest[:1] in ("", ".", "[")
            # A misspelt section is reported without the entry inside of it.
            if inside or override.key.startswith(f"{problem.key}."):
                inner = tuple(re.findall(r"[^.\[\]]+", rest)) if inside else ()
                key = key_of(override.at) + (rest if inside else "")
                return replace(problem, key=key, line=document.line_of((*override.at, *inner)))
    where = f" in line {problem.line}" if problem.line is not None else ""
    return replace(
        problem,
        key=f"base: {problem.key}",
        message=f"{problem.message}{where}",
        line=document.line_of(("base",)),
    )


def fingerprint(config: RunConfig) -> str:
    """Condense all that decides the results of a run into a short text.

    Args:
        config: Resolved config. Its name and the wish for figures do not count; of a layout file,
            the content does.

    Returns:
        Hexadecimal digits of a hash, which also covers the version of the package.
    """
    data = config.model_dump(mode="json", exclude_none=True)
    del data["name"], data["output"]["figures"]
    if config.microstructure.layout is not None:
        content = config.microstructure.layout.read_bytes()
        data["microstructure"]["layout"] = hashlib.sha256(content).hexdigest()
    data["version"] = creep_fem.__version__
    text = json.dumps(data, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """Shorten paths of entries to the shortest ends that tell them apart.

    Args:
        keys: Paths such as ``materials.active.override.creep.rate``.

    Returns:
        Short names, such as ``rate``, by path.
    """
    names: dict[str, str] = {}
    for key in keys:
        parts = key.split(".")
        ends = [".".join(parts[-count:]) for count in range(1, len(parts) + 1)]
        others = [other for other in keys if other != key]
        names[key] = next(
            (end for end in ends if not any(f".{other}".endswith(f".{end}") for other in others)),
            key,
        )
    return names
