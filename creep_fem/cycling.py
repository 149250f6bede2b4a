"""Galvanostatic cycling: state of charge and swelling as functions of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from creep_fem.materials import GrowthMode


@dataclass(frozen=True)
class HalfCycle:
    """A stretch of constant current.

    Attributes:
        cycle: Number of the cycle it belongs to, counted from 1.
        start_time: Start in s.
        end_time: End in s.
        start_soc: State of charge (degree of lithiation, 0 to 1) at the start.
        end_soc: State of charge at the end.
    """

    cycle: int
    start_time: float
    end_time: float
    start_soc: float
    end_soc: float

    def soc_at(self, time: float) -> float:
        """State of charge at a time in s, exact at both ends."""
        share = (time - self.start_time) / (self.end_time - self.start_time)
        return (1.0 - share) * self.start_soc + share * self.end_soc

    def time_at(self, soc: float) -> float | None:
        """Time in s at which a state of charge is passed, if it is inside the half-cycle."""
        share = (soc - self.start_soc) / (self.end_soc - self.start_soc)
        if not 0.0 < share <= 1.0:
            return None
        return self.start_time + share * (self.end_time - self.start_time)


def milestones(half: HalfCycle, socs: Sequence[float], apart: float) -> list[float]:
    """Times to hit exactly: wanted states of charge and the end of a half-cycle.

    Args:
        half: The half-cycle.
        socs: Wanted states of charge; those outside of the half-cycle do not count.
        apart: Smallest step in s. What is closer to a later milestone, or to the start, is left
            out, for no step could lead from one to the other.

    Returns:
        Times in s, ascending.
    """
    times = [time for soc in socs if (time := half.time_at(soc)) is not None]
    found = [half.end_time]
    for time in sorted(times, reverse=True):
        if found[-1] - time >= apart and time - half.start_time >= apart:
            found.append(time)
    return found[::-1]


def half_cycles(
    c_rate: float, cycles: int, start: float, swollen: float, shrunk: float
) -> tuple[HalfCycle, ...]:
    """Alternate swelling and shrinking at constant current, the swelling half first.

    Args:
        c_rate: Change of the state of charge per time in 1/s.
        cycles: Number of cycles.
        start: State of charge at time 0.
        swollen: State of charge at the swollen end.
        shrunk: State of charge at the shrunk end.
    """
    parts: list[HalfCycle] = []
    time, soc = 0.0, start
    for cycle in range(1, cycles + 1):
        for target in (swollen, shrunk):
            end = time + abs(target - soc) / c_rate
            parts.append(HalfCycle(cycle, time, end, soc, target))
            time, soc = end, target
    return tuple(parts)


def growth_stretches(
    volume_change: float, soc: float, start: float, mode: GrowthMode
) -> tuple[float, float]:
    """Stretches of the stress-free swelling Fl = diag(a, a, b) relative to the start.

    J_l = 1 + Omega c = 1 + volume_change * soc. ``isotropic``: a = b = J^(1/3);
    ``in_plane``: a = J^(1/3), b = 1, so that the area grows by J^(2/3).

    Args:
        volume_change: Relative volume change of the host when fully lithiated.
        soc: State of charge.
        start: State of charge of the stress-free start.
        mode: Where the out-of-plane growth goes.

    Returns:
        Stretch in the plane and out of it.
    """
    ratio = (1.0 + volume_change * soc) / (1.0 + volume_change * start)
    stretch = ratio ** (1.0 / 3.0)
    return stretch, stretch if mode == "isotropic" else 1.0


def free_area_growth(stretches: tuple[float, float], poisson_ratio: float) -> float:
    """Area ratio of a particle that swells freely and without creep in plane strain.

    Swelling Fl = diag(a, a, b) without stress in the plane: the Hencky strain -ln b that suppresses
    the growth out of the plane stretches the plane by Poisson's ratio, so the area grows by
    a^2 b^(2 nu).

    Args:
        stretches: Stress-free stretch in the plane and out of it.
        poisson_ratio: Poisson's ratio of the particle.
    """
    in_plane, out_of_plane = stretches
    return float(in_plane**2 * out_of_plane ** (2.0 * poisson_ratio))
