"""Second derivatives of the shear energy at points, in a compiled loop."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from creep_fem.compiled import compiled, inlined


@compiled
def set_moduli(
    dofs: NDArray[np.int32],
    rows: NDArray[np.int32],
    gradient: NDArray[np.float64],
    strain: NDArray[np.float64],
    creep_inverse: NDArray[np.float64],
    increment: NDArray[np.float64],
    softening: NDArray[np.float64],
    shear: NDArray[np.float64],
    in_plane: NDArray[np.float64],
    out_of_plane: NDArray[np.float64],
    moduli: NDArray[np.float64],
) -> None:
    """Second derivatives of the shear energy by F, per reference volume in GPa.

    The increment dg makes the energy stationary. With E = 3/2 dev e : dev e, G the shear modulus
    and q = 2 G sqrt(E) - 3 G dg its derivatives by E are alpha = q / (3 sqrt(E)) and
    beta = (G/3 - G^2 d dg/d q_trial - q / (6 sqrt(E))) / E, times det Fl.

    E depends on F by y/2, with first and second derivative e and e', and by ln J, J = det F, with
    3 mean and 1/2. With C, T and t as in ``loops._set_stress`` and P = F C - t T the others are

        dt = P,    d2t = I x C - P x T - T x P - t d2J/J,    d ln J = T,    d2 ln J = d2J/J - T x T,

    d(y/2) = t P and d2(y/2) = P x P + t d2t.

    Args:
        dofs: Places of the points in arrays of values at points, for the cells where moduli are
            wanted, shape (cells, n).
        rows: Where moduli of a cell go, shape (cells,).
        gradient: Deformation gradient F, row by row, shape (points, 4).
        strain: What ``loops.Points`` says, shape (points, 4).
        creep_inverse: Components (11, 22, 12) of Ccr^-1 before the step, shape (points, 3).
        increment: Equivalent creep strain increment dg, shape (points,).
        softening: d dg/d q_trial in 1/GPa, shape (points,).
        shear: Shear modulus in GPa, shape (cells,).
        in_plane: Stretch of the swelling in the plane, shape (cells,).
        out_of_plane: Stretch of the swelling out of the plane, shape (cells,).
        moduli: Upper triangles, row by row, shape (rows, n, 10).
    """
    slope, inverse = np.empty(4), np.empty(4)
    for cell in range(len(dofs)):
        modulus, growth = shear[cell], in_plane[cell] ** 2 * out_of_plane[cell]
        for p in range(dofs.shape[1]):
            dof, target = dofs[cell, p], moduli[rows[cell], p]
            f, g, h, i = gradient[dof, 0], gradient[dof, 1], gradient[dof, 2], gradient[dof, 3]
            mean, strain2, first, second = strain[dof]
            ratio = f * i - g * h
            c, d, e = creep_inverse[dof, 0], creep_inverse[dof, 1], creep_inverse[dof, 2]
            scale = 1.0 / (ratio * np.sqrt(c * d - e**2))
            c, d, e = scale * c, scale * d, scale * e
            a, b, m, n = f * c + g * e, f * e + g * d, h * c + i * e, h * e + i * d
            t = 0.5 * (f * a + g * b + h * m + i * n)
            inverse[0], inverse[1], inverse[2], inverse[3] = i, -h, -g, f
            slope[0], slope[1], slope[2], slope[3] = a, b, m, n
            for k in range(4):
                inverse[k] /= ratio
                slope[k] -= t * inverse[k]
            alpha, beta = _by_strain(strain2, modulus, increment[dof], softening[dof], growth)
            by_trace = alpha * first * t
            factors = (
                alpha * first + (alpha * second + beta * first**2) * t**2,
                3.0 * beta * first * mean * t - by_trace,
                alpha * (0.5 - 3.0 * mean) + 9.0 * beta * mean**2,
            )
            _sum_products(slope, inverse, factors, target)
            constant = (3.0 * alpha * mean - by_trace * t) / ratio
            _add_constant((by_trace * c, by_trace * d, by_trace * e), constant, target)


@inlined
def _by_strain(
    strain2: float, modulus: float, increment: float, softening: float, growth: float
) -> tuple[float, float]:
    """First and second derivative alpha and beta of the energy by E, times det Fl."""
    root = np.sqrt(strain2)
    alpha = growth * modulus * (2.0 * root - 3.0 * increment) / (3.0 * root)
    beta = growth * (modulus / 3.0 - modulus**2 * softening) - 0.5 * alpha
    return alpha, beta / strain2


@inlined
def _add_constant(
    creep: tuple[float, float, float], constant: float, moduli: NDArray[np.float64]
) -> None:
    """Add what does not depend on F but for its factors: I x C, and second derivatives of det F.

    Args:
        creep: Components (11, 22, 12) of C times its factor; I x C are the second derivatives of
            half the trace of F C F^T.
        constant: Factor of the second derivatives of det F.
        moduli: Upper triangle, row by row, shape (10,).
    """
    c, d, e = creep
    moduli[0] += c
    moduli[1] += e
    moduli[3] += constant
    moduli[4] += d
    moduli[5] -= constant
    moduli[7] += c
    moduli[8] += e
    moduli[9] += d


@inlined
def _sum_products(
    slope: NDArray[np.float64],
    inverse: NDArray[np.float64],
    factors: tuple[float, float, float],
    moduli: NDArray[np.float64],
) -> None:
    """Upper triangle of a P x P + b (P x T + T x P) + c T x T for factors a, b, c."""
    entry = 0
    for k in range(4):
        for j in range(k, 4):
            value = factors[0] * slope[k] * slope[j] + factors[2] * inverse[k] * inverse[j]
            moduli[entry] = value + factors[1] * (slope[k] * inverse[j] + inverse[k] * slope[j])
            entry += 1
