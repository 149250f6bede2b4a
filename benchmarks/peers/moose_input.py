"""MOOSE's input syntax and gmsh's mesh format; lengths in um, stresses in MPa, times in s."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.deck import MPA_PER_GPA, faces
from creep_fem.materials.parameters import NortonCreep
from creep_fem.mechanics.domain import Triangles

Tree = Mapping[str, object]
"""Parameters by name; what is a mapping itself becomes a block."""

STEM = "job"
_LINE3, _TRIANGLE6 = 8, 9  # gmsh's numbers of element types


@dataclass(frozen=True)
class Deck:
    """What MOOSE reads.

    Attributes:
        text: The input file.
        mesh: The mesh it names, in gmsh's format 2.2.
    """

    text: str
    mesh: str


def written(tree: Tree, indent: str = "") -> str:
    """A tree in MOOSE's syntax, sequences and texts with blanks quoted."""
    lines = []
    for name, value in tree.items():
        if isinstance(value, Mapping):
            lines += [f"{indent}[{name}]", written(value, indent + "  "), f"{indent}[]"]
        else:
            lines.append(f"{indent}{name} = {_entry(value)}")
    return "\n".join(lines)


def _entry(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{float(value):.12g}"
    if isinstance(value, str):
        return f"'{value}'" if " " in value or not value else value
    if isinstance(value, Sequence):
        return f"'{' '.join(_entry(entry) for entry in value)}'"
    return str(value)


def msh(mesh: Triangles, blocks: Sequence[str], sides: Mapping[str, NDArray[np.int64]]) -> str:
    """Second-order triangles and named sides.

    Args:
        mesh: The triangles.
        blocks: Name of every body.
        sides: Mid-nodes of the edges of every side.
    """
    names = [f'2 {body + 1} "{name}"' for body, name in enumerate(blocks)]
    # numbers of their own, or libMesh would take a side for a body
    first = len(blocks) + 1
    names += [f'1 {first + index} "{name}"' for index, name in enumerate(sides)]
    points = [f"{i + 1} {x!r} {y!r} 0" for i, (x, y) in enumerate(mesh.points.tolist())]
    rows = [
        (_TRIANGLE6, body + 1, cell + 1)
        for body, cell in zip(mesh.cell_body.tolist(), mesh.cells, strict=True)
    ]
    for index, mids in enumerate(sides.values()):
        rows += [(_LINE3, first + index, edge + 1) for edge in edges(mesh, mids)]
    elements = [
        f"{number} {kind} 2 {group} {group} {' '.join(map(str, nodes))}"
        for number, (kind, group, nodes) in enumerate(rows, start=1)
    ]
    return "\n".join(
        [
            *("$MeshFormat", "2.2 0 8", "$EndMeshFormat"),
            *("$PhysicalNames", str(len(names)), *names, "$EndPhysicalNames"),
            *("$Nodes", str(len(points)), *points, "$EndNodes"),
            *("$Elements", str(len(elements)), *elements, "$EndElements"),
            "",
        ]
    )


def edges(mesh: Triangles, midpoints: Iterable[int]) -> NDArray[np.int64]:
    """Start, end and mid-node of the edges with these mid-nodes, the body on the left."""
    rows = []
    for element, face in faces(mesh, midpoints):
        cell = mesh.cells[element - 1]
        rows.append((cell[face - 1], cell[face % 3], cell[2 + face]))
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


def midpoints_on(mesh: Triangles, chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Mid-nodes among the chosen points."""
    mids = np.unique(mesh.cells[:, 3:])
    found: NDArray[np.int64] = mids[chosen[mids]]
    return found


def creep(law: NortonCreep) -> dict[str, object]:
    """Norton's law, its rate at the reference stress turned into a factor in MPa^-n/s."""
    factor = law.rate * (law.reference_stress * MPA_PER_GPA) ** -law.exponent
    return {
        "type": "PowerLawCreepStressUpdate",
        "coefficient": factor,
        "n_exponent": float(law.exponent),
        "activation_energy": 0.0,
        # of a step; the time stepper, not the material, chooses the step
        "max_inelastic_increment": 1.0,
    }


def elasticity(young: float, poisson: float) -> dict[str, object]:
    """Isotropic stiffness from Young's modulus in GPa."""
    return {
        "type": "ComputeIsotropicElasticityTensor",
        "youngs_modulus": young * MPA_PER_GPA,
        "poissons_ratio": poisson,
    }


def swelling(
    stretch: str, block: Sequence[str] = ()
) -> tuple[dict[str, object], dict[str, object]]:
    """Function and materials of isotropic swelling; its strain is the stretch's logarithm.

    Args:
        stretch: Linear stretch as a formula of the time t in s.
        block: The bodies that swell; all if empty.
    """
    where: dict[str, object] = {"block": block} if block else {}
    function = {"type": "ParsedFunction", "expression": f"log({stretch})"}
    materials: dict[str, object] = {
        "growth": {
            "type": "GenericFunctionMaterial",
            "prop_names": "growth",
            "prop_values": "growth",
            **where,
        },
        "swelling": {
            "type": "ComputeEigenstrain",
            "eigen_base": "1 1 1 0 0 0",
            "prefactor": "growth",
            "eigenstrain_name": "swelling",
            **where,
        },
    }
    return {"growth": function}, materials
