"""The smooth pressure-gap law of unilateral contact."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, spence

# Beyond this many smoothing lengths the softplus law is below round-off of its own scale.
CUTOFF_SMOOTHINGS = 36.0


@dataclass(frozen=True)
class PressureGapLaw:
    """Softplus penalty, p(g) = k d ln(1 + exp(-(g + g0)/d)), with its potential.

    The offset g0 makes surfaces that press with a pressure typical of the problem meet at zero
    gap: without it the tail of the law would hold them about two smoothing lengths apart.

    Attributes:
        stiffness: Penalty stiffness k in GPa/um.
        smoothing: Smoothing length d in um.
        zero_gap_pressure: Pressure in GPa at zero gap, which defines g0.
    """

    stiffness: float
    smoothing: float
    zero_gap_pressure: float

    @cached_property
    def offset(self) -> float:
        """The shift g0 of the softplus function in um."""
        ratio = self.zero_gap_pressure / (self.stiffness * self.smoothing)
        # ln(exp(x) - 1) without an exponential that overflows
        return -self.smoothing * float(ratio + np.log(-np.expm1(-ratio)))

    @property
    def cutoff(self) -> float:
        """Gap in um beyond which pressure and potential vanish to round-off."""
        return CUTOFF_SMOOTHINGS * self.smoothing - self.offset

    def _scaled(self, gap: NDArray[np.float64]) -> NDArray[np.float64]:
        return (gap + self.offset) / self.smoothing

    def pressure(self, gap: NDArray[np.float64]) -> NDArray[np.float64]:
        """Contact pressure in GPa at the gaps in um."""
        softplus: NDArray[np.float64] = np.logaddexp(0.0, -self._scaled(gap))
        return self.stiffness * self.smoothing * softplus

    def tangent(self, gap: NDArray[np.float64]) -> NDArray[np.float64]:
        """Second derivative of the potential, -dp/dg, in GPa/um."""
        slope: NDArray[np.float64] = expit(-self._scaled(gap))
        return self.stiffness * slope

    def potential(self, gap: NDArray[np.float64]) -> NDArray[np.float64]:
        """Potential psi with psi' = -p in GPa um.

        psi = -k d^2 Li2(-exp(-s)) with s = (g + g0)/d. For negative s the dilogarithm is inverted,
        Li2(-e^s) = -pi^2/6 - s^2/2 - Li2(-e^-s), so that the exponential cannot overflow.
        """
        scaled = self._scaled(gap)
        tail = spence(1.0 + np.exp(-np.abs(scaled)))  # Li2(-exp(-|s|))
        inside = -(np.pi**2) / 6.0 - 0.5 * scaled**2 - tail
        dilogarithm: NDArray[np.float64] = np.where(scaled < 0.0, inside, tail)
        return -self.stiffness * self.smoothing**2 * dilogarithm
