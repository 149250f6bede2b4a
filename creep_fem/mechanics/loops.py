"""The material law at points: formulas for UFL expressions and numbers alike, and compiled loops.

The formulas at the top serve the UFL expressions of ``constitutive.py`` as well. What is needed at
every point in every iteration goes through the loops: UFL would derive the same numbers with
several times as many operations. They stand in one file with all that they use, as Numba takes a
loop for current as long as its file stands.
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
_MAX_ITERATIONS = 60  # of the return map
_TOLERANCE = 1e-5  # of its last change: Halley's method leaves at most n^2/4 times its cube
_SMALLEST_RATIO = 1e-30  # of trial to reference stress


class CellRule(NamedTuple):
    """A quadrature rule on the local cells (owned, then ghosts).

    Attributes:
        points: Points on the reference cell, shape (n, 2).
        slopes: Gradients of the displacement's shape functions there, shape (n, nodes, 2).
        inverse: Inverses of the cells' Jacobians, shape (cells, n, 2, 2).
        weights: Reference areas of the points in um^2, shape (cells, n).
    """

    points: NDArray[np.float64]
    slopes: NDArray[np.float64]
    inverse: NDArray[np.float64]
    weights: NDArray[np.float64]


class Points(NamedTuple):
    """Points of the shear energy on the local cells: what the loops read and write there.

    Attributes:
        displacement: Of all nodes in um, shape (nodes, 2).
        cells: Nodes of every cell, shape (cells, k).
        rows: Place of every cell in the arrays of what forms read, shape (cells,).
        moved: Displacements of the cells' nodes in um, by row, shape (cells, k, 2).
        dofs: Places of the points in arrays of values at points, shape (cells, n).
        creep_inverse: Components (11, 22, 12) of Ccr^-1 before the step, shape (points, 3).
        in_plane: Stretch a of the swelling in the plane, shape (cells,).
        out_of_plane: Stretch b of the swelling out of the plane, shape (cells,).
        bulk: Bulk modulus in GPa, shape (cells,).
        shear: Shear modulus in GPa, shape (cells,).
        rate: Creep rate in 1/s at the reference stress, 0 for an elastic cell, shape (cells,).
        reference_stress: In GPa, shape (cells,).
        exponent: Norton exponent, shape (cells,).
        increment: Equivalent creep strain increment dg of the step, shape (points,).
        softening: d dg/d q_trial in 1/GPa, shape (points,).
        last: Last solution of the return map, shape (points, 2).
        stress: First derivatives of the shear energy by F, components (11, 12, 21, 22), per
            reference volume in GPa, by row, shape (cells, n, 4).
        gradient: Deformation gradient F, row by row, shape (points, 4).
        strain: In-plane mean of dev e, E = 3/2 dev e : dev e, and the first and second derivative
            of E by half of sinh^2 A, shape (points, 4).
    """

    displacement: NDArray[np.float64]
    cells: NDArray[np.int32]
    rows: NDArray[np.int32]
    moved: NDArray[np.float64]
    dofs: NDArray[np.int32]
    creep_inverse: NDArray[np.float64]
    in_plane: NDArray[np.float64]
    out_of_plane: NDArray[np.float64]
    bulk: NDArray[np.float64]
    shear: NDArray[np.float64]
    rate: NDArray[np.float64]
    reference_stress: NDArray[np.float64]
    exponent: NDArray[np.float64]
    increment: NDArray[np.float64]
    softening: NDArray[np.float64]
    last: NDArray[np.float64]
    stress: NDArray[np.float64]
    gradient: NDArray[np.float64]
    strain: NDArray[np.float64]


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
    displacement: NDArray[np.float64],
    nodes: NDArray[np.int32],
    moved: NDArray[np.float64],
    packed: NDArray[np.float64],
) -> None:
    """Copy the displacements of a cell's nodes to work with and for the form, both (k, 2)."""
    for k in range(len(nodes)):
        moved[k, 0] = packed[k, 0] = displacement[nodes[k], 0]
        moved[k, 1] = packed[k, 1] = displacement[nodes[k], 1]


@inlined
def _deformation(
    moved: NDArray[np.float64],
    rule: CellRule,
    cell: int,
    p: int,
) -> tuple[float, float, float, float]:
    """Deformation gradient, row by row, at a point of a cell with such displacements."""
    xx = xy = yx = yy = 0.0
    for k in range(len(moved)):
        xx += moved[k, 0] * rule.slopes[p, k, 0]
        xy += moved[k, 0] * rule.slopes[p, k, 1]
        yx += moved[k, 1] * rule.slopes[p, k, 0]
        yy += moved[k, 1] * rule.slopes[p, k, 1]
    a, b = rule.inverse[cell, p, 0, 0], rule.inverse[cell, p, 0, 1]
    c, d = rule.inverse[cell, p, 1, 0], rule.inverse[cell, p, 1, 1]
    return 1.0 + xx * a + xy * c, xx * b + xy * d, yx * a + yy * c, 1.0 + yx * b + yy * d


