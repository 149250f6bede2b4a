"""Blocks of a CalculiX deck; lengths in um, stresses in MPa, times in s."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from creep_fem.materials.parameters import NortonCreep
from creep_fem.mechanics.domain import Triangles

MPA_PER_GPA = 1e3
THICKNESS = 1.0  # um


def block(keyword: str, rows: Iterable[Sequence[object]] = ()) -> str:
    """A keyword line and its data lines; floats with twelve digits."""
    return "\n".join([f"*{keyword}", *(", ".join(map(_written, row)) for row in rows)])


def _written(entry: object) -> str:
    if isinstance(entry, float):
        # CalculiX reads 20 characters, and overlooks a spring whose stiffness lacks a point
        return f"{float(entry):#.12g}"
    return str(entry)


def node_rows(points: NDArray[np.float64], first: int = 1) -> list[tuple[object, ...]]:
    """Numbers and coordinates of points."""
    return [(first + index, float(x), float(y), 0.0) for index, (x, y) in enumerate(points)]


def mesh_blocks(mesh: Triangles) -> list[str]:
    """Nodes (set ALL) and plane-strain triangles CPE6 (set BODY0, BODY1, ...), numbered from 1.

    CalculiX orders the nodes of a triangle as gmsh does.
    """
    blocks = [block("NODE, NSET=ALL", node_rows(mesh.points))]
    for body in np.unique(mesh.cell_body):
        cells = np.flatnonzero(mesh.cell_body == body)
        rows = [(cell + 1, *(mesh.cells[cell] + 1)) for cell in cells]
        blocks.append(block(f"ELEMENT, TYPE=CPE6, ELSET=BODY{body}", rows))
    return blocks


def node_set(name: str, points: Iterable[int]) -> str:
    """A named set of mesh points."""
    return block(f"NSET, NSET={name}", [(point + 1,) for point in points])


def faces(mesh: Triangles, midpoints: Iterable[int]) -> list[tuple[int, int]]:
    """Element number and face number, both from 1, of the edges with these mid-nodes."""
    place = {
        int(mid): (cell + 1, face + 1)
        for cell, mids in enumerate(mesh.cells[:, 3:])
        for face, mid in enumerate(mids)
    }
    return [place[int(mid)] for mid in midpoints]


def material(
    name: str,
    young: float,
    poisson: float,
    creep: NortonCreep | None = None,
    expands: bool = False,
) -> str:
    """An isotropic material; where it expands, its temperature is the linear swelling strain.

    Args:
        name: Name of the material.
        young: Young's modulus in GPa.
        poisson: Poisson's ratio.
        creep: Norton law; its rate at the reference stress becomes a factor in MPa^-n/s.
        expands: Whether the material swells.
    """
    blocks = [
        block(f"MATERIAL, NAME={name}"),
        block("ELASTIC", [(young * MPA_PER_GPA, poisson)]),
    ]
    if expands:
        blocks.append(block("EXPANSION, ZERO=0.", [(1.0,)]))
    if creep is not None:
        factor = creep.rate * (creep.reference_stress * MPA_PER_GPA) ** -creep.exponent
        blocks.append(block("CREEP, LAW=NORTON", [(factor, creep.exponent, 0.0)]))
    return "\n".join(blocks)


def section(element_set: str, material_name: str) -> str:
    """Gives elements their material."""
    heading = f"SOLID SECTION, ELSET={element_set}, MATERIAL={material_name}"
    return block(heading, [(THICKNESS,)])


def swelling(name: str, times: NDArray[np.float64], stretches: NDArray[np.float64]) -> str:
    """Amplitude of the swelling strain, stretch - 1, over time in s."""
    rows = [(float(t), float(s) - 1.0) for t, s in zip(times, stretches, strict=True)]
    return block(f"AMPLITUDE, NAME={name}", rows)


def cold() -> str:
    """The unswollen start."""
    return block("INITIAL CONDITIONS, TYPE=TEMPERATURE", [("ALL", 0.0)])


def step(
    times: tuple[float, float, float, float],
    creep_tolerance: float,
    loads: Sequence[str],
    printed: Sequence[str],
    large_strain: bool,
) -> str:
    """A creep step with all its loads.

    Args:
        times: First increment, end of the step, smallest and largest increment in s.
        creep_tolerance: Largest change of the creep strain increment within an increment.
        loads: Blocks of loads and supports.
        printed: Blocks of requests for output.
        large_strain: Whether geometric non-linearity is accounted for.
    """
    heading = f"STEP, INC=1000000{', NLGEOM' if large_strain else ''}"
    visco = block(f"VISCO, CETOL={creep_tolerance:g}", [times])
    return "\n".join([block(heading), visco, *loads, *printed, block("END STEP")])
