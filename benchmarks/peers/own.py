"""The problems with creep_fem."""

from __future__ import annotations

import time

import numpy as np
import ufl
from mpi4py import MPI

from benchmarks.peers import problems as given
from benchmarks.peers.outcome import FINISHED, Outcome
from benchmarks.peers.verification import LoadedBody, circle, line, material
from creep_fem.errors import NotConverged
from creep_fem.simulation import Simulation

CODE = "creep_fem"

_BAR_STEPS = 360
# B2 is a small-strain problem: a body this stiff, in GPa, hardly changes its shape.
_TUBE_YOUNG = 1e7
_TUBE_STEPS = 14
_MODELS = {
    "B1": "the stated one; stress per swollen volume",
    "B2": "finite strain, made small by E = 1e7 GPa: the steady state does not depend on E",
    "B3": "the stated one; a surface drag instead of springs, contact on smooth curved surfaces",
}


def run(problem: str, time_limit: float) -> Outcome:
    """Run a problem; the wall time includes the set-up, not the making of the mesh.

    Args:
        problem: B1, B2 or B3.
        time_limit: Wall time in s after which B3 is stopped between two steps.
    """
    if problem == "B3":
        return _discs(time_limit)
    return _bar() if problem == "B1" else _tube()


def warm_up(problem: str) -> None:
    """Compile the forms of a problem, or load them once, by a first step."""
    if problem == "B3":
        next(iter(_simulation().steps()))
    else:
        run(problem, np.inf)


def _bar() -> Outcome:
    mesh = given.bar_mesh()
    started = time.perf_counter()
    body = LoadedBody(mesh, material(given.YOUNG, given.POISSON, given.CREEP))
    for place, component in ((line(0, 0.0), 0), (line(0, 1.0), 0), (line(1, 0.0), 1)):
        body.hold(place, component)
    for step in range(_BAR_STEPS):
        stretch = 1.0 + given.BAR_GROWTH * (step + 1) / _BAR_STEPS
        body.grow(stretch, stretch)
        body.advance(given.RAMP / _BAR_STEPS)
    top = body.mean_displacement(line(1, 1.0), (0.0, 1.0))
    cauchy = body.force(line(0, 1.0), 0) / (1.0 + top)
    stress = 1e3 * cauchy * body.elastic_volume_ratio()
    wall = time.perf_counter() - started
    return _outcome("B1", 2 * len(mesh.points), 1.0, wall, None, (stress, top))


def _tube() -> Outcome:
    mesh = given.tube_mesh()
    started = time.perf_counter()
    body = LoadedBody(mesh, material(_TUBE_YOUNG, given.POISSON, given.CREEP))
    body.hold(line(0, 0.0), 0)
    body.hold(line(1, 0.0), 1)
    body.push(circle(given.INNER)).value = given.PRESSURE
    relaxation = given.PRESSURE / (_TUBE_YOUNG * given.CREEP.rate)
    ends = given.TUBE_END * relaxation * np.geomspace(1e-3, 1.0, _TUBE_STEPS)
    for dt in np.diff(ends, prepend=0.0):
        before = body.mean_displacement(circle(given.INNER))
        body.advance(float(dt))
    velocity = (body.mean_displacement(circle(given.INNER)) - before) / float(dt)
    radii = np.linalg.norm(body.at_points(ufl.SpatialCoordinate(body.mesh)), axis=2).ravel()
    mises = 1e3 * body.point_values().mises.ravel()
    walls = [given.value_at_wall(radii, mises, radius) for radius in (given.INNER, given.OUTER)]
    wall = time.perf_counter() - started
    return _outcome("B2", 2 * len(mesh.points), 1.0, wall, None, (*walls, 1e3 * velocity))


def _simulation() -> Simulation:
    problem = given.disc_problem()
    return Simulation(MPI.COMM_SELF, problem.config, problem.mesh)


def _discs(time_limit: float) -> Outcome:
    started = time.perf_counter()
    simulation = _simulation()
    stresses: dict[float, float] = {}
    iterations, reached, ended_by = 0, 0.0, FINISHED
    try:
        for half, step in simulation.steps():
            iterations += step.iterations + step.chord_iterations
            reached = step.time / given.RAMP
            stresses[round(step.time)] = 1e3 * simulation.row(half, step).mises_mean_active_gpa
            if step.time >= half.end_time:
                break
            if time.perf_counter() - started > time_limit:
                ended_by = f"time limit of {time_limit:g} s"
                break
    except NotConverged as error:
        ended_by = error.failure.reason
    wall = time.perf_counter() - started
    values = tuple(stresses.get(round(moment)) for moment in given.DISC_TIMES)
    dofs = 2 * len(given.disc_problem().mesh.points)
    return _outcome("B3", dofs, reached, wall, iterations, values, ended_by)


def _outcome(
    problem: str,
    dofs: int,
    reached: float,
    wall: float,
    iterations: int | None,
    values: tuple[float | None, ...],
    ended_by: str = FINISHED,
) -> Outcome:
    return Outcome(
        problem, CODE, dofs, reached, (wall,), iterations, values, ended_by, _MODELS[problem]
    )
