"""The three problems as MOOSE inputs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers import contact_deck as touching
from benchmarks.peers import decks
from benchmarks.peers import moose_input as syntax
from benchmarks.peers import problems as given
from benchmarks.peers.deck import MPA_PER_GPA
from benchmarks.peers.moose_input import Deck
from creep_fem.microstructure import ParticleMesh

_BAR_STEPS, _TUBE_STEPS = 360, 14  # those of creep_fem
_INITIAL, _MINIMUM, _MAXIMUM = 50.0, 1e-3, 200.0  # s; of B3
# In MPa/um: 100 MPa press the surfaces 1 nm into each other.
_PENALTY = 1e5
# In MPa s/um^2: holds discs without contact; a disc that moves as fast as it swells feels less
# than a hundredth of what a contact carries (100 MPa over 1 um).
_DRAG = 1e4
# A strip outside a wall: its corners 0 to 3, then the mid-nodes of these edges, in two triangles.
_STRIP_EDGES = ((0, 1), (1, 2), (2, 0), (2, 3), (3, 0))
_STRIP_CELLS = np.array([(0, 1, 2, 4, 5, 6), (0, 2, 3, 6, 7, 8)])
_STRIP_POINTS = 4 + len(_STRIP_EDGES)
_DIRECT = {
    "solve_type": "NEWTON",
    "petsc_options_iname": "-pc_type -pc_factor_shift_type",
    "petsc_options_value": "lu NONZERO",
    "nl_rel_tol": 1e-8,
}
_MISES = {
    "type": "RankTwoInvariant",
    "rank_two_tensor": "stress",
    "property_name": "mises",
    "invariant": "VonMisesStress",
}


@dataclass(frozen=True)
class _Mesh:
    points: NDArray[np.float64]
    cells: NDArray[np.int64]
    cell_body: NDArray[np.int32]


def bar() -> Deck:
    """B1; the stress and the height after every step."""
    mesh = given.bar_mesh()
    x, y = mesh.points.T
    sides = {
        "left": syntax.midpoints_on(mesh, x == 0.0),
        "right": syntax.midpoints_on(mesh, x == 1.0),
        "foot": syntax.midpoints_on(mesh, y == 0.0),
        "head": syntax.midpoints_on(mesh, y == 1.0),
    }
    function, growth = syntax.swelling(f"1 + {given.BAR_GROWTH:g}*t/{given.RAMP:g}")
    tree = {
        **_head(),
        **_mechanics({"all": {**_large_strain(), "eigenstrain_names": "swelling"}}),
        "Functions": function,
        "Materials": {**_creeping(given.YOUNG, given.POISSON), **growth},
        "BCs": {
            "sides": _held("disp_x", ["left", "right"]),
            "foot": _held("disp_y", ["foot"]),
        },
        "Executioner": {
            "type": "Transient",
            **_DIRECT,
            "end_time": given.RAMP,
            "dt": given.RAMP / _BAR_STEPS,
        },
        "Postprocessors": {
            "stress": {"type": "ElementAverageValue", "variable": "stress_xx"},
            "top": {"type": "SideAverageValue", "variable": "disp_y", "boundary": "head"},
        },
        "Outputs": _tables(),
    }
    return Deck(syntax.written(tree) + "\n", syntax.msh(mesh, ["bar"], sides))


def tube() -> Deck:
    """B2, small strain; the inner wall and the stresses at the quadrature points."""
    mesh = given.tube_mesh()
    x, y = mesh.points.T
    radius = np.hypot(x, y)
    sides = {
        "left": syntax.midpoints_on(mesh, np.isclose(x, 0.0)),
        "foot": syntax.midpoints_on(mesh, np.isclose(y, 0.0)),
        "wall": syntax.midpoints_on(mesh, np.isclose(radius, given.INNER)),
    }
    pressure = {
        "boundary": "wall",
        "factor": given.PRESSURE * MPA_PER_GPA,
        # small strain: the load stays where and as large as it is
        "use_displaced_mesh": False,
    }
    tree = {
        **_head(),
        **_mechanics({"all": {"strain": "SMALL", "incremental": True}}),
        "Materials": {**_creeping(given.YOUNG, given.POISSON), "mises": _MISES},
        "BCs": {
            "left": _held("disp_x", ["left"]),
            "foot": _held("disp_y", ["foot"]),
            "Pressure": {"wall": pressure},
        },
        "Executioner": {
            "type": "Transient",
            **_DIRECT,
            "end_time": decks.tube_end(),
            "TimeStepper": {"type": "TimeSequenceStepper", "time_sequence": tube_times()},
        },
        "Postprocessors": {"dofs": {"type": "NumDOFs"}},
        "VectorPostprocessors": {
            "wall": {
                "type": "NodalValueSampler",
                "variable": "disp_x disp_y",
                "boundary": "wall",
                "sort_by": "id",
            },
            "points": {"type": "MaterialVectorPostprocessor", "property": "mises"},
        },
        "Outputs": _tables(),
    }
    return Deck(syntax.written(tree) + "\n", syntax.msh(mesh, ["tube"], sides))


def tube_times() -> list[float]:
    """Times in s at which the steps of B2 end."""
    times: list[float] = (decks.tube_end() * np.geomspace(1e-3, 1.0, _TUBE_STEPS)).tolist()
    return times


def discs() -> Deck:
    """B3; the mean von Mises stress of the active discs after every step."""
    problem = given.disc_problem()
    at_walls = touching.wall_pairs(problem.discs, problem.mesh.box)
    walls = sorted({wall for _, wall in at_walls})
    pairs = [(f"surface{a}", f"surface{b}") for a, b in touching.disc_pairs(problem.discs)]
    pairs += [(f"surface{disc}", f"wall{wall}") for disc, wall in at_walls]
    names, strips = _body_names(problem.mesh), [f"strip{wall}" for wall in walls]
    soft = [name for name in names if name.startswith("soft")]
    tree = {
        **_head(patch_update_strategy="iteration"),
        **_disc_mechanics(soft, [name for name in names if name not in soft] + strips),
        "Kernels": _drag(names),
        "BCs": _symmetry(problem.mesh.wall_nodes, walls),
        "Contact": {"touch": _contact(pairs)},
        "Executioner": _careful(),
        "Postprocessors": {"mises": _mean_mises(soft)},
        "Outputs": _tables(sync_times=list(given.DISC_TIMES)),
    }
    mesh = _with_walls(problem.mesh, walls)
    sides = _disc_sides(problem.mesh, mesh, walls)
    return Deck(syntax.written(tree) + "\n", syntax.msh(mesh, [*names, *strips], sides))


def _body_names(mesh: ParticleMesh) -> list[str]:
    kinds = ("soft", "hard")
    return [f"{kinds[phase]}{body}" for body, phase in enumerate(mesh.body_phase)]


def _with_walls(mesh: ParticleMesh, walls: Sequence[str]) -> _Mesh:
    """The discs, and a strip of two triangles outside of each named wall."""
    points, cells, owners = [mesh.points], [mesh.cells], [mesh.cell_body]
    first, body = len(mesh.points), len(mesh.body_phase)
    for wall in walls:
        corners = np.array(touching.wall_corners(mesh.box)[wall])
        mids = [0.5 * (corners[i] + corners[j]) for i, j in _STRIP_EDGES]
        points.append(np.vstack([corners, mids]))
        cells.append(first + _STRIP_CELLS)
        owners.append(np.full(len(_STRIP_CELLS), body, np.int32))
        first, body = first + len(points[-1]), body + 1
    return _Mesh(np.vstack(points), np.vstack(cells), np.concatenate(owners))


def _disc_sides(
    discs: ParticleMesh, mesh: _Mesh, walls: Sequence[str]
) -> dict[str, NDArray[np.int64]]:
    """Mid-nodes of the discs' surfaces and cuts, of the strips' faces on the box and all edges."""
    sides = {
        f"surface{body}": np.concatenate([a.nodes[1::2] for a in discs.arcs if a.body == body])
        for body in range(len(discs.body_phase))
    }
    mids = np.unique(discs.cells[:, 3:])
    sides |= {name: np.intersect1d(nodes, mids) for name, nodes in discs.wall_nodes.items()}
    for index, wall in enumerate(walls):
        face = len(discs.points) + index * _STRIP_POINTS + 4
        sides[f"wall{wall}"] = np.array([face])
        every = mesh.cells[mesh.cell_body == len(discs.body_phase) + index, 3:]
        # the diagonal is no edge of the strip
        sides[f"edge{wall}"] = np.array([m for m in np.unique(every) if np.sum(every == m) == 1])
    return sides


def _disc_mechanics(soft: Sequence[str], stiff: Sequence[str]) -> dict[str, object]:
    """Strains and materials of the bodies that swell and creep, and of those that do neither."""
    share = f"{given.DISC_VOLUME_CHANGE:g}*t/{given.RAMP:g}"
    function, growth = syntax.swelling(f"(1 + {share})^(1/3)", soft)
    materials = given.disc_problem().config.materials
    active, framework = materials.active, materials.framework
    elastic = syntax.elasticity(framework.young_modulus, framework.poisson_ratio)
    swollen = {**_large_strain(), "block": soft, "eigenstrain_names": "swelling"}
    return {
        **_mechanics({"soft": swollen, "hard": {**_large_strain(), "block": stiff}}),
        "Functions": function,
        "Materials": {
            **_creeping(active.young_modulus, active.poisson_ratio, soft),
            "stiff": {**elastic, "block": stiff},
            "stiff_stress": {"type": "ComputeFiniteStrainElasticStress", "block": stiff},
            **growth,
        },
    }


def _drag(bodies: Sequence[str]) -> dict[str, object]:
    drag = {"type": "CoefTimeDerivative", "Coefficient": _DRAG, "block": bodies}
    return {f"drag_{axis}": {**drag, "variable": f"disp_{axis}"} for axis in "xy"}


def _contact(pairs: Sequence[tuple[str, str]]) -> dict[str, object]:
    return {
        "secondary": [secondary for secondary, _ in pairs],
        "primary": [primary for _, primary in pairs],
        "formulation": "penalty",
        "model": "frictionless",
        "penalty": _PENALTY,
        "normalize_penalty": True,
        "normal_smoothing_distance": 0.1,
        "tangential_tolerance": 0.05,
    }


def _symmetry(cuts: Iterable[str], walls: Sequence[str]) -> dict[str, object]:
    axes = {"left": "x", "right": "x", "bottom": "y", "top": "y"}
    held: dict[str, object] = {wall: _held(f"disp_{axes[wall]}", [wall]) for wall in cuts}
    fixed = [f"edge{wall}" for wall in walls]
    return held | {f"fixed_{axis}": _held(f"disp_{axis}", fixed) for axis in "xy"}


def _careful() -> dict[str, object]:
    return {
        "type": "Transient",
        **_DIRECT,
        # a hundred-thousandth of what a contact carries
        "nl_abs_tol": 1e-3,
        "nl_max_its": 25,
        "line_search": "none",
        "end_time": given.RAMP,
        "dtmin": _MINIMUM,
        "dtmax": _MAXIMUM,
        "TimeStepper": {
            "type": "IterationAdaptiveDT",
            "dt": _INITIAL,
            "optimal_iterations": 12,
            "growth_factor": 1.5,
        },
    }


def _mean_mises(bodies: Sequence[str]) -> dict[str, object]:
    return {
        "type": "ElementAverageValue",
        "variable": "vonmises_stress",
        "block": bodies,
        "use_displaced_mesh": True,
    }


def _tables(**settings: object) -> dict[str, object]:
    return {"tables": {"type": "CSV", "file_base": syntax.STEM, **settings}}


def _head(**settings: object) -> dict[str, object]:
    mesh = {"type": "FileMeshGenerator", "file": f"{syntax.STEM}.msh"}
    axes = {"displacements": "disp_x disp_y"}
    return {"GlobalParams": axes, "Mesh": {"file": mesh, **settings}}


def _mechanics(bodies: dict[str, dict[str, object]]) -> dict[str, object]:
    common = {"add_variables": True, "generate_output": "stress_xx vonmises_stress"}
    physics = {name: {**common, **settings} for name, settings in bodies.items()}
    return {"Physics": {"SolidMechanics": {"QuasiStatic": physics}}}


def _large_strain() -> dict[str, object]:
    return {"strain": "FINITE", "incremental": True}


def _creeping(young: float, poisson: float, block: Sequence[str] = ()) -> dict[str, object]:
    where = {"block": block} if block else {}
    stress = {"type": "ComputeMultipleInelasticStress", "inelastic_models": "creep"}
    return {
        "elasticity": {**syntax.elasticity(young, poisson), **where},
        "creep": {**syntax.creep(given.CREEP), **where},
        "stress": {**stress, **where},
    }


def _held(variable: str, boundary: Sequence[str]) -> dict[str, object]:
    return {
        "type": "DirichletBC",
        "variable": variable,
        "boundary": boundary,
        "value": 0.0,
        "preset": True,
    }
