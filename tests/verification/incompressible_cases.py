"""The limit in which creep makes the flow isochoric: locking and pressure checkerboards."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import basix
import dolfinx.fem.petsc as fem_petsc
import numpy as np
import ufl
from dolfinx import fem, mesh
from harness import LoadedBody, everywhere, line, material
from manufactured_cases import (
    BULK,
    DEGREE,
    DIVISIONS,
    POISSON,
    SHEAR,
    YOUNG,
    Errors,
    errors,
    interpolate,
    isochoric,
    pressure_error,
    solve,
    study,
)
from records import Check, Convergence, Report, Table, case
from reference import Array
from shapes import mapped_square
from ufl.core.expr import Expr

from creep_fem.materials.parameters import NortonCreep
from creep_fem.mechanics.element import SHEAR_DEGREE, VOLUMETRIC_DEGREE

LINEAR = NortonCreep(1e-5, 0.1, 1.0)
# One step of linear creep of this length in s divides the shear modulus by 1201: K/G = 2000.
LONG_STEP = 1e6
SOFTENING = 1.0 + 3.0 * SHEAR * LINEAR.rate * LONG_STEP / LINEAR.reference_stress
_COMPARED = 64  # cells per side up to which plain quadratic triangles are solved, too


@case()
def manufactured_creep() -> Report:
    """Isochoric flow at finite strain, K/G = 2000 after one long step of linear creep."""
    found = [solve(n, isochoric, creep=(LINEAR, LONG_STEP)) for n in DIVISIONS]
    stiff = [solve(n, isochoric, creep=(LINEAR, 1.0)) for n in DIVISIONS]
    sizes = tuple(1.0 / n for n in DIVISIONS)
    return Report(
        "Manufactured solution in the limit of isochoric creep",
        "x = X + 0.4 Y + 0.15 sin(pi Y), y = Y + 0.1 sin(pi x): det F = 1, so p = 0; one implicit"
        f" step with n = 1 is elasticity with G/{SOFTENING:.0f}",
        "body force -Div P by symbolic differentiation of a material law written anew",
        f"P2 with bubbles, irregular triangles, {DIVISIONS} cells per side, one step",
        (
            Check(
                f"cell size at K/G = {BULK / SHEAR:.2g} over that at 2000 for the same L2 error",
                (found[-1].l2 / stiff[-1].l2) ** (1.0 / 3.0),
                1.0,
                0.25,
            ),
            Check(
                "pressure error at the points / von Mises stress, finest mesh",
                found[-1].pressure,
                0.0,
                0.05,
                1.0,
            ),
        ),
        (
            *study(found),
            Convergence(
                "pressure at the points", "h in um", sizes, tuple(e.pressure for e in found), 2.0
            ),
        ),
    )


@dataclass(frozen=True)
class Squeeze:
    """State of a squeezed block.

    Attributes:
        body: The block.
        force: Force of the plate in GPa um per thickness.
        spread: Rms spread of the pressure over the points of an element / mean von Mises stress.
        jump: Rms jump of the pressure between elements / mean von Mises stress.
    """

    body: LoadedBody
    force: float
    spread: float
    jump: float


def squeeze(divisions: int, irregularity: float, steps: int = 20) -> Squeeze:
    """Squeeze a quarter of a block between rough plates by 4 %, slowly (power-law creep, n = 4.5).

    Elastic strains stay below 1 % of the creep strain.
    """
    creep, young, duration = NortonCreep(1e-5, 0.1, 4.5), 100.0, 4000.0
    body = LoadedBody(
        mapped_square(divisions, divisions, irregularity=irregularity), material(young, 0.25, creep)
    )
    body.hold(line(0, 0.0), 0)
    body.hold(line(1, 0.0), 1)
    body.hold(line(1, 1.0), 0)
    plate = body.hold(line(1, 1.0), 1)
    for step in range(steps):
        plate.value = -0.04 * (step + 1) / steps
        body.advance(duration / steps)
    force = -body.force(line(1, 1.0), 1)
    return Squeeze(body, force, pressure_spread(body), pressure_jump(body))


@dataclass(frozen=True)
class Confined:
    """Isochoric flow in a box, solved.

    Attributes:
        body: The square, after one long step.
        flow: Exact displacement in um.
        pressure: Exact pressure in GPa.
        load: Body force in GPa/um.
        shear: Shear modulus that creep leaves in GPa.
    """

    body: LoadedBody
    flow: Expr
    pressure: Expr
    load: Expr
    shear: float

    def errors(self) -> Errors:
        """Errors of the package's elements."""
        return errors(self.body, self.flow, self.pressure)


