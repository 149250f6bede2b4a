"""Solutions that share no code with the package: scalar roots, ordinary differential equations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from creep_fem.materials.parameters import NortonCreep

Array = NDArray[np.float64]


def rate(creep: NortonCreep, stress: float) -> float:
    """Creep rate in 1/s at a von Mises stress in GPa."""
    return float(creep.rate * (stress / creep.reference_stress) ** creep.exponent)


def relax_implicitly(
    stress: float, modulus: float, creep: NortonCreep, dt: float, steps: int
) -> float:
    """Backward Euler for s' = -E A (s/s_ref)^n: one root per step."""
    for _ in range(steps):
        stress = relax_step(stress, modulus, lambda s: rate(creep, s), dt)
    return stress


def relax_step(start: float, modulus: float, speed: Callable[[float], float], dt: float) -> float:
    """Stress in GPa after a backward Euler step of s' = -E r(s): the root of s + E dt r(s) = start.

    Args:
        start: Stress in GPa of the strain at the end without creep in the step, > 0.
        modulus: E in GPa at the end of the step.
        speed: Creep rate r in 1/s at the end of the step, growing with a stress in GPa.
        dt: Length of the step in s.
    """
    root: float = brentq(
        lambda s: s + modulus * dt * speed(s) - start, 0.0, start, xtol=1e-18, rtol=1e-15
    )
    return root


def relax(stress: float, modulus: float, creep: NortonCreep, time: float) -> float:
    """Exact solution of s' = -E A (s/s_ref)^n."""
    n, speed = creep.exponent, modulus * creep.rate * time / creep.reference_stress
    if n == 1.0:
        return float(stress * np.exp(-speed))
    power = (stress / creep.reference_stress) ** (n - 1.0)
    return float(stress * (1.0 + (n - 1.0) * speed * power) ** (-1.0 / (n - 1.0)))


@dataclass(frozen=True)
class PlaneStrainBar:
    """A bar stretched along x, free along y, of constant thickness: relaxation of its stress.

    Attributes:
        bulk: Bulk modulus in GPa.
        shear: Shear modulus in GPa.
        creep: Creep law.
        stretch: Logarithmic strain along x, applied at time 0 and held.
    """

    bulk: float
    shear: float
    creep: NortonCreep
    stretch: float

    def free_strain(self, x: float, z: float) -> float:
        """Elastic strain along y that leaves y free of stress: K tr + 2 G (y - tr/3) = 0."""
        lame = self.bulk - 2.0 * self.shear / 3.0
        return -lame * (x + z) / (lame + 2.0 * self.shear)

    def deviator(self, strain: Array) -> Array:
        """Stress deviator along x, y and z in GPa."""
        return 2.0 * self.shear * (strain - strain.mean())

    def stress(self, strain: Array) -> float:
        """Kirchhoff stress along x in GPa."""
        return float(self.bulk * strain.sum() + self.deviator(strain)[0])

    def implicit(self, dt: float, steps: int) -> Array:
        """Elastic strains after backward Euler steps; roots for the width around one for q."""
        z = 0.0
        x = self.stretch
        strain = np.array([x, self.free_strain(x, z), z])
        for _ in range(steps):
            start = strain

            def imbalance(widening: float, start: Array = start) -> float:
                end = self._return(start + np.array([0.0, widening, 0.0]), dt)
                return float(self.bulk * end.sum() + self.deviator(end)[1])

            widening = brentq(imbalance, -0.5, 0.5, xtol=1e-16, rtol=1e-15)
            strain = self._return(start + np.array([0.0, widening, 0.0]), dt)
        return strain

    def _return(self, trial: Array, dt: float) -> Array:
        deviator = self.deviator(trial)
        q_trial = float(np.sqrt(1.5) * np.linalg.norm(deviator))
        q = relax_implicitly(q_trial, 3.0 * self.shear, self.creep, dt, 1)
        return trial - rate(self.creep, q) * dt * 1.5 * deviator / q_trial

    def exact(self, time: float) -> Array:
        """Elastic strains from the ordinary differential equations of x and z."""

        def change(_t: float, xz: Array) -> Array:
            strain = np.array([xz[0], self.free_strain(xz[0], xz[1]), xz[1]])
            deviator = self.deviator(strain)
            q = float(np.sqrt(1.5) * np.linalg.norm(deviator))
            return -rate(self.creep, q) * 1.5 * deviator[[0, 2]] / q

        x, z = integrate(change, np.array([self.stretch, 0.0]), time)
        return np.array([x, self.free_strain(x, z), z])


