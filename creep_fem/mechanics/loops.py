"""The material law at points: formulas for UFL expressions and numbers alike, and compiled loops.

The formulas at the top serve the UFL expressions of ``constitutive.py`` as well. What is needed at
every point in every iteration goes through the loops: UFL would derive the same numbers with
several times as many operations.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ufl.core.expr import Expr

from creep_fem.compiled import compiled, inlined

# asinh^2(sqrt(y)) = sum_k c_k y^k with c_k = (-1)^(k-1) 4^k / (2 k^2 binomial(2k, k))
_SERIES = (
    1.0,
    -1.0 / 3.0,
    8.0 / 45.0,
    -4.0 / 35.0,
    128.0 / 1575.0,
    -128.0 / 2079.0,
    1024.0 / 21021.0,
    -256.0 / 6435.0,
)
SERIES_LIMIT = 1e-2
"""Largest y for the series of :func:`half_log_ratio_series`: the next term is 0.033 y^9."""
_TINY_STRAIN = 1e-15  # keeps the root of the deviator's norm differentiable at zero strain


class Points(NamedTuple):
    """Points of cells, and what the material law needs to know there.

    Attributes:
        displacement: Of all nodes in um, shape (nodes, 2).
        cells: Nodes of every cell, shape (cells, k).
        slopes: Gradients of the shape functions on the reference cell, shape (points, k, 2).
        inverse: Inverses of the cells' Jacobians, shape (cells, points, 2, 2).
        dofs: Places of the points in arrays of values at points, shape (cells, points).
        creep_inverse: Components (11, 22, 12) of Ccr^-1, shape (all points, 3).
        in_plane: Stretch a of the swelling in the plane, shape (cells,).
        out_of_plane: Stretch b of the swelling out of the plane, shape (cells,).
        bulk: Bulk modulus in GPa, shape (cells,).
        shear: Shear modulus in GPa, shape (cells,).
    """

    displacement: NDArray[np.float64]
    cells: NDArray[np.int32]
    slopes: NDArray[np.float64]
    inverse: NDArray[np.float64]
    dofs: NDArray[np.int32]
    creep_inverse: NDArray[np.float64]
    in_plane: NDArray[np.float64]
    out_of_plane: NDArray[np.float64]
    bulk: NDArray[np.float64]
    shear: NDArray[np.float64]


def elastic_trial[Value: (Expr, float)](
    gradient: tuple[Value, Value, Value, Value],
    creep_inverse: tuple[Value, Value, Value],
    shrinkage: Value,
) -> tuple[Value, Value, Value]:
    """Components (11, 22, 12) of the trial be = F Ccr^-1 F^T / a^2 in the plane.

    Args:
        gradient: In-plane deformation gradient F, row by row.
        creep_inverse: Components (11, 22, 12) of Ccr^-1.
        shrinkage: 1/a^2, a the stretch of the swelling in the plane.
    """
    f, g, h, i = gradient
    c, d, e = creep_inverse
    return (
        (f * f * c + 2.0 * f * g * e + g * g * d) * shrinkage,
        (h * h * c + 2.0 * h * i * e + i * i * d) * shrinkage,
        (f * h * c + (f * i + g * h) * e + g * i * d) * shrinkage,
    )


def elastic_determinant[Value: (Expr, float)](
    volume_ratio: Value, det_creep: Value, shrinkage: Value
) -> Value:
    """Determinant of the in-plane trial be from det F, that of the in-plane Ccr^-1 and 1/a^2."""
    return (volume_ratio * shrinkage) ** 2 * det_creep


def squared_sinh[Value: (Expr, float)](be: tuple[Value, Value, Value], det_be: Value) -> Value:
    """y = sinh^2 A, A half of the difference of the logarithms of be's eigenvalues."""
    half_difference = 0.5 * (be[0] - be[1])
    return (half_difference**2 + be[2] ** 2) / det_be


def mean_argument[Value: (Expr, float)](
    det_be: Value, det_creep: Value, out_of_plane: Value
) -> Value:
    """What 1/12 of the logarithm of is the in-plane mean of the strain's deviator.

    That mean is J2/6 - e_out/3 with e_out = -1/2 ln det Ccr^-1 - ln b.
    """
    return det_be * det_creep**2 * out_of_plane**4


def half_log_ratio_series[Value: (Expr, float)](y: Value) -> Value:
    """A^2 = asinh^2(sqrt(y)) by its series, for small y."""
    value = _SERIES[-1] * y
    for k in range(len(_SERIES) - 2, 0, -1):
        value = (_SERIES[k] + value) * y
    return (_SERIES[0] + value) * y


