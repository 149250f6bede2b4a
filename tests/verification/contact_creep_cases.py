"""Line contact of creeping cylinders on an elastic flat: Maxwell and power law."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from contact_hertz_cases import LAW, POISSON, RADIUS, contact_modulus, line_contact
from contact_press import Press, described
from harness import material
from records import Check, RankLimit, Report, case
from shapes import Array

from creep_fem.contact.law import PressureGapLaw
from creep_fem.materials.parameters import NortonCreep

_SHEAR = 4.0  # GPa
_INCOMPRESSIBLE = 0.4995
_RELAXATION = 1000.0  # s, viscosity over shear modulus
_REFERENCE = 0.1  # GPa


@dataclass(frozen=True)
class MaxwellHistory:
    """Measured contact of the Maxwell cylinder; arrays over the steps.

    Attributes:
        time: Time in s.
        force: Force in GPa um.
        edge: Where the pressure falls to a quarter of its mean in um.
        gyration: Radius of gyration of the pressure in um.
    """

    time: Array
    force: Array
    edge: Array
    gyration: Array

    def half_width(self, compliance: float) -> Array:
        """a in um: a^2 = (R/pi) (P/G + int P dt/mu) + 4 P R c/pi, exact while a grows.

        Args:
            compliance: (1 - nu^2)/E of the elastic counterpart in 1/GPa.
        """
        impulse = np.cumsum(self.force * np.diff(self.time, prepend=0.0))
        viscous = (self.force + impulse / _RELAXATION) / _SHEAR
        return np.sqrt(RADIUS / np.pi * (viscous + 4.0 * compliance * self.force))

    def exact_gyration(self, half_width: Array) -> Array:
        """Root of the mean of x^2 for p = (2/R) int G(t - s) d/ds sqrt(a(s)^2 - x^2) ds in um."""
        moment, previous, start, moments = 0.0, 0.0, 0.0, []
        for time, a in zip(self.time, half_width, strict=True):
            elastic = 0.25 * np.pi * _SHEAR / RADIUS * (a**4 - previous**4)
            # exact for a moment that grows at a constant rate within the step
            ratio = (time - start) / _RELAXATION
            moment = moment * np.exp(-ratio) - elastic * np.expm1(-ratio) / ratio
            previous, start = a, time
            moments.append(moment)
        return np.sqrt(np.array(moments) / self.force)


def _hold_force(press: Press, duration: float) -> MaxwellHistory:
    """Load within a millisecond, then lower the wall so that the force stays nearly constant."""
    approach, rows = 0.008, []
    for part in (0.5, 1.0):
        press.step(5e-4, part * approach)
    held = 2.0 * press.force
    stiffness, speed, time = held / approach, 0.5 * approach / _RELAXATION, 0.0
    while time < duration:
        dt = min(0.02 * _RELAXATION + 0.05 * time, 0.05 * _RELAXATION)
        missing = (held - 2.0 * press.force) / stiffness
        approach += speed * dt + missing
        press.step(dt, approach)
        time += dt
        speed = max(speed + 0.5 * (held - 2.0 * press.force) / stiffness / dt, 0.0)
        profile = press.profile()
        rows.append((time, 2.0 * press.force, profile.edge(), profile.radius_of_gyration))
    return MaxwellHistory(*np.array(rows).T)


@case()
def maxwell_cylinder() -> Report:
    """A nearly incompressible cylinder of linear viscosity under a nearly constant force."""
    young = 2.0 * _SHEAR * (1.0 + _INCOMPRESSIBLE)
    creep = NortonCreep(_REFERENCE / (3.0 * _SHEAR * _RELAXATION), _REFERENCE, 1.0)
    flat = material(100.0 * young, POISSON)
    columns = 48
    press = line_contact(columns, (flat, material(young, _INCOMPRESSIBLE, creep)))
    history = _hold_force(press, 4.0 * _RELAXATION)
    exact = history.half_width(1.0 / contact_modulus(flat))
    gyration = history.exact_gyration(exact)
    edge = history.edge / exact - 1.0
    spread = np.ptp(history.force) / history.force[0]
    return Report(
        "Maxwell cylinder on a nearly rigid flat",
        "a^2 = (R/pi) (P/G + int P dt/mu), p = (2/R) int G(t - s) d/ds sqrt(a(s)^2 - x^2) ds",
        "Lee and Radok, J. Appl. Mech. 27, 1960, 438: Hertz by the correspondence principle",
        "P2 with bubbles,"
        f" {columns} columns, {len(exact)} steps; {described(LAW)};"
        f" Poisson's ratio {_INCOMPRESSIBLE}; the"
        f" measured force, constant within {100.0 * spread:.1f} %, enters the closed form",
        (
            Check(
                "largest relative error of a(t), where p falls to a quarter of its mean",
                float(np.abs(edge).max()),
                0.0,
                0.02,
                1.0,
            ),
            Check("a in um at t = 4 mu/G", float(history.edge[-1]), float(exact[-1]), 0.02),
            Check(
                "radius of gyration of p in um at t = 4 mu/G",
                float(history.gyration[-1]),
                float(gyration[-1]),
                0.02,
            ),
            Check(
                "largest relative error of the radius of gyration",
                float(np.abs(history.gyration / gyration - 1.0).max()),
                0.0,
                0.02,
                1.0,
            ),
        ),
    )


_STIFF = 300.0  # GPa, 10^4 times the contact pressure
_POWER_LAW = PressureGapLaw(stiffness=2000.0, smoothing=1e-5, zero_gap_pressure=0.01)
_FIRST_EDGE = 0.6  # um; in smaller contacts elastic strains and the gap law show
_FIRST, _LAST = 6e-4, 0.03  # um of approach
_COLUMNS, _STEPS = 48, 40


@dataclass(frozen=True)
class Growth:
    """Growth of a contact in power-law creep.

    Attributes:
        exponent: Slope of ln a over ln(int P^n dt), a from the radius of gyration, times n + 1.
        first: Edge of the smallest contact of the fit in um.
        last: Edge of the largest one in um.
    """

    exponent: float
    first: float
    last: float


def _growth(power: float, duration: float) -> Growth:
    """Press in such a way that the force would stay constant for a rigid-plastic body."""
    creep = NortonCreep(1e-5, _REFERENCE, power)
    phases = (material(_STIFF, POISSON), material(_STIFF, POISSON, creep))
    # energies of 1e-5 GPa um^2 in a box of 1600 um^2: round-off forbids a tighter tolerance; with
    # so sharp a law old factors lead astray, and some steps take close to all iterations allowed
    press = line_contact(_COLUMNS, phases, _POWER_LAW, tolerance=1e-4, chord_reduction=0.0)
    approaches = np.geomspace(_FIRST, _LAST, _STEPS)
    times = duration * (approaches / approaches[-1]) ** (0.5 * (power + 1.0))
    drive, start, rows = 0.0, 0.0, []
    for approach, time in zip(approaches, times, strict=True):
        press.step(time - start, approach)
        drive += press.force**power * (time - start)
        start = time
        profile = press.profile()
        if profile.edge() > _FIRST_EDGE:
            rows.append((drive, profile.radius_of_gyration, profile.edge()))
    drives, widths, edges = np.array(rows).T
    slope = float(np.polyfit(np.log(drives), np.log(widths), 1)[0])
    return Growth(slope * (power + 1.0), float(edges[0]), float(edges[-1]))


@case(slow=True, rank_limit=RankLimit(1e-5, "Newton's tolerance is 1e-4, for round-off is near"))
def power_law_growth() -> Report:
    """The contact of a cylinder in power-law creep grows self-similarly."""
    grown = {n: _growth(n, duration) for n, duration in ((3.0, 1e7), (4.5, 1e9))}  # s
    first, last = min(g.first for g in grown.values()), max(g.last for g in grown.values())
    return Report(
        "Growth of a contact in power-law creep",
        "a^(n+1) ~ int P^n dt, so a ~ t^(1/(n+1)) under a constant force",
        "self-similarity; Storakers, Biwa and Larsson, Int. J. Solids Struct. 34, 1997, 3061",
        "P2 with bubbles,"
        f" {_COLUMNS} columns, {_STEPS} steps of"
        f" {100.0 * ((_LAST / _FIRST) ** (1.0 / (_STEPS - 1)) - 1.0):.0f} % in the approach;"
        f" {described(_POWER_LAW)}; a = {first:.2g} to {last:.2g} um",
        tuple(
            Check(f"exponent times n + 1, n = {n:g}", growth.exponent, 1.0, 0.03)
            for n, growth in grown.items()
        ),
    )
