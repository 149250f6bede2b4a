"""The config's choice of a material: a name of the library and values to replace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypedDict, get_args

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    Tag,
    ValidationInfo,
    field_validator,
)
from pydantic_core import CoreSchema, core_schema

from creep_fem.config.fields import Section, refuse
from creep_fem.errors import ConfigError
from creep_fem.materials import (
    ActiveMaterial,
    CitedCreep,
    GrowthMode,
    LibraryMaterial,
    Lithiated,
    Mixing,
    NortonCreep,
    PhaseMaterial,
    creep_obstacle,
    list_materials,
    load_material,
)
from creep_fem.materials.catalogue import (
    ActivationEnergy,
    CreepExponent,
    CreepRate,
    PoissonRatio,
    ReferenceStress,
    Temperature,
    VolumeChange,
    YoungModulus,
)
from creep_fem.units import MOLAR_ENERGY, NUMBER, RATE, STRESS, TEMPERATURE

_CREEP_PARAMETERS = {
    "rate": RATE,
    "reference_stress": STRESS,
    "exponent": NUMBER,
    "activation_energy": MOLAR_ENERGY,
    "reference_temperature": TEMPERATURE,
}
_CREEP_NECESSARY = ("rate", "reference_stress", "exponent")


class CreepOverride(Section):
    """Parameters of the Norton law that replace those of the library.

    Attributes:
        rate: Strain rate at the reference stress in 1/s.
        reference_stress: Reference stress in GPa.
        exponent: Norton exponent.
        activation_energy: Activation energy of the rate in kJ/mol.
        reference_temperature: Temperature in K at which the rate holds.
    """

    rate: CreepRate | None = None
    reference_stress: ReferenceStress | None = None
    exponent: CreepExponent | None = None
    activation_energy: ActivationEnergy | None = None
    reference_temperature: Temperature | None = None


_CreepChoice = Annotated[
    Annotated[CreepOverride, Tag("law")] | Annotated[Literal["none"], Tag("none")],
    Discriminator(lambda written: "none" if isinstance(written, str) else "law"),
]


class Override(Section):
    """Values that replace those of the library.

    Attributes:
        young_modulus: Young's modulus in GPa.
        poisson_ratio: Poisson's ratio.
        creep: Parameters of the Norton law, or ``none`` for a material that does not creep.
    """

    young_modulus: YoungModulus | None = None
    poisson_ratio: PoissonRatio | None = None
    creep: _CreepChoice | None = Field(default=None, validate_default=False)

    @field_validator("creep", mode="before")
    @classmethod
    def _not_empty(cls, creep: object) -> object:
        # Whoever writes null wants no creep, and must not get the law of the library.
        if creep is None:
            allowed = f"none, or a section with {', '.join(_CREEP_PARAMETERS)}"
            raise refuse("nothing is not a creep law", allowed, near="none")
        return creep


class ActiveOverride(Override):
    """Values that replace those of the library for the active material.

    Attributes:
        volume_change: Relative growth from soc 0 to soc 1, referred to the empty host.
    """

    volume_change: VolumeChange | None = None


def _known(name: object) -> str:
    try:
        return load_material(str(name)).name
    except ConfigError as error:
        problem = error.problems[0]
        raise refuse(problem.message, str(problem.allowed), near=problem.suggestion) from error


_MaterialName = Annotated[
    str, BeforeValidator(_known), Field(json_schema_extra={"enum": list(list_materials())})
]


class _Combined(TypedDict):
    """Parameters that both phases have."""

    name: str
    young_modulus: float
    poisson_ratio: float
    creep: NortonCreep | None


class FrameworkChoice(Section):
    """Material of the framework, which does not swell.

    Attributes:
        name: Name in the library.
        override: Values that replace those of the library.
    """

    name: _MaterialName
    override: Override = Override()

    @field_validator("override")
    @classmethod
    def _creep_complete(cls, override: Override, info: ValidationInfo) -> Override:
        if "name" not in info.data or not isinstance(override.creep, CreepOverride):
            return override
        law = _creep_parameters(override.creep, load_material(info.data["name"]))
        missing = [name for name in _CREEP_NECESSARY if name not in law]
        if missing:
            raise refuse(
                f"the library holds no creep law of {info.data['name']} to complete this one",
                f"also {' and '.join(missing)}",
                ("creep",),
            )
        if "activation_energy" in law and "reference_temperature" not in law:
            message = "the temperature at which the rate holds is not known"
            raise refuse(message, "also reference_temperature", ("creep",))
        return override

    def resolve(self) -> PhaseMaterial:
        """Combine the values of the library with those that replace them."""
        return PhaseMaterial(**_combined(self.name, self.override), volume_change=0.0)


class LithiatedChoice(FrameworkChoice):
    """Material that the active one has become at soc 1.

    Attributes:
        mixing: Rule for moduli and creep at the compositions in between.
    """

    mixing: Mixing

    def resolve_end(self) -> Lithiated:
        """Combine the values of the library with those that replace them."""
        return Lithiated(self.resolve(), self.mixing)


class ActiveChoice(FrameworkChoice):
    """Material of the active particles, which swell.

    Attributes:
        growth_mode: Whether swelling acts in three directions or only in the plane.
        override: Values that replace those of the library.
        lithiated: The material at soc 1; without it, parameters do not depend on the composition.
    """

    growth_mode: GrowthMode
    override: ActiveOverride = ActiveOverride()
    lithiated: LithiatedChoice | None = None

    @field_validator("override")
    @classmethod
    def _swelling_known(cls, override: ActiveOverride, info: ValidationInfo) -> ActiveOverride:
        name = info.data.get("name")
        if name is None or override.volume_change is not None:
            return override
        if load_material(name).volume_change is None:
            message = f"the library holds no volume change of {name}"
            raise refuse(message, "a plain number", ("volume_change",))
        return override

    @field_validator("lithiated")
    @classmethod
    def _mixable(
        cls, lithiated: LithiatedChoice | None, info: ValidationInfo
    ) -> LithiatedChoice | None:
        if lithiated is None or "name" not in info.data or "override" not in info.data:
            return lithiated
        empty = _combined(info.data["name"], info.data["override"])["creep"]
        full = lithiated.resolve().creep
        obstacle = creep_obstacle(lithiated.mixing, empty, full)
        if obstacle is not None:
            rules = [rule for rule in get_args(Mixing) if creep_obstacle(rule, empty, full) is None]
            raise refuse(obstacle, " or ".join(rules), ("mixing",), near=rules[0])
        return lithiated

    def resolve(self) -> ActiveMaterial:
        """Combine the values of the library with those that replace them."""
        listed = load_material(self.name).volume_change
        volume_change = _first(self.override.volume_change, listed.value if listed else 0.0)
        return ActiveMaterial(
            **_combined(self.name, self.override),
            volume_change=volume_change,
            growth_mode=self.growth_mode,
            lithiated=None if self.lithiated is None else self.lithiated.resolve_end(),
        )


def _first(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _combined(name: str, override: Override) -> _Combined:
    material = load_material(name)
    law = _creep_parameters(override.creep, material)
    return {
        "name": name,
        "young_modulus": _first(override.young_modulus, material.young_modulus.value),
        "poisson_ratio": _first(override.poisson_ratio, material.poisson_ratio.value),
        "creep": NortonCreep(**law) if law else None,
    }


def _creep_parameters(
    override: CreepOverride | Literal["none"] | None, material: LibraryMaterial
) -> dict[str, float]:
    """Parameters of the creep law that are known; none of a material that does not creep."""
    if override == "none":
        return {}
    parameters: dict[str, float] = {}
    if isinstance(material.creep, CitedCreep):
        cited = {name: getattr(material.creep, name) for name in _CREEP_PARAMETERS}
        parameters = {name: entry.value for name, entry in cited.items() if entry is not None}
    if override is not None:
        parameters |= override.model_dump(exclude_none=True)
    return parameters


def _written(material: PhaseMaterial) -> dict[str, Any]:
    """Write a material such that reading it does not depend on the library's numbers."""
    creep = material.creep
    values: dict[str, Any] = {
        "young_modulus": STRESS.format(material.young_modulus),
        "poisson_ratio": material.poisson_ratio,
        "creep": "none" if creep is None else _written_creep(creep),
    }
    if not isinstance(material, ActiveMaterial):
        return {"name": material.name, "override": values}
    values["volume_change"] = material.volume_change
    written = {"name": material.name, "growth_mode": material.growth_mode, "override": values}
    if material.lithiated is not None:
        full = material.lithiated
        written["lithiated"] = {**_written(full.material), "mixing": full.mixing}
    return written


def _written_creep(creep: NortonCreep) -> dict[str, str | float]:
    known = {
        name: (dimension, getattr(creep, name)) for name, dimension in _CREEP_PARAMETERS.items()
    }
    return {
        name: dimension.format(value) if dimension.unit else value
        for name, (dimension, value) in known.items()
        if value is not None
    }


@dataclass(frozen=True)
class ChosenBy:
    """Annotation of a field that is written as a choice and stored as the resolved material.

    Attributes:
        choice: Section that the user writes.
    """

    choice: type[FrameworkChoice]

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Build the validator and the serialiser of the field."""
        return core_schema.no_info_after_validator_function(
            lambda choice: choice.resolve(),
            handler.generate_schema(self.choice),
            serialization=core_schema.plain_serializer_function_ser_schema(
                _written, when_used="json"
            ),
        )
