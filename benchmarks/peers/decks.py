"""The three problems as CalculiX decks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from benchmarks.peers import contact_deck as touching
from benchmarks.peers import deck
from benchmarks.peers import problems as given
from benchmarks.peers.deck import MPA_PER_GPA, block
from creep_fem.microstructure import Disc, ParticleMesh

_AMPLITUDE_ROWS = 361  # the swelling is linear in between
TUBE_BEFORE_END = 0.9  # time of the first of two displacements for the velocity, over the end
_INITIAL, _MINIMUM = 1.0, 1e-3  # s
_DISC_MAXIMUM = 200.0  # s; with longer steps the first contacts are overrun


def bar() -> str:
    """B1; prints the displacement of the top and the stresses at the end."""
    mesh = given.bar_mesh()
    x, y = mesh.points.T
    times = np.array([0.0, given.RAMP])
    blocks = [
        *deck.mesh_blocks(mesh),
        deck.node_set("SIDES", np.flatnonzero((x == 0.0) | (x == 1.0))),
        deck.node_set("FOOT", np.flatnonzero(y == 0.0)),
        deck.node_set("HEAD", np.flatnonzero(y == 1.0)),
        deck.material("BAR", given.YOUNG, given.POISSON, given.CREEP, expands=True),
        deck.section("BODY0", "BAR"),
        deck.cold(),
        deck.swelling("GROWTH", times, 1.0 + given.BAR_GROWTH * times / given.RAMP),
        _time_points([given.RAMP]),
    ]
    loads = [
        block("BOUNDARY", [("SIDES", 1, 1), ("FOOT", 2, 2)]),
        block("TEMPERATURE, AMPLITUDE=GROWTH", [("ALL", 1.0)]),
    ]
    printed = [
        block("NODE PRINT, NSET=HEAD, TIME POINTS=WANTED", [("U",)]),
        block("EL PRINT, ELSET=BODY0, TIME POINTS=WANTED", [("S",)]),
    ]
    times_of_step = (_INITIAL, given.RAMP, _MINIMUM, given.RAMP / 360.0)
    blocks.append(deck.step(times_of_step, 1e-4, loads, printed, large_strain=True))
    return "\n".join(blocks) + "\n"


def tube() -> str:
    """B2, small strain; prints the inner wall and the stresses twice, near and at the end."""
    mesh = given.tube_mesh()
    x, y = mesh.points.T
    mids = mesh.cells[:, 3:].ravel()
    inner = mids[np.isclose(np.hypot(x[mids], y[mids]), given.INNER)]
    end = tube_end()
    pushed = [
        (element, f"P{face}", given.PRESSURE * MPA_PER_GPA)
        for element, face in deck.faces(mesh, inner)
    ]
    blocks = [
        *deck.mesh_blocks(mesh),
        deck.node_set("LEFT", np.flatnonzero(np.isclose(x, 0.0))),
        deck.node_set("FOOT", np.flatnonzero(np.isclose(y, 0.0))),
        deck.node_set("WALL", np.flatnonzero(np.isclose(np.hypot(x, y), given.INNER))),
        deck.material("TUBE", given.YOUNG, given.POISSON, given.CREEP),
        deck.section("BODY0", "TUBE"),
        _time_points([TUBE_BEFORE_END * end, end]),
        block("AMPLITUDE, NAME=SUDDEN", [(0.0, 1.0), (end, 1.0)]),
    ]
    loads = [
        block("BOUNDARY", [("LEFT", 1, 1), ("FOOT", 2, 2)]),
        block("DLOAD, AMPLITUDE=SUDDEN", pushed),
    ]
    printed = [
        block("NODE PRINT, NSET=WALL, TIME POINTS=WANTED", [("U",)]),
        block("EL PRINT, ELSET=BODY0, TIME POINTS=WANTED", [("S, COORD",)]),
    ]
    blocks.append(
        deck.step((_INITIAL, end, _MINIMUM, end / 20.0), 1e-4, loads, printed, large_strain=False)
    )
    return "\n".join(blocks) + "\n"


def tube_end() -> float:
    """End of B2 in s."""
    return given.TUBE_END * given.PRESSURE / (given.YOUNG * given.CREEP.rate)


def discs(method: touching.Method) -> str:
    """B3; prints volumes and stresses of the active discs at the wanted times."""
    problem = given.disc_problem()
    mesh = problem.mesh
    times = np.linspace(0.0, given.RAMP, _AMPLITUDE_ROWS)
    stretches = given.linear_stretch(given.DISC_VOLUME_CHANGE, times / given.RAMP)
    blocks = [
        *deck.mesh_blocks(mesh),
        *_disc_materials(mesh),
        *_touching(mesh, problem.discs, method),
        deck.cold(),
        deck.swelling("GROWTH", times, stretches),
        _time_points([*given.DISC_TIMES, given.RAMP]),
    ]
    loads = [
        *_symmetry(mesh),
        block("TEMPERATURE, AMPLITUDE=GROWTH", [("ALL", 1.0)]),
    ]
    printed = [block("EL PRINT, ELSET=SOFT, TIME POINTS=WANTED", [("S, EVOL",)])]
    tolerance = problem.config.time_step.creep_tolerance
    times_of_step = (_INITIAL, given.RAMP, _MINIMUM, _DISC_MAXIMUM)
    blocks.append(deck.step(times_of_step, tolerance, loads, printed, large_strain=True))
    return "\n".join(blocks) + "\n"


def _time_points(times: Iterable[float]) -> str:
    return block("TIME POINTS, NAME=WANTED", [(float(time),) for time in times])


def _disc_materials(mesh: ParticleMesh) -> list[str]:
    materials = given.disc_problem().config.materials
    active, framework = materials.active, materials.framework
    soft = [f"BODY{body}" for body in np.flatnonzero(mesh.body_phase == 0)]
    hard = [f"BODY{body}" for body in np.flatnonzero(mesh.body_phase == 1)]
    return [
        block("ELSET, ELSET=SOFT", [(name,) for name in soft]),
        deck.material(
            "ACTIVE", active.young_modulus, active.poisson_ratio, active.creep, expands=True
        ),
        deck.material("FRAMEWORK", framework.young_modulus, framework.poisson_ratio),
        *(deck.section(name, "ACTIVE") for name in soft),
        *(deck.section(name, "FRAMEWORK") for name in hard),
    ]


def _touching(mesh: ParticleMesh, discs: Sequence[Disc], method: touching.Method) -> list[str]:
    at_walls = touching.wall_pairs(discs, mesh.box)
    walls = sorted({wall for _, wall in at_walls})
    pairs = [
        (f"SURFACE{slave}", f"SURFACE{master}") for slave, master in touching.disc_pairs(discs)
    ]
    pairs += [(f"SURFACE{slave}", f"WALL{wall}") for slave, wall in at_walls]
    return [
        *touching.surfaces(mesh),
        *touching.walls(mesh, walls, "FRAMEWORK"),
        *touching.contact(method, pairs),
        *touching.springs(mesh, len(mesh.cells) + len(walls) + 1),
    ]


def _symmetry(mesh: ParticleMesh) -> list[str]:
    components = {"left": 1, "right": 1, "bottom": 2, "top": 2}
    return [
        block("BOUNDARY", [(node + 1, component, component) for node in mesh.wall_nodes[wall]])
        for wall, component in components.items()
    ]
