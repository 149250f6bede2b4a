"""The file of a parameter study."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StrictBool, ValidationInfo, field_validator

from creep_fem.config import load_section
from creep_fem.config.fields import refuse
from creep_fem.study.cases import Case, Override, Variation, check_cases, short_names
from creep_fem.study.observable import Observable
from creep_fem.study.sections import Entries, ManyRuns, check_cycles, check_keys, raise_problems

BASE = "base"
"""Name of the case without changes, which the others of a sensitivity table are compared with."""


def _values(written: object) -> object:
    if not isinstance(written, list | tuple) or not written:
        raise refuse("a list of values is needed here", "such as [1, 2, 3]")
    return tuple(written)


_Values = Annotated[tuple[Any, ...], BeforeValidator(_values)]


class StudyConfig(ManyRuns):
    """A base config and its variations, and what is read off every run.

    Attributes:
        cases: Entries to replace, by the names of the cases.
        vary: Values by the key of an entry: all combinations, or each alone.
        one_at_a_time: Whether each value is set alone, beside the base, for sensitivity tables.
        observables: Numbers that are read off every run, by name.
    """

    cases: dict[str, Entries] = Field(default_factory=dict)
    vary: Annotated[dict[str, _Values], BeforeValidator(check_keys)] = Field(default_factory=dict)
    one_at_a_time: StrictBool = False
    observables: Annotated[dict[str, Observable], Field(min_length=1)]

    @field_validator("vary")
    @classmethod
    def _exactly_one(
        cls, vary: dict[str, tuple[Any, ...]], info: ValidationInfo
    ) -> dict[str, tuple[Any, ...]]:
        # Cases that are given but wrong are absent from the data.
        if "cases" in info.data and bool(vary) == bool(info.data["cases"]):
            message = "both vary and cases are given" if vary else "neither vary nor cases is given"
            raise refuse(message, "one of vary and cases", choices=("vary", "cases"))
        return vary

    def variations(self) -> list[Variation]:
        """All variations of the base config, in the order of the table."""
        shared = self.shared_overrides
        if self.cases:
            chosen = {
                name: [Override(key, value, ("cases", name, key)) for key, value in entries.items()]
                for name, entries in self.cases.items()
            }
            return [
                Variation(name, (*shared, *overrides), {o.key: o.value for o in overrides})
                for name, overrides in chosen.items()
            ]
        axes = [
            [Override(key, value, ("vary", key, index)) for index, value in enumerate(values)]
            for key, values in self.vary.items()
        ]
        if self.one_at_a_time:
            alone = [(override,) for axis in axes for override in axis]
            return [Variation(BASE, shared, {}), *(self._variation(chosen) for chosen in alone)]
        return [self._variation(chosen) for chosen in product(*axes)]

    def _variation(self, chosen: tuple[Override, ...]) -> Variation:
        names = short_names(list(self.vary))
        name = ", ".join(f"{names[o.key]}={_written(o, self.vary)}" for o in chosen)
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
    cases, problems = check_cases(study.variations(), study.base, document)
    problems += check_cycles("observables", study.observables, cases, document)
    raise_problems(path, problems)
    return study, cases
