"""Draws a mesh: bodies coloured by phase, curved elements, area fractions."""

from __future__ import annotations

from pathlib import Path

from creep_fem.microstructure.layout import PHASES
from creep_fem.microstructure.outlines import cell_outlines
from creep_fem.microstructure.particle_mesh import ParticleMesh, cell_areas

PHASE_COLOURS = {"active": "#E69F00", "framework": "#56B4E9"}
"""Colours that remain distinct with any colour vision (Okabe and Ito)."""

COLUMN_WIDTH = 90.0 / 25.4
"""Width of a journal column in inch, and of all pictures."""


def draw_mesh(mesh: ParticleMesh, path: str | Path) -> None:
    """Draws all elements and writes the picture, 90 mm wide at 300 dpi.

    Args:
        mesh: The mesh of all bodies.
        path: Picture to write; its ending tells the format, such as ``.png``.
    """
    # matplotlib is slow to import, and only drawing needs it.
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure

    figure = Figure(figsize=(COLUMN_WIDTH, 1.12 * COLUMN_WIDTH), layout="constrained")
    axes = figure.add_subplot()
    areas = cell_areas(mesh.points, mesh.cells)
    cell_phase = mesh.body_phase[mesh.cell_body]
    for index, phase in enumerate(PHASES):
        cells = mesh.cells[cell_phase == index]
        fraction = float(areas[cell_phase == index].sum()) / mesh.box**2
        polygons = PolyCollection(
            list(cell_outlines(mesh.points, cells)),
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
