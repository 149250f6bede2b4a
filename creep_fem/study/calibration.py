"""The file of a calibration: which parameters are fitted to which targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainValidator, ValidationInfo, field_validator

from creep_fem.config import load_section
from creep_fem.config.fields import Section, Whole, refuse
from creep_fem.study.cases import Case, Override, Variation, check_cases, make_case
from creep_fem.study.observable import Observable, column_dimension
from creep_fem.study.sections import ManyRuns, check_cycles, check_keys, raise_problems
from creep_fem.units import NUMBER, Dimension, Quantity, UnitError, recognise

# Round-off of the optimiser beyond these digits does not make new runs when a fit is repeated.
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


_Amount = Annotated[Amount, PlainValidator(_amount, json_schema_input_type=str | float)]


class Parameter(Section):
    """A parameter that is fitted within bounds.

    Attributes:
        scale: Whether the optimiser sees the value or its logarithm.
        lower: Lower bound.
        upper: Upper bound.
        start: Where the fit starts.
    """

    scale: Literal["linear", "log"] = "linear"
    lower: _Amount
    upper: _Amount
    start: _Amount

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
        if lower is not None and not _same_kind(lower, upper):
            raise refuse("the bounds have different dimensions", lower.dimension.name)
        if lower is not None and upper.value <= lower.value:
            allowed = f"above {lower.dimension.format(lower.value)}"
            raise refuse("the upper bound is not above the lower one", allowed)
        return upper

    @field_validator("start")
    @classmethod
    def _within_bounds(cls, start: Amount, info: ValidationInfo) -> Amount:
        lower: Amount | None = info.data.get("lower")
        upper: Amount | None = info.data.get("upper")
        if lower is None or upper is None:
            return start
        if not _same_kind(lower, start):
            raise refuse("start and bounds have different dimensions", lower.dimension.name)
        if not lower.value <= start.value <= upper.value:
            ends = [lower.dimension.format(end.value) for end in (lower, upper)]
            raise refuse("the start is not within the bounds", f"from {ends[0]} to {ends[1]}")
        return start

    @property
    def dimension(self) -> Dimension:
        """Dimension of the parameter."""
        return self.start.dimension

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


def _same_kind(one: Amount, other: Amount) -> bool:
    return one.dimension == other.dimension


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


class Optimiser(Section):
    """How the fit proceeds, in positions between the bounds of each parameter: 0 to 1.

    Attributes:
        step: Step of the finite differences. It has to outweigh the noise of the model: time steps
            adapt, and packings rearrange, with any change of a parameter.
        tolerance: Change of the parameters, or relative change of the misfit, that ends the fit.
        maximum_iterations: Trial points after which the fit stops.
    """

    step: Annotated[float, Quantity(NUMBER, at_least=1e-6, at_most=0.5)] = 0.02
    tolerance: Annotated[float, Quantity(NUMBER, at_least=1e-8, at_most=0.1)] = 1e-3
    maximum_iterations: Annotated[int, Whole(at_least=1)] = 15


class CalibrationConfig(ManyRuns):
    """Parameters of a base config and the targets that they are fitted to.

    Attributes:
        parameters: What is fitted, by the key of the entry.
        targets: What it is fitted to, by name.
        optimiser: How the fit proceeds.
    """

    parameters: Annotated[dict[str, Parameter], Field(min_length=1), BeforeValidator(check_keys)]
    targets: Annotated[dict[str, Target], Field(min_length=1)]
    optimiser: Optimiser = Optimiser()

    @field_validator("targets")
    @classmethod
    def _enough(cls, targets: dict[str, Target], info: ValidationInfo) -> dict[str, Target]:
        parameters = info.data.get("parameters", {})
        if len(targets) < len(parameters):
            message = f"{len(targets)} targets cannot determine {len(parameters)} parameters"
            raise refuse(message, f"at least {len(parameters)} targets")
        return targets

    @property
    def start(self) -> list[float]:
        """Positions between the bounds at which the fit starts, one per parameter."""
        return [item.position(item.start.value) for item in self.parameters.values()]

    def case(self, positions: Sequence[float]) -> Case:
        """The run at some positions between the bounds.

        Raises:
            ConfigError: If the config is not valid there.
        """
        pairs = zip(self.parameters.items(), positions, strict=True)
        values = {key: parameter.value_at(position) for (key, parameter), position in pairs}
        return make_case(self._variation(values, {}), self.base)

    def _variation(self, values: Mapping[str, float], ends: Mapping[str, str]) -> Variation:
        """The variation with some values, of which ends name the entries they come from."""
        overrides = list(self.shared_overrides)
        for key, value in values.items():
            dimension = self.parameters[key].dimension
            written = dimension.format(value) if dimension.unit else value
            overrides.append(Override(key, written, ("parameters", key, ends.get(key, "start"))))
        return Variation(self.name, tuple(overrides), values)

    def corners(self) -> list[Variation]:
        """Start, and each parameter at each of its bounds: where mistakes of the file show."""
        start = {key: parameter.start.value for key, parameter in self.parameters.items()}
        found = [self._variation(start, {})]
        for key, parameter in self.parameters.items():
            for end in ("lower", "upper"):
                bound: Amount = getattr(parameter, end)
                found.append(self._variation({**start, key: bound.value}, {key: end}))
        return found


def load_calibration(path: str | Path) -> CalibrationConfig:
    """Read and check a calibration, the base config and the bounds of all parameters included.

    Args:
        path: YAML file.

    Raises:
        ConfigError: With all problems.
    """
    path = Path(path)
    calibration, document = load_section(CalibrationConfig, path)
    cases, problems = check_cases(calibration.corners(), calibration.base, document)
    problems += check_cycles("targets", calibration.targets, cases, document)
    raise_problems(path, problems)
    return calibration
