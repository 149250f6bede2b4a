"""Entries of a config that may lie anywhere between two bounds."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log
from typing import Annotated, Literal

from pydantic import PlainValidator, ValidationInfo, field_validator

from creep_fem.config.document import EntryPath
from creep_fem.config.fields import Section, refuse
from creep_fem.study.cases import Override
from creep_fem.units import Dimension, UnitError, recognise

# Round-off beyond these digits does not make new runs when a fit or a sample is repeated.
_DIGITS = 9


@dataclass(frozen=True)
class Amount:
    """A value whose unit tells its dimension.

    Attributes:
        value: Value in the internal unit.
        dimension: Its dimension.
    """

    value: float
    dimension: Dimension


def _amount(written: object) -> Amount:
    try:
        return Amount(*recognise(written))
    except UnitError as error:
        raise refuse(str(error), "a number with its unit, such as 1e-5 /s") from error


Quantified = Annotated[Amount, PlainValidator(_amount, json_schema_input_type=str | float)]
"""A field that takes a quantity of any dimension."""


class Range(Section):
    """Bounds of a parameter, between which positions run from 0 to 1.

    Attributes:
        scale: Whether positions are proportional to the value or to its logarithm.
        lower: Lower bound.
        upper: Upper bound.
    """

    scale: Literal["linear", "log"] = "linear"
    lower: Quantified
    upper: Quantified

    @field_validator("lower")
    @classmethod
    def _has_logarithm(cls, lower: Amount, info: ValidationInfo) -> Amount:
        if info.data.get("scale") == "log" and lower.value <= 0.0:
            raise refuse("there is no logarithm of this bound", "above 0, or scale: linear")
        return lower

    @field_validator("upper")
    @classmethod
    def _above_lower(cls, upper: Amount, info: ValidationInfo) -> Amount:
        lower: Amount | None = info.data.get("lower")
        if lower is not None and lower.dimension != upper.dimension:
            raise refuse("the bounds have different dimensions", lower.dimension.name)
        if lower is not None and upper.value <= lower.value:
            allowed = f"above {lower.dimension.format(lower.value)}"
            raise refuse("the upper bound is not above the lower one", allowed)
        return upper

    @property
    def dimension(self) -> Dimension:
        """Dimension of the parameter."""
        return self.lower.dimension

    def position(self, value: float) -> float:
        """Where a value lies between the bounds: 0 at the lower and 1 at the upper one."""
        ends = [self.lower.value, value, self.upper.value]
        low, here, high = map(log, ends) if self.scale == "log" else ends
        return (here - low) / (high - low)

    def value_at(self, position: float) -> float:
        """The value at a position between the bounds, rounded to some digits."""
        low, high = self.lower.value, self.upper.value
        if self.scale == "log":
            value = exp((1.0 - position) * log(low) + position * log(high))
        else:
            value = (1.0 - position) * low + position * high
        return min(max(float(f"{value:.{_DIGITS}g}"), low), high)

    def override(self, key: str, value: float, at: EntryPath) -> Override:
        """Set the entry of a config to a value.

        Args:
            key: Path of the entry in the config.
            value: Value in the internal unit.
            at: Where it comes from in the file of the study.
        """
        written = self.dimension.format(value) if self.dimension.unit else value
        return Override(key, written, at)
