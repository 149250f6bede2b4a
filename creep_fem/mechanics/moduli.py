"""Second derivatives of the shear energy at points, in a compiled loop."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from creep_fem.compiled import compiled, inlined


@compiled
def set_moduli(
    dofs: NDArray[np.int32],
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

    Args:
        dofs: Places of the points in arrays of values at points, for the cells where moduli are
            wanted, shape (cells, n).
        gradient: Deformation gradient F, row by row, shape (points, 4).
        strain: What ``loops.Points`` says, shape (points, 5).
        creep_inverse: Components (11, 22, 12) of Ccr^-1 before the step, shape (points, 3).
        increment: Equivalent creep strain increment dg, shape (points,).
        softening: d dg/d q_trial in 1/GPa, shape (points,).
        shear: Shear modulus in GPa, shape (cells,).
        in_plane: Stretch of the swelling in the plane, shape (cells,).
        out_of_plane: Stretch of the swelling out of the plane, shape (cells,).
        moduli: Where the upper triangles go, row by row, shape (points, 10).
    """
    rows = np.empty((4, 4))
    for cell in range(len(dofs)):
        modulus, growth = shear[cell], in_plane[cell] ** 2 * out_of_plane[cell]
        for dof in dofs[cell]:
            f, g, h, i = gradient[dof, 0], gradient[dof, 1], gradient[dof, 2], gradient[dof, 3]
            y, mean, strain2 = strain[dof, 0], strain[dof, 1], strain[dof, 2]
            first, second = strain[dof, 3], strain[dof, 4]
            ratio = f * i - g * h
            c, d, e = creep_inverse[dof, 0], creep_inverse[dof, 1], creep_inverse[dof, 2]
            scale = 1.0 / (ratio * np.sqrt(c * d - e**2))
            creep = scale * c, scale * d, scale * e
            s, t = _shear_variations((f, g, h, i), ratio, creep, rows)
            root = np.sqrt(strain2)
            alpha = growth * modulus * (2.0 * root - 3.0 * increment[dof]) / (3.0 * root)
            beta = growth * (modulus / 3.0 - modulus**2 * softening[dof]) - 0.5 * alpha
            beta /= strain2
            factors = (
                alpha * first,
                alpha * second + beta * first**2,
                3.0 * beta * first * mean - alpha * first,
                alpha * (0.5 - 3.0 * mean) + 9.0 * beta * mean**2,
            )
            constant = alpha * (3.0 * mean - first * y) / ratio
            blocks = alpha * first * s, alpha * first * t
            _second_derivatives(rows, factors, creep, blocks, constant, moduli[dof])


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
