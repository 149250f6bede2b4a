"""Swelling patches: free, confined, confined out of plane, and the confined bar B1."""

from __future__ import annotations

import numpy as np
from creep_cases import (
    MESH,
    POISSON,
    YOUNG,
    deform,
    free_patch,
    law,
    mises,
    patch,
    uniform,
)
from harness import LoadedBody, line
from records import Check, Convergence, Report, case
from reference import confined_bar, relax, relax_implicitly

from creep_fem.cycling import GrowthMode, growth_stretches

BULK = YOUNG / (3.0 * (1.0 - 2.0 * POISSON))
GROWTH = 0.55  # J - 1
STEPS = 40


def grow(body: LoadedBody, mode: GrowthMode, growth: float) -> None:
    """Set the swelling of a full charge with volume change ``growth``."""
    body.grow(*growth_stretches(growth, 1.0, 0.0, mode))


def kirchhoff_pressure(body: LoadedBody) -> float:
    """Uniform pressure per swollen volume in GPa."""
    return uniform(body.point_values().pressure) * body.elastic_volume_ratio()


@case()
def free_growth() -> Report:
    """In-plane growth of a free body is free of stress and creep."""
    body = free_patch(law(4.5))
    for step in range(5):
        grow(body, "in_plane", GROWTH * (step + 1) / 5)
        body.advance(1000.0)
    values = body.point_values()
    scale = YOUNG
    return Report(
        "Free growth, in_plane",
        "s = 0, area J^(2/3), no creep",
        "the swollen state is a natural state",
        f"{MESH}; 5 steps to J = {1 + GROWTH:g}",
        (
            Check("largest von Mises stress / E", float(values.mises.max()), 0.0, 1e-12, scale),
            Check("largest pressure / E", float(np.abs(values.pressure).max()), 0.0, 1e-12, scale),
            Check("area in um^2", body.area(), (1.0 + GROWTH) ** (2.0 / 3.0), 1e-12),
            Check("creep strain", float(values.creep_strain.max()), 0.0, 1e-12, 1.0),
        ),
    )


@case()
def confined_growth() -> Report:
    """Growth in a rigid mould, isotropic: pressure only, for ever."""
    body = patch(law(4.5))
    deform(body)(np.eye(2))
    grow(body, "isotropic", GROWTH)
    checks = []
    expected = BULK * np.log1p(GROWTH)
    for when, dt in (("at once", 1e-6), ("after 1e6 s", 1e6)):
        body.advance(dt)
        values = body.point_values()
        checks += [
            Check(f"K ln J, {when}, in GPa", kirchhoff_pressure(body), expected, 1e-12),
            Check(
                f"pressure (Cauchy), {when}, in GPa",
                uniform(values.pressure),
                expected * (1.0 + GROWTH),
                1e-12,
            ),
            Check(
                f"force on a wall, {when}, in GPa um",
                -body.force(line(0, 1.0), 0),
                expected * (1.0 + GROWTH),
                1e-12,
            ),
            Check(f"von Mises stress / K, {when}", float(values.mises.max()), 0.0, 1e-12, BULK),
        ]
    return Report(
        "Growth in a rigid mould, isotropic",
        "tau = -K ln(J) I, Cauchy pressure J K ln J, never relaxes",
        "e = -ln(J)/3 I; creep is isochoric",
        f"{MESH}; two steps",
        tuple(checks),
    )


@case()
def confined_in_plane_growth() -> Report:
    """Growth in a rigid mould, in_plane: the shear stress relaxes, the pressure stays."""
    creep, duration = law(4.5), 4000.0
    body = patch(creep)
    deform(body)(np.eye(2))
    grow(body, "in_plane", GROWTH)
    log_stretch = np.log1p(GROWTH) / 3.0
    shear = YOUNG / (2.0 * (1.0 + POISSON))
    start, pressure = 2.0 * shear * log_stretch, 2.0 * BULK * log_stretch
    dt = duration / STEPS
    for _ in range(STEPS):
        body.advance(dt)
    implicit = relax_implicitly(start, 3.0 * shear, creep, dt, STEPS)
    return Report(
        "Growth in a rigid mould, in_plane",
        "p = (2/3) K ln J constant; q from (2/3) G ln J by the bar law with 3 G for E",
        "e = -ln(J)/3 diag(1, 1, 0); flow direction constant; backward Euler by scalar roots",
        f"{MESH}; {STEPS} steps",
        (
            Check("pressure (Kirchhoff) in GPa", kirchhoff_pressure(body), pressure, 1e-10),
            Check("von Mises stress (Kirchhoff) in GPa", mises(body), implicit, 1e-6),
            Check(
                "force on a wall in GPa um: J^(2/3) (p + q/3)",
                -body.force(line(0, 1.0), 0),
                (1.0 + GROWTH) ** (2.0 / 3.0) * (pressure + implicit / 3.0),
                1e-6,
            ),
        ),
    )


