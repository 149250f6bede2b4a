"""A uniform pressure crosses non-matching interfaces, flat and curved."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from contact_bodies import Division, two_blocks
from contact_press import Press, described
from harness import material
from records import Check, Convergence, Report, case
from scipy.optimize import brentq
from shapes import Array

from creep_fem.contact.law import PressureGapLaw
from creep_fem.materials.parameters import PhaseMaterial

_BOX = 1.0  # um
# stiffness and smoothing are the package's defaults
_LAW = PressureGapLaw(stiffness=400.0, smoothing=0.002, zero_gap_pressure=0.1)
_GROWTH = 1.03  # volume ratio
_WAVE = 0.1  # um
_ALIKE = material(10.0, 0.25)
_CURVED_LAW = replace(_LAW, zero_gap_pressure=_ALIKE.bulk_modulus * _GROWTH * np.log(_GROWTH))
_NEAR = 0.2  # um from the interface


def _flat(x: Array) -> Array:
    return np.full_like(x, 0.5 * _BOX)


def _wavy(x: Array) -> Array:
    """An interface that meets the walls at right angles."""
    return 0.5 * _BOX + _WAVE * np.cos(np.pi * x / _BOX)


@dataclass(frozen=True)
class Uniform:
    """Cauchy stresses in GPa of a block held sideways and out of plane.

    Attributes:
        across: Normal stress across the interface.
        pressure: Mean pressure.
        mises: Von Mises stress.
    """

    across: float
    pressure: float
    mises: float


def _stress(phase: PhaseMaterial, growth: float, stretch: float) -> Uniform:
    swollen = np.log(growth) / 3.0
    across, along = np.log(stretch) - swollen, -swollen
    trace = across + 2.0 * along
    mean, deviator = phase.bulk_modulus * trace, 2.0 * phase.shear_modulus * (across - trace / 3.0)
    volume = np.exp(trace)
    return Uniform(
        float((mean + deviator) / volume),
        float(-mean / volume),
        float(1.5 * abs(deviator) / volume),
    )


def _flat_stresses(
    phases: tuple[PhaseMaterial, PhaseMaterial], law: PressureGapLaw
) -> tuple[float, list[Uniform]]:
    """Two blocks of equal height, of which the lower swells: contact pressure, and each block."""
    heights = 0.5 * _BOX

    def stretch(phase: PhaseMaterial, growth: float, pressure: float) -> float:
        return float(
            brentq(lambda s: _stress(phase, growth, s).across + pressure, 0.5, 1.5, xtol=1e-15)
        )

    def misfit(pressure: float) -> float:
        gap = brentq(lambda g: float(law.pressure(np.array(g))) - pressure, -0.1, law.cutoff)
        return sum(heights * stretch(p, j, pressure) for p, j in pairs) + gap - _BOX

    pairs = list(zip(phases, (_GROWTH, 1.0), strict=True))
    pressed = float(brentq(misfit, 1e-3, 1.0, xtol=1e-14))
    return pressed, [_stress(p, j, stretch(p, j, pressed)) for p, j in pairs]


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
    exact, blocks = _flat_stresses(phases, _LAW)
    values = press.point_values()
    body = press.packing.cell_body
    errors = [
        field[body == b] / closed - 1.0
        for b, block in enumerate(blocks)
        for field, closed in ((values.pressure, block.pressure), (values.mises, block.mises))
    ]
    rms = max(float(np.sqrt(np.mean(error**2))) for error in errors)
    pointwise = max(float(np.abs(error).max()) for error in errors)
    worst, raw = _contact_errors(press, exact)
    return Report(
        "Contact patch test, flat interface",
        "uniform stress in each block; heights, stretches and gap law add up to the box",
        "equilibrium and Hencky's law in closed form",
        "P2 with bubbles, "
        + " cells on ".join(f"{d.columns} x {d.rows}" for d in divisions)
        + f" cells; {described(_LAW)}",
        (
            Check("largest error of the contact pressure at a node", worst, 0.0, 1e-2, 1.0),
            Check("the same at an integration point", raw, 0.0, 1e-2, 1.0),
            Check("mean contact pressure in GPa", press.force / _BOX, exact, 1e-4),
            Check("largest rms error of a stress in a block", rms, 0.0, 1e-2, 1.0),
            Check("largest error of a stress at a point", pointwise, 0.0, 5e-2, 1.0),
        ),
    )


def _contact_errors(press: Press, exact: float) -> tuple[float, float]:
    """Largest relative error of the contact pressure at the nodes and at the integration points."""
    nodes, points = press.node_pressure(), press.profile().pressure
    return float(np.abs(nodes / exact - 1.0).max()), float(np.abs(points / exact - 1.0).max())


def _curved(columns: int) -> tuple[float, float, float, float, float]:
    """Relative errors: contact pressure (rms, max, raw max), stresses near it (rms, max)."""
    divisions = (Division(columns, columns), Division(columns + columns // 4 + 1, columns))
    exact = _CURVED_LAW.zero_gap_pressure
    press = Press(two_blocks(_BOX, (_wavy, _wavy), divisions), (_ALIKE, _ALIKE), _CURVED_LAW)
    _swollen(press, 2)
    errors = press.node_pressure() / exact - 1.0
    values = press.point_values()
    packing = press.packing
    centres = packing.points[packing.cells].mean(axis=1)
    near = np.abs(centres[:, 1] - _wavy(centres[:, 0])) < _NEAR
    stress = np.hypot(values.pressure[near] / exact - 1.0, values.mises[near] / exact)
    rms, stress_rms = (float(np.sqrt(np.mean(e**2))) for e in (errors, stress))
    return rms, *_contact_errors(press, exact), stress_rms, float(stress.max())


@case()
def patch_curved() -> Report:
    """Two blocks of one material swell equally in a closed box: the pressure is K ln J J."""
    columns = (4, 8, 16)
    rms, largest, raw, stress, pointwise = zip(*(_curved(c) for c in columns), strict=True)
    sizes = tuple(_BOX / c for c in columns)
    return Report(
        "Contact patch test, curved interface",
        "p = K J ln J everywhere and no deviator; the law's gap vanishes at this pressure",
        "confined swelling; no theory promises the order of the stresses: it is the one observed",
        "P2 with bubbles,"
        f" {columns} columns below, about 5/4 as many above; smallest radius of curvature"
        f" {(_BOX / np.pi) ** 2 / _WAVE:.2f} um; {described(_CURVED_LAW)}",
        (
            Check("largest error of the contact pressure at a node", largest[-1], 0.0, 1e-2, 1.0),
            Check("the same at an integration point", raw[-1], 0.0, 1e-2, 1.0),
            Check("error of the stresses near the interface, rms", stress[-1], 0.0, 1e-2, 1.0),
            Check("largest error of the stresses at a point", pointwise[-1], 0.0, 5e-2, 1.0),
            Check("the same on 8 columns, contact pressure", largest[1], 0.0, 1e-2, 1.0),
        ),
        (
            Convergence("contact pressure, rms", "h in um", sizes, rms, 2.0),
            # no theory promises an order beside cells that do not match: the one observed
            Convergence("stresses near the interface, rms", "h in um", sizes, stress, 0.9),
        ),
    )
