"""One run from config to results: the only place that knows all rooms."""

from __future__ import annotations

import creep_fem._backend  # noqa: F401

# isort: split
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from creep_fem.config import Contact as ContactChoice
from creep_fem.config import RunConfig
from creep_fem.contact.boundary import Boundary
from creep_fem.contact.friction import CoulombLaw
from creep_fem.contact.law import CohesiveTail, PressureGapLaw
from creep_fem.cycling import HalfCycle, milestones
from creep_fem.errors import CreepFemError, NotConverged, was_interrupted
from creep_fem.mechanics.domain import Domain
from creep_fem.mechanics.model import MechanicsModel
from creep_fem.messages import print_notes
from creep_fem.microstructure import Layout, ParticleMesh, build_layout, build_mesh, write_layout
from creep_fem.parallel import failing_together
from creep_fem.results.errors import writing
from creep_fem.results.fields import FieldWriter
from creep_fem.results.history import HistoryRow, read_history
from creep_fem.results.metrics import history_row
from creep_fem.results.progress import RunProgress
from creep_fem.results.run_folder import (
    RunFolder,
    create_run_folder,
    provenance,
    run_log,
    write_config,
)
from creep_fem.results.run_tables import RunTables
from creep_fem.results.snapshot import StateFields
from creep_fem.solver.newton import NewtonSettings, NewtonSolver
from creep_fem.solver.phases import Phase, PhaseTimes, table, timed, write_log_view
from creep_fem.solver.problem import StepProblem
from creep_fem.solver.stepping import AcceptedStep, StepSettings, TimeStepper
from creep_fem.swelling import Swelling

logger = logging.getLogger(__name__)

# Motion of the surface in um after which contact is searched anew: the less, the more often, and
# the fewer pairs are looked at in vain.
SEARCH_MARGIN = 0.2
# A contact this many times as stiff as the drag that holds a loose particle in the longest step
# changes no direction of Newton's method.
_NEGLIGIBLE_TO_DRAG = 5e-3
# Shear strain whose forces are the floor of the scale against which residuals are judged.
_FORCE_FLOOR_STRAIN = 1e-3


@dataclass(frozen=True)
class RunResult:
    """What a run leaves behind.

    Attributes:
        folder: Folder with config, log, history, fields and figures.
        history: Columns of ``history.csv``, each of shape (rows,).
    """

    folder: Path
    history: dict[str, NDArray[np.float64]]


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
        model = MechanicsModel(domain, config.phases(config.cycling.soc.start))
        boundary = Boundary.from_arcs(particles.points, particles.arcs, particles.box)
        contact = config.contact
        law, friction = _contact_laws(contact, config.time_step.maximum)
        self.problem = StepProblem(
            model, boundary, law, particles.box, SEARCH_MARGIN, contact.surface_drag, friction
        )
        # every mixture is at least as stiff as the softer of its ends
        softest = min(phase.shear_modulus for soc in (0.0, 1.0) for phase in config.phases(soc))
        floor = _FORCE_FLOOR_STRAIN * softest * float(np.linalg.norm(boundary.node_lengths))
        newton, steps = config.newton, config.time_step
        settings = NewtonSettings(
            newton.tolerance,
            floor,
            newton.maximum_iterations,
            newton.surface_step,
            newton.chord_reduction,
            newton.linear_solver,
        )
        self.solver = NewtonSolver(self.problem, settings, config.petsc_options)
        self.swelling = Swelling(model, config)
        self.stepper = TimeStepper(
            self.solver,
            self.swelling,
            StepSettings(steps.initial, steps.minimum, steps.maximum, steps.creep_tolerance),
        )

    def close(self) -> None:
        """Free the solver (collective): a study makes many simulations in one process."""
        self.solver.close()

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
        wanted = self.config.output.fields
        socs = () if isinstance(wanted, str) else wanted
        return milestones(half, socs, self.config.time_step.minimum)

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

    def tables(self, layout: Layout, folder: RunFolder) -> RunTables:
        """Begin the tables of the run, which one process writes."""
        boundary, start = self.problem.contact.boundary, self.config.cycling.soc.start
        return RunTables(folder, layout, self.particles, boundary, start)

    def surface_positions(self) -> NDArray[np.float64]:
        """Present positions of all surface nodes in um, shape (ns, 2) (collective)."""
        return self.problem.surface.positions(self.problem.model.displacement)


