"""The linear solver of a Newton iteration: a direct or an iterative one, or what the user asks for.

Both are PETSc KSPs, so Newton's method does not tell them apart. A direction that was not found,
or that points along negative curvature, shows as a negative reason of convergence.
"""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Mapping
from itertools import count

import creep_fem._backend  # noqa: F401  isort: skip

from petsc4py import PETSc

from creep_fem.config.fields import LinearSolver
from creep_fem.errors import ConfigError, Problem
from creep_fem.solver.body_blocks import BLOCKS, COARSE, Bodies, BodyPreconditioner
from creep_fem.solver.problem import StepProblem
from creep_fem.solver.tangent import Storage

Options = Mapping[str, str | float | bool]

_DIRECT: Options = {
    "ksp_type": "preonly",
    "pc_type": "cholesky",
    "pc_factor_mat_solver_type": "mumps",
}
# MUMPS prefers nested dissection, which takes several times as long to find as minimum degree, on
# one process however many there are. Below _SMALL dofs factors are computed no faster with it; in
# larger systems that is worth it for a pattern that lasts.
_SMALL = 50_000
_LASTING = 12  # tangents
_ORDERING = "mat_mumps_icntl_7"
_QUASI_DENSE_MINIMUM_DEGREE, _OF_MUMPS = 6, 7
_BY_PATTERN = "orders by pattern"  # attribute of solvers
_MUMPS: Options = {
    _ORDERING: _QUASI_DENSE_MINIMUM_DEGREE,
    "mat_mumps_icntl_14": 60,  # per cent of additional workspace, for pivoting
    "mat_mumps_icntl_8": 0,  # no scaling: all dofs are displacements
}
_ITERATIVE: Options = {
    "ksp_type": "cg",
    "ksp_norm_type": "unpreconditioned",
    # Newton's method needs no more: its own residual decides when a step is solved.
    "ksp_rtol": 1e-2,
    "ksp_max_it": 200,
    f"{BLOCKS}pc_type": "asm",
    f"{BLOCKS}pc_asm_overlap": 0,
    f"{BLOCKS}sub_pc_type": "cholesky",
    f"{BLOCKS}sub_pc_factor_mat_ordering_type": "metisnd",
    f"{COARSE}ksp_type": "preonly",
}
# Up to this number of motions every process factorises all of their matrix: less work than the
# messages of a distributed factorisation.
_FEW = 20_000
_REPLICATED: Options = {
    f"{COARSE}pc_type": "redundant",
    f"{COARSE}redundant_pc_type": "cholesky",
    f"{COARSE}redundant_pc_factor_mat_ordering_type": "metisnd",
}
_DISTRIBUTED: Options = {
    f"{COARSE}pc_type": "cholesky",
    f"{COARSE}pc_factor_mat_solver_type": "mumps",
    f"{COARSE}mat_mumps_icntl_14": 60,
}
_numbers = count()
# Parameters of mallopt() in glibc's malloc.h: how many large blocks are borrowed from the system
# one by one, and how much memory has to be free before it is given back, -1 for never.
_M_MMAP_MAX, _M_TRIM_THRESHOLD = -4, -1


def linear_solver(problem: StepProblem, kind: LinearSolver, petsc_options: Options) -> PETSc.KSP:
    """Create the solver of a problem's linear systems (collective).

    PETSc keeps options in a database of the process, so every solver has a prefix of its own and
    takes its options out of the database when it goes. From the first solver on, the process keeps
    all memory that is freed in it, NumPy's too, for what is allocated next.

    Args:
        problem: Whose tangent will be solved with.
        kind: Which solver to prepare.
        petsc_options: PETSc options without prefix, which come first; True stands for an option
            without a value.

    Returns:
        A KSP without operators.

    Raises:
        ConfigError: If PETSc does not accept the options.
    """
    _keep_freed_memory()
    prefix = f"creep_fem_{next(_numbers)}_"
    solver = PETSc.KSP().create(problem.comm)
    solver.setOptionsPrefix(prefix)
    if kind == "iterative":
        bodies = Bodies(problem)
        solver.getPC().setType("python")
        solver.getPC().setPythonContext(BodyPreconditioner(bodies, prefix))
        defaults = {**_ITERATIVE, **(_REPLICATED if bodies.motions <= _FEW else _DISTRIBUTED)}
    else:
        size = 2 * problem.space.dofmap.index_map.size_global
        defaults = _direct(petsc_options)
        by_pattern = size >= _SMALL and _ORDERING in defaults and _ORDERING not in petsc_options
        solver.setAttr(_BY_PATTERN, by_pattern)
    chosen = {**defaults, **petsc_options}
    options = PETSc.Options()
    for key, value in chosen.items():
        options[prefix + key] = None if value is True else value
    weakref.finalize(solver, _forget, [prefix + key for key in chosen])
    try:
        solver.setFromOptions()
    except PETSc.Error as error:
        written = ", ".join(f"{key}: {value}" for key, value in petsc_options.items())
        message = f"PETSc does not accept these options ({str(error).splitlines()[-1]})"
        raise ConfigError("config", [Problem("petsc_options", message, written)]) from error
    return solver


def order_for(solver: PETSc.KSP, tangents: int) -> int | None:
    """Choose how a solver orders the next new pattern, if that depends on how long it lasts.

    Args:
        solver: Of :func:`linear_solver`.
        tangents: How many tangents the pattern may serve.

    Returns:
        MUMPS's number of the ordering; None if all patterns have the same one.
    """
    if not solver.getAttr(_BY_PATTERN):
        return None
    ordering = _OF_MUMPS if tangents >= _LASTING else _QUASI_DENSE_MINIMUM_DEGREE
    # linear_solver has set a default, so the key goes with the solver's others
    PETSc.Options()[solver.getOptionsPrefix() + _ORDERING] = ordering
    return ordering


def storage(solver: PETSc.KSP) -> Storage:
    """Which entries of the matrix a solver reads: MUMPS's Cholesky takes the upper triangle."""
    pc = solver.getPC()
    direct = solver.getType() == "preonly" and pc.getType() == "cholesky"
    return "upper" if direct and pc.getFactorSolverType() == "mumps" else "whole"


def _direct(petsc_options: Options) -> dict[str, str | float | bool]:
    """Options of the direct solver; MUMPS's own only where it is used."""
    package = petsc_options.get("pc_factor_mat_solver_type", _DIRECT["pc_factor_mat_solver_type"])
    if package != "mumps" or "pc_type" in petsc_options:
        return {**_DIRECT}
    return {**_DIRECT, **_MUMPS}


def _keep_freed_memory() -> None:
    """Keep memory that is freed in the process, where the C library is told so by mallopt.

    MUMPS frees and allocates its factor in every factorisation. Taken from the system anew, each
    page of it is cleared at its first touch, which costs a fifth of the factorisation itself.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, -1)


def _forget(keys: list[str]) -> None:
    options = PETSc.Options()
    for key in keys:
        options.delValue(key)
