"""One measured run, in a process (or processes under mpirun) of its own; prints JSON."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import creep_fem._backend  # noqa: F401  isort: skip

import dolfinx.fem.petsc as fem_petsc
import numpy as np
import typer
from mpi4py import MPI

from benchmarks.speed.prepare import prepare, timed
from creep_fem.simulation import Simulation
from creep_fem.solver.linear import linear_solver
from creep_fem.solver.phases import Phase, PhaseTimes
from creep_fem.solver.stepping import AcceptedStep

_LOADED_AT = time.time()
_BARE_REPETITIONS = 5
_KIB = 1024.0
_MIB = 1024.0**2


@dataclass(frozen=True)
class Bare:
    """What one Newton iteration costs at least, in s: the fastest of some repetitions.

    Attributes:
        residual: Assembly of the elements' residual by dolfinx.
        tangent: Assembly of the elements' tangent.
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
        memory: Largest resident memory of all processes together in MiB.
        bare: What an iteration costs at least.
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
    memory: float
    bare: Bare


def measure(
    config: Path, overrides: Sequence[str], soc: float | None, command_at: float
) -> Measured:
    """March a config through its cycles, or through the first lithiation only (collective).

    Args:
        config: YAML file of the run; nothing is written.
        overrides: Entries to replace, as on the command line.
        soc: State of charge at which to stop; all cycles if None.
        command_at: When the command was given, in s since the epoch.
    """
    comm = MPI.COMM_WORLD
    prepared = prepare(comm, config, overrides)
    run, phases = prepared.run, PhaseTimes()
    march, (steps, first_at) = timed(lambda: _march(run, soc))
    seconds = phases.seconds(comm)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB / _MIB
    return Measured(
        particles=len(prepared.particles.body_phase),
        dofs=2 * run.problem.space.dofmap.index_map.size_global,
        nodal_dofs=2 * len(prepared.particles.points),
        ranks=comm.size,
        packing=prepared.packing,
        meshing=prepared.meshing,
        set_up=prepared.set_up,
        until_first_step=first_at - command_at,
        march=march,
        steps=len(steps),
        iterations=sum(step.iterations for step in steps),
        chord_iterations=sum(step.chord_iterations for step in steps),
        rejected=sum(step.rejected for step in steps),
        median_iterations=float(np.median([step.iterations for step in steps])),
        phases={phase.value: seconds[phase] for phase in Phase if seconds[phase] > 0.0},
        memory=comm.allreduce(peak),
        bare=_bare(run),
    )


def _march(run: Simulation, soc: float | None) -> tuple[list[AcceptedStep], float]:
    """Take all steps, and tell when the first one was done, in s since the epoch (collective)."""
    end = np.inf if soc is None else run.swelling.half_cycles[0].time_at(soc)
    if end is None:
        raise typer.BadParameter(f"the first half-cycle does not reach {soc:g}")
    steps: list[AcceptedStep] = []
    first_at = np.nan
    for _, step in run.steps():
        first_at = first_at if steps else time.time()
        steps.append(step)
        if step.time >= end:
            break
    return steps, first_at


def _bare(run: Simulation) -> Bare:
    """Time the pieces of an iteration at the present state (collective)."""
    model, problem = run.problem.model, run.problem
    elements, force = fem_petsc.create_matrix(model.tangent), problem.new_vector()
    solution = force.duplicate()
    # with the options of the run: its factorisations are to be compared with nothing slower
    solver = linear_solver(problem, "direct", {})
    times: list[tuple[float, ...]] = []

    def assemble() -> None:
        elements.zeroEntries()
        fem_petsc.assemble_matrix(elements, model.tangent, bcs=problem.conditions)
        elements.assemble()

    for _ in range(_BARE_REPETITIONS + 1):
        tangent, _ = timed(assemble)
        residual, _ = timed(lambda: fem_petsc.assemble_vector(force, model.residual))
        problem.residual(force)
        solver.setOperators(problem.tangent())
        problem.comm.barrier()
        factorise, _ = timed(solver.setUp)
        solve, _ = timed(lambda: solver.solve(force, solution))
        times.append((residual, tangent, factorise, solve))
    # the first repetition analyses the matrix, too
    fastest = np.min(times[1:], axis=0)
    problem.comm.Allreduce(MPI.IN_PLACE, fastest, op=MPI.MAX)
    for used in (solver, elements, force, solution):
        used.destroy()
    return Bare(*(float(t) for t in fastest))


def main(
    config: Path,
    overrides: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE")] = None,
    soc: Annotated[
        float | None, typer.Option(help="Where to stop; all cycles if not given.")
    ] = None,
    command_at: Annotated[
        float, typer.Option(help="When the command was given, in s since the epoch.")
    ] = _LOADED_AT,
) -> None:
    """Measure one run and print what it took as JSON."""
    measured = measure(config, overrides or (), soc, command_at)
    if MPI.COMM_WORLD.rank == 0:
        typer.echo(json.dumps(asdict(measured)))


if __name__ == "__main__":
    typer.run(main)
