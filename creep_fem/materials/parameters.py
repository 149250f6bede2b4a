"""Parameters of materials at both ends of their composition, in internal units."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

GrowthMode = Literal["isotropic", "in_plane"]
"""How an active particle takes up the volume ratio J of swelling: in all three directions by
J^(1/3), or in the two directions of the plane by J^(1/3) while its thickness stays."""

Mixing = Literal["linear", "harmonic", "logarithmic"]
"""How parameters between the empty and the full material follow from those of the two."""

GAS_CONSTANT = 8.31446261815324e-3
"""In kJ/(mol K); exact in the SI of 2019."""

_LARGEST_LOGARITHM = 100.0
"""Of the change of a creep rate with temperature: 43 orders of magnitude."""


@dataclass(frozen=True)
class NortonCreep:
    """The creep law: strain rate = rate (q / reference_stress)^exponent, q the von Mises stress.

    Attributes:
        rate: Strain rate at the reference stress in 1/s.
        reference_stress: Reference stress in GPa.
        exponent: Norton exponent, at least 1.
        activation_energy: Activation energy of the rate in kJ/mol; None if it is not known.
        reference_temperature: Temperature in K at which the rate holds; None if it is not known.
    """

    rate: float
    reference_stress: float
    exponent: float
    activation_energy: float | None = None
    reference_temperature: float | None = None

    def at(self, temperature: float | None) -> NortonCreep:
        """The law at a temperature: rate exp(-Q/R (1/T - 1/T_ref)) (Arrhenius).

        Args:
            temperature: Temperature in K; None for the one at which the law was stated.

        Raises:
            ValueError: There is a temperature, but no activation energy or reference temperature,
                or the rate there is beyond all sense.
        """
        if temperature is None:
            return self
        energy, reference = self.activation_energy, self.reference_temperature
        if energy is None or reference is None:
            raise ValueError("no activation energy is known for the creep")
        logarithm = -energy / GAS_CONSTANT * (1.0 / temperature - 1.0 / reference)
        if abs(logarithm) > _LARGEST_LOGARITHM:
            raise ValueError(f"the creep rate would change by a factor exp({logarithm:.0f})")
        rate = math.exp(logarithm) * self.rate
        return replace(self, rate=rate, reference_temperature=temperature)


@dataclass(frozen=True)
class PhaseMaterial:
    """Mechanical parameters of one phase.

    Attributes:
        name: Name of the material in the library.
        young_modulus: Young's modulus in GPa.
        poisson_ratio: Poisson's ratio.
        volume_change: Relative growth of the volume from empty (soc 0) to full (soc 1), referred to
            the empty host; negative if the material shrinks, 0 for the framework.
        creep: The creep law; None if the material does not creep.
    """

    name: str
    young_modulus: float
    poisson_ratio: float
    volume_change: float
    creep: NortonCreep | None

    @property
    def bulk_modulus(self) -> float:
        """Bulk modulus in GPa."""
        return self.young_modulus / (3.0 * (1.0 - 2.0 * self.poisson_ratio))

    @property
    def shear_modulus(self) -> float:
        """Shear modulus in GPa."""
        return self.young_modulus / (2.0 * (1.0 + self.poisson_ratio))


@dataclass(frozen=True)
class Lithiated:
    """The full active material, soc 1, and how it is approached.

    Attributes:
        material: Its parameters.
        mixing: Rule for the compositions in between.
    """

    material: PhaseMaterial
    mixing: Mixing


@dataclass(frozen=True)
class ActiveMaterial(PhaseMaterial):
    """Mechanical parameters of the active phase, which swells; those of soc 0 if they change.

    Attributes:
        growth_mode: Directions of swelling.
        lithiated: The full material; None if the parameters do not depend on the composition.
    """

    growth_mode: GrowthMode
    lithiated: Lithiated | None = None
