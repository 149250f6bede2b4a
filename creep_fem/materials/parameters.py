"""Parameters of the phases as the mechanics use them, in internal units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

GrowthMode = Literal["isotropic", "in_plane"]
"""How an active particle takes up the volume ratio J of swelling: in all three directions by
J^(1/3), or in the two directions of the plane by J^(1/3) while its thickness stays."""


@dataclass(frozen=True)
class NortonCreep:
    """The creep law: strain rate = rate (q / reference_stress)^exponent, q the von Mises stress.

    Attributes:
        rate: Strain rate at the reference stress in 1/s.
        reference_stress: Reference stress in GPa.
        exponent: Norton exponent, at least 1.
    """

    rate: float
    reference_stress: float
    exponent: float


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
class ActiveMaterial(PhaseMaterial):
    """Mechanical parameters of the active phase, which swells.

    Attributes:
        growth_mode: Directions of swelling.
    """

    growth_mode: GrowthMode
