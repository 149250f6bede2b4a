"""The file of a parameter study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StrictBool, ValidationInfo, field_validator

from creep_fem.config import load_section
from creep_fem.config.document import EntryPath
from creep_fem.config.fields import refuse, refuse_all
from creep_fem.errors import Problem
from creep_fem.study.cases import Case, Override, Variation, check_cases, short_names
from creep_fem.study.observable import Observable
from creep_fem.study.sample import Sample
from creep_fem.study.sections import Entries, ManyRuns, check_cycles, check_keys, raise_problems

BASE = "base"
"""Name of the case without changes, which the others of a sensitivity table are compared with."""

_WAYS = ("cases", "sample", "vary")
"""Ways to name the cases, in the order of the fields."""


def _values(written: object) -> object:
    if not isinstance(written, list | tuple) or not written:
        raise refuse("a list of values is needed here", "such as [1, 2, 3]")
    return tuple(written)


_Values = Annotated[tuple[Any, ...], BeforeValidator(_values)]


class StudyConfig(ManyRuns):
    """A base config and its variations, and what is read off every run.

    Attributes:
        cases: Entries to replace, by the names of the cases.
        sample: Bounds of parameters that are varied all at once.
        vary: Values by the key of an entry: all combinations, or each alone.
        one_at_a_time: Whether each value is set alone, beside the base, for sensitivity tables.
        observables: Numbers that are read off every run, by name.
    """

    cases: dict[str, Entries] = Field(default_factory=dict)
    sample: Sample | None = None
    vary: Annotated[dict[str, _Values], BeforeValidator(check_keys)] = Field(default_factory=dict)
    one_at_a_time: StrictBool = False
    observables: Annotated[dict[str, Observable], Field(min_length=1)]

    @field_validator("cases")
    @classmethod
    def _base_is_unchanged(cls, cases: dict[str, Any]) -> dict[str, Any]:
        message, allowed = "the others are compared with this case", "no entries, or another name"
        if changed := cases.get(BASE):
            raise refuse_all([Problem(f"{BASE}.{key}", message, None, allowed) for key in changed])
        return cases

    @field_validator("sample", "vary")
    @classmethod
    def _one_of_three[T](cls, given: T, info: ValidationInfo) -> T:
        name = str(info.field_name)
        # What is given but wrong is absent from the data.
        earlier = [way for way in _WAYS[: _WAYS.index(name)] if info.data.get(way, True)]
        if given and earlier:
            raise refuse(f"both {name} and {earlier[0]} are given", "one of them")
        if not given and not earlier and name == _WAYS[-1]:
            raise refuse("no cases are given", "cases, sample or vary", choices=_WAYS)
        return given

    @field_validator("one_at_a_time")
    @classmethod
    def _of_values(cls, alone: bool, info: ValidationInfo) -> bool:
        if alone and not info.data.get("vary", True):
            raise refuse("there are no values to set alone", "true only beside vary")
        return alone

    def variations(self) -> list[Variation]:
        """All variations of the base config, in the order of the table."""
        if self.cases:
            chosen = {
                name: [Override(key, value, ("cases", name, key)) for key, value in entries.items()]
                for name, entries in self.cases.items()
            }
            return [self._variation(name, overrides) for name, overrides in chosen.items()]
        if self.sample is not None:
            width = len(str(self.sample.size))
            return [
                self._variation(f"point {number:0{width}}", overrides)
                for number, overrides in enumerate(self.sample.points(), start=1)
            ]
        axes = [
            [Override(key, value, ("vary", key, index)) for index, value in enumerate(values)]
            for key, values in self.vary.items()
        ]
        if self.one_at_a_time:
            alone = [(override,) for axis in axes for override in axis]
            return [self._variation(BASE, ()), *map(self._combination, alone)]
        return list(map(self._combination, product(*axes)))

    def corners(self) -> list[Variation]:
        """Variations at the bounds of a sample, where mistakes in them show."""
        corners = self.sample.corners() if self.sample is not None else []
        return [self._variation("corner", overrides) for overrides in corners]

    def _combination(self, chosen: Sequence[Override]) -> Variation:
        names = short_names(list(self.vary))
        name = ", ".join(f"{names[o.key]}={_written(o, self.vary)}" for o in chosen)
        return self._variation(name, chosen)

    def _variation(self, name: str, chosen: Sequence[Override]) -> Variation:
        varied = {override.key: override.value for override in chosen}
        return Variation(name, (*self.shared_overrides, *chosen), varied)


def _written(override: Override, vary: Mapping[str, tuple[Any, ...]]) -> str:
    """The value in short: of a section or a list, which one it is."""
    if isinstance(override.value, dict | list):
        return f"#{vary[override.key].index(override.value) + 1}"
    return str(override.value)


def load_study(path: str | Path) -> tuple[StudyConfig, list[Case]]:
    """Read and check a study, and resolve the configs of all its cases.

    Args:
        path: YAML file.

    Returns:
        The study and its cases, in the order of the table.

    Raises:
        ConfigError: With all problems of the file, of the base config and of every variation.
    """
    path = Path(path)
    study, document = load_section(StudyConfig, path)
    cases, problems = check_cases(study.corners(), study.base, document)
    if not problems:
        cases, problems = check_cases(study.variations(), study.base, document)
    places: dict[EntryPath, Observable] = {
        ("observables", name, "cycle"): item for name, item in study.observables.items()
    }
    problems += check_cycles(places, cases, document)
    raise_problems(path, problems)
    return study, cases
