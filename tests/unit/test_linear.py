"""The iterative solver against the direct one, on the tangent of a packing under pressure."""

from __future__ import annotations

import creep_fem._backend  # noqa: F401

# isort: split
import ctypes
import gc
import resource
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI
from petsc4py import PETSc

from creep_fem.config import load_config
from creep_fem.simulation import Simulation, make_particles
from creep_fem.solver.linear import linear_solver, order_for, storage
from creep_fem.solver.newton import NewtonSolver

ROOT = Path(__file__).parents[2]
COARSE = ("mesh.surface_size=0.35 um", "newton.linear_solver=iterative")


def simulation(*overrides: str) -> Simulation:
    config = load_config(ROOT / "configs" / "demo.yaml", [*COARSE, *overrides])
    return Simulation(MPI.COMM_SELF, config, make_particles(MPI.COMM_SELF, config).mesh)


@pytest.fixture(scope="module")
def pressed() -> Iterator[Simulation]:
    """A packing in contact everywhere, in the midst of a step."""
    run = simulation()
    for _, step in run.steps():
        if step.time > 3.0 * 3600.0:
            break
    run.problem.begin(step.dt)
    run.swelling.apply(step.time + 0.5 * step.dt)
    run.solver.settings = replace(run.solver.settings, maximum_iterations=2)
    run.solver.solve()
    yield run
    run.close()


def solve(
    run: Simulation, matrix: PETSc.Mat, load: PETSc.Vec, kind: str, **options: float | str
) -> tuple[np.ndarray, PETSc.KSP]:
    solver, solution = linear_solver(run.problem, kind, options), load.duplicate()
    solver.setOperators(matrix)
    solver.solve(load, solution)
    return solution.getArray().copy(), solver


LIBC = ctypes.CDLL(None)
LIBC.malloc.argtypes, LIBC.malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
LIBC.free.argtypes = [ctypes.c_void_p]


