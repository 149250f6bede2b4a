"""One run from config to results: the only place that knows all rooms."""

from __future__ import annotations

import creep_fem._backend  # noqa: F401

# isort: split
import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from creep_fem.config import RunConfig
from creep_fem.contact.boundary import Boundary
from creep_fem.contact.law import PressureGapLaw
from creep_fem.cycling import HalfCycle, growth_stretches, half_cycles
from creep_fem.errors import CreepFemError, NotConverged
from creep_fem.mechanics.domain import Domain
from creep_fem.mechanics.model import MechanicsModel
from creep_fem.microstructure import ParticleMesh, build_layout, build_mesh
from creep_fem.results.fields import FieldWriter
from creep_fem.results.history import HistoryRow, HistoryWriter, read_history
from creep_fem.results.metrics import history_row
from creep_fem.results.progress import RunProgress
from creep_fem.results.run_folder import RunFolder, create_run_folder, run_log, write_config
from creep_fem.results.snapshot import StateFields
from creep_fem.solver.newton import NewtonSettings, NewtonSolver
from creep_fem.solver.problem import StepProblem
from creep_fem.solver.stepping import AcceptedStep, StepSettings, TimeStepper

logger = logging.getLogger(__name__)

# Motion of the surface in um after which contact is searched and the matrix allocated anew.
SEARCH_MARGIN = 0.1
# Shear strain whose forces are the floor of the scale against which residuals are judged.
_FORCE_FLOOR_STRAIN = 1e-3
_INITIAL_STEP = AcceptedStep(0, 0.0, 0.0, 0, 0, 0.0)


@dataclass(frozen=True)
class RunResult:
    """What a run leaves behind.

    Attributes:
        folder: Folder with config, log, history, fields and figures.
        history: Columns of ``history.csv``, each of shape (rows,).
    """

    folder: Path
    history: dict[str, NDArray[np.float64]]


class Swelling:
    """Drives the growth of the active phase along the half-cycles."""

    def __init__(self, model: MechanicsModel, config: RunConfig) -> None:
        """Lay out the half-cycles of a config."""
        material, soc = config.materials.active, config.cycling.soc
        self._model, self._start = model, soc.start
        self._change, self._mode = material.volume_change, material.growth_mode
        ends = (soc.high, soc.low) if self._change >= 0.0 else (soc.low, soc.high)
        self.half_cycles = half_cycles(
            config.cycling.c_rate, config.cycling.cycles, soc.start, *ends
        )
        self.current = self.half_cycles[0]

    def apply(self, time: float) -> None:
        """Set the swelling of the active phase at a time in s."""
        soc = self.current.soc_at(time)
        stretches = growth_stretches(self._change, soc, self._start, self._mode)
        self._model.set_growth([stretches, (1.0, 1.0)])


class Simulation:
    """A packing that is cycled; iterate over :meth:`steps` to run it."""

    def __init__(self, comm: MPI.Intracomm, config: RunConfig, particles: ParticleMesh) -> None:
        """Distribute the mesh and compile the forms (collective).

        Args:
            comm: Communicator of the run.
            config: Resolved config.
            particles: The mesh, the same on every process.
        """
        self.comm, self.config, self.particles = comm, config, particles
        domain = Domain.distribute(comm, particles)
        model = MechanicsModel(domain, (config.materials.active, config.materials.framework))
        boundary = Boundary.from_arcs(particles.points, particles.arcs, particles.box)
        contact = config.contact
        law = PressureGapLaw(contact.stiffness, contact.smoothing, contact.zero_gap_pressure)
        self.problem = StepProblem(
            model, boundary, law, particles.box, SEARCH_MARGIN, contact.surface_drag
        )
        softest = min(
            config.materials.active.shear_modulus, config.materials.framework.shear_modulus
        )
        floor = _FORCE_FLOOR_STRAIN * softest * float(np.linalg.norm(boundary.node_lengths))
        newton, steps = config.newton, config.time_step
        settings = NewtonSettings(
            newton.tolerance, floor, newton.maximum_iterations, newton.surface_step
        )
        self.solver = NewtonSolver(self.problem, settings, config.petsc_options)
        self.swelling = Swelling(model, config)
        self.stepper = TimeStepper(
            self.solver,
            self.swelling,
            StepSettings(steps.initial, steps.minimum, steps.maximum, steps.creep_tolerance),
        )

    @property
    def total_time(self) -> float:
        """Simulated time of the whole run in s."""
        return self.swelling.half_cycles[-1].end_time

    def steps(self) -> Iterator[tuple[HalfCycle, AcceptedStep]]:
        """March through all half-cycles (collective).

        Raises:
            NotConverged: If a step fails at the minimum step size.
        """
        for half in self.swelling.half_cycles:
            self.swelling.current = half
            self.stepper.turn_around()
            for milestone in self._milestones(half):
                for step in self.stepper.advance_to(milestone):
                    yield half, step

    def _milestones(self, half: HalfCycle) -> list[float]:
        """Times to hit exactly: wanted states of charge and the end of the half-cycle."""
        wanted = self.config.output.fields
        socs = wanted if isinstance(wanted, (list, tuple)) else []
        times = [t for soc in socs if (t := half.time_at(soc)) is not None]
        return sorted({*times, half.end_time})

    def wants_fields(self, half: HalfCycle, step: AcceptedStep) -> bool:
        """Whether fields are to be written after a step."""
        wanted = self.config.output.fields
        if wanted == "all_steps":
            return True
        if wanted == "half_cycles":
            return step.time == half.end_time
        return step.time in self._milestones(half)

    def row(self, half: HalfCycle, step: AcceptedStep) -> HistoryRow:
        """History row of the present state (collective)."""
        return history_row(
            self.problem,
            step,
            half.cycle,
            half.soc_at(step.time),
            self.particles.body_phase,
            self.config.contact.touching_gap,
        )


