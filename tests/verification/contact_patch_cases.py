"""A uniform pressure crosses non-matching interfaces, flat and curved."""

from __future__ import annotations

import numpy as np
from contact_bodies import Division, two_blocks
from contact_press import Press
from harness import material
from records import Check, Convergence, Report, case
from scipy.optimize import brentq
from shapes import Array

from creep_fem.contact.law import PressureGapLaw
from creep_fem.materials.parameters import PhaseMaterial

_BOX = 1.0  # um
_LAW = PressureGapLaw(stiffness=100.0, smoothing=0.004, zero_gap_pressure=0.1)
_GROWTH = 1.03  # volume ratio
_NEAR = 0.2  # um from the interface


def _flat(x: Array) -> Array:
    return np.full_like(x, 0.5 * _BOX)


def _wavy(x: Array) -> Array:
    """An interface that meets the walls at right angles; its smallest radius is 1 um."""
    return 0.5 * _BOX + 0.1 * np.cos(np.pi * x / _BOX)


def _traction(phase: PhaseMaterial, growth: float, stretch: float) -> float:
    """Cauchy stress across the interface in GPa of a block held sideways and out of plane."""
    swollen = np.log(growth) / 3.0
    across, along = np.log(stretch) - swollen, -swollen
    trace = across + 2.0 * along
    kirchhoff = phase.bulk_modulus * trace + 2.0 * phase.shear_modulus * (across - trace / 3.0)
    return float(kirchhoff / np.exp(trace))


def _flat_pressure(phases: tuple[PhaseMaterial, PhaseMaterial], law: PressureGapLaw) -> float:
    """Pressure of two blocks of equal height, of which the lower swells, and of the gap law."""
    heights = 0.5 * _BOX

    def stretch(phase: PhaseMaterial, growth: float, pressure: float) -> float:
        return float(brentq(lambda s: _traction(phase, growth, s) + pressure, 0.5, 1.5, xtol=1e-15))

    def misfit(pressure: float) -> float:
        gap = brentq(lambda g: float(law.pressure(np.array(g))) - pressure, -0.1, law.cutoff)
        pairs = zip(phases, (_GROWTH, 1.0), strict=True)
        return sum(heights * stretch(p, j, pressure) for p, j in pairs) + gap - _BOX

    return float(brentq(misfit, 1e-3, 1.0, xtol=1e-14))


def _swollen(press: Press, count: int) -> None:
    stretch = _GROWTH ** (1.0 / 3.0)
    press.model.set_growth([(stretch, stretch), (stretch, stretch) if count == 2 else (1.0, 1.0)])
    press.step(1.0)


@case()
def patch_flat() -> Report:
    """A swelling block presses on another one of different stiffness across a flat interface."""
    phases = (material(10.0, 0.25), material(40.0, 0.3))
    divisions = (Division(4, 2), Division(5, 3))
    press = Press(two_blocks(_BOX, (_flat, _flat), divisions), phases, _LAW)
    _swollen(press, 1)
    exact = _flat_pressure(phases, _LAW)
    values = press.point_values()
    body = press.packing.cell_body
    spreads = [
        float(np.std(field[body == b]) / field[body == b].mean())
        for field in (values.pressure, values.mises)
        for b in (0, 1)
    ]
    pointwise = max(
        float(np.abs(field[body == b] / field[body == b].mean() - 1.0).max())
        for field in (values.pressure, values.mises)
        for b in (0, 1)
    )
    worst = float(np.abs(press.node_pressure() / exact - 1.0).max())
    return Report(
        "Contact patch test, flat interface",
        "uniform stress in each block; heights, stretches and gap law add up to the box",
        "equilibrium and Hencky's law in closed form",
        "P2 with bubbles, 4 x 2 cells on 5 x 3 cells",
        (
            Check("largest error of the contact pressure", worst, 0.0, 1e-2, 1.0),
            Check("mean contact pressure in GPa", press.force / _BOX, exact, 1e-4),
            Check(
                "largest standard deviation of a stress in a block", max(spreads), 0.0, 1e-2, 1.0
            ),
            Check("largest error of a stress at a point", pointwise, 0.0, 5e-2, 1.0),
        ),
    )


def _curved(columns: int) -> tuple[float, float, float, float]:
    """Relative errors of contact pressure (rms, max) and of stresses near it (rms, max)."""
    phase = material(10.0, 0.25)
    divisions = (Division(columns, columns), Division(columns + columns // 4 + 1, columns))
    exact = phase.bulk_modulus * np.log(_GROWTH) * _GROWTH
    law = PressureGapLaw(_LAW.stiffness, _LAW.smoothing, exact)
    press = Press(two_blocks(_BOX, (_wavy, _wavy), divisions), (phase, phase), law)
    _swollen(press, 2)
    errors = press.node_pressure() / exact - 1.0
    values = press.point_values()
    packing = press.packing
    centres = packing.points[packing.cells].mean(axis=1)
    near = np.abs(centres[:, 1] - _wavy(centres[:, 0])) < _NEAR
    stress = np.hypot(values.pressure[near] / exact - 1.0, values.mises[near] / exact)
    rms, stress_rms = (float(np.sqrt(np.mean(e**2))) for e in (errors, stress))
    return rms, float(np.abs(errors).max()), stress_rms, float(stress.max())


@case()
def patch_curved() -> Report:
    """Two blocks of one material swell equally in a closed box: the pressure is K ln J J."""
    columns = (4, 8, 16)
    rms, largest, stress, pointwise = zip(*(_curved(c) for c in columns), strict=True)
    sizes = tuple(_BOX / c for c in columns)
    return Report(
        "Contact patch test, curved interface",
        "p = K J ln J everywhere and no deviator; the law's gap vanishes at this pressure",
        "confined swelling",
        "P2 with bubbles,"
        f" {columns} columns below, about 5/4 as many above; smallest radius of curvature 1 um",
        (
            Check("largest error of the contact pressure", largest[-1], 0.0, 1e-2, 1.0),
            Check("error of the stresses near the interface, rms", stress[-1], 0.0, 1e-2, 1.0),
            Check("largest error of the stresses at a point", pointwise[-1], 0.0, 5e-2, 1.0),
            Check("the same on 8 columns, contact pressure", largest[1], 0.0, 1e-2, 1.0),
        ),
        (
            Convergence("contact pressure, rms", "h in um", sizes, rms, 2.0),
            Convergence("stresses near the interface, rms", "h in um", sizes, stress, 0.5),
        ),
    )
