"""Maps of the particles: mesh, von Mises stress and creep strain."""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from creep_fem.microstructure.drawing import PHASE_COLOURS
from creep_fem.microstructure.outlines import body_outlines, cell_middles, cell_outlines
from creep_fem.report import style
from creep_fem.results.read import FieldSnapshot

ARROWS_ACROSS: Final = 22
# Below this share of the largest creep strain its direction is noise.
ARROW_THRESHOLD: Final = 0.05
# Contact points carry singular stress: the scale ends where this share of the cells lies below.
SCALE_SHARE: Final = 0.99


def mesh_figure(snapshot: FieldSnapshot) -> Figure:
    """Draw the undeformed mesh with its phases.

    Args:
        snapshot: State with the field ``material``.

    Returns:
        The figure.
    """
    figure, axes = _map(snapshot.points)
    active = _is_active(snapshot)
    for phase, mask in (("active", active), ("framework", ~active)):
        cells = cell_outlines(snapshot.points, snapshot.cells[mask])
        colour = PHASE_COLOURS[phase]
        axes.add_collection(
            PolyCollection(list(cells), facecolor=colour, edgecolor="white", lw=0.15)
        )
    _draw_bodies(axes, snapshot.points, snapshot.cells)
    patches = [Patch(color=colour, label=phase) for phase, colour in PHASE_COLOURS.items()]
    axes.legend(handles=patches, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return figure


def von_mises_figure(snapshot: FieldSnapshot, title: str) -> Figure:
    """Draw the von Mises stress on the deformed shape.

    Args:
        snapshot: State with the fields ``displacement`` and ``von_mises``.
        title: Text above the map.

    Returns:
        The figure.
    """
    figure, axes = _map(_deformed(snapshot))
    axes.set_title(title)
    everywhere = np.ones(len(snapshot.cells), dtype=bool)
    values = snapshot.field("von_mises")
    drawn = _colour(axes, snapshot, values, everywhere, "viridis")
    figure.colorbar(drawn, label="von Mises stress / GPa", extend="max", shrink=0.85)
    _draw_bodies(axes, _deformed(snapshot), snapshot.cells)
    return figure


def creep_figure(snapshot: FieldSnapshot, title: str) -> Figure:
    """Draw the creep strain on the deformed shape, with its direction in the active phase.

    The direction is that of the largest principal creep strain, which has no sense: two arrows
    point both ways. A phase that never crept stays grey.

    Args:
        snapshot: State with ``displacement``, ``creep_strain``, ``creep_direction``, ``material``.
        title: Text above the map.

    Returns:
        The figure.
    """
    points = _deformed(snapshot)
    figure, axes = _map(points)
    axes.set_title(title)
    strain = snapshot.field("creep_strain")
    active = _is_active(snapshot)
    framework_crept = bool((strain[~active] > 0.0).any())
    coloured = active | framework_crept
    rigid = cell_outlines(points, snapshot.cells[~coloured])
    grey = style.LIGHT_GREY
    axes.add_collection(PolyCollection(list(rigid), facecolor=grey, edgecolor=grey, lw=0.1))
    drawn = _colour(axes, snapshot, strain, coloured, "cividis")
    figure.colorbar(drawn, label="accumulated creep strain", extend="max", shrink=0.85)
    _draw_bodies(axes, points, snapshot.cells)
    chosen = _arrow_cells(cell_middles(points, snapshot.cells), strain, active)
    _draw_arrows(axes, snapshot, chosen)
    return figure


def _is_active(snapshot: FieldSnapshot) -> NDArray[np.bool_]:
    active: NDArray[np.bool_] = snapshot.field("material") == 0.0
    return active


def _deformed(snapshot: FieldSnapshot) -> NDArray[np.float64]:
    return snapshot.points + snapshot.field("displacement")


def _map(points: NDArray[np.float64]) -> tuple[Figure, Axes]:
    """Make a figure whose one map shows all points at equal scales."""
    figure = style.new_figure(height=80.0)
    axes = figure.add_subplot(aspect="equal", xlabel="x / µm", ylabel="y / µm")
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.02 * (high - low).max()
    axes.set_xlim(low[0] - margin, high[0] + margin)
    axes.set_ylim(low[1] - margin, high[1] + margin)
    return figure, axes


def _colour(
    axes: Axes,
    snapshot: FieldSnapshot,
    values: NDArray[np.float64],
    mask: NDArray[np.bool_],
    colour_map: str,
) -> PolyCollection:
    """Fill the chosen cells by value; edges in the same colour hide the seams between them."""
    outlines = cell_outlines(_deformed(snapshot), snapshot.cells[mask])
    cells = PolyCollection(list(outlines), array=values[mask], cmap=colour_map, lw=0.1)
    cells.set_edgecolor("face")
    top = float(np.quantile(values[mask], SCALE_SHARE)) if mask.any() else 0.0
    cells.set_clim(0.0, top if top > 0.0 else 1.0)
    axes.add_collection(cells)
    return cells


def _draw_bodies(axes: Axes, points: NDArray[np.float64], cells: NDArray[np.int64]) -> None:
    axes.add_collection(
        LineCollection(list(body_outlines(points, cells)), colors=style.INK, lw=0.5)
    )


def _arrow_cells(
    middles: NDArray[np.float64], strain: NDArray[np.float64], active: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Pick the cell nearest to the middle of each square of a raster, lest arrows crowd."""
    largest = strain[active].max(initial=0.0)
    candidates = np.flatnonzero(active & (strain > ARROW_THRESHOLD * largest))
    low = middles.min(axis=0)
    pitch = (middles.max(axis=0) - low).max() / ARROWS_ACROSS
    place = (middles[candidates] - low) / pitch
    square = np.floor(place).astype(np.int64)
    order = np.argsort(np.linalg.norm(place - square - 0.5, axis=1), kind="stable")
    _, first = np.unique(square[order], axis=0, return_index=True)
    return candidates[order[first]]


def _draw_arrows(axes: Axes, snapshot: FieldSnapshot, chosen: NDArray[np.int64]) -> None:
    points = _deformed(snapshot)
    places = cell_middles(points, snapshot.cells[chosen])
    directions = snapshot.field("creep_direction")[chosen]
    length = 0.4 * np.ptp(points, axis=0).max() / ARROWS_ACROSS
    for arrows in (length * directions, -length * directions):
        axes.quiver(
            *places.T,
            *arrows.T,
            angles="xy",
            scale_units="xy",
            scale=1.0,
            color="white",
            edgecolor=style.INK,
            linewidth=0.15,
            width=0.0035,
            headwidth=3.5,
            headlength=3.5,
            headaxislength=3.5,
        )
