"""The limit in which creep makes the flow isochoric: locking and pressure checkerboards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import ufl
from harness import LoadedBody, everywhere, line, material
from manufactured_cases import (
    DEGREE,
    DIVISIONS,
    POISSON,
    SHEAR,
    YOUNG,
    Errors,
    errors,
    interpolate,
    isochoric,
    solve,
    study,
)
from records import Check, Convergence, Report, case
from reference import Array
from shapes import mapped_square

from creep_fem.materials.parameters import NortonCreep

LINEAR = NortonCreep(1e-5, 0.1, 1.0)
# One step of linear creep of this length in s divides the shear modulus by 1201: K/G = 2000.
LONG_STEP = 1e6


@case()
def manufactured_creep() -> Report:
    """Isochoric flow at finite strain, K/G = 2000 after one long step of linear creep."""
    found = [solve(n, isochoric, creep=(LINEAR, LONG_STEP)) for n in DIVISIONS]
    stiff = [solve(n, isochoric, creep=(LINEAR, 1.0)) for n in DIVISIONS]
    sizes = tuple(1.0 / n for n in DIVISIONS)
    softening = 1.0 + 3.0 * SHEAR * LINEAR.rate * LONG_STEP / LINEAR.reference_stress
    return Report(
        "Manufactured solution in the limit of isochoric creep",
        "x = X + 0.4 Y + 0.15 sin(pi Y), y = Y + 0.1 sin(pi x): det F = 1, so p = 0; one implicit"
        f" step with n = 1 is elasticity with G/{softening:.0f}",
        "body force -Div P by symbolic differentiation of a material law written anew",
        f"P2 with bubbles, irregular triangles, {DIVISIONS} cells per side, one step",
        (
            Check(
                "L2 error on the finest mesh: like that of a stiffer body on cells larger by",
                (found[-1].l2 / stiff[-1].l2) ** (1.0 / 3.0),
                1.0,
                1.0,
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
                "pressure at the points", "h in um", sizes, tuple(e.pressure for e in found), 1.0
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
    """

    body: LoadedBody
    force: float
    spread: float


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
    return Squeeze(body, -body.force(line(1, 1.0), 1), pressure_spread(body))


@case()
def confined_flow() -> Report:
    """Isochoric flow in a box with given walls, K/G = 2000: the hardest case for the pressure."""
    cells, softening = (16, 32, 64, 128), 1.0 + 3.0 * SHEAR * LINEAR.rate * LONG_STEP / 0.1
    regular, irregular = ([_confined(n, part, softening) for n in cells] for part in (0.0, 0.25))
    sizes = tuple(1.0 / n for n in cells)
    return Report(
        "Isochoric flow in a box with given walls",
        "u = curl of 1e-7 (sin(pi x) sin(pi y))^2 exp(x)/pi - grad p/(3.25 pi^2 K),"
        " p = 3e-7 G' cos(pi x) sin(1.5 pi y)",
        "linear elasticity with G' = G/" + f"{softening:.0f} (strains of 1e-7)",
        f"P2 with bubbles, {cells} cells per side, regular and irregular triangles, one step",
        (
            Check(
                "pressure error at points / mises, regular 16 x 16",
                regular[0].pressure,
                0.0,
                0.05,
                1.0,
            ),
            Check("the same, irregular", irregular[0].pressure, 0.0, 0.05, 1.0),
        ),
        (
            *study(irregular, cells, ", irregular"),
            *study(regular, cells, ", regular"),
            *(
                Convergence(
                    f"pressure, {name}", "h in um", sizes, tuple(e.pressure for e in found), 1.5
                )
                for name, found in (("regular", regular), ("irregular", irregular))
            ),
        ),
    )


def _confined(divisions: int, irregularity: float, softening: float) -> Errors:
    amplitude, shear = 1e-7, SHEAR / softening
    bulk = YOUNG / (3.0 * (1.0 - 2.0 * POISSON))
    mesh = mapped_square(divisions, divisions, irregularity=irregularity)
    body = LoadedBody(mesh, material(YOUNG, POISSON, LINEAR))
    x = ufl.SpatialCoordinate(body.mesh)
    bump = (ufl.sin(ufl.pi * x[0]) * ufl.sin(ufl.pi * x[1])) ** 2
    stream = amplitude * bump * ufl.exp(x[0]) / ufl.pi
    pressure = 3.0 * amplitude * shear * ufl.cos(ufl.pi * x[0]) * ufl.sin(1.5 * ufl.pi * x[1])
    # the little compression that belongs to the pressure: p = -K div u
    squeezed = ufl.grad(pressure) / (3.25 * ufl.pi**2 * bulk)
    flow = ufl.as_vector((stream.dx(1), -stream.dx(0))) + squeezed
    strain = ufl.sym(ufl.grad(flow))
    deviator = strain - ufl.tr(strain) / 3.0 * ufl.Identity(2)
    body.pull(-ufl.div(2.0 * shear * deviator - pressure * ufl.Identity(2)), DEGREE)
    interpolate(body, body.prescribe(everywhere), flow)
    body.advance(LONG_STEP)
    return errors(body, flow, pressure)


def pressure_spread(body: LoadedBody) -> float:
    """Rms deviation of the pressure at the points from the mean of their element, over mises."""
    values = body.point_values()
    deviation: Array = values.pressure - values.pressure.mean(axis=1, keepdims=True)
    return float(np.sqrt(np.mean(deviation**2)) / np.mean(values.mises))


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
    sizes = tuple(1.0 / n for n in cells)
    forces = tuple(abs(s.force / reference - 1.0) for s in regular)
    return Report(
        "Squeezed block between rough plates, creeping",
        "none: against the force extrapolated from the three finest meshes; the"
        " pressure is singular where the plate ends",
        "no theory: limits and orders are those observed, kept so that they do not get worse",
        "P2 with bubbles,"
        f" {cells} cells per side, regular and irregular triangles, 20 steps, n = 4.5",
        (
            Check("force on 8 x 8 cells in GPa um", regular[1].force, reference, 2e-2),
            Check("force on 8 x 8 irregular cells in GPa um", irregular[1].force, reference, 2e-2),
            # about 0.4 on the coarsest mesh, partly the true gradient
            Check(
                "pressure spread within elements / mises, 16 x 16", regular[2].spread, 0.0, 0.2, 1.0
            ),
            Check("the same, irregular", irregular[2].spread, 0.0, 0.2, 1.0),
        ),
        (
            # no theory at the singularity: observed orders, kept so that they do not get worse
            Convergence("force", "h in um", sizes, forces, 0.6),
            Convergence(
                "pressure spread, regular", "h in um", sizes, tuple(s.spread for s in regular), 0.3
            ),
        ),
    )