def confined(divisions: int, irregularity: float) -> Confined:
    """The flow on a mesh of as many cells per side."""
    amplitude, shear = 1e-7, SHEAR / SOFTENING
    grid = mapped_square(divisions, divisions, irregularity=irregularity)
    # strains of 1e-7: the usual floor would leave 3e-7 of the load
    body = LoadedBody(grid, material(YOUNG, POISSON, LINEAR), round_off=3e-9 * amplitude)
    x = ufl.SpatialCoordinate(body.mesh)
    bump = (ufl.sin(ufl.pi * x[0]) * ufl.sin(ufl.pi * x[1])) ** 2
    stream = amplitude * bump * ufl.exp(x[0]) / ufl.pi
    pressure = 3.0 * amplitude * shear * ufl.cos(ufl.pi * x[0]) * ufl.sin(1.5 * ufl.pi * x[1])
    # the little compression that belongs to the pressure: p = -K div u
    squeezed = ufl.grad(pressure) / (3.25 * ufl.pi**2 * BULK)
    flow = ufl.as_vector((stream.dx(1), -stream.dx(0))) + squeezed
    load = -ufl.div(2.0 * shear * _deviator(flow) - pressure * ufl.Identity(2))
    body.pull(load, DEGREE)
    interpolate(body, body.prescribe(everywhere), flow)
    body.advance(LONG_STEP)
    return Confined(body, flow, pressure, load, shear)


def _deviator(displacement: Expr) -> Expr:
    strain = ufl.sym(ufl.grad(displacement))
    return strain - ufl.tr(strain) / 3.0 * ufl.Identity(2)


def plain_quadratic(solved: Confined) -> Expr:
    """Pressure of small-strain quadratic triangles without the bubble, in GPa (collective).

    Mesh, load and both quadrature rules are those of the package's elements.
    """
    grid = solved.body.mesh
    space = fem.functionspace(grid, ("Lagrange", 2, (2,)))
    u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
    few, many, fine = (
        ufl.Measure("dx", domain=grid, metadata={"quadrature_degree": degree})
        for degree in (VOLUMETRIC_DEGREE, SHEAR_DEGREE, DEGREE)
    )
    shear = 2.0 * solved.shear * ufl.inner(_deviator(u), ufl.sym(ufl.grad(v))) * many
    stiffness = shear + BULK * ufl.div(u) * ufl.div(v) * few
    wall = fem.Function(space)
    wall.interpolate(fem.Expression(solved.flow, space.element.interpolation_points))
    sides = mesh.locate_entities_boundary(grid, 1, everywhere)
    held = fem.dirichletbc(wall, fem.locate_dofs_topological(space, 1, sides))
    problem = fem_petsc.LinearProblem(
        stiffness,
        ufl.inner(solved.load, v) * fine,
        bcs=[held],
        petsc_options_prefix="plain_",
        petsc_options={
            "ksp_type": "preonly",
            "pc_type": "lu",
            "pc_factor_mat_solver_type": "mumps",
        },
    )
    displacement = problem.solve()
    return -BULK * ufl.div(displacement)


@case()
def confined_flow() -> Report:
    """Isochoric flow in a box with given walls, K/G = 2000: the hardest case for the pressure."""
    cells, names = (16, 32, 64, 128), ("regular", "irregular")
    sizes = tuple(1.0 / n for n in cells)
    rows: list[tuple[str | float, ...]] = []
    found: dict[str, list[Errors]] = {}
    for name, irregularity in zip(names, (0.0, 0.25), strict=True):
        found[name] = []
        for n in cells:
            solved = confined(n, irregularity)
            found[name].append(solved.errors())
            if n <= _COMPARED:
                plain = pressure_error(solved.body, solved.pressure, plain_quadratic(solved))
                rows.append((name, str(n), found[name][-1].pressure, plain))
    # on regular triangles the order only settles on the finer meshes
    slack = {"regular": 0.2, "irregular": 0.1}
    return Report(
        "Isochoric flow in a box with given walls",
        "u = curl of 1e-7 (sin(pi x) sin(pi y))^2 exp(x)/pi - grad p/(3.25 pi^2 K),"
        " p = 3e-7 G' cos(pi x) sin(1.5 pi y)",
        f"linear elasticity with G' = G/{SOFTENING:.0f} (strains of 1e-7)",
        f"P2 with bubbles, {cells} cells per side, regular and irregular triangles, one step."
        " The figure shows the pressure on 16 x 16 regular cells: quadratic triangles without the"
        " bubble leave a checkerboard, which is why the element has one",
        (
            *(
                Check(
                    f"pressure error at points / mises, {name} 16 x 16",
                    found[name][0].pressure,
                    0.0,
                    0.05,
                    1.0,
                )
                for name in names
            ),
        ),
        (
            *study(found["irregular"], cells, ", irregular"),
            *study(found["regular"], cells, ", regular"),
            *(
                Convergence(
                    f"pressure, {name}",
                    "h in um",
                    sizes,
                    tuple(e.pressure for e in found[name]),
                    2.0,
                    slack[name],
                )
                for name in names
            ),
        ),
        (
            Table(
                "Pressure error at the points / mises, with the bubble and without it",
                ("triangles", "cells per side", "P2 with bubbles", "plain P2, three points"),
                tuple(rows),
            ),
        ),
    )


