"""The material library: one YAML file a material, every number with source and confidence."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml import YAML

from creep_fem.errors import ConfigError, Problem
from creep_fem.units import MOLAR_ENERGY, NUMBER, RATE, STRESS, TEMPERATURE, Quantity

YoungModulus = Annotated[float, Quantity(STRESS, at_least=1e-6, at_most=2000.0)]
PoissonRatio = Annotated[float, Quantity(NUMBER, at_least=0.0, at_most=0.495)]
VolumeChange = Annotated[float, Quantity(NUMBER, at_least=-0.9, at_most=10.0)]
CreepRate = Annotated[float, Quantity(RATE, above=0.0)]
ReferenceStress = Annotated[float, Quantity(STRESS, above=0.0)]
CreepExponent = Annotated[float, Quantity(NUMBER, at_least=1.0, at_most=50.0)]
ActivationEnergy = Annotated[float, Quantity(MOLAR_ENERGY, at_least=0.0, at_most=1000.0)]
# The lower limit finds 70 K where 70 degC was meant.
Temperature = Annotated[float, Quantity(TEMPERATURE, at_least=100.0, at_most=2000.0)]

Confidence = Literal["measured", "computed", "estimated", "assumed", "recalled"]
"""Where a number comes from; recalled ones are from the literature but were not read again."""

_LIBRARY = files("creep_fem.materials") / "library"


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Cited[T](_Record):
    """A value with its origin.

    Attributes:
        value: The value, in internal units.
        source: Where it comes from.
        confidence: How it was obtained.
        range: Smallest and largest value found or thought possible.
        note: What a user should know.
    """

    value: T
    source: str = Field(min_length=1)
    confidence: Confidence
    range: tuple[T, T] | None = None
    note: str | None = None


class CitedCreep(_Record):
    """A Norton law whose parameters have their origins.

    Attributes:
        rate: Strain rate at the reference stress in 1/s.
        reference_stress: Reference stress in GPa.
        exponent: Norton exponent.
        reference_temperature: Temperature in K at which the rate holds.
        activation_energy: Activation energy of the rate in kJ/mol.
    """

    rate: Cited[CreepRate]
    reference_stress: Cited[ReferenceStress]
    exponent: Cited[CreepExponent]
    reference_temperature: Cited[Temperature] | None = None
    activation_energy: Cited[ActivationEnergy] | None = None


class LibraryMaterial(_Record):
    """One material of the library; what no source tells is None.

    Attributes:
        name: Name in the library, also that of its file.
        description: One line on what the material is.
        young_modulus: Young's modulus in GPa.
        poisson_ratio: Poisson's ratio.
        volume_change: Relative growth from empty to full, referred to the empty host.
        creep: The creep law, or the cited statement that there is none.
    """

    name: str
    description: str
    young_modulus: Cited[YoungModulus]
    poisson_ratio: Cited[PoissonRatio]
    volume_change: Cited[VolumeChange] | None = None
    creep: CitedCreep | Cited[Literal["none"]]


@cache
def list_materials() -> tuple[str, ...]:
    """Names of all materials of the library, sorted."""
    names = (entry.name for entry in _LIBRARY.iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml")))


@cache
def load_material(name: str) -> LibraryMaterial:
    """Read one material of the library.

    Args:
        name: Name such as ``Se``.

    Returns:
        The material with sources and confidence.

    Raises:
        ConfigError: The library does not know the name.
    """
    known = list_materials()
    if name not in known:
        problem = Problem(
            "material",
            "the library does not hold this material",
            name,
            ", ".join(known),
            suggestion=_nearest_material(name),
        )
        raise ConfigError("material library", [problem])
    text = (_LIBRARY / f"{name}.yaml").read_text(encoding="utf-8")
    return LibraryMaterial.model_validate(YAML(typ="safe", pure=True).load(text))


def _nearest_material(name: str) -> str | None:
    """The material whose formula or plain name looks most like the one given, whatever the case."""
    formulas = {material.lower(): material for material in list_materials()}
    words: dict[str, str] = {}
    for material in list_materials():
        plain = load_material(material).description.partition(",")[0].lower()
        for word in (plain, *re.findall(r"\w{3,}", plain)):
            words.setdefault(word, material)
    for known, cutoff in ((words, 1.0), (formulas, 0.5), (words, 0.8)):
        near = get_close_matches(name.lower(), known, n=1, cutoff=cutoff)
        if near:
            return known[near[0]]
    return None
