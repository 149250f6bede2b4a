"""Parameters that depend on composition and temperature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from creep_cases import MESH, POISSON, REFINEMENTS, YOUNG, free_patch, law, mises
from harness import LoadedBody
from records import Check, Convergence, Report, case
from reference import integrate, rate, relax_step
from scipy.optimize import brentq

from creep_fem.cycling import growth_stretches
from creep_fem.materials import (
    ActiveMaterial,
    Lithiated,
    Mixing,
    NortonCreep,
    PhaseMaterial,
    phase_state,
)

GROWTH = 0.55  # J - 1 at soc 1
DURATION = 36000.0  # s from soc 0 to soc 1
STEPS = 40
STUDIED = 0.8  # soc to which orders are observed: at 1, creep of the harmonic mixture stops
EMPTY_CREEP = law(4.5)
FULL_YOUNG, FULL_POISSON = 40.0, 0.18  # GPa, 1
CREEPS: dict[Mixing, NortonCreep | None] = {
    "linear": NortonCreep(2e-7, 0.06, 4.5),
    "harmonic": None,
    "logarithmic": NortonCreep(2e-6, 0.06, 7.0),
}


def stress_at(creep: NortonCreep, speed: float) -> float:
    """Von Mises stress in GPa at a creep rate in 1/s."""
    return float(creep.reference_stress * (speed / creep.rate) ** (1.0 / creep.exponent))


@dataclass(frozen=True)
class Mixture:
    """The active material at a state of charge, from what each rule says about its parts.

    Attributes:
        rule: Mixing rule.
        xi: State of charge.
    """

    rule: Mixing
    xi: float

    def _modulus(self, empty: float, full: float) -> float:
        shares = np.array([1.0 - self.xi, self.xi])
        ends = np.array([empty, full])
        if self.rule == "linear":
            return float(shares @ ends)
        if self.rule == "harmonic":
            return float(1.0 / (shares @ (1.0 / ends)))
        return float(np.exp(shares @ np.log(ends)))

    @property
    def young_and_poisson(self) -> tuple[float, float]:
        """Young's modulus in GPa and Poisson's ratio, from mixed bulk and shear moduli."""
        ends = ((YOUNG, POISSON), (FULL_YOUNG, FULL_POISSON))
        bulk = self._modulus(*(e / (3.0 * (1.0 - 2.0 * nu)) for e, nu in ends))
        shear = self._modulus(*(e / (2.0 * (1.0 + nu)) for e, nu in ends))
        young = 9.0 * bulk * shear / (3.0 * bulk + shear)
        return young, 0.5 * young / shear - 1.0

    def speed(self, stress: float) -> float:
        """Creep rate in 1/s at a von Mises stress in GPa."""
        full, xi = CREEPS[self.rule], self.xi
        slow = rate(EMPTY_CREEP, stress)
        if full is None:  # the same stress in both, and one of them does not creep
            return (1.0 - xi) * slow
        if self.rule == "logarithmic":
            return float(slow ** (1.0 - xi) * rate(full, stress) ** xi)

        def excess(log_speed: float) -> float:
            both = (stress_at(end, np.exp(log_speed)) for end in (EMPTY_CREEP, full))
            return float(np.dot((1.0 - xi, xi), list(both)) - stress)

        # the same rate in both: it lies between those of the two at this stress
        if stress <= 0.0:
            return 0.0
        ends = sorted(np.log([slow, rate(full, stress)]))
        root = brentq(excess, ends[0] - 1.0, ends[1] + 1.0, xtol=1e-14, rtol=1e-15)
        return float(np.exp(root))


def active(rule: Mixing) -> ActiveMaterial:
    """A material whose moduli and creep change with its composition."""
    full = PhaseMaterial("full", FULL_YOUNG, FULL_POISSON, 0.0, CREEPS[rule])
    end = Lithiated(full, rule)
    return ActiveMaterial("empty", YOUNG, POISSON, GROWTH, EMPTY_CREEP, "isotropic", end)


def charge(rule: Mixing, steps: int, end: float) -> LoadedBody:
    """Lithiate a patch that is free in the plane, from soc 0 to an end."""
    material, body = active(rule), free_patch(EMPTY_CREEP)
    for step in range(steps):
        soc = end * (step + 1) / steps
        body.grow(*growth_stretches(GROWTH, soc, 0.0, "isotropic"))
        body.model.set_parameters([phase_state(material, soc, None)])
        body.advance(end * DURATION / steps)
    return body


def charge_implicitly(rule: Mixing, steps: int) -> tuple[float, float]:
    """Stress in GPa and elastic strain along z, both in compression, after backward Euler steps."""
    strain = stress = 0.0
    for step in range(steps):
        before, soc = step / steps, (step + 1) / steps
        strain += np.log((1.0 + GROWTH * soc) / (1.0 + GROWTH * before)) / 3.0
        mixture = Mixture(rule, soc)
        young, _ = mixture.young_and_poisson
        stress = relax_step(young * strain, young, mixture.speed, DURATION / steps)
        strain = stress / young
    return stress, strain


@case()
def composition() -> Report:
    """Moduli and creep change while a patch, free in the plane, grows against its thickness."""
    checks, studies = [], []
    for rule in CREEPS:
        body = charge(rule, STEPS, 1.0)
        stress, strain = charge_implicitly(rule, STEPS)
        _, poisson = Mixture(rule, 1.0).young_and_poisson
        area = (1.0 + GROWTH) * np.exp((2.0 * poisson - 1.0) * strain)
        checks += [
            Check(f"stress (Kirchhoff) in GPa, {rule}", mises(body), stress, 1e-6),
            Check(f"area in um^2, {rule}", body.area(), area, 1e-6),
        ]
        studies.append(_study(rule))
    return Report(
        "Moduli and creep that change with the state of charge",
        "e' = J'/(3 J) - r(E(soc) e, soc), s = E(soc) e in compression along z;"
        " area J exp((2 nu - 1) e)",
        "E, nu from K and G mixed; r mixed at the same stress or the same rate; single numbers:"
        " backward Euler by scalar roots; orders: ordinary differential equation to 1e-12",
        f"{MESH}; {STEPS} steps to soc 1, {REFINEMENTS} steps to soc {STUDIED:g}",
        tuple(checks),
        tuple(studies),
    )


def _study(rule: Mixing) -> Convergence:
    end = STUDIED * DURATION
    strain = float(integrate(_strain_rate(rule), np.zeros(1), end)[0])
    exact = Mixture(rule, STUDIED).young_and_poisson[0] * strain
    errors = [abs(mises(charge(rule, n, STUDIED)) / exact - 1.0) for n in REFINEMENTS]
    sizes = tuple(end / n for n in REFINEMENTS)
    return Convergence(f"stress, {rule}", "dt in s", sizes, tuple(errors), 1.0)


def _strain_rate(rule: Mixing) -> Callable[[float, np.ndarray], np.ndarray]:
    def change(time: float, strain: np.ndarray) -> np.ndarray:
        soc = min(time / DURATION, 1.0)
        mixture = Mixture(rule, soc)
        young, _ = mixture.young_and_poisson
        growing = GROWTH / DURATION / (3.0 * (1.0 + GROWTH * soc))
        return np.array([growing - mixture.speed(max(young * float(strain[0]), 0.0))])

    return change


@case()
def arrhenius_shift() -> Report:
    """Relaxation at two temperatures is the same in times stretched by exp(Q/R (1/T - 1/T0))."""
    energy, cold, warm = 74.0, 298.15, 343.15  # kJ/mol, K, K
    creep = replace(EMPTY_CREEP, activation_energy=energy, reference_temperature=cold)
    shift = np.exp(energy / 8.31446261815324e-3 * (1.0 / warm - 1.0 / cold))
    material = PhaseMaterial("verified", YOUNG, POISSON, 0.0, creep)
    strain, dt, checks = 0.02, 15.0, []
    bodies = []
    for temperature in (cold, warm):
        body = free_patch(creep)
        body.model.set_parameters([phase_state(material, 0.0, temperature)])
        body.grow(1.0, np.exp(strain))
        bodies.append(body)
    for step in range(20):
        bodies[0].advance(dt)
        bodies[1].advance(dt * shift)
        if step in (0, 4, 19):
            time = dt * (step + 1)
            slow, fast = (mises(body) for body in bodies)
            quantity = f"stress (Kirchhoff) at 343.15 K after {time * shift:.3g} s in GPa"
            checks.append(Check(quantity, fast, slow, 1e-10))
    crept, reference = (float(b.point_values().creep_strain.mean()) for b in bodies[::-1])
    checks.append(Check("creep strain at the end", crept, reference, 1e-10))
    return Report(
        "Relaxation at two temperatures",
        "s(t, T) = s(t exp(-Q/R (1/T - 1/T0)), T0)",
        "Arrhenius' rate is a factor of time; the reference is the relaxation at 298.15 K",
        f"{MESH}; 20 steps at each temperature",
        tuple(checks),
    )