def squared_strain[Value: (Expr, float)](half_log_ratio2: Value, mean: Value) -> Value:
    """3/2 dev e : dev e from A^2 and the in-plane mean of dev e."""
    return 1.5 * (0.5 * half_log_ratio2 + 6.0 * mean**2) + _TINY_STRAIN**2


def volumetric_energy[Value: (Expr, float)](bulk: Value, strain: Value) -> Value:
    """Elastic energy density of the change of volume in GPa, per swollen volume.

    Args:
        bulk: Bulk modulus in GPa.
        strain: Trace of the elastic Hencky strain.
    """
    return 0.5 * bulk * strain**2


def shear_energy[Value: (Expr, float)](
    shear: Value, trial_mises: Value, creep_increment: Value
) -> Value:
    """Elastic energy density of shear in GPa, per swollen volume, at a given increment.

    Args:
        shear: Shear modulus in GPa.
        trial_mises: Trial von Mises stress in GPa.
        creep_increment: Equivalent creep strain increment dg.
    """
    return (trial_mises - 3.0 * shear * creep_increment) ** 2 / (6.0 * shear)


_elastic_trial, _elastic_determinant = inlined(elastic_trial), inlined(elastic_determinant)
_squared_sinh, _mean_argument = inlined(squared_sinh), inlined(mean_argument)
_half_log_ratio_series, _squared_strain = inlined(half_log_ratio_series), inlined(squared_strain)
_shear_energy, _volumetric_energy = inlined(shear_energy), inlined(volumetric_energy)


@inlined
def _gather(
    displacement: NDArray[np.float64], nodes: NDArray[np.int32], moved: NDArray[np.float64]
) -> None:
    """Copy the displacements of a cell's nodes, shape (k, 2)."""
    for k in range(len(nodes)):
        moved[k, 0] = displacement[nodes[k], 0]
        moved[k, 1] = displacement[nodes[k], 1]


@inlined
def _deformation(
    moved: NDArray[np.float64],
    slopes: NDArray[np.float64],
    inverse: NDArray[np.float64],
    cell: int,
    p: int,
) -> tuple[float, float, float, float]:
    """Deformation gradient, row by row, at a point of a cell with such displacements."""
    xx = xy = yx = yy = 0.0
    for k in range(len(moved)):
        xx += moved[k, 0] * slopes[p, k, 0]
        xy += moved[k, 0] * slopes[p, k, 1]
        yx += moved[k, 1] * slopes[p, k, 0]
        yy += moved[k, 1] * slopes[p, k, 1]
    a, b = inverse[cell, p, 0, 0], inverse[cell, p, 0, 1]
    c, d = inverse[cell, p, 1, 0], inverse[cell, p, 1, 1]
    return 1.0 + xx * a + xy * c, xx * b + xy * d, yx * a + yy * c, 1.0 + yx * b + yy * d


@inlined
def _squared_half_log_ratio(y: float) -> float:
    """A^2 = asinh^2(sqrt(y))."""
    if y < SERIES_LIMIT:
        return _half_log_ratio_series(y)
    return float(np.log(np.sqrt(y) + np.sqrt(1.0 + y)) ** 2)


@inlined
def _log_ratio_slopes(y: float) -> tuple[float, float]:
    """First and second derivative of A^2 by y."""
    if y < SERIES_LIMIT:
        first = second = 0.0
        for k in range(len(_SERIES), 1, -1):
            first = first * y + k * _SERIES[k - 1]
            second = second * y + k * (k - 1) * _SERIES[k - 1]
        return first * y + _SERIES[0], second
    product = y * (1.0 + y)
    first = np.log(np.sqrt(y) + np.sqrt(1.0 + y)) / np.sqrt(product)
    return first, (1.0 - first * (1.0 + 2.0 * y)) / (2.0 * product)


@inlined
def _trial_strain(
    gradient: tuple[float, float, float, float],
    ratio: float,
    creep: tuple[float, float, float],
    shrinkage: float,
    out_of_plane: float,
) -> tuple[float, float, float]:
    """y = sinh^2 A, the in-plane mean of dev e, and E = 3/2 dev e : dev e."""
    det_creep = creep[0] * creep[1] - creep[2] ** 2
    det_be = _elastic_determinant(ratio, det_creep, shrinkage)
    y = _squared_sinh(_elastic_trial(gradient, creep, shrinkage), det_be)
    mean = np.log(_mean_argument(det_be, det_creep, out_of_plane)) / 12.0
    return y, mean, _squared_strain(_squared_half_log_ratio(y), mean)


