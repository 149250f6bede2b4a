"""Uniform states: the return map and its time integration against scalar equations."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from harness import LoadedBody, everywhere, line, material
from records import Check, Convergence, Report, case
from reference import (
    Array,
    PlaneStrainBar,
    SimpleShear,
    integrate,
    rate,
    relax,
    relax_implicitly,
)
from shapes import mapped_square

from creep_fem.materials.parameters import NortonCreep

YOUNG, POISSON = 10.0, 0.25  # GPa, 1
SHEAR = YOUNG / (2.0 * (1.0 + POISSON))
REFINEMENTS = (10, 20, 40, 80)
MESH = "P2 with bubbles, 8 irregular triangles (the state is uniform)"


def law(exponent: float) -> NortonCreep:
    """1e-5/s at 0.1 GPa."""
    return NortonCreep(1e-5, 0.1, exponent)


def patch(creep: NortonCreep | None, poisson: float = POISSON) -> LoadedBody:
    """A unit square."""
    return LoadedBody(mapped_square(2, 2, irregularity=0.25), material(YOUNG, poisson, creep))


def free_patch(creep: NortonCreep | None) -> LoadedBody:
    """A unit square on two symmetry planes."""
    body = patch(creep)
    body.hold(line(0, 0.0), 0)
    body.hold(line(1, 0.0), 1)
    return body


def deform(body: LoadedBody) -> Callable[[Array], None]:
    """Prescribe a uniform deformation gradient, shape (2, 2), on the whole boundary."""
    values = body.prescribe(everywhere)

    def apply(gradient: Array) -> None:
        shift = gradient - np.eye(2)
        values.interpolate(lambda x: shift @ x[:2])

    return apply


def uniform(values: Array) -> float:
    """The common value at all quadrature points; not a number if they differ."""
    spread = float(np.ptp(values))
    mean = float(np.mean(values))
    return mean if spread <= 1e-8 * abs(mean) + 1e-13 else float("nan")


def mises(body: LoadedBody) -> float:
    """Uniform von Mises stress per swollen volume (Kirchhoff) in GPa."""
    return uniform(body.point_values().mises) * body.elastic_volume_ratio()


# --- uniaxial ----------------------------------------------------------------------------------


@case()
def uniaxial_creep() -> Report:
    """A bar under constant true stress; out-of-plane growth follows its thickness."""
    stress, duration, steps = 0.2, 200.0, 20
    checks = []
    for exponent in (1.0, 4.5, 7.0):
        creep = law(exponent)
        body = free_patch(creep)
        pressure = body.push(line(0, 1.0))
        pressure.value = -stress / np.exp((1.0 - 2.0 * POISSON) * stress / YOUNG)
        for step in range(steps + 1):  # the first one is elastic
            flow = rate(creep, stress) * duration * step / steps
            thinning = POISSON * stress / YOUNG + 0.5 * flow
            body.grow(1.0, np.exp(thinning))
            body.advance(duration / steps if step > 0 else 1e-12)
        length = 1.0 + body.mean_displacement(line(0, 1.0), (1.0, 0.0))
        exact = stress / YOUNG + rate(creep, stress) * duration
        checks.append(Check(f"ln(length), n = {exponent:g}", np.log(length), exact, 1e-6))
        crept = uniform(body.point_values().creep_strain)
        checks.append(
            Check(f"creep strain, n = {exponent:g}", crept, rate(creep, stress) * duration, 1e-6)
        )
    return Report(
        "Uniaxial creep at constant stress",
        "ln(l/L) = s/E + A (s/s_ref)^n t",
        "Norton's law; exact for backward Euler too, as the stress is constant",
        f"{MESH}; {steps} steps",
        tuple(checks),
    )


def _held_bar(creep: NortonCreep, strain: float, dt: float, steps: int) -> tuple[float, float]:
    """Axial Kirchhoff stress and area of a square whose thickness is strained suddenly."""
    body = free_patch(creep)
    body.grow(1.0, np.exp(strain))
    for _ in range(steps):
        body.advance(dt)
    return mises(body), body.area()


@case()
def bar_relaxation() -> Report:
    """Suppressed out-of-plane growth is a bar along z that is strained and held."""
    strain, checks, studies = 0.02, [], []
    for exponent, duration in ((1.0, 1500.0), (4.5, 300.0), (7.0, 60.0)):
        creep = law(exponent)
        exact = relax(YOUNG * strain, YOUNG, creep, duration)
        errors = []
        for steps in REFINEMENTS:
            dt = duration / steps
            stress, area = _held_bar(creep, strain, dt, steps)
            errors.append(abs(stress / exact - 1.0))
        implicit = relax_implicitly(YOUNG * strain, YOUNG, creep, dt, steps)
        wide = np.exp(2.0 * POISSON * implicit / YOUNG + strain - implicit / YOUNG)
        checks += [
            Check(f"stress in GPa, n = {exponent:g}", stress, implicit, 1e-6),
            Check(f"cross-section in um^2, n = {exponent:g}", area, wide, 1e-6),
        ]
        sizes = tuple(duration / n for n in REFINEMENTS)
        studies.append(
            Convergence(f"stress, n = {exponent:g}", "dt in s", sizes, tuple(errors), 1.0)
        )
    return Report(
        "Relaxation of a bar",
        "s = s0 [1 + (n-1) E A t s0^(n-1)/s_ref^n]^(-1/(n-1)); n = 1: s0 exp(-E A t/s_ref)",
        "integral of s' = -E A (s/s_ref)^n; single numbers: backward Euler by scalar roots",
        f"{MESH}; {REFINEMENTS} steps",
        tuple(checks),
        tuple(studies),
    )


# --- shear and plane strain --------------------------------------------------------------------


def _shear_gradient(strain: float) -> Array:
    """Isochoric stretch exp(+-strain) along axes turned by 30 degrees."""
    turn = np.array(
        [[np.cos(np.pi / 6), -np.sin(np.pi / 6)], [np.sin(np.pi / 6), np.cos(np.pi / 6)]]
    )
    gradient: Array = turn @ np.diag(np.exp([strain, -strain])) @ turn.T
    return gradient


@case()
def shear_maxwell() -> Report:
    """Pure shear along skew axes: a Maxwell body for n = 1."""
    creep, strain, duration = law(1.0), 0.02, 1000.0
    relaxation_time = creep.reference_stress / (3.0 * creep.rate) / SHEAR
    start = 2.0 * np.sqrt(3.0) * SHEAR * strain
    exact, errors = start * np.exp(-duration / relaxation_time), []
    for steps in REFINEMENTS:
        body = patch(creep)
        deform(body)(_shear_gradient(strain))
        for _ in range(steps):
            body.advance(duration / steps)
        errors.append(abs(mises(body) / exact - 1.0))
    implicit = relax_implicitly(start, 3.0 * SHEAR, creep, duration / steps, steps)
    return Report(
        "Shear relaxation of a Maxwell body",
        "q = 2 sqrt(3) G e exp(-G t/mu), mu = s_ref/(3 A)",
        "integral of q' = -3 G A q/s_ref; single number: backward Euler by scalar roots",
        f"{MESH}; {REFINEMENTS} steps",
        (Check("von Mises stress in GPa", mises(body), implicit, 1e-6),),
        (
            Convergence(
                "von Mises stress",
                "dt in s",
                tuple(duration / n for n in REFINEMENTS),
                tuple(errors),
                1.0,
            ),
        ),
    )


@case()
def plane_strain_relaxation() -> Report:
    """Stretched along x, free along y, constant thickness: the flow direction turns."""
    strain, checks, studies = 0.02, [], []
    for exponent, duration in ((1.0, 1500.0), (4.5, 300.0), (7.0, 60.0)):
        creep = law(exponent)
        bar = PlaneStrainBar(YOUNG / (3.0 * (1.0 - 2.0 * POISSON)), SHEAR, creep, strain)
        end = bar.exact(duration)
        errors = []
        for steps in REFINEMENTS:
            body = free_patch(creep)
            body.hold(line(0, 1.0), 0).value = np.expm1(strain)
            body.advance(1e-12)
            for _ in range(steps):
                body.advance(duration / steps)
            # all faces along x stay flat: the force on one is the nominal stress
            height = 1.0 + body.mean_displacement(line(1, 1.0), (0.0, 1.0))
            stress = body.force(line(0, 1.0), 0) * np.exp(strain)
            errors.append(abs(stress / bar.stress(end) - 1.0))
        implicit = bar.implicit(duration / steps, steps)
        # volume: ln(height) is what the elastic volume change leaves of the stretch
        checks += [
            Check(f"stress in GPa, n = {exponent:g}", stress, bar.stress(implicit), 1e-6),
            Check(f"ln(height), n = {exponent:g}", np.log(height), implicit.sum() - strain, 1e-6),
        ]
        sizes = tuple(duration / n for n in REFINEMENTS)
        studies.append(
            Convergence(f"stress, n = {exponent:g}", "dt in s", sizes, tuple(errors), 1.0)
        )
    return Report(
        "Relaxation in plane strain, nu = 0.25",
        "x' = -A (q/s_ref)^n 3 s_x/(2 q), z' alike, y from s_yy = 0 (elastic log strains)",
        "ordinary differential equations to 1e-12; single numbers: backward Euler by scalar roots",
        f"{MESH}; {REFINEMENTS} steps",
        tuple(checks),
        tuple(studies),
    )


@case()
def incompressible_plane_strain_relaxation() -> Report:
    """For nu = 1/2 the bar law holds for the von Mises stress."""
    strain, creep, duration, poisson = 0.02, law(4.5), 300.0, 0.5 - 1e-7
    shear, errors = YOUNG / (2.0 * (1.0 + poisson)), []
    start = 2.0 * np.sqrt(3.0) * shear * strain
    exact = relax(start, 3.0 * shear, creep, duration)
    for steps in REFINEMENTS:
        body = patch(creep, poisson)
        body.hold(line(0, 0.0), 0)
        body.hold(line(1, 0.0), 1)
        body.hold(line(0, 1.0), 0).value = np.expm1(strain)
        for _ in range(steps):
            body.advance(duration / steps)
        errors.append(abs(mises(body) / exact - 1.0))
    implicit = relax_implicitly(start, 3.0 * shear, creep, duration / steps, steps)
    sizes = tuple(duration / n for n in REFINEMENTS)
    return Report(
        "Relaxation in plane strain, nu = 1/2",
        "q as the stress of the bar, with 3 G in place of E",
        "the direction of flow is constant; computed with nu = 0.5 - 1e-7",
        f"{MESH}; {REFINEMENTS} steps",
        (Check("von Mises stress in GPa", mises(body), implicit, 1e-6),),
        (Convergence("von Mises stress", "dt in s", sizes, tuple(errors), 1.0),),
    )


@case()
def simple_shear() -> Report:
    """Simple shear to gamma = 1 in power-law creep: the principal axes turn, strains are large."""
    creep, duration, steps_list = law(4.5), 3000.0, (50, 100, 200)
    bulk = YOUNG / (3.0 * (1.0 - 2.0 * POISSON))
    exact = SimpleShear(bulk, SHEAR, creep, 1.0, duration).stress()
    deviator = exact - np.trace(exact) / 3.0 * np.eye(3)
    exact_mises = float(np.sqrt(1.5) * np.linalg.norm(deviator))
    errors = []
    for steps in steps_list:
        body = patch(creep)
        apply = deform(body)
        for step in range(steps):
            apply(np.array([[1.0, (step + 1) / steps], [0.0, 1.0]]))
            body.advance(duration / steps)
        # on the sides y = 0 and 1, which neither turn nor stretch, true and nominal stress agree
        traction = body.nominal_stress()[:, 1]
        errors.append(
            (
                abs(mises(body) / exact_mises - 1.0),
                abs(traction[0] / exact[0, 1] - 1.0),
                abs(traction[1] - exact[1, 1]) / exact_mises,
            )
        )
    names = ("von Mises stress", "shear stress on y = 1", "normal stress on y = 1 / mises")
    columns = list(zip(*errors, strict=True))
    return Report(
        "Simple shear with creep at finite strain",
        "(Ccr^-1)' = -2 F^-1 D be F^-T, D = (3/2) A (q/s_ref)^n dev(tau)/q,"
        " tau = K tr(e) I + 2 G dev(e), e = ln(be)/2, be = F Ccr^-1 F^T, all 3 x 3",
        "ordinary differential equations to 1e-10, logarithms by eigenvalues",
        f"{MESH}; {steps_list} steps, n = 4.5",
        tuple(
            Check(f"{name}, error with {steps_list[-1]} steps", column[-1], 0.0, 0.01, 1.0)
            for name, column in zip(names, columns, strict=True)
        ),
        tuple(
            Convergence(name, "dt in s", tuple(duration / n for n in steps_list), column, 1.0)
            for name, column in zip(names, columns, strict=True)
        ),
    )


# --- time integration under load that changes ----------------------------------------------------


@case()
def time_order() -> Report:
    """Pure shear at a rate that rises and reverses."""
    creep, duration, peak = law(4.5), 2000.0, 0.06

    def strain(t: float) -> float:
        return float(peak * np.sin(1.5 * np.pi * t / duration))

    def change(t: float, crept: Array) -> Array:
        stress = 2.0 * np.sqrt(3.0) * SHEAR * (strain(t) - crept)
        flow: Array = (
            np.sqrt(3.0) / 2.0 * np.sign(stress) * rate(creep, 1.0) * np.abs(stress) ** 4.5
        )
        return flow

    crept = float(integrate(change, np.zeros(1), duration)[0])
    exact = abs(2.0 * np.sqrt(3.0) * SHEAR * (strain(duration) - crept))
    steps_list, errors = (50, 100, 200, 400), []
    for steps in steps_list:
        body = patch(creep)
        apply = deform(body)
        for step in range(steps):
            apply(_shear_gradient(strain((step + 1) * duration / steps)))
            body.advance(duration / steps)
        errors.append(abs(mises(body) / exact - 1.0))
    sizes = tuple(duration / n for n in steps_list)
    return Report(
        "Order of the time integration",
        "c' = sqrt(3)/2 A (q/s_ref)^n, q = 2 sqrt(3) G (e(t) - c), e(t) = 0.06 sin(1.5 pi t/T)",
        "ordinary differential equation to 1e-12",
        f"{MESH}; {steps_list} steps, n = 4.5",
        convergence=(Convergence("von Mises stress", "dt in s", sizes, tuple(errors), 1.0),),
    )
