"""The file of a calibration: which parameters are fitted to which targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from creep_fem.config import load_section
from creep_fem.config.document import EntryPath
from creep_fem.config.fields import Section, Whole, refuse, refuse_all
from creep_fem.errors import Problem
from creep_fem.study.cases import Case, Variation, check_cases, make_case
from creep_fem.study.observable import Observable
from creep_fem.study.parameter import Amount, Quantified, Range
from creep_fem.study.sections import ManyRuns, check_cycles, check_keys, raise_problems
from creep_fem.study.targets import Target, TargetsFrom
from creep_fem.units import NUMBER, Quantity


class Parameter(Range):
    """A parameter that is fitted within bounds.

    Attributes:
        start: Where the fit starts.
    """

    start: Quantified

    @field_validator("start")
    @classmethod
    def _within_bounds(cls, start: Amount, info: ValidationInfo) -> Amount:
        lower: Amount | None = info.data.get("lower")
        upper: Amount | None = info.data.get("upper")
        if lower is None or upper is None:
            return start
        if start.dimension != lower.dimension:
            raise refuse("start and bounds have different dimensions", lower.dimension.name)
        if not lower.value <= start.value <= upper.value:
            ends = [lower.dimension.format(end.value) for end in (lower, upper)]
            raise refuse("the start is not within the bounds", f"from {ends[0]} to {ends[1]}")
        return start


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
        targets_from: Values of a file that it is fitted to.
        targets: All that it is fitted to, by name: what is written here and the values of the file.
        optimiser: How the fit proceeds.
    """

    parameters: Annotated[dict[str, Parameter], Field(min_length=1), BeforeValidator(check_keys)]
    targets_from: TargetsFrom | None = None
    targets: dict[str, Target] = Field(default_factory=dict)
    optimiser: Optimiser = Optimiser()

    @field_validator("targets")
    @classmethod
    def _with_those_of_the_file(
        cls, targets: dict[str, Target], info: ValidationInfo
    ) -> dict[str, Target]:
        if "targets_from" not in info.data:
            # Its own mistakes are reported.
            return targets
        chosen: TargetsFrom | None = info.data["targets_from"]
        if chosen is None and not targets:
            message = "neither targets nor targets_from is given"
            raise refuse(message, "one of them, or both", choices=("targets", "targets_from"))
        of_file = {} if chosen is None else {n: t for n, (_, t) in chosen.targets().items()}
        both = [name for name in targets if name in of_file]
        if both:
            message = "targets_from gives a target of this name"
            raise refuse_all([Problem(name, message, allowed="another name") for name in both])
        return cls._enough({**of_file, **targets}, info)

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
        chosen = [
            self.parameters[key].override(key, value, ("parameters", key, ends.get(key, "start")))
            for key, value in values.items()
        ]
        return Variation(self.name, (*self.shared_overrides, *chosen), values)

    def places(self) -> dict[EntryPath, Observable]:
        """All targets by the entries of the file that name their cycles, or stand for these."""
        chosen = {} if self.targets_from is None else self.targets_from.targets()
        found: dict[EntryPath, Observable] = {
            ("targets", name, "cycle"): target
            for name, target in self.targets.items()
            if name not in chosen
        }
        for quantity, target in chosen.values():
            place = ("targets_from", "tolerances", quantity)
            # The latest cycle of a quantity is the one that may be missing.
            if place not in found or target.cycle > found[place].cycle:
                found[place] = target
        return found

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
    problems += check_cycles(calibration.places(), cases, document)
    raise_problems(path, problems)
    return calibration