def particle_mesh(comm: MPI.Intracomm, config: RunConfig) -> ParticleMesh:
    """Pack and mesh on one process and hand the mesh to all (collective).

    Raises:
        CreepFemError: On every process, if packing or meshing failed.
    """
    outcome: ParticleMesh | CreepFemError | None = None
    if comm.rank == 0:
        try:
            layout, notes = build_layout(config.microstructure)
            for note in notes:
                logger.warning(note)
            outcome = build_mesh(layout, config.mesh)
        except CreepFemError as error:
            outcome = error
    outcome = comm.bcast(outcome)
    if isinstance(outcome, CreepFemError):
        raise outcome
    assert outcome is not None
    return outcome


def run(
    config: RunConfig,
    output: Path | None = None,
    quiet: bool = False,
    comm: MPI.Intracomm = MPI.COMM_WORLD,
) -> RunResult:
    """Run a config and write its results (collective).

    Args:
        config: Resolved config.
        output: Folder that collects run folders; ``results`` if not given.
        quiet: Whether to leave out the progress bar.
        comm: Communicator of the run.

    Returns:
        Folder and history.

    Raises:
        CreepFemError: If the microstructure cannot be built or a step does not converge; what was
            computed until then is on disk.
    """
    with _run_folder(comm, config, output or Path("results")) as folder:
        started = time.perf_counter()
        simulation = Simulation(comm, config, particle_mesh(comm, config))
        _log_size(simulation, time.perf_counter() - started)
        try:
            _march(simulation, folder, quiet)
        except NotConverged as error:
            logger.error("%s", error)
            raise
        logger.info("finished in %.1f s", time.perf_counter() - started)
        if config.output.figures:
            _draw(comm, folder)
        return RunResult(folder.path, read_history(folder.history))


@contextmanager
def _run_folder(comm: MPI.Intracomm, config: RunConfig, root: Path) -> Iterator[RunFolder]:
    """A new run folder with config and log on one process, its name on all (collective)."""
    with ExitStack() as stack:
        outcome: RunFolder | CreepFemError | None = None
        if comm.rank == 0:
            try:
                outcome = create_run_folder(root, config.name)
                write_config(outcome, config.to_yaml(), comm.size)
                stack.enter_context(run_log(outcome))
            except CreepFemError as error:
                outcome = error
        outcome = comm.bcast(outcome)
        if isinstance(outcome, CreepFemError):
            raise outcome
        assert outcome is not None
        yield outcome


def _march(simulation: Simulation, folder: RunFolder, quiet: bool) -> None:
    """Take all steps; every accepted one is on disk before the next begins (collective)."""
    root = simulation.comm.rank == 0
    fields = StateFields(simulation.problem)
    mesh = simulation.problem.model.domain.mesh
    with ExitStack() as stack:
        history = stack.enter_context(HistoryWriter(folder.history)) if root else None
        writer = stack.enter_context(
            FieldWriter(simulation.comm, mesh, folder.fields, fields.functions)
        )
        writer.write(0.0)
        progress = stack.enter_context(
            RunProgress(simulation.total_time, enabled=root and not quiet)
        )
        for half, step in simulation.steps():
            row = simulation.row(half, step)
            if history is not None:
                history.append(row)
            if simulation.wants_fields(half, step):
                fields.update()
                writer.write(step.time)
            progress.update(step.time, half.cycle, row.soc, step.dt, step.iterations)


def _log_size(simulation: Simulation, seconds: float) -> None:
    problem = simulation.problem
    logger.info(
        "%d particles, %d displacement dofs, %d surface nodes, %d processes; set up in %.1f s",
        len(simulation.particles.body_phase),
        2 * problem.space.dofmap.index_map.size_global,
        len(problem.contact.boundary.nodes),
        simulation.comm.size,
        seconds,
    )


def _draw(comm: MPI.Intracomm, folder: RunFolder) -> None:
    """Draw all figures on one process."""
    if comm.rank == 0:
        from creep_fem.report.figures import draw_run

        for path in draw_run(folder.path):
            logger.info("drew %s", path.name)
    comm.barrier()