def _contact_laws(
    contact: ContactChoice, longest_step: float
) -> tuple[PressureGapLaw, CoulombLaw | None]:
    chosen, coefficient = contact.adhesion, contact.friction_coefficient
    adhesion = None if chosen is None else CohesiveTail(chosen.strength, chosen.range)
    friction = CoulombLaw(coefficient, contact.slip_regularisation) if coefficient > 0.0 else None
    repulsion = (contact.stiffness, contact.smoothing, contact.zero_gap_pressure)
    negligible = _NEGLIGIBLE_TO_DRAG * contact.surface_drag / longest_step
    return PressureGapLaw(*repulsion, adhesion, negligible), friction


@dataclass(frozen=True)
class Particles:
    """What a config's microstructure has become.

    Attributes:
        layout: The packed or repaired layout.
        mesh: Its mesh.
        notes: What was changed in a layout file, one sentence each.
    """

    layout: Layout
    mesh: ParticleMesh
    notes: tuple[str, ...]


def make_particles(comm: MPI.Intracomm, config: RunConfig) -> Particles:
    """Pack and mesh on one process and hand the particles to all (collective).

    Raises:
        CreepFemError: On every process, if packing or meshing failed.
    """
    particles: Particles | None = None
    with failing_together(comm):
        if comm.rank == 0:
            layout, notes = build_layout(config.microstructure)
            particles = Particles(layout, build_mesh(layout, config.mesh), tuple(notes))
    particles = comm.bcast(particles)
    assert particles is not None
    return particles


def run(
    config: RunConfig,
    output: Path | None = None,
    quiet: bool = False,
    comm: MPI.Intracomm = MPI.COMM_WORLD,
    profile: bool = False,
) -> RunResult:
    """Run a config and write its results (collective).

    Args:
        config: Resolved config.
        output: Folder that collects run folders; ``results`` if not given.
        quiet: Whether to leave out the progress bar and the notes on a repaired layout.
        comm: Communicator of the run.
        profile: Whether to write PETSc's log view to ``profile.txt``.

    Returns:
        Folder and history.

    Raises:
        CreepFemError: If the microstructure cannot be built, a step does not converge or results
            cannot be written; what was computed until then is on disk.
        KeyboardInterrupt: On Ctrl-C, with the same on disk.
    """
    started, phases = time.perf_counter(), PhaseTimes()
    # Before there is a folder: particles that cannot be made leave nothing behind.
    with timed(Phase.SET_UP):
        particles = make_particles(comm, config)
    with _run_folder(comm, config, particles, output or Path("results")) as folder:
        _tell(comm, particles.notes, quiet)
        with _figures_if_stuck(comm, config, folder), _end_logged():
            with _simulation(comm, config, particles, started) as simulation:
                _march(simulation, particles.layout, folder, quiet)
            with failing_together(comm), timed(Phase.OUTPUT):
                _draw(comm, config, folder)
            if profile:
                write_log_view(comm, folder.profile)
            total = time.perf_counter() - started
            logger.info("finished in %.1f s\n%s", total, table(phases.seconds(comm), total))
        return RunResult(folder.path, read_history(folder.history))


@contextmanager
def _run_folder(
    comm: MPI.Intracomm, config: RunConfig, particles: Particles, root: Path
) -> Iterator[RunFolder]:
    """A new run folder with all that repeats the run, its name on all processes (collective)."""
    with ExitStack() as stack:
        folder: RunFolder | None = None
        with failing_together(comm):
            if comm.rank == 0:
                folder = create_run_folder(root, config.name)
                _write_inputs(folder, config, particles.layout, comm.size)
                stack.enter_context(run_log(folder))
        folder = comm.bcast(folder)
        assert folder is not None
        yield folder


