"""The displacement element: its nodes, and the rules that its bubble is made for."""

from __future__ import annotations

import creep_fem._backend  # noqa: F401  isort: skip

import basix
import numpy as np
import pytest

from creep_fem.mechanics.element import SHEAR_DEGREE, VOLUMETRIC_DEGREE, displacement_element

TRIANGLE = basix.CellType.triangle
ELEMENT = displacement_element()
SCALAR = ELEMENT.sub_elements[0]
NODES = np.array(
    [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.5, 0.5], [0.0, 0.5], [0.5, 0.0], [1 / 3, 1 / 3]]
)


def test_every_function_belongs_to_one_node() -> None:
    assert ELEMENT.reference_value_shape == (2,)
    assert SCALAR.tabulate(0, NODES)[0].reshape(7, 7) == pytest.approx(np.eye(7), abs=1e-12)
    assert SCALAR.entity_dofs == [[[0], [1], [2]], [[3], [4], [5]], [[6]]]


def test_sides_are_those_of_quadratic_triangles() -> None:
    along = np.linspace(0.0, 1.0, 9)
    side = np.column_stack([1.0 - along, along])
    quadratic = basix.create_element(basix.ElementFamily.P, TRIANGLE, 2)
    values = SCALAR.tabulate(0, side)[0].reshape(9, 7)
    assert values[:, :6] == pytest.approx(quadratic.tabulate(0, side)[0, :, :, 0], abs=1e-12)
    assert values[:, 6] == pytest.approx(np.zeros(9), abs=1e-12)


@pytest.mark.parametrize("degree", [VOLUMETRIC_DEGREE, SHEAR_DEGREE])
def test_a_linear_stress_in_equilibrium_does_not_blow_up_the_bubble(degree: int) -> None:
    points, weights = basix.make_quadrature(TRIANGLE, degree)
    fine, fine_weights = basix.make_quadrature(TRIANGLE, 14)
    slopes = SCALAR.tabulate(1, points)[1:].reshape(2, -1, 7)[:, :, 6]
    load = fine_weights @ SCALAR.tabulate(0, fine)[0].reshape(-1, 7)[:, 6]
    linear = np.column_stack([np.ones(len(points)), points])
    work = np.einsum("p,pa,ip->ai", weights, linear, slopes)
    # a constant does no work, and x and y that of their slopes on the bubble
    expected = np.array([[0.0, 0.0], [-load, 0.0], [0.0, -load]])
    assert load > 0.1
    assert work == pytest.approx(expected, abs=1e-12)


def _gradients(degree: int) -> tuple[np.ndarray, np.ndarray]:
    """Slopes of all functions along x and y at the points of a rule, shape (points, 7) each."""
    points, _ = basix.make_quadrature(TRIANGLE, degree)
    dx, dy = SCALAR.tabulate(1, points)[1:].reshape(2, -1, 7)
    return dx, dy


def test_no_deformation_is_without_energy() -> None:
    dx, dy = _gradients(SHEAR_DEGREE)
    few_dx, few_dy = _gradients(VOLUMETRIC_DEGREE)
    # of a displacement (u1..u7, v1..v7)
    shear = np.concatenate([np.hstack([dx, -dy]), np.hstack([dy, dx])])
    volumetric = np.hstack([few_dx, few_dy])
    # what has no shear at the points: two shifts, a turn, a dilatation, and two quadratic
    # conformal maps: holomorphic polynomials up to degree two
    assert np.linalg.matrix_rank(shear, tol=1e-10) == 14 - 6
    # with the change of volume only the rigid motions are left
    assert np.linalg.matrix_rank(np.vstack([shear, volumetric]), tol=1e-10) == 14 - 3


def test_bubbles_control_the_slopes_of_the_pressure() -> None:
    points, weights = basix.make_quadrature(TRIANGLE, VOLUMETRIC_DEGREE)
    dx, dy = _gradients(VOLUMETRIC_DEGREE)
    fine, fine_weights = basix.make_quadrature(TRIANGLE, 14)
    area = fine_weights @ SCALAR.tabulate(0, fine)[0].reshape(-1, 7)[:, 6]
    work = np.array([[(weights * q) @ slope[:, 6] for slope in (dx, dy)] for q in points.T])
    assert area > 0.1
    assert work == pytest.approx(-area * np.eye(2), abs=1e-12)