@case()
def plane_strain_growth() -> Report:
    """Isotropic growth, free in the plane: the suppressed thickness creeps into the plane."""
    creep, ratio, duration = law(4.5), 1.0 + GROWTH, 1e5
    start = YOUNG / 3.0 * np.log(ratio)
    body = free_patch(creep)
    grow(body, "isotropic", GROWTH)
    body.advance(1e-12)
    first = (mises(body), body.area())
    steps_list, errors = (20, 40, 80, 160), []
    exact = relax(start, YOUNG, creep, duration)
    for steps in steps_list:
        body = free_patch(creep)
        grow(body, "isotropic", GROWTH)
        ends = duration * (np.arange(1, steps + 1) / steps) ** 3  # finer where the stress is high
        for dt in np.diff(ends, prepend=0.0):
            body.advance(float(dt))
        errors.append(abs(mises(body) / exact - 1.0))
    implicit = start
    for dt in np.diff(ends, prepend=0.0):
        implicit = relax_implicitly(implicit, YOUNG, creep, float(dt), 1)
    elastic = implicit / YOUNG
    decayed, crept = mises(body), body.area()
    body.advance(1e12)
    sizes = tuple(1.0 / n for n in steps_list)
    return Report(
        "Isotropic growth in plane strain, free in the plane",
        "area J^(2(1+nu)/3) -> J; s_z = -(E/3) ln J decays by the bar law",
        "uniaxial stress along z; backward Euler by scalar roots",
        f"{MESH}; {steps_list} steps",
        (
            Check("first stress (Kirchhoff) in GPa", first[0], start, 1e-6),
            Check("first area in um^2", first[1], ratio ** (2.0 * (1.0 + POISSON) / 3.0), 1e-6),
            Check(f"stress (Kirchhoff) after {duration:g} s in GPa", decayed, implicit, 1e-6),
            Check(
                f"area after {duration:g} s in um^2",
                crept,
                ratio * np.exp((2.0 * POISSON - 1.0) * elastic),
                1e-6,
            ),
            Check("area after 1e12 s in um^2", body.area(), ratio, 1e-3),
        ),
        (Convergence("stress", "dt as part of the time", sizes, tuple(errors), 1.0),),
    )


@case()
def confined_bar_b1() -> Report:
    """Benchmark B1: the swelling bar between rigid walls with a free top."""
    creep, growth, duration = law(4.5), 0.1, 36000.0
    stress, height = confined_bar(YOUNG, POISSON, creep, growth, duration)
    steps_list, errors = (45, 90, 180, 360), []
    for steps in steps_list:
        body = free_patch(creep)
        body.hold(line(0, 1.0), 0)
        for step in range(steps):
            stretch = 1.0 + growth * (step + 1) / steps
            body.grow(stretch, stretch)
            body.advance(duration / steps)
        top = body.mean_displacement(line(1, 1.0), (0.0, 1.0))
        errors.append(abs(top / (height - 1.0) - 1.0))
    det_elastic = body.elastic_volume_ratio()
    values = body.point_values()
    # nominal stress on the side wall: Cauchy stress times the deformed height
    cauchy = body.force(line(0, 1.0), 0) / (1.0 + top)
    kirchhoff = stress
    det_reference = np.exp(2.0 * (1.0 - 2.0 * POISSON) * stress / YOUNG)
    return Report(
        "Confined swelling bar (benchmark B1)",
        "(1 - nu) s'/E = -g'/g + (A/2)(-s/s_ref)^n, g = 1 + 0.1 t/T; ln(h) from the volume",
        "ordinary differential equation to 1e-12; published: tau = -85.943 MPa, u = 0.31961 um",
        f"{MESH}; {steps_list} steps",
        (
            Check("own reference, tau in MPa", 1e3 * stress, -85.943, 1e-5),
            Check("own reference, top displacement in um", height - 1.0, 0.31961, 2e-5),
            Check("top displacement in um", top, height - 1.0, 1e-4),
            Check(
                "Kirchhoff stress per swollen volume in MPa",
                1e3 * cauchy * det_elastic,
                1e3 * kirchhoff,
                1e-4,
            ),
            Check("Cauchy stress in MPa", 1e3 * cauchy, 1e3 * stress / det_reference, 1e-4),
            Check(
                "von Mises stress (Cauchy) in MPa",
                1e3 * uniform(values.mises),
                -1e3 * stress / det_reference,
                1e-4,
            ),
            Check(
                "pressure (Cauchy) in MPa",
                1e3 * uniform(values.pressure),
                -2e3 / 3.0 * stress / det_reference,
                1e-4,
            ),
        ),
        (
            Convergence(
                "top displacement",
                "dt in s",
                tuple(duration / n for n in steps_list),
                tuple(errors),
                1.0,
            ),
        ),
    )
