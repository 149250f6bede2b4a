"""One measured run, in a process (or processes under mpirun) of its own; prints JSON."""

from __future__ import annotations

import json
import resource
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import creep_fem._backend  # noqa: F401  isort: skip

import dolfinx.fem.petsc as fem_petsc
import numpy as np
import typer
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc

from benchmarks.speed.prepare import prepare, timed
from creep_fem.mechanics.forms import from_potential
from creep_fem.mechanics.packed import JIT_OPTIONS
from creep_fem.simulation import Simulation
from creep_fem.solver.linear import linear_solver, order_for, storage
from creep_fem.solver.phases import Phase, PhaseTimes
from creep_fem.solver.problem import StepProblem
from creep_fem.solver.stepping import AcceptedStep
from creep_fem.solver.tangent import TangentMatrix

_LOADED_AT = time.time()
_BARE_REPETITIONS = 2
_KIB = 1024.0
_MIB = 1024.0**2
# What the direct solver does, by PETSc's names of the events that its log counts and times.
_OPERATIONS = {"analyse": "MatCholFctrSym", "factorise": "MatCholFctrNum", "solve": "MatSolve"}


@dataclass(frozen=True)
class Bare:
    """What a plain Newton iteration costs, in s: forms derived by UFL, assembled as dolfinx does.

    Timed after every step, the faster one of two repetitions, and averaged over the iterations:
    the speed of a machine changes during a run, and that of the run with it.

    Attributes:
        residual: Assembly of the elements' residual, as UFL derives it from the potential.
        tangent: Assembly of the elements' tangent, likewise.
        factorise: Numeric factorisation of the tangent, contact included.
        solve: Solution with one right-hand side.
    """

    residual: float
    tangent: float
    factorise: float
    solve: float


@dataclass(frozen=True)
class Measured:
    """What a run took.

    Attributes:
        particles: Number of bodies.
        dofs: Displacement dofs, bubbles included.
        nodal_dofs: Displacement dofs of vertices and mid-nodes.
        ranks: Processes.
        packing: Seconds for packing, or reading the layout.
        meshing: Seconds for the mesh.
        set_up: Seconds for distribution, forms and solver.
        until_first_step: Seconds from the command to the end of the first time step: start of the
            processes, imports, packing, meshing and set-up included.
        march: Seconds for all time steps.
        steps: Accepted steps.
        iterations: Newton iterations, those of rejected attempts included.
        chord_iterations: Iterations with an older factor, likewise.
        rejected: Rejected attempts.
        median_iterations: Median of the iterations of a step.
        phases: Seconds of each phase of the solver.
        operations: Number and seconds of all analyses, factorisations and solutions of the direct
            solver; those for shifted matrices and for chord iterations are among them.
        memory: Largest resident memory of all processes together in MiB.
        bare: What a plain iteration costs; None if that was not timed.
    """

    particles: int
    dofs: int
    nodal_dofs: int
    ranks: int
    packing: float
    meshing: float
    set_up: float
    until_first_step: float
    march: float
    steps: int
    iterations: int
    chord_iterations: int
    rejected: int
    median_iterations: float
    phases: dict[str, float]
    operations: dict[str, tuple[int, float]]
    memory: float
    bare: Bare | None


class _BareIteration:
    """Times the pieces of an iteration beside a run, with a matrix and a factor of its own."""

    def __init__(self, problem: StepProblem) -> None:
        """Allocate (collective)."""
        self._problem, model = problem, problem.model
        self._residual, self._jacobian = (
            fem.form(form, jit_options=JIT_OPTIONS) for form in from_potential(model.fields)
        )
        self._elements, self._force = fem_petsc.create_matrix(self._jacobian), problem.new_vector()
        self._solution = self._force.duplicate()
        self._tangent = TangentMatrix(model, problem.contact, problem.surface, problem.conditions)
        # with the options of the run: its factorisations are to be compared with nothing slower
        self._solver = linear_solver(problem, "direct", {})
        self._storage = storage(self._solver)
        self._analysed: tuple[PETSc.Mat, int | None] | None = None

    def seconds(self) -> NDArray[np.float64]:
        """Seconds of each piece at the present state, of the slowest process (collective)."""
        fastest = np.min([self._repetition() for _ in range(_BARE_REPETITIONS)], axis=0)
        self._problem.comm.Allreduce(MPI.IN_PLACE, fastest, op=MPI.MAX)
        return np.asarray(fastest)

    def _repetition(self) -> tuple[float, ...]:
        problem = self._problem
        tangent, _ = timed(self._assemble)
        residual, _ = timed(lambda: fem_petsc.assemble_vector(self._force, self._residual))
        terms = problem.contact_state.hessian(), problem.drag_stiffness, problem.motion
        matrix = self._tangent.assemble(*terms, self._storage)
        as_in_the_run = matrix, order_for(self._solver, problem.expected_tangents)
        if self._analysed != as_in_the_run:
            self._solver.reset()
            self._solver.setOperators(matrix)
            self._solver.setUp()  # analyses, which is not to be timed
            self._tangent.assemble(*terms, self._storage)
            self._analysed = as_in_the_run
        self._solver.setOperators(matrix)
        problem.comm.barrier()
        factorise, _ = timed(self._solver.setUp)
        solve, _ = timed(lambda: self._solver.solve(self._force, self._solution))
        return residual, tangent, factorise, solve

    def _assemble(self) -> None:
        self._elements.zeroEntries()
        fem_petsc.assemble_matrix(self._elements, self._jacobian, bcs=self._problem.conditions)
        self._elements.assemble()


