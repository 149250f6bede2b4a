"""Unruly bodies: shifts of their own, and directions that hold them back by the factor at hand."""

from __future__ import annotations

from dataclasses import dataclass

import creep_fem._backend  # noqa: F401

# isort: split
import numpy as np
import pytest
from numpy.typing import NDArray
from petsc4py import PETSc
from solver_cases import BOX, LAYOUT, packed, stepper, two_discs

from creep_fem.microstructure import Disc, Layout
from creep_fem.solver import newton, restraint
from creep_fem.solver.body_shifts import LEAP, BodyShifts
from creep_fem.solver.restraint import restrain
from creep_fem.solver.stepping import TimeStepper

SURFACE_STEP = 0.05


@dataclass(frozen=True)
class Restraint:
    """What was gained by directions in the quadratic model with the shifts that were found.

    Attributes:
        bodies: Number of bodies with a shift.
        before: Gain of the direction that was replaced in GPa um^2.
        after: Gain of the direction that replaces it.
        largest: Gain of the direction that the shifted matrix gives.
        indefinite: Whether the shifted matrix still has negative curvature.
    """

    bodies: int
    before: float
    after: float
    largest: float
    indefinite: bool


def pressed_out_of_line() -> TimeStepper:
    """A disc between two others, which hardly anything holds."""
    line = (Disc(2.0, 1.52, 0.5, "framework"), Disc(3.0, 1.5, 0.45, "framework"))
    return stepper(packed(Layout(BOX, (LAYOUT.discs[0], *line)), drag=0.04))


def dense(matrix: PETSc.Mat) -> NDArray[np.float64]:
    """All entries of a symmetric matrix of which the upper ones are held."""
    column, image = matrix.createVecs()
    columns = []
    for i in range(matrix.size[0]):
        column.zeroEntries()
        column.setValue(i, 1.0)
        column.assemble()
        matrix.mult(column, image)
        columns.append(image.getArray().copy())
    return np.array(columns)


def gain(
    matrix: NDArray[np.float64], gradient: NDArray[np.float64], direction: NDArray[np.float64]
) -> float:
    """By how much a direction lowers the quadratic model of the potential in GPa um^2."""
    return float((gradient - 0.5 * matrix @ direction) @ direction)


@pytest.fixture
def restraints(monkeypatch: pytest.MonkeyPatch) -> list[Restraint]:
    """What the solver holds back in a march out of line."""
    made: list[Restraint] = []

    def recorded(
        solver: PETSc.KSP, shifts: BodyShifts, gradient: PETSc.Vec, direction: PETSc.Vec
    ) -> bool:
        before, old = direction.getArray().copy(), shifts.values
        if not restrain(solver, shifts, gradient, direction):
            return False
        right, after = gradient.getArray(readonly=True), direction.getArray().copy()
        assert right @ after > 0.0
        assert (shifts.motions(after) <= shifts.leap).all()
        matrix = dense(solver.getOperators()[0])
        for dofs, added in zip(shifts.dofs, shifts.values - old, strict=True):
            matrix[dofs, dofs] += added
        gains = (gain(matrix, right, d) for d in (before, after, np.linalg.solve(matrix, right)))
        indefinite = bool(np.linalg.eigvalsh(matrix)[0] < 0.0)
        made.append(Restraint(np.count_nonzero(shifts.values - old), *gains, indefinite))
        return True

    monkeypatch.setattr(newton, "restrain", recorded)
    list(pressed_out_of_line().advance_to(30000.0))
    return made


def test_directions_gain_what_those_of_the_shifted_matrix_do(restraints: list[Restraint]) -> None:
    compared = [made for made in restraints if not made.indefinite]
    assert len(compared) > 1
    assert max(made.bodies for made in compared) > 1
    for made in compared:
        assert 0.98 * made.largest < made.after <= made.largest * (1.0 + 1e-9)
        assert made.before < 0.9 * made.largest


def test_negative_curvature_is_followed_downhill(restraints: list[Restraint]) -> None:
    """Where the shifted matrix still has some, its direction is no minimum of the model."""
    followed = [made for made in restraints if made.indefinite]
    assert followed
    for made in followed:
        assert made.after > max(made.before, 0.0)