@compiled
def volume_ratios(
    displacement: NDArray[np.float64],
    cells: NDArray[np.int32],
    slopes: NDArray[np.float64],
    inverse: NDArray[np.float64],
) -> NDArray[np.float64]:
    """det F, shape (cells, points); see :class:`Points` for the arguments."""
    ratios, moved = np.empty(inverse.shape[:2]), np.empty((cells.shape[1], 2))
    for cell in range(len(cells)):
        _gather(displacement, cells[cell], moved)
        for p in range(len(slopes)):
            f, g, h, i = _deformation(moved, slopes, inverse, cell, p)
            ratios[cell, p] = f * i - g * h
    return ratios


@compiled
def trial_stresses(points: Points) -> tuple[NDArray[np.float64], bool]:
    """Trial von Mises stresses in GPa, shape (cells, points), and whether det F > 0 everywhere."""
    cells, slopes, inverse = points.cells, points.slopes, points.inverse
    creep, admissible = points.creep_inverse, True
    stresses, moved = np.empty(inverse.shape[:2]), np.empty((cells.shape[1], 2))
    for cell in range(len(cells)):
        _gather(points.displacement, cells[cell], moved)
        shrinkage, b = 1.0 / points.in_plane[cell] ** 2, points.out_of_plane[cell]
        for p in range(len(slopes)):
            gradient, dof = _deformation(moved, slopes, inverse, cell, p), points.dofs[cell, p]
            ratio = gradient[0] * gradient[3] - gradient[1] * gradient[2]
            admissible = admissible and ratio > 0.0
            here = creep[dof, 0], creep[dof, 1], creep[dof, 2]
            _, _, strain2 = _trial_strain(gradient, ratio, here, shrinkage, b)
            stresses[cell, p] = 2.0 * points.shear[cell] * np.sqrt(strain2)
    return stresses, admissible


@compiled
def shear_response(
    points: Points,
    increment: NDArray[np.float64],
    softening: NDArray[np.float64],
    stresses: NDArray[np.float64],
    moduli: NDArray[np.float64],
) -> None:
    """First and second derivatives of the shear energy by F, per reference volume in GPa.

    The increment dg makes the energy stationary. With E = 3/2 dev e : dev e, G the shear modulus
    and q = 2 G sqrt(E) - 3 G dg its derivatives by E are alpha = q / (3 sqrt(E)) and
    beta = (G/3 - G^2 d dg/d q_trial - q / (6 sqrt(E))) / E, times det Fl.

    Args:
        points: The points.
        increment: Equivalent creep strain increment dg, shape (all points,).
        softening: d dg/d q_trial in 1/GPa, shape (all points,).
        stresses: Where the first derivatives go, by (11, 12, 21, 22), shape (all points, 4).
        moduli: Where the second ones go, the upper triangle row by row, shape (all points, 10);
            shape (0, 10) if they are not wanted.
    """
    cells, slopes, creep = points.cells, points.slopes, points.creep_inverse
    moved, rows = np.empty((cells.shape[1], 2)), np.empty((4, 4))
    for cell in range(len(cells)):
        _gather(points.displacement, cells[cell], moved)
        shrinkage, modulus = 1.0 / points.in_plane[cell] ** 2, points.shear[cell]
        out_of_plane = points.out_of_plane[cell]
        growth = out_of_plane / shrinkage
        for p in range(len(slopes)):
            gradient, dof = (
                _deformation(moved, slopes, points.inverse, cell, p),
                points.dofs[cell, p],
            )
            ratio = gradient[0] * gradient[3] - gradient[1] * gradient[2]
            c, d, e = creep[dof, 0], creep[dof, 1], creep[dof, 2]
            y, mean, strain2 = _trial_strain(gradient, ratio, (c, d, e), shrinkage, out_of_plane)
            scale = 1.0 / (ratio * np.sqrt(c * d - e**2))
            c, d, e = scale * c, scale * d, scale * e
            s, t = _shear_variations(gradient, ratio, (c, d, e), rows)
            stress = modulus * (2.0 * np.sqrt(strain2) - 3.0 * increment[dof])
            alpha = growth * stress / (3.0 * np.sqrt(strain2))
            first, second = _log_ratio_slopes(y)
            first *= 1.5
            for k in range(4):
                stresses[dof, k] = alpha * (first * rows[2, k] + 3.0 * mean * rows[3, k])
            if len(moduli) > 0:
                beta = growth * (modulus / 3.0 - modulus**2 * softening[dof]) - 0.5 * alpha
                beta /= strain2
                factors = (
                    alpha * first,
                    3.0 * alpha * second + beta * first**2,
                    3.0 * beta * first * mean - alpha * first,
                    alpha * (0.5 - 3.0 * mean) + 9.0 * beta * mean**2,
                )
                constant = alpha * (3.0 * mean - first * y) / ratio
                blocks = alpha * first * s, alpha * first * t
                _second_derivatives(rows, factors, (c, d, e), blocks, constant, moduli[dof])


