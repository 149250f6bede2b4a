"""The smooth law between gap and pressure: repulsion, and adhesion where it is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, spence

# Beyond this many smoothing lengths the softplus law is below round-off of its own scale.
CUTOFF_SMOOTHINGS = 36.0


@dataclass(frozen=True)
class CohesiveTail:
    """Tension of surfaces at a gap g = s R, T(g) = 16 T_max s^2 (1 - s)^2 for 0 < s < 1, else 0.

    A cohesive law of bounded support in place of Xu and Needleman's exponential (J. Mech. Phys.
    Solids 42 (1994) 1397): slope and value vanish at both ends, so pairs that leave the range
    leave without a jump, and the search need not look further than R.

    Attributes:
        strength: Largest tension T_max in GPa, at half the range.
        reach: Range R of the tension in um.
    """

    strength: float
    reach: float

    @property
    def work(self) -> float:
        """Integral of the tension over all gaps, 8/15 T_max R, in GPa um (1 GPa um = 1 kJ/m^2)."""
        return 8.0 / 15.0 * self.strength * self.reach

    def _share(self, gap: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.clip(gap / self.reach, 0.0, 1.0)

    def tension(self, gap: NDArray[np.float64]) -> NDArray[np.float64]:
        """Tension in GPa at the gaps in um."""
        s = self._share(gap)
        return 16.0 * self.strength * (s * (1.0 - s)) ** 2

    def slope(self, gap: NDArray[np.float64]) -> NDArray[np.float64]:
        """Derivative of the tension by the gap in GPa/um."""
        s = self._share(gap)
        return 32.0 * self.strength / self.reach * s * (1.0 - s) * (1.0 - 2.0 * s)

    def remaining_work(self, gap: NDArray[np.float64]) -> NDArray[np.float64]:
        """Work in GPa um that the tension does from the gaps in um outwards."""
        left = 1.0 - self._share(gap)
        return self.work * left**3 * (10.0 - 15.0 * left + 6.0 * left**2)


@dataclass(frozen=True)
class PressureGapLaw:
    """Softplus penalty, p(g) = k d ln(1 + exp(-(g + g0)/d)) - T(g), with its potential.

    The offset g0 makes surfaces that press with a pressure typical of the problem meet at zero
    gap: without it the tail of the law would hold them about two smoothing lengths apart.

    Attributes:
        stiffness: Penalty stiffness k in GPa/um.
        smoothing: Smoothing length d in um.
        zero_gap_pressure: Pressure in GPa at zero gap, which defines g0.
        adhesion: Tension T; none without adhesion.
        negligible_stiffness: Slope in GPa/um too small to matter to a direction of Newton's method;
            0 if every slope matters.
    """

    stiffness: float
    smoothing: float
    zero_gap_pressure: float
    adhesion: CohesiveTail | None = None
    negligible_stiffness: float = 0.0

    @cached_property
    def offset(self) -> float:
        """The shift g0 of the softplus function in um."""
        ratio = self.zero_gap_pressure / (self.stiffness * self.smoothing)
        # ln(exp(x) - 1) without an exponential that overflows
        return -self.smoothing * float(ratio + np.log(-np.expm1(-ratio)))

    @property
    def cutoff(self) -> float:
        """Gap in um beyond which pressure and potential vanish to round-off."""
        return self._reach(CUTOFF_SMOOTHINGS)

    @cached_property
    def stiff_reach(self) -> float:
        """Gap in um beyond which the slope is negligible; the cutoff if no slope is."""
        if self.negligible_stiffness <= 0.0:
            return self.cutoff
        # the slope of the softplus law is k exp(-s) there
        smoothings = np.log(self.stiffness / self.negligible_stiffness)
        return self._reach(float(np.clip(smoothings, 0.0, CUTOFF_SMOOTHINGS)))

    def _reach(self, smoothings: float) -> float:
        repulsion = smoothings * self.smoothing - self.offset
        return repulsion if self.adhesion is None else max(repulsion, self.adhesion.reach)

    @cached_property
    def work_of_adhesion(self) -> float:
        """Work in GPa um to part surfaces that touch without load; 0 if nothing holds them.

        It is less than that of the tension alone, which the tail of the repulsion overlaps.
        """
        if self.adhesion is None:
            return 0.0
        gaps = np.array([0.0, 0.5 * self.adhesion.reach])
        if self.pressure(gaps)[1] >= 0.0:
            return 0.0
        rest = brentq(lambda gap: float(self.pressure(np.array(gap))), *gaps, xtol=1e-15)
        return -float(self.potential(np.array(rest)))

    def _scaled(self, gap: NDArray[np.float64]) -> NDArray[np.float64]:
        return (gap + self.offset) / self.smoothing

    def pressure(self, gap: NDArray[np.float64]) -> NDArray[np.float64]:
        """Contact pressure in GPa at the gaps in um."""
        softplus: NDArray[np.float64] = np.logaddexp(0.0, -self._scaled(gap))
        pressure = self.stiffness * self.smoothing * softplus
        return pressure if self.adhesion is None else pressure - self.adhesion.tension(gap)

    def tangent(self, gap: NDArray[np.float64]) -> NDArray[np.float64]:
        """Second derivative of the potential, -dp/dg, in GPa/um."""
        slope: NDArray[np.float64] = self.stiffness * expit(-self._scaled(gap))
        return slope if self.adhesion is None else slope + self.adhesion.slope(gap)

    def potential(self, gap: NDArray[np.float64]) -> NDArray[np.float64]:
        """Potential psi with psi' = -p in GPa um.

        psi = -k d^2 Li2(-exp(-s)) with s = (g + g0)/d. For negative s the dilogarithm is inverted,
        Li2(-e^s) = -pi^2/6 - s^2/2 - Li2(-e^-s), so that the exponential cannot overflow.
        """
        scaled = self._scaled(gap)
        tail = spence(1.0 + np.exp(-np.abs(scaled)))  # Li2(-exp(-|s|))
        inside = -(np.pi**2) / 6.0 - 0.5 * scaled**2 - tail
        dilogarithm: NDArray[np.float64] = np.where(scaled < 0.0, inside, tail)
        repulsion = -self.stiffness * self.smoothing**2 * dilogarithm
        return repulsion if self.adhesion is None else repulsion - self.adhesion.remaining_work(gap)
