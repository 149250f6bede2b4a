"""Line contact of elastic cylinders: Hertz."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from contact_bodies import Division, two_blocks
from contact_press import Press, described
from harness import material
from records import Check, Convergence, Report, case
from shapes import Array

from creep_fem.contact.law import PressureGapLaw
from creep_fem.materials.parameters import PhaseMaterial

BOX = 40.0  # um
RADIUS = 100.0  # um
# The law gives way by a hundredth of the depth of the contact, a^2/(2 R) = 5 nm.
LAW = PressureGapLaw(stiffness=2000.0, smoothing=2e-5, zero_gap_pressure=0.02)
YOUNG, POISSON = 10.0, 0.3
_GRADING = 5.0
_SOURCE = "Johnson, Contact Mechanics, Cambridge 1985, section 4.2(c)"


def level(x: Array) -> Array:
    """A flat face in the middle of the box."""
    return np.full_like(x, 0.5 * BOX)


def crown(x: Array) -> Array:
    """The face of a cylinder that touches the flat one at x = 0."""
    return level(x) + x**2 / (2.0 * RADIUS)


def line_contact(
    columns: int,
    phases: tuple[PhaseMaterial, PhaseMaterial],
    law: PressureGapLaw = LAW,
    **settings: float,
) -> Press:
    """A cylinder above a flat body of other cells, symmetric about x = 0.

    Cells grow from 2.7 um/columns at the contact to a fifth of the box. Settings are those of
    :class:`Press`.
    """
    lower = Division(round(0.8 * columns), round(0.4 * columns), _GRADING)
    upper = Division(columns, columns // 2, _GRADING)
    return Press(two_blocks(BOX, (level, crown), (lower, upper)), phases, law, **settings)


@dataclass(frozen=True)
class Hertz:
    """Closed form for a force.

    Attributes:
        force: Force per thickness in GPa um.
        modulus: Contact modulus E* in GPa.
    """

    force: float
    modulus: float

    @property
    def half_width(self) -> float:
        """Half-width of the contact in um."""
        return float(np.sqrt(4.0 * self.force * RADIUS / (np.pi * self.modulus)))

    @property
    def peak(self) -> float:
        """Largest pressure in GPa."""
        return 2.0 * self.force / (np.pi * self.half_width)

    def pressure(self, x: Array) -> Array:
        """Pressure in GPa at the distance x in um from the middle."""
        return self.peak * np.sqrt(np.maximum(1.0 - (x / self.half_width) ** 2, 0.0))


def contact_modulus(*bodies: PhaseMaterial) -> float:
    """E* of two elastic bodies in GPa."""
    return 1.0 / sum((1.0 - b.poisson_ratio**2) / b.young_modulus for b in bodies)


def _report(name: str, lower_young: float, approach: float) -> Report:
    phases = (material(lower_young, POISSON), material(YOUNG, POISSON))
    columns, errors = (16, 32, 64), []
    for count in columns:
        press = line_contact(count, phases)
        for part in (0.5, 1.0):
            press.step(1.0, part * approach)
        exact = Hertz(2.0 * press.force, contact_modulus(*phases))
        profile = press.profile()
        misfit = np.abs(profile.pressure - exact.pressure(profile.x)) @ profile.length
        errors.append(float(misfit / press.force))
    width, peak = profile.ellipse()
    return Report(
        f"Hertz line contact, {name}",
        "a^2 = 4 P R/(pi E*), p0 = 2 P/(pi a), p = p0 sqrt(1 - x^2/a^2)",
        _SOURCE,
        "P2 with bubbles,"
        f" {columns} columns graded towards the contact, the flat body has 0.8 as many;"
        f" {described(LAW)};"
        f" R = {RADIUS:g} um, a = {exact.half_width:.2f} um; P from the wall's reaction",
        (
            Check("half-width a in um", width, exact.half_width, 0.02),
            Check("peak pressure in GPa", peak, exact.peak, 0.02),
            Check("misfit of p(x) over P", errors[-1], 0.0, 0.02, 1.0),
        ),
        (
            Convergence(
                "p(x)", "smallest cell in um", tuple(2.7 / c for c in columns), tuple(errors), 1.0
            ),
        ),
    )


@case()
def hertz_two_elastic_bodies() -> Report:
    """A cylinder on a flat body of the same material."""
    return _report("two elastic bodies", YOUNG, 0.016)


@case()
def hertz_nearly_rigid_flat() -> Report:
    """A cylinder on a flat body a hundred times stiffer, which E* takes into account."""
    return _report("nearly rigid flat", 100.0 * YOUNG, 0.012)
