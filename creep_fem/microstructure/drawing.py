"""Draws a mesh: bodies coloured by phase, curved elements, area fractions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from creep_fem.microstructure.layout import PHASES
from creep_fem.microstructure.particle_mesh import TRIANGLE6_EDGES, ParticleMesh, cell_areas

PHASE_COLOURS = {"active": "#E69F00", "framework": "#56B4E9"}
"""Colours that remain distinct with any colour vision (Okabe and Ito)."""

_WIDTH = 90.0 / 25.4
"""Width of a journal column in inch."""

_EDGE_POINTS = 4
"""Straight pieces that a curved edge is drawn with."""


def draw_mesh(mesh: ParticleMesh, path: str | Path) -> None:
    """Draws all elements and writes the picture, 90 mm wide at 300 dpi.

    Args:
        mesh: The mesh of all bodies.
        path: Picture to write; its ending tells the format, such as ``.png``.
    """
    # matplotlib is slow to import, and only drawing needs it.
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, 1.12 * _WIDTH), layout="constrained")
    axes = figure.add_subplot()
    areas = cell_areas(mesh.points, mesh.cells)
    cell_phase = mesh.body_phase[mesh.cell_body]
    for index, phase in enumerate(PHASES):
        cells = mesh.cells[cell_phase == index]
        fraction = float(areas[cell_phase == index].sum()) / mesh.box**2
        polygons = PolyCollection(
            list(_outlines(mesh.points, cells)),
            facecolors=PHASE_COLOURS[phase],
            edgecolors="black",
            linewidths=0.15,
            label=f"{phase} {fraction:.1%}",
        )
        axes.add_collection(polygons)
    pores = 1.0 - float(areas.sum()) / mesh.box**2
    axes.set(xlim=(0.0, mesh.box), ylim=(0.0, mesh.box), aspect="equal")
    axes.set(xlabel="x in µm", ylabel="y in µm")
    axes.set_title(
        f"{len(mesh.body_phase)} bodies, {len(mesh.cells)} elements, pores {pores:.1%}", fontsize=8
    )
    axes.tick_params(labelsize=8)
    figure.legend(loc="outside lower center", ncols=2, fontsize=8, frameon=False)
    figure.savefig(Path(path), dpi=300)


def _outlines(points: NDArray[np.float64], cells: NDArray[np.int64]) -> NDArray[np.float64]:
    """(m, 3 * _EDGE_POINTS, 2) points along the quadratic edges of the cells in um."""
    t = np.linspace(0.0, 1.0, _EDGE_POINTS, endpoint=False)[:, None]
    edges = []
    for start, end, middle in TRIANGLE6_EDGES:
        a, b, m = (points[cells[:, local]][:, None] for local in (start, end, middle))
        edges.append(a * (1 - t) * (1 - 2 * t) + 4 * m * t * (1 - t) + b * t * (2 * t - 1))
    return np.concatenate(edges, axis=1)
