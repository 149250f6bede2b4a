"""Manufactured solutions: the order of the finite elements at finite strain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import ufl
from dolfinx import fem
from harness import LoadedBody, everywhere, material
from records import Convergence, Report, case
from shapes import mapped_square
from ufl.core.expr import Expr

from creep_fem.materials.parameters import NortonCreep

YOUNG, POISSON = 10.0, 0.25  # GPa, 1
BULK = YOUNG / (3.0 * (1.0 - 2.0 * POISSON))
SHEAR = YOUNG / (2.0 * (1.0 + POISSON))
DIVISIONS = (4, 8, 16, 32)
DEGREE = 8  # of the integration of body forces and errors


@dataclass(frozen=True)
class Errors:
    """Relative errors on a mesh: displacement in L2 and H1, pressure at the quadrature points."""

    l2: float
    h1: float
    pressure: float


def stress(displacement: Expr, shear: float, growth: tuple[float, float]) -> tuple[Expr, Expr]:
    """First Piola-Kirchhoff stress and Cauchy pressure of Hencky elasticity, in GPa.

    Written anew, with the principal logarithmic strains: ln be = mean I + (be - m I)/d * A with
    exp(2 mean +- 2 A) the eigenvalues m +- d of be. It is singular where d = 0.
    """
    in_plane, out = growth
    gradient = ufl.Identity(2) + ufl.grad(displacement)
    be = gradient * gradient.T / in_plane**2
    centre = ufl.tr(be) / 2.0
    difference = ufl.sqrt(ufl.inner(be, be) / 2.0 - centre**2)
    large, small = ufl.ln(centre + difference) / 2.0, ufl.ln(centre - difference) / 2.0
    strain = (large + small) / 2.0 * ufl.Identity(2) + (large - small) / (2.0 * difference) * (
        be - centre * ufl.Identity(2)
    )
    trace = ufl.tr(strain) - np.log(out)
    kirchhoff = (BULK - 2.0 * shear / 3.0) * trace * ufl.Identity(2) + 2.0 * shear * strain
    swollen = in_plane**2 * out
    return swollen * kirchhoff * ufl.inv(gradient).T, -BULK * trace * ufl.exp(-trace)


def large_strain(x: Expr) -> Expr:
    """Stretch, shear and waves: principal stretches between about 0.85 and 1.5, in um."""
    return ufl.as_vector(
        (
            0.25 * x[0] + 0.1 * x[1] + 0.05 * ufl.sin(ufl.pi * x[0]) * ufl.cos(ufl.pi * x[1]),
            0.05 * x[1] + 0.05 * ufl.sin(ufl.pi * x[1]) * ufl.exp(0.5 * x[0]),
        )
    )


def isochoric(x: Expr) -> Expr:
    """Two shears after one another (det F = 1): shifts along x by y, then along y by x, in um."""
    along = 0.4 * x[1] + 0.15 * ufl.sin(ufl.pi * x[1])
    across = 0.1 * ufl.sin(ufl.pi * (x[0] + along))
    return ufl.as_vector((along, across))


def solve(
    divisions: int,
    exact: Expr,
    creep: tuple[NortonCreep, float] | None = None,
    growth: tuple[float, float] = (1.0, 1.0),
) -> Errors:
    """Errors for an exact displacement, given as a function of the position.

    Args:
        divisions: Cells per side.
        exact: Maps the spatial coordinate to the displacement.
        creep: Linear creep law and the length of the only time step in s.
        growth: Swelling stretches in and out of the plane.
    """
    law, dt = creep if creep is not None else (None, 1.0)
    body = LoadedBody(
        mapped_square(divisions, divisions, irregularity=0.2), material(YOUNG, POISSON, law)
    )
    x = ufl.SpatialCoordinate(body.mesh)
    solution = exact(x)
    # one implicit step of linear creep from the virgin state is elasticity with a smaller G
    shear = (
        SHEAR if law is None else SHEAR / (1.0 + 3.0 * SHEAR * law.rate * dt / law.reference_stress)
    )
    first, pressure = stress(solution, shear, growth)
    body.pull(-ufl.div(first), DEGREE)
    body.grow(*growth)
    values = body.prescribe(everywhere)
    interpolate(body, values, solution)
    interpolate(body, body.displacement, solution)
    for part in (1e-3, 1e-2, 1e-1, 1.0):  # longer and longer first guesses of the one step
        body.solve(part * dt)
    body.model.accept()
    return errors(body, solution, pressure)


def interpolate(body: LoadedBody, function: fem.Function, expression: Expr) -> None:
    """Nodal values of a UFL expression."""
    points = body.space.element.interpolation_points
    function.interpolate(fem.Expression(expression, points))


def errors(body: LoadedBody, solution: Expr, pressure: Expr) -> Errors:
    """Relative errors; that of the pressure is measured in units of the rms shear stress."""
    error = body.displacement - solution
    l2 = body.integral(ufl.inner(error, error), DEGREE) / body.integral(
        ufl.inner(solution, solution), DEGREE
    )
    slope, exact_slope = ufl.grad(error), ufl.grad(solution)
    h1 = body.integral(ufl.inner(slope, slope), DEGREE) / body.integral(
        ufl.inner(exact_slope, exact_slope), DEGREE
    )
    return Errors(float(np.sqrt(l2)), float(np.sqrt(h1)), pressure_error(body, pressure))


def pressure_error(body: LoadedBody, exact: Expr, computed: Expr | None = None) -> float:
    """Root mean square error at the quadrature points over the mean von Mises stress.

    Args:
        body: The solved body.
        exact: Exact pressure in GPa.
        computed: Another pressure than the body's own in GPa.
    """
    values = body.point_values()
    shape = values.mises.shape
    found = values.pressure if computed is None else body.at_points(computed).reshape(shape)
    error = found - body.at_points(exact).reshape(shape)
    return float(np.sqrt(np.mean(error**2)) / np.mean(values.mises))


def study(
    found: Sequence[Errors], divisions: Sequence[int] = DIVISIONS, mesh: str = ""
) -> tuple[Convergence, ...]:
    """Convergence of the displacement over all refinements: quadratic elements."""
    sizes = tuple(1.0 / n for n in divisions)
    return (
        Convergence(f"displacement{mesh}, L2", "h in um", sizes, tuple(e.l2 for e in found), 3.0),
        Convergence(f"displacement{mesh}, H1", "h in um", sizes, tuple(e.h1 for e in found), 2.0),
    )


@case()
def manufactured_swelling() -> Report:
    """Finite strain with swelling, elastic."""
    stretch = 1.3 ** (1.0 / 3.0)
    return Report(
        "Manufactured solution at finite strain with swelling",
        "u = (0.25 x + 0.1 y + 0.05 sin(pi x) cos(pi y), "
        " 0.05 y + 0.05 sin(pi y) exp(x/2)), J = 1.3",
        "body force -Div P by symbolic differentiation of a material law written anew",
        f"P2 with bubbles, irregular triangles, {DIVISIONS} cells per side",
        convergence=study([solve(n, large_strain, growth=(stretch, stretch)) for n in DIVISIONS]),
    )
