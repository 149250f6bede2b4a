"""Contact, walls and grounding springs of the packing in a CalculiX deck."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Literal

import numpy as np

from benchmarks.peers.deck import block, faces, node_rows, section
from creep_fem.microstructure import Disc, ParticleMesh

Method = Literal["NODE TO SURFACE", "SURFACE TO SURFACE"]

# Two discs, or a disc and a wall, nearer than this share of their mean radius are a contact pair.
REACH = 0.5
# Of each surface vertex, in MPa um, so about 80 for a disc: moved by 0.1 um it feels a tenth of
# what a contact carries (100 MPa over 1 um). With 0.02 most runs ended where the first discs met.
SPRING = 2.0
# Contact pressure in MPa at gap 0; it falls to a hundredth at the fading gap, in um.
_PRESSURE, _FADING_GAP = 10.0, 0.015
_WALL_DEPTH = 1.0  # um


def disc_pairs(discs: Sequence[Disc]) -> list[tuple[int, int]]:
    """Pairs of discs that may meet, the slave first: the active one, else the smaller one."""
    pairs = []
    for i, j in combinations(range(len(discs)), 2):
        a, b = discs[i], discs[j]
        gap = np.hypot(a.x - b.x, a.y - b.y) - a.radius - b.radius
        if gap < REACH * 0.5 * (a.radius + b.radius):
            keys = [(discs[k].phase != "active", discs[k].radius, k) for k in (i, j)]
            pairs.append((i, j) if keys[0] < keys[1] else (j, i))
    return pairs


def wall_pairs(discs: Sequence[Disc], box: float) -> list[tuple[int, str]]:
    """Discs that may meet a wall that does not cut them, with the wall's name."""
    pairs = []
    for index, disc in enumerate(discs):
        distances = {
            "LEFT": disc.x,
            "RIGHT": box - disc.x,
            "BOTTOM": disc.y,
            "TOP": box - disc.y,
        }
        pairs += [
            (index, wall)
            for wall, distance in distances.items()
            if disc.radius < distance < (1.0 + REACH) * disc.radius
        ]
    return pairs


def surfaces(mesh: ParticleMesh) -> list[str]:
    """The free surface of every body as SURFACE0, SURFACE1, ..."""
    blocks = []
    for body in range(len(mesh.body_phase)):
        mids = np.concatenate([arc.nodes[1::2] for arc in mesh.arcs if arc.body == body])
        rows = [(element, f"S{face}") for element, face in faces(mesh, mids)]
        blocks.append(block(f"SURFACE, NAME=SURFACE{body}, TYPE=ELEMENT", rows))
    return blocks


def walls(mesh: ParticleMesh, names: Sequence[str], material: str) -> list[str]:
    """Strips of one element outside the box, fixed at all nodes, with surfaces WALLLEFT, ...

    Args:
        mesh: The mesh whose nodes and elements precede those of the walls.
        names: Walls that are needed.
        material: Name of their material.
    """
    corners = wall_corners(mesh.box)
    node, element, blocks = len(mesh.points) + 1, len(mesh.cells) + 1, []
    for name in names:
        fixed = range(node, node + 4)
        blocks += [
            block("NODE, NSET=ALL", node_rows(np.array(corners[name]), node)),
            block(f"ELEMENT, TYPE=CPE4, ELSET=STRIP{name}", [(element, *fixed)]),
            section(f"STRIP{name}", material),
            block(f"SURFACE, NAME=WALL{name}, TYPE=ELEMENT", [(element, "S1")]),
            block("BOUNDARY", [(number, 1, 2) for number in fixed]),
        ]
        node, element = node + 4, element + 1
    return blocks


def wall_corners(box: float) -> dict[str, list[tuple[float, float]]]:
    """Corners in um of a strip outside each wall, counter-clockwise, the face on the box first."""
    low, high, out, end = 0.0, box, -_WALL_DEPTH, box + _WALL_DEPTH
    return {
        "LEFT": [(low, low), (low, high), (out, high), (out, low)],
        "RIGHT": [(high, high), (high, low), (end, low), (end, high)],
        "BOTTOM": [(high, low), (low, low), (low, out), (high, out)],
        "TOP": [(low, high), (high, high), (high, end), (low, end)],
    }


def contact(method: Method, pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Frictionless contact of listed pairs of surfaces, the slave first.

    Args:
        method: How CalculiX discretises contact.
        pairs: Names of the surfaces.
    """
    law = [
        block("SURFACE INTERACTION, NAME=TOUCH"),
        block("SURFACE BEHAVIOR, PRESSURE-OVERCLOSURE=EXPONENTIAL", [(_FADING_GAP, _PRESSURE)]),
    ]
    heading = f"CONTACT PAIR, INTERACTION=TOUCH, TYPE={method}"
    return law + [block(heading, [pair]) for pair in pairs]


def springs(mesh: ParticleMesh, first: int) -> list[str]:
    """Springs that tie every surface vertex to the ground, numbered from ``first``."""
    vertices = np.concatenate([arc.nodes[::2] for arc in mesh.arcs])
    blocks = []
    for component in (1, 2):
        name, start = f"GROUND{component}", first + (component - 1) * len(vertices)
        rows = [(start + index, vertex + 1) for index, vertex in enumerate(vertices)]
        blocks += [
            block(f"ELEMENT, TYPE=SPRING1, ELSET={name}", rows),
            block(f"SPRING, ELSET={name}", [(component,), (SPRING,)]),
        ]
    return blocks
