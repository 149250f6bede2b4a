"""Regularised Coulomb friction of one time step as a potential of the surface positions.

For every pair that pressed at the start of a step, slip is the tangential motion since then of the
point against its foot, both material points, s = tangent.(dx - sum S_k dP_k). The dissipation

    E_f = sum_i w_i/2 mu p_i phi(s_i),   phi' = f,  |f| <= 1,

has pressures p_i, feet and tangents of the start of the step (semi-implicit, as in incremental
potential contact: Li et al., ACM Trans. Graph. 39 (2020) 49, section 5). It is convex in the
positions, so it fits into the potential that a step minimises, and its Hessian is symmetric. What
lags behind makes an error of first order in the length of the step.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from creep_fem.contact.pairs import NodeBlocks, PairTerms


@dataclass(frozen=True)
class CoulombLaw:
    """Friction mu p f(s/(v0 dt)) with f(y) = y (2 - |y|) up to |y| = 1 and 1 from there on.

    Below the speed v0 surfaces creep past one another instead of sticking; above it the traction
    is exactly that of Coulomb. A speed, not a length, makes this creep independent of the steps.

    Attributes:
        coefficient: Coefficient of friction mu.
        velocity: Speed v0 in um/s.
    """

    coefficient: float
    velocity: float


class FrictionStep:
    """Friction of the pairs that pressed at the start of a step."""

    def __init__(
        self, pairs: PairTerms, law: CoulombLaw, positions: NDArray[np.float64], dt: float
    ) -> None:
        """Hold pressures, feet and tangents.

        Args:
            pairs: Pairs at the start of the step.
            law: Law of friction.
            positions: Surface nodes at the start of the step in um, shape (ns, 2).
            dt: Length of the step in s.
        """
        self._pairs, self._start = pairs, positions.copy()
        self._threshold = law.velocity * dt
        # surfaces that adhesion pulls at have nothing to rub with
        self._strength = law.coefficient * pairs.length * np.maximum(pairs.pressure, 0.0)

    def at(self, positions: NDArray[np.float64]) -> FrictionTerms:
        """Friction at current positions in um, shape (ns, 2)."""
        motion = (positions - self._start)[self._pairs.nodes].reshape(-1, 16)
        slip = np.einsum("nk,nk->n", self._pairs.slip_variation, motion)
        return FrictionTerms(self._pairs, self._strength, slip, self._threshold)


@dataclass(frozen=True)
class FrictionTerms:
    """Energy, gradient and Hessian of friction at given positions.

    Attributes:
        pairs: Pairs at the start of the step.
        strength: Largest friction of every pair in GPa um, shape (n,).
        slip: Slip of every pair in um, shape (n,).
        threshold: Slip in um from which on the traction is Coulomb's.
    """

    pairs: PairTerms
    strength: NDArray[np.float64]
    slip: NDArray[np.float64]
    threshold: float

    @cached_property
    def _scaled(self) -> NDArray[np.float64]:
        """Slip over the threshold, no more than 1 in size."""
        return np.clip(self.slip / self.threshold, -1.0, 1.0)

    @property
    def energy(self) -> float:
        """Dissipation in GPa um^2."""
        y = np.abs(self._scaled)
        beyond = np.abs(self.slip) - self.threshold * y
        return float(self.strength @ (self.threshold * y**2 * (1.0 - y / 3.0) + beyond))

    @property
    def force(self) -> NDArray[np.float64]:
        """Friction of every pair along its tangent, against the point, in GPa um, shape (n,)."""
        y = self._scaled
        force: NDArray[np.float64] = self.strength * y * (2.0 - np.abs(y))
        return force

    @property
    def slopes(self) -> NDArray[np.float64]:
        """Derivatives of the pairs' energies by their nodes in GPa um, shape (n, 16)."""
        return self.force[:, None] * self.pairs.slip_variation

    def hessian(self) -> NodeBlocks:
        """Second derivative of the energy in GPa, 0 for pairs that slide freely.

        It has blocks for all that would be stiff if they stuck, whether they do or not.
        """
        sticking = 2.0 * self.strength / self.threshold
        factors = (sticking * (1.0 - np.abs(self._scaled)))[:, None, None]
        stiff = sticking > self.pairs.law.negligible_stiffness * self.pairs.length
        return self.pairs.blocks(self.pairs.slip_variation[:, None], factors, stiff)
