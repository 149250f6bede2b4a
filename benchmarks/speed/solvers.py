"""The direct and the iterative solver on the same matrix, in processes of their own; prints JSON.

The system is one amidst a time step, in a packing that has been lithiated up to some state of
charge: at the beginning of a step bodies merely swell, which is too easy for a preconditioner that
solves body by body. If conjugate gradients meet negative curvature, the matrix is shifted as
Newton's method does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any

import creep_fem._backend  # noqa: F401  isort: skip

import numpy as np
import typer
from mpi4py import MPI
from petsc4py import PETSc

from benchmarks.speed.prepare import prepare, timed
from creep_fem.config.fields import LinearSolver
from creep_fem.simulation import Simulation
from creep_fem.solver.linear import linear_solver, order_for, storage

_REPETITIONS = 5
_TANGENTS = 100  # new values are what is timed, so the pattern lasts
_NEWTON_ITERATIONS = 3
_ENTRY = 12  # bytes of a matrix entry: a number and its column
_FIRST_SHIFT, _SHIFT_FACTOR = 1e-4, 10.0  # GPa
# What is compared, by name: the kind of solver and its options.
_SOLVERS: Mapping[str, tuple[LinearSolver, dict[str, str | float | bool]]] = {
    "direct": ("direct", {}),
    "iterative": ("iterative", {}),
    "iterative, 1e-6": ("iterative", {"ksp_rtol": 1e-6}),
}


@dataclass(frozen=True)
class Solved:
    """What one solver took: the fastest of some repetitions, in s.

    Attributes:
        analysis: First set-up, with all that depends on the pattern only.
        set_up: Set-up for new values.
        solve: Solution for one right-hand side.
        iterations: Iterations of that.
        residual: Residual relative to the right-hand side.
        memory: Bytes of the matrix as the solver reads it, of factors and other matrices, on all
            processes.
        motions_solve: Seconds for one solution with the motions of the bodies; 0 if direct.
    """

    analysis: float
    set_up: float
    solve: float
    iterations: int
    residual: float
    memory: float
    motions_solve: float


@dataclass(frozen=True)
class Compared:
    """Solvers on one matrix.

    Attributes:
        particles: Number of bodies.
        dofs: Displacement dofs, bubbles included.
        ranks: Processes.
        touching: Pairs of surface points and bodies that exchange pressure.
        shift: Multiple of the identity in GPa that was added.
        replicated: Bytes of mesh and surfaces that every process holds.
        packing: Seconds for packing.
        meshing: Seconds for meshing.
        solvers: Measured solvers by name.
    """

    particles: int
    dofs: int
    ranks: int
    touching: int
    shift: float
    replicated: float
    packing: float
    meshing: float
    solvers: dict[str, Solved]


def compare(config: Path, overrides: Sequence[str], soc: float) -> Compared:
    """March to a state of charge and solve the next system with all solvers (collective)."""
    comm = MPI.COMM_WORLD
    prepared = prepare(comm, config, [*overrides, "newton.linear_solver=iterative"])
    run, particles = prepared.run, prepared.particles
    matrix, force = _next_system(run, soc)
    shift = _shift(run, matrix, force)
    problem = run.problem
    return Compared(
        particles=len(particles.body_phase),
        dofs=matrix.getSize()[0],
        ranks=comm.size,
        touching=comm.allreduce(problem.contact_state.active_pairs),
        shift=shift,
        replicated=_array_bytes(particles) + _array_bytes(problem.contact.boundary),
        packing=prepared.packing,
        meshing=prepared.meshing,
        solvers={name: _measure(run, name, matrix, force) for name in _SOLVERS},
    )


def _next_system(run: Simulation, soc: float) -> tuple[PETSc.Mat, PETSc.Vec]:
    """Tangent and residual amidst the step that follows a state of charge (collective)."""
    end = run.swelling.half_cycles[0].time_at(soc)
    if end is None:
        raise typer.BadParameter(f"the first half-cycle does not reach {soc:g}")
    for _, step in run.steps():
        if step.time >= end:
            break
    problem, force = run.problem, run.problem.new_vector()
    problem.begin(step.dt)
    run.swelling.apply(step.time + step.dt)
    run.solver.settings = replace(run.solver.settings, maximum_iterations=_NEWTON_ITERATIONS)
    run.solver.solve()
    problem.residual(force)
    return problem.tangent(), force


def _shift(run: Simulation, matrix: PETSc.Mat, force: PETSc.Vec) -> float:
    """Stiffen the matrix until conjugate gradients find a direction; the shift in GPa."""
    solver = linear_solver(run.problem, "iterative", {})
    solution, shift = force.duplicate(), 0.0
    solver.setOperators(matrix)
    solver.solve(force, solution)
    while solver.getConvergedReason() < 0:
        raised = max(_SHIFT_FACTOR * shift, _FIRST_SHIFT)
        matrix.shift(raised - shift)
        shift = raised
        solver.solve(force, solution)
    solver.destroy()
    solution.destroy()
    return shift


def _measure(run: Simulation, name: str, matrix: PETSc.Mat, force: PETSc.Vec) -> Solved:
    kind, options = _SOLVERS[name]
    solver = linear_solver(run.problem, kind, options)
    solution, residual = force.duplicate(), force.duplicate()
    comm = run.comm
    converted = storage(solver) == "upper"
    matrix = matrix.convert("sbaij", PETSc.Mat()) if converted else matrix
    solver.setOperators(matrix)
    order_for(solver, _TANGENTS)
    comm.barrier()
    analysis, _ = timed(solver.setUp)
    times = []
    for _ in range(_REPETITIONS):
        matrix.stateIncrease()
        solver.setOperators(matrix)
        comm.barrier()
        set_up, _ = timed(solver.setUp)
        solve, _ = timed(lambda: solver.solve(force, solution))
        times.append((set_up, solve))
    matrix.mult(solution, residual)
    residual.axpy(-1.0, force)
    # the slowest process counts, then the fastest repetition
    slowest = np.array(times)
    comm.Allreduce(MPI.IN_PLACE, slowest, op=MPI.MAX)
    set_up, solve = slowest[np.argmin(slowest.sum(axis=1))]
    result = Solved(
        analysis=comm.allreduce(analysis, op=MPI.MAX),
        set_up=float(set_up),
        solve=float(solve),
        iterations=solver.getIterationNumber(),
        residual=residual.norm() / force.norm(),
        memory=_bytes(matrix) + _memory(solver, comm),
        motions_solve=_motions(solver) if kind == "iterative" else 0.0,
    )
    for used in (solver, solution, residual, *((matrix,) if converted else ())):
        used.destroy()
    return result


def _motions(solver: PETSc.KSP) -> float:
    """Seconds for one solution with the motions of the bodies."""
    coarse = solver.getPC().getPythonContext().coarse
    load, motion = coarse.getOperators()[0].createVecs()
    load.set(1.0)
    return min(timed(lambda: coarse.solve(load, motion))[0] for _ in range(_REPETITIONS))


def _memory(solver: PETSc.KSP, comm: MPI.Intracomm) -> float:
    """Bytes of all that a solver holds beside the matrix, on all processes (collective)."""
    preconditioner = solver.getPC()
    if preconditioner.getType() != "python":
        return _mumps_bytes(preconditioner)
    context = preconditioner.getPythonContext()
    blocks = [block.getPC() for block in context.blocks.getASMSubKSP()]
    factors = sum(_bytes(b.getFactorMatrix()) + _bytes(b.getOperators()[1]) for b in blocks)
    coarse = context.coarse
    shared = _bytes(context.motions) + _bytes(context.image) + _bytes(coarse.getOperators()[0])
    return float(comm.allreduce(factors) + shared + _coarse_factors(coarse.getPC()))


def _coarse_factors(pc: PETSc.PC) -> float:
    """Bytes of the factors with the motions of the bodies on all processes (collective)."""
    if pc.getType() != "redundant":
        return _mumps_bytes(pc)
    # every process holds all of them, and PETSc does not hand them out: factorise once more
    whole = pc.getOperators()[0].getRedundantMatrix(pc.comm.size)
    again = PETSc.PC().create(whole.comm)
    again.setType("cholesky")
    again.setFactorOrdering("metisnd")
    again.setOperators(whole)
    again.setUp()
    return _bytes(again.getFactorMatrix()) * float(pc.comm.size)


def _mumps_bytes(pc: PETSc.PC) -> float:
    """Bytes that MUMPS holds on all processes, which it counts in MB."""
    return 1e6 * float(pc.getFactorMatrix().getMumpsInfog(22))


def _bytes(matrix: PETSc.Mat) -> float:
    """Bytes of the entries of a matrix on all processes of its communicator."""
    return float(_ENTRY * matrix.getInfo(PETSc.Mat.InfoType.GLOBAL_SUM)["nz_used"])


def _array_bytes(holder: Any) -> float:
    """Bytes of the arrays among the fields of a dataclass."""
    values = (getattr(holder, field.name) for field in fields(holder))
    return float(sum(value.nbytes for value in values if isinstance(value, np.ndarray)))


def main(
    config: Path,
    soc: Annotated[float, typer.Option(help="State of charge to march to first.")],
    overrides: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE")] = None,
) -> None:
    """Compare the solvers in one packing and print what they took as JSON."""
    compared = compare(config, overrides or (), soc)
    if MPI.COMM_WORLD.rank == 0:
        typer.echo(json.dumps(asdict(compared)))


if __name__ == "__main__":
    typer.run(main)