@inlined
def _squared_half_log_ratio(y: float) -> tuple[float, float, float]:
    """A^2 = asinh^2(sqrt(y)) and its first and second derivative by y."""
    if y < SERIES_LIMIT:
        first = second = 0.0
        for k in range(len(_SERIES), 1, -1):
            first = first * y + k * _SERIES[k - 1]
            second = second * y + k * (k - 1) * _SERIES[k - 1]
        return _half_log_ratio_series(y), first * y + _SERIES[0], second
    product, half_log_ratio = y * (1.0 + y), np.log(np.sqrt(y) + np.sqrt(1.0 + y))
    first = half_log_ratio / np.sqrt(product)
    return half_log_ratio**2, first, (1.0 - first * (1.0 + 2.0 * y)) / (2.0 * product)


@inlined
def _trial_strain(
    gradient: tuple[float, float, float, float],
    ratio: float,
    creep: tuple[float, float, float],
    shrinkage: float,
    out_of_plane: float,
) -> tuple[float, float, float, float]:
    """In-plane mean of dev e, E = 3/2 dev e : dev e, its derivatives by y/2, y = sinh^2 A."""
    det_creep = creep[0] * creep[1] - creep[2] ** 2
    det_be = _elastic_determinant(ratio, det_creep, shrinkage)
    y = _squared_sinh(_elastic_trial(gradient, creep, shrinkage), det_be)
    mean = np.log(_mean_argument(det_be, det_creep, out_of_plane)) / 12.0
    squared, first, second = _squared_half_log_ratio(y)
    return mean, _squared_strain(squared, mean), 1.5 * first, 3.0 * second


@inlined
def return_map(
    trial: float,
    dt: float,
    law: tuple[float, float, float, float],
    last: tuple[float, float],
) -> tuple[float, float, float, tuple[float, float]]:
    """Creep of a step at a point: q + 3 G dt A (q/s)^n = q_trial for the von Mises stress q.

    With x = ln(q/s) the equation e^x + c e^(n x) = q_trial/s is convex and increasing. Halley's
    method, whose second derivative costs no further exponential, starts from the smaller of its
    two asymptotes. From the root x* to there f = e^x + c e^(n x) - q_trial/s is at most the smaller
    one of its exponentials, so that f f'' <= f'^2 and the denominator stays positive; left of the
    root f < 0 makes it larger still.

    Where the last solution nearly fits, n |f| <= q_trial/(2 s), it starts from there: as
    f'' <= n f' and f' >= e^x + c e^(n x), the denominator f' - f f''/(2 f') is at least
    q_trial/(4 s). The stress of a point changes little between most evaluations.

    Args:
        trial: Elastic trial von Mises stress in GPa, at least 0.
        dt: Length of the step in s.
        law: Shear modulus G in GPa, rate A > 0 in 1/s, reference stress s in GPa, exponent n >= 1.
        last: e^x and e^(n x) of the last solution; zeros, which fit nowhere, if there is none.

    Returns:
        The equivalent creep strain increment dg, d dg / d q_trial in 1/GPa, the incremental
        dissipation potential n/(n+1) q dg in GPa, and e^x and e^(n x).
    """
    shear, rate, reference_stress, n = law
    ratio = max(trial / reference_stress, _SMALLEST_RATIO)
    factor = 3.0 * shear * rate * dt / reference_stress
    elastic, power = last
    if not 2.0 * n * abs(elastic + factor * power - ratio) <= ratio:
        x = np.log(ratio)
        if np.log(factor) + (n - 1.0) * x > 0.0:
            x = (x - np.log(factor)) / n
        elastic, power = np.exp(x), np.exp(n * x)
    for _ in range(_MAX_ITERATIONS):
        creep = factor * power
        residual, slope = elastic + creep - ratio, elastic + n * creep
        change = residual / (slope - 0.5 * residual * (elastic + n**2 * creep) / slope)
        elastic *= _exp(-change)
        power *= _exp(-n * change)
        if abs(change) < _TOLERANCE:
            break
    increment, creep = rate * dt * power, n * factor * power
    softening = creep / ((elastic + creep) * 3.0 * shear)
    dissipation = n / (n + 1.0) * reference_stress * elastic * increment
    return increment, softening, dissipation, (elastic, power)


@inlined
def _exp(x: float) -> float:
    """e^x; the last changes are so small that five terms of its series are exact."""
    if abs(x) < 2e-3:
        return 1.0 + x * (1.0 + x / 2.0 * (1.0 + x / 3.0 * (1.0 + x / 4.0)))
    return float(np.exp(x))