def pressure_spread(body: LoadedBody) -> float:
    """Rms deviation of the pressure at the points from the mean of their element, over mises."""
    values = body.point_values()
    deviation: Array = values.pressure - values.pressure.mean(axis=1, keepdims=True)
    return float(np.sqrt(np.mean(deviation**2)) / np.mean(values.mises))


def pressure_jump(body: LoadedBody) -> float:
    """Rms jump of the pressure in the middle of the sides between two elements, over mises.

    The pressure is linear in each element, so that of a smooth field falls with h^2; a
    checkerboard of element pressures does not fall at all.
    """
    values = body.point_values()
    points = body.model.creep_inverse.function_space.element.interpolation_points
    middles = basix.create_element(basix.ElementFamily.P, basix.CellType.triangle, 2).points[3:]
    linear = np.linalg.lstsq(_with_one(points), values.pressure.T)[0].T
    at_sides = (linear @ _with_one(middles).T).ravel()
    geometry = body.mesh.geometry
    owned = body.mesh.topology.index_map(2).size_local
    places = body.gather(geometry.x[geometry.dofmaps[0][:owned, 3:], :2]).reshape(-1, 2)
    side, count = np.unique(np.round(places, 9), axis=0, return_inverse=True, return_counts=True)[
        1:
    ]
    order = np.argsort(side, kind="stable")
    one, other = at_sides[order][count[side[order]] == 2].reshape(-1, 2).T
    return float(np.sqrt(np.mean((one - other) ** 2)) / np.mean(values.mises))


def _with_one(points: Array) -> Array:
    return np.hstack([np.ones((len(points), 1)), points])


def limit(coarse: float, medium: float, fine: float) -> float:
    """Aitken's extrapolation of a geometric sequence."""
    return fine - (fine - medium) ** 2 / ((fine - medium) - (medium - coarse))


@case()
def squeezed_block() -> Report:
    """Force and pressure of a block that flows between rough plates."""
    cells = (4, 8, 16, 32)
    regular = [squeeze(n, 0.0) for n in cells]
    irregular = [squeeze(n, 0.25) for n in cells[:3]]
    reference = limit(*(s.force for s in regular[1:]))
    forces = [s.force for s in regular]
    changes = tuple(abs(b / a - 1.0) for a, b in pairwise(forces))
    sizes = tuple(1.0 / n for n in cells)
    return Report(
        "Squeezed block between rough plates, creeping",
        "none: against the force extrapolated from the three finest meshes; the"
        " pressure is singular where the plate ends",
        "no theory promises orders at the singularity: they are those observed, kept so that"
        " they do not get worse",
        "P2 with bubbles,"
        f" {cells} cells per side, regular and irregular triangles, 20 steps, n = 4.5",
        (
            Check("force on 8 x 8 cells in GPa um", regular[1].force, reference, 2e-2),
            Check("force on 8 x 8 irregular cells in GPa um", irregular[1].force, reference, 2e-2),
            *(
                Check(f"pressure {what} / mises, 16 x 16{mesh}", value, 0.0, tolerance, 1.0)
                for mesh, state in ((", regular", regular[2]), (", irregular", irregular[2]))
                for what, value, tolerance in (
                    ("spread within elements", state.spread, 0.06),
                    ("jump between elements", state.jump, 0.06),
                )
            ),
        ),
        (
            Convergence(
                "change of the force to cells half as large", "h in um", sizes[:-1], changes, 0.7
            ),
            Convergence(
                "pressure spread, regular", "h in um", sizes, tuple(s.spread for s in regular), 0.7
            ),
            Convergence(
                "pressure jump, regular", "h in um", sizes, tuple(s.jump for s in regular), 0.7
            ),
        ),
    )