@dataclass(frozen=True)
class SimpleShear:
    """A body sheared along x at a constant rate: finite strain in three dimensions.

    Attributes:
        bulk: Bulk modulus in GPa.
        shear: Shear modulus in GPa.
        creep: Creep law.
        amount: Shear at the end.
        time: Duration in s.
    """

    bulk: float
    shear: float
    creep: NortonCreep
    amount: float
    time: float

    def stress(self) -> Array:
        """Kirchhoff stress at the end in GPa, shape (3, 3)."""
        solution = solve_ivp(
            self._change,
            (0.0, self.time),
            np.eye(3).ravel(),
            method="LSODA",
            rtol=1e-10,
            atol=1e-13,
        )
        return self._kirchhoff(self._elastic(self.time, solution.y[:, -1]))

    def _gradient(self, time: float) -> Array:
        gradient = np.eye(3)
        gradient[0, 1] = self.amount * time / self.time
        return gradient

    def _elastic(self, time: float, creep_inverse: Array) -> Array:
        gradient = self._gradient(time)
        product: Array = gradient @ creep_inverse.reshape(3, 3) @ gradient.T
        return 0.5 * (product + product.T)

    def _kirchhoff(self, elastic: Array) -> Array:
        values, axes = np.linalg.eigh(elastic)
        strain = (axes * (0.5 * np.log(values))) @ axes.T
        trace = np.trace(strain)
        mean = trace / 3.0 * np.eye(3)
        stress: Array = self.bulk * trace * np.eye(3) + 2.0 * self.shear * (strain - mean)
        return stress

    def _change(self, time: float, creep_inverse: Array) -> Array:
        elastic = self._elastic(time, creep_inverse)
        stress = self._kirchhoff(elastic)
        deviator = stress - np.trace(stress) / 3.0 * np.eye(3)
        mises = float(np.sqrt(1.5) * np.linalg.norm(deviator))
        if mises < 1e-14:
            return np.zeros(9)
        back = np.linalg.inv(self._gradient(time))
        flow = 1.5 * rate(self.creep, mises) * deviator / mises
        change: Array = -2.0 * back @ flow @ elastic @ back.T
        return (0.5 * (change + change.T)).ravel()


def integrate(change: object, start: Array, time: float) -> Array:
    """Solve an ordinary differential equation to near round-off."""
    solution = solve_ivp(change, (0.0, time), start, method="LSODA", rtol=1e-12, atol=1e-14)
    end: Array = solution.y[:, -1]
    return end


def confined_bar(
    young: float, poisson: float, creep: NortonCreep, growth: float, time: float
) -> tuple[float, float]:
    """Bar B1: swells by diag(g, g, g), g = 1 + growth t/time, held in x and z, free in y.

    With tau_x = tau_z = s and tau_y = 0 the flow along x is sign(s) A (|s|/s_ref)^n / 2, and
    ln g + (1 - nu) s/E + creep = 0 along x, so (1 - nu) s'/E = -g'/g - sign(s) A (|s|/s_ref)^n / 2.

    Returns:
        Kirchhoff stress s in GPa and stretch along y at the end.
    """
    speed = growth / time

    def change(t: float, s: Array) -> Array:
        flow = (
            0.5 * np.sign(s) * creep.rate * (np.abs(s) / creep.reference_stress) ** creep.exponent
        )
        return (-speed / (1.0 + speed * t) - flow) * young / (1.0 - poisson)

    stress = float(integrate(change, np.zeros(1), time)[0])
    log_growth = float(np.log1p(growth))
    creep_x = -log_growth - (1.0 - poisson) * stress / young
    log_height = log_growth - 2.0 * poisson * stress / young - 2.0 * creep_x
    return stress, float(np.exp(log_height))


@dataclass(frozen=True)
class Tube:
    """Thick cylinder in plane strain and steady creep under a pressure difference.

    Radial equilibrium, incompressible flow u' = c/r and Norton's law along the deviator leave
    s_e = sqrt(3)/2 (s_t - s_r) ~ r^(-2/n); the pressures at both walls fix the rest.

    Attributes:
        inner: Inner radius in um.
        outer: Outer radius in um.
        pressure: Pressure inside minus outside in GPa.
        creep: Creep law.
    """

    inner: float
    outer: float
    pressure: float
    creep: NortonCreep

    def _share(self, radius: Array | float) -> Array:
        n = self.creep.exponent
        spread = (self.outer / self.inner) ** (2.0 / n) - 1.0
        return np.asarray((self.outer / np.asarray(radius)) ** (2.0 / n) / spread)

    def mises(self, radius: Array | float) -> Array:
        """Von Mises stress in GPa."""
        stress: Array = (
            np.sqrt(3.0) * abs(self.pressure) / self.creep.exponent * self._share(radius)
        )
        return stress

    def mean_pressure(self, radius: Array | float) -> Array:
        """-(s_r + s_t + s_z)/3 in GPa for zero pressure outside: -s_z, as s_z = (s_r + s_t)/2."""
        n = self.creep.exponent
        spread = (self.outer / self.inner) ** (2.0 / n) - 1.0
        axial = (1.0 / n - 1.0) * self._share(radius) + 1.0 / spread
        return -self.pressure * np.asarray(axial)

    @property
    def wall_velocity(self) -> float:
        """Radial velocity of the inner wall in um/s, positive outwards."""
        speed = np.sqrt(3.0) / 2.0 * rate(self.creep, float(self.mises(self.inner))) * self.inner
        return float(np.copysign(speed, self.pressure))