@compiled
def respond(points: Points, rule: CellRule, few: CellRule, dt: float, owned: int) -> float:
    """Bring creep and stresses to the present displacement, for a step of dt s.

    Args:
        points: The points; moved, increment, softening, last, stress, gradient and strain are set.
        rule: Rule of the shear energy.
        few: Rule of the volumetric energy.
        dt: Length of the step in s.
        owned: Number of cells, the first ones, whose energy counts.

    Returns:
        Energy stored and dissipated per unit thickness in GPa um^2, infinite where a cell is turned
        inside out: then stresses are NaN and the rest is incomplete.
    """
    energy, moved = 0.0, np.empty((points.cells.shape[1], 2))
    for cell in range(len(points.cells)):
        growth_ratio = points.in_plane[cell] ** 2 * points.out_of_plane[cell]
        row = points.rows[cell]
        _gather(points.displacement, points.cells[cell], moved, points.moved[row])
        density = _change_volume(points, few, moved, cell, growth_ratio)
        density += _shear(points, rule, moved, cell, dt)
        if not np.isfinite(density):
            points.stress[:] = np.nan  # a residual of this state must not look like one
            return np.inf
        if cell < owned:
            energy += growth_ratio * density
    return energy


@inlined
def _change_volume(
    points: Points, few: CellRule, moved: NDArray[np.float64], cell: int, growth_ratio: float
) -> float:
    """Integral over a cell of its energy of volume; not finite where that is turned inside out."""
    energy = 0.0
    for p in range(len(few.slopes)):
        f, g, h, i = _deformation(moved, few, cell, p)
        strain = np.log((f * i - g * h) / growth_ratio)
        energy += few.weights[cell, p] * _volumetric_energy(points.bulk[cell], strain)
    return energy


@inlined
def _shear(
    points: Points, rule: CellRule, moved: NDArray[np.float64], cell: int, dt: float
) -> float:
    """Integral over a cell of its energy of shear and dissipation; sets creep and stresses."""
    energy, modulus, rate = 0.0, points.shear[cell], points.rate[cell]
    shrinkage, out_of_plane = 1.0 / points.in_plane[cell] ** 2, points.out_of_plane[cell]
    law = modulus, rate, points.reference_stress[cell], points.exponent[cell]
    stress = points.stress[points.rows[cell]]
    for p in range(len(rule.slopes)):
        gradient, dof = _deformation(moved, rule, cell, p), points.dofs[cell, p]
        ratio = gradient[0] * gradient[3] - gradient[1] * gradient[2]
        if not ratio > 0.0:
            return np.inf
        c = points.creep_inverse[dof]
        creep = c[0], c[1], c[2]
        strain = _trial_strain(gradient, ratio, creep, shrinkage, out_of_plane)
        mean, strain2, first, _ = strain
        root = np.sqrt(strain2)
        trial = 2.0 * modulus * root
        increment = softening = dissipation = 0.0
        if rate * dt != 0.0:
            last = points.last[dof, 0], points.last[dof, 1]
            increment, softening, dissipation, last = return_map(trial, dt, law, last)
            points.last[dof, 0], points.last[dof, 1] = last
        points.increment[dof], points.softening[dof] = increment, softening
        stored = _shear_energy(modulus, trial, increment)
        energy += rule.weights[cell, p] * (stored + dissipation)
        alpha = out_of_plane / shrinkage * (trial - 3.0 * modulus * increment) / (3.0 * root)
        factors = alpha * first, 3.0 * alpha * mean
        _set_stress(gradient, ratio, creep, factors, stress[p])
        for k in range(4):
            points.gradient[dof, k], points.strain[dof, k] = gradient[k], strain[k]
    return energy


@inlined
def _set_stress(
    gradient: tuple[float, float, float, float],
    ratio: float,
    creep: tuple[float, float, float],
    factors: tuple[float, float],
    stress: NDArray[np.float64],
) -> None:
    """First derivatives of the shear energy by F, components (11, 12, 21, 22).

    With C = Ccr^-1 / sqrt(det(F Ccr^-1 F^T)), T = F^-T and t = tr(F C F^T)/2, y = t^2 - 1, and y/2
    has the derivative t (F C - t T).

    Args:
        gradient: Deformation gradient F, row by row.
        ratio: det F.
        creep: Components (11, 22, 12) of Ccr^-1.
        factors: Derivatives of the energy by y/2 and ln det F.
        stress: Where they go, shape (4,).
    """
    f, g, h, i = gradient
    scale = 1.0 / (ratio * np.sqrt(creep[0] * creep[1] - creep[2] ** 2))
    c, d, e = scale * creep[0], scale * creep[1], scale * creep[2]
    a, b, m, n = f * c + g * e, f * e + g * d, h * c + i * e, h * e + i * d
    t = 0.5 * (f * a + g * b + h * m + i * n)
    by_trace = factors[0] * t
    by_ratio = (factors[1] - by_trace * t) / ratio
    stress[0] = by_trace * a + by_ratio * i
    stress[1] = by_trace * b - by_ratio * h
    stress[2] = by_trace * m - by_ratio * g
    stress[3] = by_trace * n + by_ratio * f
