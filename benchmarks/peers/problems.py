"""The three problems: parameters, meshes and references; lengths in um, stresses in GPa, s."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.outcome import Quantity
from benchmarks.peers.verification import Body, Tube, confined_bar, mapped_square, quarter_ring
from creep_fem.config import RunConfig, load_config
from creep_fem.materials.parameters import NortonCreep
from creep_fem.microstructure import Disc, ParticleMesh, build_layout, build_mesh

Array = NDArray[np.float64]

PROBLEMS = ("B1", "B2", "B3")
TITLES = {
    "B1": "confined swelling bar",
    "B2": "thick cylinder in steady creep",
    "B3": "19 discs that swell into contact",
}

YOUNG, POISSON = 10.0, 0.25
CREEP = NortonCreep(rate=1e-5, reference_stress=0.1, exponent=4.5)
RAMP = 36000.0  # s

BAR_GROWTH = 0.1  # linear
BAR_CELLS = 2  # along each side of the unit square

INNER, OUTER, PRESSURE = 1.0, 2.0, 0.1
TUBE_CELLS = 10  # through the wall and around the quarter
# Multiples of the relaxation time pressure / (E A), from an elastic to a steady state.
TUBE_END = 20.0

DISC_VOLUME_CHANGE = 0.4
DISC_TIMES = (5156.0, 9279.0, 10915.0)  # s
DISC_CONFIG = Path(__file__).parents[2] / "configs" / "benchmark_19.yaml"


@dataclass(frozen=True)
class DiscProblem:
    """B3: config, mesh and the discs in the order of the mesh's bodies."""

    config: RunConfig
    mesh: ParticleMesh
    discs: tuple[Disc, ...]


@cache
def quantities(problem: str) -> tuple[Quantity, ...]:
    """What is compared in a problem."""
    if problem == "B1":
        stress, height = confined_bar(YOUNG, POISSON, CREEP, BAR_GROWTH, RAMP)
        source = "ordinary differential equation"
        return (
            Quantity("side stress in MPa", 1e3 * stress, source),
            Quantity("top displacement in um", height - 1.0, source),
        )
    if problem == "B2":
        tube, source = Tube(INNER, OUTER, PRESSURE, CREEP), "closed form"
        return (
            Quantity("von Mises inside in MPa", 1e3 * float(tube.mises(INNER)), source),
            Quantity("von Mises outside in MPa", 1e3 * float(tube.mises(OUTER)), source),
            Quantity("velocity of the inner wall in nm/s", 1e3 * tube.wall_velocity, source),
        )
    source = "MOOSE, as published with the benchmark"
    return tuple(
        Quantity(f"mean von Mises, soft discs, at {time:g} s in MPa", value, source)
        for time, value in zip(DISC_TIMES, (79.23, 78.46, 79.65), strict=True)
    )


def bar_mesh() -> Body:
    """The unit square of B1."""
    return mapped_square(BAR_CELLS, BAR_CELLS)


def tube_mesh() -> Body:
    """A quarter of the ring of B2."""
    return mapped_square(TUBE_CELLS, TUBE_CELLS, quarter_ring(INNER, OUTER))


@cache
def disc_problem() -> DiscProblem:
    """B3 as its config describes it; meshed once for all codes."""
    config = load_config(DISC_CONFIG)
    layout, _ = build_layout(config.microstructure)
    return DiscProblem(config, build_mesh(layout, config.mesh), layout.discs)


def linear_stretch(volume_change: float, progress: Array) -> Array:
    """Stretch of isotropic swelling along a ramp of the volume, progress from 0 to 1."""
    stretch: Array = np.cbrt(1.0 + volume_change * progress)
    return stretch


def value_at_wall(radii: Array, stresses: Array, wall: float) -> float:
    """Stress at a wall of B2 from points beside it, along a power of the radius."""
    depth = np.abs(np.log(radii / wall))
    near = depth < 8.0 * depth.min()
    slope = np.polyfit(np.log(radii[near]), np.log(stresses[near]), 1)
    return float(np.exp(np.polyval(slope, np.log(wall))))