@inlined
def _shear_variations(
    gradient: tuple[float, float, float, float],
    ratio: float,
    creep: tuple[float, float, float],
    rows: NDArray[np.float64],
) -> tuple[float, float]:
    """Scaled half difference s of be's diagonal and its off-diagonal t: y = s^2 + t^2.

    Args:
        gradient: Deformation gradient F, row by row.
        ratio: det F.
        creep: Components (11, 22, 12) of Ccr^-1, scaled such that F Ccr^-1 F^T has determinant 1.
        rows: Where derivatives by F go: those of s, of t, half of that of y, and that of ln det F.
    """
    f, g, h, i = gradient
    c, d, e = creep
    a, b, m, n = f * c + g * e, f * e + g * d, h * c + i * e, h * e + i * d
    s, t = 0.5 * (f * a + g * b - h * m - i * n), f * m + g * n
    rows[0, 0], rows[0, 1], rows[0, 2], rows[0, 3] = a, b, -m, -n
    rows[1, 0], rows[1, 1], rows[1, 2], rows[1, 3] = m, n, a, b
    rows[3, 0], rows[3, 1], rows[3, 2], rows[3, 3] = i / ratio, -h / ratio, -g / ratio, f / ratio
    for k in range(4):
        rows[0, k] -= s * rows[3, k]
        rows[1, k] -= t * rows[3, k]
        rows[2, k] = s * rows[0, k] + t * rows[1, k]
    return s, t


@inlined
def _second_derivatives(
    rows: NDArray[np.float64],
    factors: tuple[float, float, float, float],
    creep: tuple[float, float, float],
    blocks: tuple[float, float],
    constant: float,
    moduli: NDArray[np.float64],
) -> None:
    """Sum products of the rows of :func:`_shear_variations`, and what does not come from them.

    Args:
        rows: First derivatives r of s, t, y/2 and ln det F.
        factors: Of r_s x r_s + r_t x r_t, r_y x r_y, r_y x r_ln + r_ln x r_y, r_ln x r_ln.
        creep: Components (11, 22, 12) of the scaled Ccr^-1, the second derivative of be.
        blocks: Its factors from s and t.
        constant: Factor of the second derivative of det F.
        moduli: Where the upper triangle goes, row by row, shape (10,).
    """
    c, d, e = creep
    entry = 0
    for k in range(4):
        for j in range(k, 4):
            value = factors[0] * (rows[0, k] * rows[0, j] + rows[1, k] * rows[1, j])
            value += factors[1] * rows[2, k] * rows[2, j]
            value += factors[2] * (rows[2, k] * rows[3, j] + rows[3, k] * rows[2, j])
            moduli[entry] = value + factors[3] * rows[3, k] * rows[3, j]
            entry += 1
    moduli[0] += blocks[0] * c
    moduli[1] += blocks[0] * e
    moduli[4] += blocks[0] * d
    moduli[7] -= blocks[0] * c
    moduli[8] -= blocks[0] * e
    moduli[9] -= blocks[0] * d
    moduli[2] += blocks[1] * c
    moduli[3] += blocks[1] * e + constant
    moduli[5] += blocks[1] * e - constant
    moduli[6] += blocks[1] * d


@compiled
def total_energy(
    points: Points,
    trial: NDArray[np.float64],
    increment: NDArray[np.float64],
    dissipation: NDArray[np.float64],
    volume_ratio: NDArray[np.float64],
    weights: NDArray[np.float64],
    few_weights: NDArray[np.float64],
) -> float:
    """Energy stored and dissipated per unit thickness in GPa um^2.

    Args:
        points: Points of the rule of the shear energy.
        trial: Trial von Mises stress in GPa, shape (cells, points) or longer.
        increment: Equivalent creep strain increment, shape (all points,).
        dissipation: Incremental dissipation potential in GPa, shape (all points,).
        volume_ratio: det F at the points of the rule of the volumetric energy, shape (cells, few).
        weights: Weights of the rule of the shear energy in um^2, shape (cells, points) or longer.
        few_weights: Those of the rule of the volumetric energy, shape (cells, few) or longer.
    """
    total = 0.0
    for cell in range(len(points.cells)):
        growth_ratio = points.in_plane[cell] ** 2 * points.out_of_plane[cell]
        energy, shear, bulk = 0.0, points.shear[cell], points.bulk[cell]
        for p in range(weights.shape[1]):
            dof = points.dofs[cell, p]
            sheared = _shear_energy(shear, trial[cell, p], increment[dof])
            energy += weights[cell, p] * (sheared + dissipation[dof])
        for p in range(few_weights.shape[1]):
            strain = np.log(volume_ratio[cell, p] / growth_ratio)
            energy += few_weights[cell, p] * _volumetric_energy(bulk, strain)
        total += growth_ratio * energy
    return total
