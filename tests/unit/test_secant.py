"""Secant updates of an old factor, on quadratic potentials."""

from __future__ import annotations

import creep_fem._backend  # noqa: F401

# isort: split
import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from petsc4py import PETSc

from creep_fem.solver.secant import SecantUpdates

SIZE = 14


def vector(values: NDArray[np.float64]) -> PETSc.Vec:
    return PETSc.Vec().createWithArray(values.copy(), comm=PETSc.COMM_SELF)


def solution(
    updates: SecantUpdates, old: NDArray[np.float64], right: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Apply the updated inverse of an old matrix."""

    def solve(b: PETSc.Vec, x: PETSc.Vec) -> None:
        x.setArray(np.linalg.solve(old, b.getArray()))

    x = vector(np.zeros(len(right)))
    updates.apply(solve, vector(right), x)
    return x.getArray().copy()


def matrices() -> tuple[NDArray[np.float64], NDArray[np.float64], np.random.Generator]:
    rng = np.random.default_rng(7)
    roots = rng.normal(size=(2, SIZE, SIZE))
    old, new = (r @ r.T + np.eye(SIZE) for r in roots)
    return old, new, rng


def updated(
    inverse: NDArray[np.float64], s: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The inverse BFGS update with a motion and the change of the gradient, as in textbooks."""
    rho = 1.0 / (s @ y)
    left = np.eye(SIZE) - rho * np.outer(s, y)
    return left @ inverse @ left.T + rho * np.outer(s, s)


def test_the_updated_inverse_is_the_textbooks() -> None:
    old, new, rng = matrices()
    updates, x = SecantUpdates(MPI.COMM_SELF, SIZE), rng.normal(size=SIZE)
    updates.visit(vector(x), vector(new @ x))
    inverse = np.linalg.inv(old)
    for _ in range(3):
        s = rng.normal(size=SIZE)
        x = x + s
        updates.visit(vector(x), vector(new @ x))
        y = new @ s
        inverse = updated(inverse, s, y)
        np.testing.assert_allclose(solution(updates, old, y), s, atol=1e-10)
    right = rng.normal(size=SIZE)
    np.testing.assert_allclose(solution(updates, old, right), inverse @ right, atol=1e-10)


def test_the_oldest_pairs_are_forgotten() -> None:
    """And only for a new one: a motion along negative curvature displaces none."""
    old, new, rng = matrices()
    updates, x = SecantUpdates(MPI.COMM_SELF, SIZE), np.zeros(SIZE)
    motions = rng.normal(size=(15, SIZE))
    updates.visit(vector(x), vector(new @ x))
    for s in motions:
        x = x + s
        updates.visit(vector(x), vector(new @ x))
    assert len(updates) == 10
    updates.visit(vector(x + motions[0]), vector(new @ x - motions[0]))
    assert len(updates) == 10
    inverse = np.linalg.inv(old)
    for s in motions[-10:]:
        inverse = updated(inverse, s, new @ s)
    right = rng.normal(size=SIZE)
    np.testing.assert_allclose(solution(updates, old, right), inverse @ right, atol=1e-10)
    updates.forget()
    np.testing.assert_allclose(solution(updates, old, x), np.linalg.solve(old, x))


def test_motions_along_negative_curvature_and_between_paths_teach_nothing() -> None:
    old, new, rng = matrices()
    updates, x, s = SecantUpdates(MPI.COMM_SELF, SIZE), *rng.normal(size=(2, SIZE))
    for place in (x, x + s):
        updates.visit(vector(place), vector(-new @ place))
    assert len(updates) == 0
    updates.forget()
    updates.visit(vector(x), vector(new @ x))
    assert len(updates) == 0
    updates.visit(vector(x + s), vector(new @ (x + s)))
    assert len(updates) == 1
    updates.forget_pairs()
    np.testing.assert_allclose(solution(updates, old, s), np.linalg.solve(old, s))
