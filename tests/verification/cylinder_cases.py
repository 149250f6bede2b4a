"""Thick cylinders: steady creep under internal pressure, and closure of a pore."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import ufl
from harness import LoadedBody, circle, line, material
from records import Check, Convergence, RankLimit, Report, Table, case
from reference import Array, Tube, integrate
from shapes import mapped_square, quarter_ring

from creep_fem.materials.parameters import NortonCreep

INNER, OUTER = 1.0, 2.0  # um
PRESSURE = 0.1  # GPa
CREEP = NortonCreep(1e-5, 0.1, 4.5)
STIFF = 1e7  # GPa: elastic strains of 1e-8, so that the geometry stays what it is


def quarter(cells: int, outer: float, irregularity: float, young: float = STIFF) -> LoadedBody:
    """A quarter of a ring between symmetry planes, square cells at first."""
    around = max(2, round(0.5 * np.pi / np.log(outer / INNER) * cells))
    mesh = mapped_square(cells, around, quarter_ring(INNER, outer), irregularity)
    body = LoadedBody(mesh, material(young, 0.25, CREEP))
    body.hold(line(0, 0.0), 0)
    body.hold(line(1, 0.0), 1)
    return body


def steady(body: LoadedBody) -> float:
    """Steps that grow until the stress is steady; the radial velocity of the inner wall in um/s."""
    wall = circle(INNER)
    relaxation = PRESSURE / (STIFF * CREEP.rate)
    for dt in relaxation * 10.0 ** np.linspace(-2.0, 1.0, 13):
        before = body.mean_displacement(wall)
        body.advance(float(dt))
    return (body.mean_displacement(wall) - before) / float(dt)


@dataclass(frozen=True)
class PointErrors:
    """Errors at the quadrature points over the von Mises stress outside.

    Attributes:
        mises: Root mean square of the von Mises stress.
        mises_largest: Its largest.
        pressure: Root mean square of the pressure.
        pressure_largest: Its largest.
    """

    mises: float
    mises_largest: float
    pressure: float
    pressure_largest: float


def point_errors(body: LoadedBody, tube: Tube) -> PointErrors:
    """Errors of both stresses against the closed form."""
    radius = np.linalg.norm(body.at_points(ufl.SpatialCoordinate(body.mesh)), axis=2)
    values, scale = body.point_values(), float(tube.mises(tube.outer))
    mises = (values.mises.reshape(radius.shape) - tube.mises(radius)) / scale
    pressure = (values.pressure.reshape(radius.shape) - tube.mean_pressure(radius)) / scale
    pairs = [(float(np.sqrt(np.mean(e**2))), float(np.abs(e).max())) for e in (mises, pressure)]
    return PointErrors(*pairs[0], *pairs[1])


def at_wall(body: LoadedBody, radius: float) -> float:
    """Von Mises stress at a radius in GPa, from a fit in r over the points of the nearest ring."""
    where = np.linalg.norm(body.at_points(ufl.SpatialCoordinate(body.mesh)), axis=2).ravel()
    stress = body.point_values().mises.ravel()
    depth = np.abs(np.log(where / radius))
    near = depth < 8.0 * depth.min()
    slope = np.polyfit(np.log(where[near]), np.log(stress[near]), 1)
    return float(np.exp(np.polyval(slope, np.log(radius))))


def _study(
    irregularity: float, cells: tuple[int, ...]
) -> tuple[list[Check], list[Convergence], Table]:
    tube = Tube(INNER, OUTER, PRESSURE, CREEP)
    columns: list[tuple[float, float, float]] = []
    for count in cells:
        body = quarter(count, OUTER, irregularity)
        body.push(circle(INNER)).value = PRESSURE
        velocity = steady(body)
        found = point_errors(body, tube)
        columns.append((found.mises, found.pressure, abs(velocity / tube.wall_velocity - 1.0)))
    checks = [
        Check("velocity of the inner wall in um/s", velocity, tube.wall_velocity, 2e-3),
        Check(
            "von Mises stress inside in GPa", at_wall(body, INNER), float(tube.mises(INNER)), 2e-3
        ),
        Check(
            "von Mises stress outside in GPa", at_wall(body, OUTER), float(tube.mises(OUTER)), 2e-3
        ),
        *(
            Check(f"largest error of the {name} at a point / mises outside", error, 0.0, 2e-3, 1.0)
            for name, error in (
                ("von Mises stress", found.mises_largest),
                ("pressure", found.pressure_largest),
            )
        ),
    ]
    sizes = tuple(np.log(OUTER / INNER) / n for n in cells)
    mises_errors, pressure_errors, velocity_errors = zip(*columns, strict=True)
    studies = [
        Convergence("von Mises stress at the points, rms", "h/r", sizes, mises_errors, 2.0),
        # two cells through the wall are still far from the order of the fine meshes
        Convergence("pressure at the points, rms", "h/r", sizes, pressure_errors, 2.0, 0.3),
    ]
    # that of two cells is small by chance, so no line is fitted
    orders = [np.nan, *(float(o) for o in -np.diff(np.log2(velocity_errors)))]
    rows = [
        (str(n), f"{e:.2e}", order)
        for n, e, order in zip(cells, velocity_errors, orders, strict=True)
    ]
    header = ("cells through the wall", "relative error", "order from the mesh before")
    return checks, studies, Table("Velocity of the inner wall", header, tuple(rows))


@case(rank_limit=RankLimit(1e-7, "stresses come from elastic strains of 1e-8"))
def thick_cylinder() -> Report:
    """Benchmark B2: the thick cylinder under internal pressure, on irregular triangles."""
    cells = (2, 4, 8, 16)
    checks, studies, velocities = _study(0.2, cells)
    tube = Tube(INNER, OUTER, PRESSURE, CREEP)
    checks += [
        Check("own closed form, inside, in MPa", 1e3 * float(tube.mises(INNER)), 145.17, 1e-4),
        Check("own closed form, outside, in MPa", 1e3 * float(tube.mises(OUTER)), 106.68, 1e-4),
        Check("own closed form, velocity in um/s", tube.wall_velocity, 4.6346e-5, 1e-4),
    ]
    return Report(
        "Thick cylinder in steady creep (benchmark B2)",
        "s_e = (sqrt(3) p/n) (b/r)^(2/n)/k, k = (b/a)^(2/n) - 1; "
        " u' = (sqrt(3)/2) A (s_e(a)/s_ref)^n a",
        "equilibrium, incompressible flow and Norton's law; Odqvist, Mathematical Theory"
        " of Creep and Creep Rupture, Oxford 1974",
        "P2 with bubbles,"
        f" irregular triangles, {cells} cells through the wall; elastic strains of 1e-8",
        tuple(checks),
        tuple(studies),
        (velocities,),
    )


def _closing(outer: float, pressure: float, time: float) -> float:
    """Relative area of a pore in an incompressible tube, from its rate at the present shape.

    A_p'/A_p = -sqrt(3) A [sqrt(3) p/(n s_ref (1 - f^(1/n)))]^n, f = A_p/(A_p + solid area).
    """
    n, solid = CREEP.exponent, (outer / INNER) ** 2 - 1.0

    def change(_t: float, pore: Array) -> Array:
        share = pore / (pore + solid)
        drive = np.sqrt(3.0) * pressure / (n * CREEP.reference_stress * (1.0 - share ** (1.0 / n)))
        closing: Array = -np.sqrt(3.0) * CREEP.rate * drive**n * pore
        return closing

    return float(integrate(change, np.ones(1), time)[0])


@case()
def pore_closure() -> Report:
    """A pore closes under external pressure, at finite strain."""
    outer, duration, cells, steps_list = 3.0, 40000.0, 8, (40, 80, 160)
    exact, areas = _closing(outer, PRESSURE, duration), []
    for steps in steps_list:
        body = quarter(cells, outer, 0.2, young=1e4)
        body.push(circle(outer)).value = PRESSURE
        body.advance(1e-3)
        for _ in range(steps):
            body.advance(duration / steps)
        areas.append((1.0 + body.mean_displacement(circle(INNER)) / INNER) ** 2)
    errors = tuple(abs(area / exact - 1.0) for area in areas)
    limit = 2.0 * areas[-1] - areas[-2]
    return Report(
        "Closure of a cylindrical pore",
        "A_p'/A_p = -sqrt(3) A [sqrt(3) p/(n s_ref (1 - f^(1/n)))]^n, f = A_p/(A_p + A_solid)",
        "thick cylinder at every instant; f -> 0: Budiansky, Hutchinson and Slutsky, 1982",
        f"P2 with bubbles, irregular triangles, {cells} cells through the wall, {steps_list} steps",
        (
            Check("relative area of the pore", areas[-1], exact, 2e-3),
            Check("relative area of the pore, extrapolated to dt = 0", limit, exact, 5e-4),
        ),
        (Convergence("area", "dt in s", tuple(duration / n for n in steps_list), errors, 1.0),),
    )