def page_faults_of_use(size: int) -> int:
    """Pages that the system has to hand out while a block of this many bytes is written to."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    block = LIBC.malloc(size)
    ctypes.memset(block, 1, size)
    LIBC.free(block)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(not hasattr(LIBC, "mallopt"), reason="the C library has no mallopt")
def test_large_blocks_are_used_again(pressed: Simulation) -> None:
    """As the factor of MUMPS is: without care each is new memory, cleared page by page.

    Huge pages would be 64.
    """
    linear_solver(pressed.problem, "direct", {})
    size = 2**27
    page_faults_of_use(size)
    assert page_faults_of_use(size) < 32


def system(run: Simulation) -> tuple[PETSc.Mat, PETSc.Vec]:
    load = run.problem.new_vector()
    run.problem.residual(load)
    return run.problem.tangent(), load


@pytest.mark.parametrize(
    "options",
    [
        {},
        # as for many motions of bodies
        {"coarse_pc_type": "cholesky", "coarse_pc_factor_mat_solver_type": "mumps"},
        # as for large bodies
        {"bodies_sub_pc_factor_mat_solver_type": "mumps"},
    ],
    ids=["default", "distributed motions", "large bodies"],
)
def test_both_solvers_find_the_same_direction(pressed: Simulation, options: dict[str, str]) -> None:
    matrix, load = system(pressed)
    assert pressed.problem.contact_state.active_pairs > 100
    expected, _ = solve(pressed, matrix, load, "direct")
    found, solver = solve(pressed, matrix, load, "iterative", ksp_rtol=1e-10, **options)
    assert solver.getConvergedReason() > 0
    assert np.linalg.norm(found - expected) < 1e-7 * np.linalg.norm(expected)


def test_few_iterations_are_enough(pressed: Simulation) -> None:
    """Bodies by themselves would need many more."""
    matrix, load = system(pressed)
    _, solver = solve(pressed, matrix, load, "iterative", ksp_rtol=1e-6)
    context = solver.getPC().getPythonContext()
    assert 1 < solver.getIterationNumber() < 30
    alone = PETSc.KSP().create(MPI.COMM_SELF)
    alone.setType("cg")
    alone.setOperators(matrix)
    alone.setPC(context.blocks)
    alone.setNormType(PETSc.KSP.NormType.UNPRECONDITIONED)
    alone.setTolerances(rtol=1e-6, max_it=1000)
    alone.solve(load, load.duplicate())
    assert alone.getIterationNumber() > 1.5 * solver.getIterationNumber()


def test_motions_of_bodies_leave_walls_in_place(pressed: Simulation) -> None:
    matrix, load = system(pressed)
    _, solver = solve(pressed, matrix, load, "iterative")
    motions = solver.getPC().getPythonContext().motions
    bodies = len(pressed.particles.body_phase)
    assert motions.getSize() == (matrix.getSize()[0], 6 * bodies)
    together = motions.createVecRight()
    together.getArray()[0::6] = 1.0  # all bodies to the right
    moved = motions.createVecLeft()
    motions.mult(together, moved)
    values = moved.getArray().reshape(-1, 2)
    fixed = np.zeros(values.size, dtype=bool)
    fixed[pressed.problem.fixed_dofs] = True
    np.testing.assert_array_equal(values[:, 0], np.where(fixed[0::2], 0.0, 1.0))
    np.testing.assert_array_equal(values[:, 1], 0.0)


def test_new_values_and_new_patterns_are_seen(pressed: Simulation) -> None:
    matrix, load = system(pressed)
    _, solver = solve(pressed, matrix, load, "iterative", ksp_rtol=1e-10)
    shifted = matrix.copy()
    shifted.shift(0.5)
    expected, _ = solve(pressed, shifted, load, "direct")
    solution = load.duplicate()
    solver.setOperators(shifted)  # another matrix, as after an allocation
    solver.solve(load, solution)
    assert np.linalg.norm(solution.getArray() - expected) < 1e-7 * np.linalg.norm(expected)
    shifted.shift(-0.4)  # other values in the same one
    expected, _ = solve(pressed, shifted, load, "direct")
    solver.solve(load, solution)
    assert np.linalg.norm(solution.getArray() - expected) < 1e-7 * np.linalg.norm(expected)


def test_negative_curvature_is_no_convergence(pressed: Simulation) -> None:
    matrix, load = system(pressed)
    indefinite = matrix.copy()
    indefinite.shift(-2.0)
    _, solver = solve(pressed, indefinite, load, "iterative")
    assert solver.getConvergedReason() < 0


def test_users_options_come_first(pressed: Simulation) -> None:
    matrix, load = system(pressed)
    _, solver = solve(pressed, matrix, load, "iterative", ksp_max_it=1, ksp_rtol=1e-9)
    assert solver.getIterationNumber() == 1
    assert solver.getConvergedReason() == PETSc.KSP.ConvergedReason.DIVERGED_MAX_IT


def test_closed_solver_is_freed() -> None:
    run = simulation()
    next(run.steps())
    solver = weakref.ref(run.solver)
    run.close()
    del run
    gc.collect()
    assert solver() is None


@pytest.mark.parametrize(
    ("kind", "options", "expected"),
    [
        ("direct", {}, "upper"),
        ("direct", {"mat_mumps_icntl_14": 80}, "upper"),
        ("direct", {"pc_type": "lu"}, "whole"),
        ("direct", {"pc_factor_mat_solver_type": "petsc"}, "whole"),
        ("direct", {"ksp_type": "cg"}, "whole"),
        ("iterative", {}, "whole"),
    ],
)
def test_solvers_get_the_entries_that_they_read(
    pressed: Simulation, kind: str, options: dict[str, str | float], expected: str
) -> None:
    solver = linear_solver(pressed.problem, kind, options)
    assert storage(solver) == expected
    load = pressed.problem.new_vector()
    pressed.problem.residual(load)
    reference, ours = load.duplicate(), load.duplicate()
    whole = linear_solver(pressed.problem, "direct", {"pc_type": "lu"})
    for used, found in ((whole, reference), (solver, ours)):
        matrix = pressed.problem.tangent(storage(used))
        matrix.shift(1e-3)
        used.setOperators(matrix)
        used.setTolerances(rtol=1e-12)
        used.solve(load, found)
        assert used.getConvergedReason() > 0
    ours.axpy(-1.0, reference)
    assert ours.norm() < 1e-8 * reference.norm()


@pytest.fixture
def untouched() -> Iterator[Simulation]:
    """A packing before its first step, solved for directly."""
    run = simulation("newton.linear_solver=direct")
    yield run
    run.close()


def forget_pattern(run: Simulation) -> None:
    """As when a contact lacks room."""
    run.problem._tangent._matrix = None


def ordering(solver: PETSc.KSP) -> int:
    return int(solver.getPC().getFactorMatrix().getMumpsIcntl(7))


@pytest.mark.parametrize(
    ("options", "orderings"),
    [({}, [6, 6, 7, 7, 6]), ({"mat_mumps_icntl_7": 5}, [5, 5, 5, 5, 5])],
    ids=["default", "the user's"],
)
def test_patterns_that_last_are_ordered_as_mumps_prefers(
    options: dict[str, int],
    orderings: list[int],
    untouched: Simulation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Once a pattern stands, its ordering does, too."""
    monkeypatch.setattr("creep_fem.solver.linear._SMALL", 0)
    solver = linear_solver(untouched.problem, "direct", options)
    used = []
    for new, tangents in ((True, 0), (False, 20), (True, 12), (False, 0), (True, 11)):
        if new:
            forget_pattern(untouched)
        matrix = untouched.problem.tangent(storage(solver))
        order_for(solver, tangents)
        solver.setOperators(matrix)
        solver.setUp()
        used.append(ordering(solver))
    assert used == orderings


def test_newtons_method_orders_by_the_pattern_before(
    untouched: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("creep_fem.solver.linear._SMALL", 0)
    monkeypatch.setattr("creep_fem.solver.linear._LASTING", 1)
    newton = NewtonSolver(untouched.problem, untouched.solver.settings, {})
    used = []
    for _ in range(2):
        forget_pattern(untouched)
        newton._renew_tangent()
        newton._inner.setUp()
        used.append(ordering(newton._inner))
    assert used == [6, 7]
    newton.close()


def test_a_pattern_is_expected_to_serve_as_long_as_the_last_one(untouched: Simulation) -> None:
    expected = []
    for new in (False, False, False, True, False, True):
        if new:
            forget_pattern(untouched)
        untouched.problem.tangent()
        expected.append(untouched.problem.expected_tangents)
    assert expected == [0, 0, 0, 3, 3, 2]


def test_small_systems_have_one_ordering(pressed: Simulation) -> None:
    solver = linear_solver(pressed.problem, "direct", {})
    assert order_for(solver, 1000) is None
    solver.setOperators(pressed.problem.tangent(storage(solver)))
    solver.setUp()
    assert ordering(solver) == 6


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("iterative", {}),
        ("direct", {"pc_type": "lu"}),
        ("direct", {"pc_factor_mat_solver_type": "petsc"}),
    ],
)
def test_other_solvers_order_as_they_like(
    kind: str, options: dict[str, str], pressed: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("creep_fem.solver.linear._SMALL", 0)
    solver = linear_solver(pressed.problem, kind, options)
    assert order_for(solver, 1000) is None
    assert not PETSc.Options().hasName(solver.getOptionsPrefix() + "mat_mumps_icntl_7")