@contextmanager
def _simulation(
    comm: MPI.Intracomm, config: RunConfig, particles: Particles, started: float
) -> Iterator[Simulation]:
    """A simulation of the particles, its size and the time until then logged (collective)."""
    with timed(Phase.SET_UP):
        simulation = Simulation(comm, config, particles.mesh)
    with closing(simulation):
        _log_size(simulation, time.perf_counter() - started)
        yield simulation


def _write_inputs(folder: RunFolder, config: RunConfig, layout: Layout, ranks: int) -> None:
    """Write layout and config such that the config can be run again, wherever the folder is."""
    with writing(folder.layout):
        write_layout(layout, folder.layout)
    source = config.microstructure.model_dump_json(exclude_none=True)
    origin = {**provenance(ranks), f"{folder.layout.name} made from": source}
    repeatable = config.with_layout(Path(folder.layout.name))
    write_config(folder, repeatable.to_yaml(), origin)


def _tell(comm: MPI.Intracomm, notes: Sequence[str], quiet: bool) -> None:
    """Log on one process what was changed in a layout file, and show it unless quiet."""
    if comm.rank == 0:
        for note in notes:
            logger.warning("%s", note)
        if not quiet:
            print_notes(notes)


@contextmanager
def _end_logged() -> Iterator[None]:
    """Log why a run ends early, and tell Ctrl-C from other failures.

    PETSc passes Ctrl-C on as an error of its own if it comes during a solve.
    """
    try:
        yield
    except BaseException as error:
        if was_interrupted(error):
            logger.error("interrupted")
            raise KeyboardInterrupt from error
        # What is no failure of the user's making is for those who mend the program.
        logger.error("%s", error, exc_info=not isinstance(error, CreepFemError))
        raise


@contextmanager
def _figures_if_stuck(comm: MPI.Intracomm, config: RunConfig, folder: RunFolder) -> Iterator[None]:
    """Draw what there is if a step does not converge; that remains the error, whatever happens."""
    try:
        yield
    except NotConverged:
        try:
            _draw(comm, config, folder)
        except Exception as error:
            logger.warning("the figures could not be drawn: %s", error)
        comm.barrier()
        raise


def _march(simulation: Simulation, layout: Layout, folder: RunFolder, quiet: bool) -> None:
    """Take all steps; every accepted one is on disk before the next begins (collective)."""
    comm = simulation.comm
    fields = StateFields(simulation.problem)
    mesh = simulation.problem.model.domain.mesh
    with ExitStack() as stack:
        tables: RunTables | None = None
        with failing_together(comm):
            if comm.rank == 0:
                tables = stack.enter_context(closing(simulation.tables(layout, folder)))
        writer = stack.enter_context(
            closing(FieldWriter(comm, mesh, folder.fields, fields.functions))
        )
        writer.write(0.0)
        progress = stack.enter_context(
            closing(RunProgress(simulation.total_time, enabled=comm.rank == 0 and not quiet))
        )
        for half, step in simulation.steps():
            with timed(Phase.OUTPUT):
                row = simulation.row(half, step)
                positions = simulation.surface_positions()
                with failing_together(comm):
                    if tables is not None:
                        growth = simulation.swelling.free_area_growth(row.soc)
                        tables.append(row, positions, growth)
                if simulation.wants_fields(half, step):
                    fields.update()
                    writer.write(step.time)
            progress.update(step.time, half.cycle, row.soc, step.dt, step.iterations)


def _log_size(simulation: Simulation, seconds: float) -> None:
    problem = simulation.problem
    logger.info(
        "%d particles, %d displacement dofs with bubbles, %d surface nodes, %d processes;"
        " set up in %.1f s",
        len(simulation.particles.body_phase),
        2 * problem.space.dofmap.index_map.size_global,
        len(problem.contact.boundary.nodes),
        simulation.comm.size,
        seconds,
    )
    law = problem.contact.law
    if law.adhesion is not None:
        logger.info("work of adhesion %.3g J/m^2", 1e3 * law.work_of_adhesion)


def _draw(comm: MPI.Intracomm, config: RunConfig, folder: RunFolder) -> None:
    """Draw all figures on one process, if they are wanted."""
    if config.output.figures and comm.rank == 0:
        from creep_fem.report.figures import draw_run

        for path in draw_run(folder.path):
            logger.info("drew %s", path.name)
