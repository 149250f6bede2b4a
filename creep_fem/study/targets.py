"""What parameters are fitted to: targets of a calibration, written there or taken from a file."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from creep_fem.config.fields import ExistingFile, Section, refuse, refuse_all
from creep_fem.errors import ConfigError, Problem
from creep_fem.results import targets as published
from creep_fem.results.cycles import QUANTITIES, CycleEnd
from creep_fem.study.observable import Observable, column_dimension
from creep_fem.units import Quantity

_AT: dict[CycleEnd, Literal["end_of_swelling", "end_of_shrinking"]] = {
    CycleEnd.SWOLLEN: "end_of_swelling",
    CycleEnd.SHRUNK: "end_of_shrinking",
}
# A target is read off one column of the history.
_READABLE = tuple(name for name, quantity in QUANTITIES.items() if len(quantity.columns) == 1)


class Target(Observable):
    """An observable, and the value that it should have.

    Attributes:
        value: The value, in the unit of the column.
        tolerance: Deviation that counts as met; its inverse is the weight of the target.
        source: Where the value comes from.
    """

    value: float
    tolerance: float
    source: Annotated[str, Field(strict=True, min_length=1, description="where it comes from")]

    @field_validator("value", "tolerance", mode="before", json_schema_input_type=str | float)
    @classmethod
    def _in_unit_of_column(cls, written: object, info: ValidationInfo) -> float:
        if "column" not in info.data:
            # An unknown column is reported by itself.
            return 1.0
        dimension = column_dimension(info.data["column"])
        above = 0.0 if info.field_name == "tolerance" else None
        return Quantity(dimension, above=above).validate(written)


class TargetsFrom(Section):
    """Values of a file of targets, as ``creep-fem report`` reads it, that parameters are fitted to.

    Attributes:
        file: File of targets.
        label: Whose values.
        tolerances: Deviation that counts as met, by quantity; only these quantities are targets.
    """

    file: ExistingFile
    label: Annotated[str, Field(strict=True, description="a label of the file")]
    tolerances: Annotated[dict[str, float], Field(min_length=1)]

    @field_validator("file")
    @classmethod
    def _is_usable(cls, file: Path) -> Path:
        try:
            published.read_targets(file)
        except ConfigError as error:
            raise refuse_all(error.problems, in_file=True) from error
        return file

    @field_validator("label")
    @classmethod
    def _is_in_file(cls, label: str, info: ValidationInfo) -> str:
        if "file" in info.data:
            known = sorted({t.label for t in published.read_targets(info.data["file"]).values})
            if label not in known:
                near = next(iter(get_close_matches(label, known, n=1)), None)
                raise refuse("the file has no such label", ", ".join(known), near=near)
        return label

    @field_validator("tolerances", mode="before", json_schema_input_type=dict[str, str | float])
    @classmethod
    def _of_quantities(cls, written: object, info: ValidationInfo) -> object:
        if not isinstance(written, dict):
            return written
        usable: Sequence[str] = _READABLE
        if "file" in info.data and "label" in info.data:
            values = _single_values(info.data["file"], info.data["label"])
            usable = [name for name in _READABLE if name in {value.quantity for value in values}]
        found = {name: _tolerance(name, entry, usable) for name, entry in written.items()}
        problems = [entry for entry in found.values() if isinstance(entry, Problem)]
        if problems:
            raise refuse_all(problems)
        return found

    @property
    def source(self) -> str:
        """Where the values come from."""
        return f"{published.read_targets(self.file).source} ({self.file.name})"

    def targets(self) -> dict[str, tuple[str, Target]]:
        """The targets by name, each with the quantity that it is a value of."""
        return {
            f"{value.quantity}_{value.cycle}": (value.quantity, self._target(value))
            for value in _single_values(self.file, self.label)
            if value.quantity in self.tolerances
        }

    def _target(self, value: published.Target) -> Target:
        quantity = QUANTITIES[value.quantity]
        return Target.model_validate(
            {
                "column": quantity.columns[0],
                "cycle": value.cycle,
                "at": _AT[quantity.end],
                "value": quantity.dimension.format(value.value),
                "tolerance": quantity.dimension.format(self.tolerances[value.quantity]),
                "source": self.source,
            }
        )


def _single_values(file: Path, label: str) -> list[published.Target]:
    """Values of one cycle each; what holds for every cycle is no single number to fit."""
    values = published.read_targets(file).values
    return [value for value in values if value.label == label and value.cycle is not None]


def _tolerance(name: str, written: object, usable: Sequence[str]) -> float | Problem:
    if name not in usable:
        near = next(iter(get_close_matches(name, usable, n=1)), None)
        message = "the file has no value of this quantity at a cycle, or it takes several columns"
        return Problem(name, message, allowed=", ".join(usable) or None, suggestion=near)
    limits = Quantity(QUANTITIES[name].dimension, above=0.0)
    try:
        return limits.validate(written)
    except PydanticCustomError as error:
        context = error.context or {}
        return Problem(name, str(context.get("problem")), allowed=limits.allowed)
