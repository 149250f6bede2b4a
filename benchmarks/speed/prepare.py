"""Times pieces of work, and all that comes before the first time step."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import creep_fem._backend  # noqa: F401  isort: skip

from mpi4py import MPI

from creep_fem.config import load_config
from creep_fem.microstructure import build_layout, build_mesh
from creep_fem.microstructure.particle_mesh import ParticleMesh
from creep_fem.simulation import Simulation


@dataclass(frozen=True)
class Prepared:
    """A simulation before its first step.

    Attributes:
        run: The simulation.
        particles: Its mesh, held by every process.
        packing: Seconds for packing, or reading the layout.
        meshing: Seconds for the mesh.
        set_up: Seconds for distribution, forms and solver.
    """

    run: Simulation
    particles: ParticleMesh
    packing: float
    meshing: float
    set_up: float


def prepare(comm: MPI.Intracomm, path: Path, overrides: Sequence[str]) -> Prepared:
    """Pack, mesh and set up, as a run does (collective).

    Args:
        comm: The processes.
        path: YAML file of the run; nothing is written.
        overrides: Entries to replace, as on the command line.
    """
    config = load_config(path, overrides)
    packing, made = timed(lambda: build_layout(config.microstructure) if comm.rank == 0 else None)
    meshing, mesh = timed(lambda: build_mesh(made[0], config.mesh) if made is not None else None)
    particles = comm.bcast(mesh)
    set_up, run = timed(lambda: Simulation(comm, config, particles))
    return Prepared(run, particles, packing, meshing, set_up)


def timed[T](work: Callable[[], T]) -> tuple[float, T]:
    """Seconds that work took, and its result."""
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result