def factorisations(march: TimeStepper, patched: pytest.MonkeyPatch) -> tuple[int, int]:
    """Tangents of a march out of line, and how often one was factorised with a larger shift."""
    raised = 0
    raise_shifts = march.solver._raise_shifts

    def counted(*vectors: PETSc.Vec, of_all: bool = False) -> bool:
        nonlocal raised
        raised += 1
        return raise_shifts(*vectors, of_all=of_all)

    patched.setattr(march.solver, "_raise_shifts", counted)
    tangents = sum(step.iterations for step in march.advance_to(30000.0))
    assert not march.solver._shifts.values.any()
    return tangents, raised


def test_holding_back_saves_factorisations(monkeypatch: pytest.MonkeyPatch) -> None:
    tangents, raised = factorisations(pressed_out_of_line(), monkeypatch)
    monkeypatch.setattr(newton, "restrain", lambda *_: False)
    tangents_before, raised_before = factorisations(pressed_out_of_line(), monkeypatch)
    assert raised < 0.3 * raised_before
    assert tangents + raised < tangents_before + raised_before


def test_too_many_bodies_are_left_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = []

    def with_no_room(
        solver: PETSc.KSP, shifts: BodyShifts, gradient: PETSc.Vec, direction: PETSc.Vec
    ) -> bool:
        before, values = direction.getArray().copy(), shifts.values
        restrained = restrain(solver, shifts, gradient, direction)
        refused.append(not restrained)
        assert (direction.getArray() == before).all()
        assert shifts.values is values
        return restrained

    monkeypatch.setattr(restraint, "_MOST", 0)
    monkeypatch.setattr(newton, "restrain", with_no_room)
    list(pressed_out_of_line().advance_to(30000.0))
    assert refused
    assert all(refused)


def test_a_direction_that_was_not_found_blames_no_single_body() -> None:
    march = pressed_out_of_line()
    next(march.advance_to(30000.0))
    solver = march.solver
    nowhere, downhill = solver.problem.new_vector(), solver.problem.new_vector()
    nowhere.set(np.inf)
    downhill.set(1.0)
    solver._shifts.clear()
    assert not solver._restrain(downhill, nowhere)
    assert solver._raise_shifts(downhill, nowhere)
    np.testing.assert_allclose(solver._shifts.values, 1e-4)


def test_more_of_a_shift_comes_on_top_of_what_the_matrix_holds() -> None:
    """Shifts found without a factorisation are not in the matrix yet."""
    problem = two_discs()
    problem.begin(100.0)
    problem.move_to(problem.new_vector())
    shifts = BodyShifts(problem, SURFACE_STEP)
    bare = problem.tangent("upper").getDiagonal().getArray().copy()
    matrix = problem.tangent("upper")
    shifts.add(np.array([1]), np.array([3e-5]))
    shifts.add_to(matrix)
    shifts.add(np.array([1]), np.array([4e-5]))
    assert shifts.raise_in(matrix, np.array([True, True]))
    np.testing.assert_allclose(shifts.values, [1e-4, 7e-4])
    added = matrix.getDiagonal().getArray() - bare
    for dofs, expected in zip(shifts.dofs, shifts.values, strict=True):
        np.testing.assert_allclose(added[dofs], expected, rtol=1e-6)
    assert sum(map(len, shifts.dofs)) == len(bare)


def test_shifts_are_lowered_with_the_motion_of_their_own_body() -> None:
    problem = two_discs()
    shifts = BodyShifts(problem, SURFACE_STEP)
    matrix = problem.tangent("upper")
    shifts.add(np.array([0, 1]), np.array([1e-3, 1e-3]))
    motion = np.zeros(matrix.size[0])
    motion[shifts.dofs[0]] = 0.5 * LEAP * SURFACE_STEP / np.sqrt(2.0)
    shifts.lower(motion)
    np.testing.assert_allclose(shifts.values, 1e-3)  # just raised: they serve another iteration
    shifts.add_to(matrix)
    shifts.lower(motion)
    np.testing.assert_allclose(shifts.values, [5e-4, 1e-5])
    for _ in range(2):
        shifts.lower(0.0 * motion)
    assert not shifts.values.any()
