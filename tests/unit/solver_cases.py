"""Small packings with a time stepper: two discs that swell into each other, and others."""

from __future__ import annotations

import creep_fem._backend  # noqa: F401

# isort: split
from dataclasses import dataclass

from mpi4py import MPI

from creep_fem.contact.boundary import Boundary
from creep_fem.contact.friction import CoulombLaw
from creep_fem.contact.law import PressureGapLaw
from creep_fem.mechanics.domain import Domain
from creep_fem.mechanics.model import MechanicsModel
from creep_fem.microstructure import Disc, Layout, build_mesh
from creep_fem.solver.newton import NewtonSettings, NewtonSolver
from creep_fem.solver.problem import StepProblem
from creep_fem.solver.stepping import StepSettings, TimeStepper

BOX = 3.0
DRAG = 4.0  # GPa s/um
LAYOUT = Layout(BOX, (Disc(0.75, 1.5, 0.7, "active"), Disc(3.0, 1.5, 1.45, "framework")))


@dataclass(frozen=True)
class Sizes:
    surface_size: float = 0.4
    interior_size: float = 0.6


@dataclass(frozen=True)
class Norton:
    rate: float = 1e-5
    reference_stress: float = 0.1
    exponent: float = 4.5


@dataclass(frozen=True)
class Phase:
    bulk_modulus: float
    shear_modulus: float
    creep: Norton | None


@dataclass
class Ramp:
    """Volume growth of the first phase at a constant rate in 1/s."""

    model: MechanicsModel
    rate: float

    def apply(self, time: float) -> None:
        stretch = (1.0 + self.rate * time) ** (1.0 / 3.0)
        self.model.set_growth([(stretch, stretch), (1.0, 1.0)])


def two_discs(friction: CoulombLaw | None = None) -> StepProblem:
    return packed(LAYOUT, DRAG, friction)


def packed(layout: Layout, drag: float, friction: CoulombLaw | None = None) -> StepProblem:
    particles = build_mesh(layout, Sizes())
    domain = Domain.distribute(MPI.COMM_SELF, particles)
    model = MechanicsModel(domain, (Phase(6.7, 4.0, Norton()), Phase(67.0, 40.0, None)))
    boundary = Boundary.from_arcs(particles.points, particles.arcs, BOX)
    law = PressureGapLaw(100.0, 0.004, 0.1)
    return StepProblem(model, boundary, law, BOX, search_margin=0.1, drag=drag, friction=friction)


def stepper(
    problem: StepProblem,
    iterations: int = 40,
    minimum: float = 1.0,
    rate: float = 0.6 / 36000.0,
    chord_reduction: float = 0.6,
    tolerance: float = 1e-9,
    surface_step: float = 0.05,
) -> TimeStepper:
    settings = NewtonSettings(tolerance, 1e-4, iterations, surface_step, chord_reduction)
    solver = NewtonSolver(problem, settings, {})
    return TimeStepper(
        solver, Ramp(problem.model, rate), StepSettings(200.0, minimum, 3600.0, 2e-3)
    )
