"""Runs the package's contact solver on prescribed motions of the upper wall and on swelling."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass

import creep_fem._backend  # noqa: F401  isort: skip

import numpy as np
from distributed import gathered, point_displacements, point_values
from mpi4py import MPI
from shapes import Array

from creep_fem.contact.boundary import Boundary
from creep_fem.contact.friction import CoulombLaw
from creep_fem.contact.law import PressureGapLaw
from creep_fem.contact.measures import contact_pressure, pressure_sums
from creep_fem.materials.parameters import PhaseMaterial
from creep_fem.mechanics.domain import Domain
from creep_fem.mechanics.model import MechanicsModel, PointValues
from creep_fem.microstructure import ParticleMesh
from creep_fem.solver.newton import NewtonResult, NewtonSettings, NewtonSolver
from creep_fem.solver.problem import StepProblem
from creep_fem.solver.stepping import StepSettings, TimeStepper

_FORCE_FLOOR = 1e-9  # GPa um
_MAX_ITERATIONS = 60


@dataclass(frozen=True)
class Profile:
    """Contact pressure at integration points along a face.

    Attributes:
        x: Positions along the face in um, ascending.
        pressure: Contact pressure in GPa.
        length: Surface length of the points in um.
    """

    x: Array
    pressure: Array
    length: Array

    @property
    def radius_of_gyration(self) -> float:
        """Root of the mean of x^2, weighted by the pressure, in um; half of a for an ellipse."""
        weight = self.pressure * self.length
        return float(np.sqrt(weight @ self.x**2 / weight.sum()))

    def edge(self, share: float = 0.25) -> float:
        """Where the pressure falls for good to a share of its mean, between points, in um."""
        weight = self.pressure * self.length
        level = share * float(weight @ self.pressure / weight.sum())
        last = int(np.flatnonzero(self.pressure > level).max())
        inside, outside = self.pressure[last : last + 2]
        x, following = self.x[last : last + 2]
        return float(x + (inside - level) / (inside - outside) * (following - x))

    def ellipse(self) -> tuple[float, float]:
        """Half-width in um and peak in GPa of the ellipse fitted where p exceeds a third of it.

        p^2 = p0^2 (1 - x^2/a^2) is a straight line over x^2.
        """
        inside = self.pressure > self.pressure.max() / 3.0
        slope, peak2 = np.polyfit(
            self.x[inside] ** 2, self.pressure[inside] ** 2, 1, w=np.sqrt(self.length[inside])
        )
        return float(np.sqrt(-peak2 / slope)), float(np.sqrt(peak2))


def described(law: PressureGapLaw) -> str:
    """The law in words, for the statements of the cases."""
    words = (
        f"contact law of {law.stiffness:g} GPa/um, smoothed over {1e3 * law.smoothing:g} nm,"
        f" {1e3 * law.zero_gap_pressure:.3g} MPa at zero gap"
    )
    if law.adhesion is None:
        return words
    tail = law.adhesion
    return f"{words}, tension of {1e3 * tail.strength:g} MPa within {1e3 * tail.reach:g} nm"


class Press:
    """A packing under the package's solver, in steps of given length.

    Attributes:
        problem: The package's step problem.
        model: Its mechanics.
    """

    def __init__(
        self,
        packing: ParticleMesh,
        phases: Sequence[PhaseMaterial],
        law: PressureGapLaw,
        *,
        friction: CoulombLaw | None = None,
        drag: float = 1e-9,
        surface_step: float = 0.05,
        tolerance: float = 1e-8,
        force_floor: float = _FORCE_FLOOR,
        chord_reduction: float = 0.6,
    ) -> None:
        """Set up the problem (collective).

        Args:
            packing: Bodies in the box.
            phases: Materials.
            law: Pressure-gap law.
            friction: Law of friction; none for smooth surfaces.
            drag: Drag on the surfaces in GPa s/um.
            surface_step: Largest motion of the surface per iteration in um.
            tolerance: Residual relative to the internal forces at convergence.
            force_floor: Smallest force in GPa um that the residual is measured against.
            chord_reduction: Share of the residual below which a factor is used again.
        """
        self.packing = packing
        self.model = MechanicsModel(Domain.distribute(MPI.COMM_WORLD, packing), phases)
        boundary = Boundary.from_arcs(packing.points, packing.arcs, packing.box)
        margin = 2.0 * surface_step
        self.problem = StepProblem(self.model, boundary, law, packing.box, margin, drag, friction)
        limits = tolerance, force_floor, _MAX_ITERATIONS, surface_step
        settings = NewtonSettings(*limits, chord_reduction)
        self.solver = NewtonSolver(self.problem, settings, {})
        # PETSc's solver holds itself; dropped on several processes, it would stay for good
        weakref.finalize(self, self.solver.close).atexit = False
        self.iterations = 0

    @property
    def boundary(self) -> Boundary:
        """Surfaces of the packing."""
        return self.problem.contact.boundary

    def step(self, dt: float, approach: float = 0.0, shear: float = 0.0) -> None:
        """Take a step to given displacements of the walls (collective).

        Args:
            dt: Length of the step in s.
            approach: How far the upper wall is lowered in um in all.
            shear: How far the nodes of the right wall are moved to the right in um in all.

        Raises:
            ArithmeticError: If Newton's iteration does not converge.
        """
        self.problem.begin(dt)
        walls, moved = self.model.domain.wall_nodes, self.model.displacement.x.array
        moved[2 * walls["top"] + 1] = -approach
        moved[2 * walls["right"]] = shear
        result: NewtonResult = self.solver.solve()
        self.iterations += result.iterations
        if not result.converged:
            raise ArithmeticError(f"contact problem: {result.reason}")
        self.model.accept()

    def swell(
        self, volume_ratio: float, duration: float, tolerance: float, count: int = 1
    ) -> TimeStepper:
        """March through linear volume growth of the first ``count`` phases by the time stepper."""
        ramp = Ramp(self.model, (volume_ratio - 1.0) / duration, count)
        settings = StepSettings(duration / 100.0, duration * 1e-7, duration / 10.0, tolerance)
        stepper = TimeStepper(self.solver, ramp, settings)
        self.iterations += sum(step.iterations for step in stepper.advance_to(duration))
        return stepper

    def positions(self) -> Array:
        """Current positions of the surface nodes in um (collective)."""
        return self.problem.surface.positions(self.model.displacement)

    def displacements(self) -> Array:
        """Displacement of every point of the packing in um (collective)."""
        return point_displacements(self.model, self.packing)

    def point_values(self) -> PointValues:
        """State at the quadrature points of every cell of the packing (collective)."""
        return point_values(self.model)

    def node_forces(self) -> Array:
        """Contact forces on the surface nodes in GPa um."""
        return -self.problem.contact_forces.reshape(-1, 2)

    def node_pressure(self) -> Array:
        """Contact pressure at the surface nodes in GPa (collective)."""
        problem = self.problem
        sums = problem.surface.sum(pressure_sums(problem.contact, problem.contact_state))
        reference = self.problem.surface.reference
        return contact_pressure(self.boundary, reference, self.positions(), sums)

    @property
    def force(self) -> float:
        """Force on the upper wall in GPa um (collective)."""
        return self.problem.reactions().top

    def profile(self) -> Profile:
        """Contact pressure at the integration points of both sides, each half its length.

        The solver gives half of the energy to either side: only both together are the pressure
        (collective).
        """
        points, pairs = self.problem.contact.points, self.problem.contact_state.pairs
        pressure = np.bincount(pairs.feet.point, pairs.pressure, minlength=len(points.edge))
        x = points.positions(self.positions())[:, 0]
        rows = gathered(self.model, np.column_stack([x, pressure, 0.5 * points.length]))
        return Profile(*rows[np.lexsort(rows.T[::-1])].T)

    def mean_mises(self, phase: int) -> float:
        """Volume mean of the von Mises stress over a phase in GPa (collective)."""
        values = self.point_values()
        chosen = self.packing.body_phase[self.packing.cell_body] == phase
        return float(np.average(values.mises[chosen], weights=values.volume[chosen]))


@dataclass(frozen=True)
class Ramp:
    """Isotropic volume growth at a constant rate in 1/s of the first ``count`` of two phases."""

    model: MechanicsModel
    rate: float
    count: int

    def apply(self, time: float) -> None:
        """Set the growth at a time in s."""
        stretch = (1.0 + self.rate * time) ** (1.0 / 3.0)
        grown, still = (stretch, stretch), (1.0, 1.0)
        self.model.set_growth([grown if phase < self.count else still for phase in range(2)])