def measure(
    config: Path, overrides: Sequence[str], soc: float | None, command_at: float, *, bare: bool
) -> Measured:
    """March a config through its cycles, or through the first lithiation only (collective).

    Args:
        config: YAML file of the run; nothing is written.
        overrides: Entries to replace, as on the command line.
        soc: State of charge at which to stop; all cycles if None.
        command_at: When the command was given, in s since the epoch.
        bare: Whether to time bare iterations; their matrix and factor count as memory.
    """
    comm = MPI.COMM_WORLD
    prepared = prepare(comm, config, overrides)
    run = prepared.run
    marched = _march(run, soc, bare)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB / _MIB
    steps = marched.steps
    iterations = [step.iterations for step in steps]
    return Measured(
        particles=len(prepared.particles.body_phase),
        dofs=2 * run.problem.space.dofmap.index_map.size_global,
        nodal_dofs=2 * len(prepared.particles.points),
        ranks=comm.size,
        packing=prepared.packing,
        meshing=prepared.meshing,
        set_up=prepared.set_up,
        until_first_step=marched.first_at - command_at,
        march=marched.seconds,
        steps=len(steps),
        iterations=sum(iterations),
        chord_iterations=sum(step.chord_iterations for step in steps),
        rejected=sum(step.rejected for step in steps),
        median_iterations=float(np.median(iterations)),
        phases={
            phase.value: seconds
            for phase in Phase
            if (seconds := comm.allreduce(marched.phases[phase], op=MPI.MAX)) > 0.0
        },
        operations={
            name: (int(count), comm.allreduce(float(seconds), op=MPI.MAX))
            for name, (count, seconds) in zip(_OPERATIONS, marched.operations, strict=True)
        },
        memory=comm.allreduce(peak),
        bare=_mean(marched.bare, iterations) if bare else None,
    )


@dataclass
class _Marched:
    """Time steps and their times.

    Attributes:
        steps: Accepted steps.
        seconds: For all of them.
        phases: Seconds of this process in each phase.
        operations: Number and seconds of the direct solver's operations in this process,
            shape (3, 2).
        bare: Seconds of the pieces of an iteration after each step.
        first_at: When the first step was done, in s since the epoch.
    """

    steps: list[AcceptedStep]
    seconds: float
    phases: Counter[Phase]
    operations: NDArray[np.float64]
    bare: list[NDArray[np.float64]]
    first_at: float


def _mean(samples: Sequence[NDArray[np.float64]], iterations: Sequence[int]) -> Bare:
    return Bare(*map(float, np.average(samples, axis=0, weights=iterations)))


def _march(run: Simulation, soc: float | None, with_bare: bool) -> _Marched:
    """Take all steps, timing a bare iteration after each if wanted (collective)."""
    end = np.inf if soc is None else run.swelling.half_cycles[0].time_at(soc)
    if end is None:
        raise typer.BadParameter(f"the first half-cycle does not reach {soc:g}")
    bare: _BareIteration | None = None
    marched = _Marched([], 0.0, Counter(), np.zeros((len(_OPERATIONS), 2)), [], np.nan)
    taken = run.steps()
    while run.stepper.time < end:
        phases = PhaseTimes()  # starts PETSc's log, too
        before = _operations()
        seconds, step = timed(lambda: _next(taken, run.comm))
        marched.seconds += seconds
        marched.phases.update(phases.seconds(MPI.COMM_SELF))
        marched.operations += _operations() - before
        if step is None:
            break
        if not marched.operations[:, 0].all():
            raise RuntimeError(f"PETSc has logged no {' or no '.join(_OPERATIONS.values())}")
        marched.first_at = marched.first_at if marched.steps else time.time()
        marched.steps.append(step[1])
        if with_bare:
            bare = bare or _BareIteration(run.problem)
            marched.bare.append(bare.seconds())
    return marched


def _operations() -> NDArray[np.float64]:
    """Number and seconds of the direct solver's operations so far, shape (3, 2)."""
    counted = [PETSc.Log.Event(name).getPerfInfo() for name in _OPERATIONS.values()]
    return np.array([(info["count"], info["time"]) for info in counted])


def _next[T](taken: Iterator[T], comm: MPI.Intracomm) -> T | None:
    """The next step on all processes: the slowest one counts."""
    step = next(taken, None)
    comm.barrier()
    return step


def main(
    config: Path,
    overrides: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE")] = None,
    soc: Annotated[
        float | None, typer.Option(help="Where to stop; all cycles if not given.")
    ] = None,
    command_at: Annotated[
        float, typer.Option(help="When the command was given, in s since the epoch.")
    ] = _LOADED_AT,
    bare: Annotated[bool, typer.Option(help="Time bare iterations, too.")] = True,
) -> None:
    """Measure one run and print what it took as JSON."""
    measured = measure(config, overrides or (), soc, command_at, bare=bare)
    if MPI.COMM_WORLD.rank == 0:
        typer.echo(json.dumps(asdict(measured)))


if __name__ == "__main__":
    typer.run(main)
