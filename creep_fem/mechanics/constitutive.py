"""Hencky elasticity with swelling and Norton creep in plane strain, as UFL expressions.

Formulas that the loops over points need as well stand in ``loops.py``.

F = Fe Fl Fcr with Fl = diag(a, a, b). The elastic trial left Cauchy-Green tensor
be = F Ccr^-1 F^T / a^2 (in the plane) needs only the inverse creep tensor Ccr^-1 of the last
step. With the eigenvalues of be written as exp(J2 +- A), J2 = 1/2 ln det be and
y = sinh^2 A = (half difference / geometric mean)^2, everything is a smooth function of ln det be
and A^2(y), so no eigenvectors and no matrix logarithm are formed.
"""

from __future__ import annotations

from dataclasses import dataclass

import ufl
from ufl.core.expr import Expr

from creep_fem.mechanics import loops


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
    def shrinkage(self) -> Expr:
        """1/a^2: what becomes of an area in the plane without its swelling."""
        return 1.0 / self.growth_in_plane**2

    @property
    def elastic_trial(self) -> tuple[Expr, Expr, Expr]:
        """Components (11, 22, 12) of the trial be."""
        f, c = self.deformation_gradient, self.creep_inverse
        rows = f[0, 0], f[0, 1], f[1, 0], f[1, 1]
        return loops.elastic_trial(rows, (c[0], c[1], c[2]), self.shrinkage)


def _squared_half_log_ratio(y: Expr) -> Expr:
    """A^2 = asinh^2(sqrt(y)): the squared half difference of the in-plane log strains."""
    root = ufl.sqrt(y)
    exact = ufl.ln(root + ufl.sqrt(1.0 + y)) ** 2
    small = ufl.lt(y, loops.SERIES_LIMIT)
    return ufl.conditional(small, loops.half_log_ratio_series(y), exact)


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
        c = kinematics.creep_inverse
        det_creep = c[0] * c[1] - c[2] ** 2
        volume_ratio, shrinkage = kinematics.volume_ratio, kinematics.shrinkage
        det_be = loops.elastic_determinant(volume_ratio, det_creep, shrinkage)
        self._y = loops.squared_sinh(kinematics.elastic_trial, det_be)
        argument = loops.mean_argument(det_be, det_creep, kinematics.growth_out_of_plane)
        self._mean = ufl.ln(argument) / 12.0

    @property
    def volumetric_strain(self) -> Expr:
        """Trace of the elastic Hencky strain; creep does not change it."""
        return ufl.ln(self._elastic_volume_ratio)

    @property
    def trial_mises(self) -> Expr:
        """Trial von Mises stress q_trial = 2 G sqrt(3/2 dev e : dev e) in GPa."""
        strain2 = loops.squared_strain(_squared_half_log_ratio(self._y), self._mean)
        return 2.0 * self.lame.shear * ufl.sqrt(strain2)

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
        b = self.kinematics.elastic_trial
        be = ufl.as_matrix(((b[0], b[2]), (b[2], b[1])))
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
