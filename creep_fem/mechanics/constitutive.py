"""Hencky elasticity with swelling and Norton creep in plane strain, as UFL expressions.

The two energy densities also serve :func:`total_energy`, which sums values at points.

F = Fe Fl Fcr with Fl = diag(a, a, b). The elastic trial left Cauchy-Green tensor
be = F Ccr^-1 F^T / a^2 (in the plane) needs only the inverse creep tensor Ccr^-1 of the last
step. With the eigenvalues of be written as exp(J2 +- A), J2 = 1/2 ln det be and
y = sinh^2 A = (half difference / geometric mean)^2, everything is a smooth function of ln det be
and A^2(y), so no eigenvectors and no matrix logarithm are formed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import ufl
from numpy.typing import NDArray
from ufl.core.expr import Expr

from creep_fem.compiled import compiled

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
_SERIES_LIMIT = 1e-2  # the next term of the series is 0.033 y^9: below round-off here
_TINY_STRAIN = 1e-15  # keeps the root of the deviator's norm differentiable at zero strain


@dataclass(frozen=True)
class Lame:
    """Elastic constants as UFL coefficients in GPa."""

    bulk: Expr
    shear: Expr


@dataclass(frozen=True)
class Kinematics:
    """Inputs of the material law at a point.

    Attributes:
        gradient: Displacement gradient, shape (2, 2).
        creep_inverse: In-plane components (11, 22, 12) of Ccr^-1 at the start of the step;
            det Ccr = 1 gives the out-of-plane one.
        growth_in_plane: Stretch a of the swelling in the plane.
        growth_out_of_plane: Stretch b of the swelling out of the plane.
    """

    gradient: Expr
    creep_inverse: Expr
    growth_in_plane: Expr
    growth_out_of_plane: Expr

    @property
    def deformation_gradient(self) -> Expr:
        """In-plane part of F, shape (2, 2)."""
        return ufl.Identity(2) + self.gradient

    @property
    def volume_ratio(self) -> Expr:
        """det F."""
        return ufl.det(self.deformation_gradient)

    @property
    def growth_ratio(self) -> Expr:
        """det Fl, the volume ratio of the stress-free swollen material."""
        return self.growth_in_plane**2 * self.growth_out_of_plane

    @property
    def creep_inverse_matrix(self) -> Expr:
        """In-plane Ccr^-1, shape (2, 2)."""
        c = self.creep_inverse
        return ufl.as_matrix(((c[0], c[2]), (c[2], c[1])))

    @property
    def elastic_trial(self) -> Expr:
        """In-plane trial be, shape (2, 2)."""
        f = self.deformation_gradient
        return f * self.creep_inverse_matrix * f.T / self.growth_in_plane**2


def _squared_half_log_ratio(y: Expr) -> Expr:
    """A^2 = asinh^2(sqrt(y)): the squared half difference of the in-plane log strains."""
    series = y * _horner(_SERIES, y)
    root = ufl.sqrt(y)
    exact = ufl.ln(root + ufl.sqrt(1.0 + y)) ** 2
    return ufl.conditional(ufl.lt(y, _SERIES_LIMIT), series, exact)


def _horner(coefficients: tuple[float, ...], y: Expr) -> Expr:
    value: Expr = ufl.as_ufl(coefficients[-1])
    for c in reversed(coefficients[:-1]):
        value = c + y * value
    return value


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


class HenckyNorton:
    """Trial state of the material and its incremental potential.

    Moduli belong to the swollen, unstressed material, so energies are per volume of that state:
    det Fl times the density below is the potential per reference volume, and the Cauchy stress
    is tau / det Fe. The density after the return map (Ortiz & Stainier, Comput. Methods
    Appl. Mech. Eng. 171, 1999, 419) is K/2 tr(e)^2 + q^2/(6 G) + dissipation, with
    q = q_trial - 3 G dg. Its derivative at fixed dg is the residual (dg makes it stationary).
    """

    def __init__(self, kinematics: Kinematics, lame: Lame) -> None:
        self.kinematics, self.lame = kinematics, lame
        be = kinematics.elastic_trial
        c = kinematics.creep_inverse
        det_creep = c[0] * c[1] - c[2] ** 2
        det_be = kinematics.volume_ratio**2 * det_creep / kinematics.growth_in_plane**4
        half_difference = 0.5 * (be[0, 0] - be[1, 1])
        self._y = (half_difference**2 + be[0, 1] ** 2) / det_be
        # in-plane mean of the deviator: J2/6 - e_out/3, e_out = -1/2 ln det Ccr^-1 - ln b
        self._mean = ufl.ln(det_be * det_creep**2 * kinematics.growth_out_of_plane**4) / 12.0

    @property
    def volumetric_strain(self) -> Expr:
        """Trace of the elastic Hencky strain; creep does not change it."""
        return ufl.ln(self._elastic_volume_ratio)

    @property
    def trial_mises(self) -> Expr:
        """Trial von Mises stress q_trial = 2 G sqrt(3/2 dev e : dev e) in GPa."""
        deviator2 = 0.5 * _squared_half_log_ratio(self._y) + 6.0 * self._mean**2
        return 2.0 * self.lame.shear * ufl.sqrt(1.5 * deviator2 + _TINY_STRAIN**2)

    def mises(self, creep_increment: Expr) -> Expr:
        """Von Mises measure of the Cauchy stress in GPa."""
        stress = self.trial_mises - 3.0 * self.lame.shear * creep_increment
        return stress / self._elastic_volume_ratio

    @property
    def pressure(self) -> Expr:
        """Mean Cauchy pressure in GPa, positive in compression."""
        return -self.lame.bulk * self.volumetric_strain / self._elastic_volume_ratio

    @property
    def _elastic_volume_ratio(self) -> Expr:
        return self.kinematics.volume_ratio / self.kinematics.growth_ratio

    def updated_creep_inverse(self, creep_increment: Expr) -> Expr:
        """Components (11, 22, 12) of Ccr^-1 after the return map.

        be = exp(-2 dg N) be_trial with the flow direction N = 3/2 dev(tau)/q_trial coaxial to
        be_trial; pulled back by F. det Ccr = 1 is kept by the exponential map.
        """
        fraction = 3.0 * self.lame.shear * creep_increment / self.trial_mises
        # dev e in the plane = mean I + A/2 (M1 - M2); its share `fraction` turns into creep
        half_log_ratio = ufl.sqrt(_squared_half_log_ratio(self._y))
        shrink = ufl.exp(-2.0 * fraction * self._mean)
        be = self.kinematics.elastic_trial
        centre = 0.5 * ufl.tr(be)
        geometric = ufl.sqrt(ufl.det(be))
        # eigenvalues exp(J2 +- A) -> exp(J2 +- (1 - fraction) A); sinh ratio is smooth at A = 0
        remaining = (1.0 - fraction) * half_log_ratio
        ratio = _sinh_ratio(remaining, half_log_ratio, 1.0 - fraction)
        updated = shrink * (
            geometric * ufl.cosh(remaining) * ufl.Identity(2)
            + ratio * (be - centre * ufl.Identity(2))
        )
        inverse = ufl.inv(self.kinematics.deformation_gradient)
        pulled = self.kinematics.growth_in_plane**2 * inverse * updated * inverse.T
        return ufl.as_vector((pulled[0, 0], pulled[1, 1], pulled[0, 1]))


def _sinh_ratio(numerator: Expr, denominator: Expr, limit: Expr) -> Expr:
    """sinh(numerator) / sinh(denominator) with its limit for vanishing arguments."""
    small = ufl.lt(denominator, 1e-7)
    safe = ufl.conditional(small, 1.0, denominator)
    return ufl.conditional(small, limit, ufl.sinh(numerator) / ufl.sinh(safe))


_shear_energy, _volumetric_energy = compiled(shear_energy), compiled(volumetric_energy)


@compiled
def total_energy(
    weights: NDArray[np.float64],
    few_weights: NDArray[np.float64],
    trial: NDArray[np.float64],
    increment: NDArray[np.float64],
    dissipation: NDArray[np.float64],
    volume_ratio: NDArray[np.float64],
    bulk: NDArray[np.float64],
    shear: NDArray[np.float64],
    in_plane: NDArray[np.float64],
    out_of_plane: NDArray[np.float64],
) -> float:
    """Energy stored and dissipated per unit thickness in GPa um^2.

    Args:
        weights: Weights of the rule of the shear energy in um^2, shape (cells, points).
        few_weights: Those of the rule of the volumetric energy, shape (cells, few).
        trial: Trial von Mises stress in GPa, shape (cells, points).
        increment: Equivalent creep strain increment, shape (cells, points).
        dissipation: Incremental dissipation potential in GPa, shape (cells, points).
        volume_ratio: det F, shape (cells, few).
        bulk: Bulk modulus in GPa, shape (cells,).
        shear: Shear modulus in GPa, shape (cells,).
        in_plane: Stretch of the swelling in the plane, shape (cells,).
        out_of_plane: Stretch of the swelling out of the plane, shape (cells,).
    """
    total = 0.0
    for cell in range(len(bulk)):
        growth_ratio = in_plane[cell] ** 2 * out_of_plane[cell]
        energy = 0.0
        for p in range(weights.shape[1]):
            sheared = _shear_energy(shear[cell], trial[cell, p], increment[cell, p])
            energy += weights[cell, p] * (sheared + dissipation[cell, p])
        for p in range(few_weights.shape[1]):
            strain = np.log(volume_ratio[cell, p] / growth_ratio)
            energy += few_weights[cell, p] * _volumetric_energy(bulk[cell], strain)
        total += growth_ratio * energy
    return total
