"""Parameters between the two ends of a composition: mixing rules for moduli and creep laws.

xi is the share of the full material, which is the state of charge. Each rule says what the empty
and the full material have in common, for elasticity and creep alike:

- ``linear``: the strain, or strain rate, so stresses add up (Voigt, Lehrb. Kristallphys., 1910);
- ``harmonic``: the stress, so strains and strain rates add up (Reuss, Z. Angew. Math. Mech. 9
  (1929) 49);
- ``logarithmic``: nothing; the geometric mean of moduli, and of strain rates at the same stress
  (Lichtenecker, Phys. Z. 27 (1926) 115). It lies between the other two.

For aggregates of phases that creep by power laws, see Tullis, Horowitz and Tullis, J. Geophys. Res.
96 (1991) 8081: only if both exponents are equal is a linear or harmonic mixture a power law again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from creep_fem.materials.parameters import ActiveMaterial, Mixing, NortonCreep, PhaseMaterial


@dataclass(frozen=True)
class PhaseState:
    """What the mechanics need of a phase at one composition and temperature.

    Attributes:
        bulk_modulus: Bulk modulus in GPa.
        shear_modulus: Shear modulus in GPa.
        creep: The creep law, whose rate may be 0; None if the phase never creeps.
    """

    bulk_modulus: float
    shear_modulus: float
    creep: NortonCreep | None


def phase_state(material: PhaseMaterial, soc: float, temperature: float | None) -> PhaseState:
    """Parameters of a phase at a state of charge and a temperature.

    Args:
        material: The phase; only an active material with a lithiated end depends on ``soc``.
        soc: State of charge, 0 to 1.
        temperature: Temperature in K; None for that at which each creep law was stated.

    Raises:
        ValueError: A creep law has no known temperature dependence, or cannot be mixed.
    """
    creep = None if material.creep is None else material.creep.at(temperature)
    if not isinstance(material, ActiveMaterial) or material.lithiated is None:
        return PhaseState(material.bulk_modulus, material.shear_modulus, creep)
    rule, full = material.lithiated.mixing, material.lithiated.material
    full_creep = None if full.creep is None else full.creep.at(temperature)
    return PhaseState(
        mixed_modulus(rule, material.bulk_modulus, full.bulk_modulus, soc),
        mixed_modulus(rule, material.shear_modulus, full.shear_modulus, soc),
        mixed_creep(rule, creep, full_creep, soc),
    )


def mixed_modulus(rule: Mixing, empty: float, full: float, xi: float) -> float:
    """Mix a bulk or shear modulus: all rules are exact where both ends are equal.

    Args:
        rule: Mixing rule.
        empty: Modulus at xi = 0 in GPa.
        full: Modulus at xi = 1 in GPa.
        xi: Share of the full material, 0 to 1.

    Returns:
        M0 + xi (M1 - M0), 1 / ((1 - xi)/M0 + xi/M1) or M0 (M1/M0)^xi in GPa.
    """
    if rule == "linear":
        return empty + xi * (full - empty)
    if rule == "harmonic":
        return empty / (1.0 + xi * (empty / full - 1.0))
    return float(empty * (full / empty) ** xi)


def creep_obstacle(rule: Mixing, empty: NortonCreep | None, full: NortonCreep | None) -> str | None:
    """Why a rule cannot be applied to two creep laws; None if it can.

    Args:
        rule: Mixing rule.
        empty: Law at xi = 0; None for no creep.
        full: Law at xi = 1; None for no creep.
    """
    if empty is None and full is None:
        return None
    if empty is None or full is None:
        if rule == "harmonic":
            return None
        return f"with {rule} mixing, a mixture with a material that does not creep cannot creep"
    if rule != "logarithmic" and empty.exponent != full.exponent:
        return (
            f"with {rule} mixing, creep laws with the exponents {empty.exponent:g} and"
            f" {full.exponent:g} do not add up to a power law"
        )
    return None


def mixed_creep(
    rule: Mixing, empty: NortonCreep | None, full: NortonCreep | None, xi: float
) -> NortonCreep | None:
    """Mix two creep laws of the same temperature.

    With the rate B of the full material at the reference stress s0 of the empty one:

    - ``linear``: s0 becomes s0 + xi (s - s0), s the stress at which the full material creeps at A0;
    - ``harmonic``: A0 becomes A0 + xi (B - A0), with 0 for a material that does not creep;
    - ``logarithmic``: A0 becomes A0 (B/A0)^xi and the exponent n0 + xi (n1 - n0), which is the
      geometric mean of the rates at every stress.

    Args:
        rule: Mixing rule.
        empty: Law at xi = 0; None for no creep.
        full: Law at xi = 1; None for no creep.
        xi: Share of the full material, 0 to 1.

    Returns:
        The law at xi; None if neither end creeps.

    Raises:
        ValueError: The rule cannot be applied, see :func:`creep_obstacle`.
    """
    obstacle = creep_obstacle(rule, empty, full)
    if obstacle is not None:
        raise ValueError(obstacle)
    if full is None:
        return None if empty is None else _mixture(empty, rate=(1.0 - xi) * empty.rate)
    if empty is None:
        return _mixture(full, rate=xi * full.rate)
    rate, stress, exponent = empty.rate, empty.reference_stress, full.exponent
    full_rate = full.rate * (stress / full.reference_stress) ** exponent
    if rule == "linear":
        full_stress = stress * (rate / full_rate) ** (1.0 / exponent)
        return _mixture(empty, reference_stress=stress + xi * (full_stress - stress))
    if rule == "harmonic":
        return _mixture(empty, rate=rate + xi * (full_rate - rate))
    between = empty.exponent + xi * (exponent - empty.exponent)
    return _mixture(empty, rate=rate * (full_rate / rate) ** xi, exponent=between)


def _mixture(law: NortonCreep, **changed: float) -> NortonCreep:
    """A law with other parameters, which holds at the temperature of its parts alone."""
    return replace(law, activation_energy=None, reference_temperature=None, **changed)
