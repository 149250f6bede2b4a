"""Maps of the particles: mesh, von Mises stress and creep strain, of one state or of several."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
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
# More maps beside each other would be too small to see the particles.
MAPS_IN_A_ROW: Final = 4
_ROW_HEIGHT: Final = 36.0  # mm, a map and its colour bar
_FRAME_HEIGHT: Final = 13.0  # mm, legend and axis of x
_BODIES: Final[dict[str, dict[str, Any]]] = {
    "active": {"color": style.INK, "linewidth": 0.5},
    "framework": {"color": style.VERMILION, "linewidth": 0.9},
}


class Quantity(NamedTuple):
    """What the colours of a map show.

    Attributes:
        field: Name of the field, one value per cell.
        label: Label of the colour bar, with the unit.
        colour_map: Name of matplotlib's colour map.
        of_active: Whether a framework without any value stays grey.
    """

    field: str
    label: str
    colour_map: str
    of_active: bool


VON_MISES: Final = Quantity("von_mises", "von Mises stress / GPa", "viridis", of_active=False)
CREEP: Final = Quantity("creep_strain", "accumulated creep strain", "cividis", of_active=True)


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
    axes.add_collection(_outlines(snapshot.points, snapshot.cells, _BODIES["active"]))
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
    return _coloured_map(snapshot, VON_MISES, title)[0]


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
    figure, axes = _coloured_map(snapshot, CREEP, title)
    middles = cell_middles(_deformed(snapshot), snapshot.cells)
    strain = snapshot.field(CREEP.field)
    _draw_arrows(axes, snapshot, _arrow_cells(middles, strain, _is_active(snapshot)))
    return figure


def maps_over_cycles_figure(swollen: Mapping[int, FieldSnapshot]) -> Figure:
    """Draw stress and creep strain of several cycles beside each other, on the deformed shape.

    All maps of a row have one colour scale and all maps of the figure one scale of length. Without
    any creep there is no row of it.

    Args:
        swollen: States at the swollen ends by the numbers of the cycles, at least one, with the
            fields ``displacement``, ``von_mises``, ``creep_strain`` and ``material``.

    Returns:
        The figure.
    """
    snapshots = list(swollen.values())
    crept = any((snapshot.field(CREEP.field) > 0.0).any() for snapshot in snapshots)
    quantities = [VON_MISES, CREEP] if crept else [VON_MISES]
    figure = style.new_figure(height=len(quantities) * _ROW_HEIGHT + _FRAME_HEIGHT)
    places = figure.subplots(
        *(len(quantities), len(swollen)),
        sharex=True,
        sharey=True,
        squeeze=False,
        subplot_kw={"aspect": "equal"},
    )
    figure.legend(handles=_body_handles(), loc="outside upper center", ncols=2)
    _frame(places[0, 0], [_deformed(snapshot) for snapshot in snapshots])
    for row, quantity in zip(places, quantities, strict=True):
        drawn = _draw_states(row, snapshots, quantity)
        # The label of an upright one would be longer than a small map is high.
        figure.colorbar(
            drawn, ax=row, label=quantity.label, extend="max", location="bottom", aspect=40
        )
        row[0].set_ylabel("y / µm")
    for cycle, upper, lower in zip(swollen, places[0], places[-1], strict=True):
        upper.set_title(f"cycle {cycle}")
        lower.set_xlabel("x / µm")
    return figure


def spread_out(cycles: Sequence[int]) -> list[int]:
    """Choose the cycles to draw: most changes early, so it is the first two, a later one, the last.

    The later one is half-way on a logarithmic scale: the fifth of twenty.

    Args:
        cycles: Numbers of the cycles, in their order.

    Returns:
        Up to ``MAPS_IN_A_ROW`` of them.
    """
    count = len(cycles)
    if count <= MAPS_IN_A_ROW:
        return list(cycles)
    return [cycles[place - 1] for place in (1, 2, math.ceil(math.sqrt(count)), count)]


def _is_active(snapshot: FieldSnapshot) -> NDArray[np.bool_]:
    active: NDArray[np.bool_] = snapshot.field("material") == 0.0
    return active


def _deformed(snapshot: FieldSnapshot) -> NDArray[np.float64]:
    return snapshot.points + snapshot.field("displacement")


def _map(points: NDArray[np.float64]) -> tuple[Figure, Axes]:
    """Make a figure whose one map shows all points."""
    figure = style.new_figure(height=80.0)
    axes = figure.add_subplot(aspect="equal", xlabel="x / µm", ylabel="y / µm")
    _frame(axes, [points])
    return figure, axes


def _frame(axes: Axes, points: Sequence[NDArray[np.float64]]) -> None:
    """Show all points of all states."""
    low = np.min([state.min(axis=0) for state in points], axis=0)
    high = np.max([state.max(axis=0) for state in points], axis=0)
    margin = 0.02 * (high - low).max()
    axes.set_xlim(low[0] - margin, high[0] + margin)
    axes.set_ylim(low[1] - margin, high[1] + margin)


def _coloured_map(snapshot: FieldSnapshot, quantity: Quantity, title: str) -> tuple[Figure, Axes]:
    figure, axes = _map(_deformed(snapshot))
    axes.set_title(title)
    figure.legend(handles=_body_handles(), loc="outside upper center", ncols=2)
    drawn = _draw_states([axes], [snapshot], quantity)
    figure.colorbar(drawn, label=quantity.label, extend="max", shrink=0.85)
    return figure, axes


def _draw_states(
    places: Sequence[Axes], snapshots: Sequence[FieldSnapshot], quantity: Quantity
) -> PolyCollection:
    """Draw a quantity in several states, each on its axes, with one scale of colours."""
    masks = _coloured_cells(snapshots, quantity)
    values = [s.field(quantity.field)[mask] for s, mask in zip(snapshots, masks, strict=True)]
    everything = np.concatenate(values)
    top = float(np.quantile(everything, SCALE_SHARE)) if everything.size else 0.0
    for axes, snapshot, mask, shown in zip(places, snapshots, masks, values, strict=True):
        drawn = _colour(axes, snapshot, mask, shown, quantity.colour_map)
        drawn.set_clim(0.0, top if top > 0.0 else 1.0)
        _draw_bodies(axes, snapshot)
    return drawn


def _colour(
    axes: Axes,
    snapshot: FieldSnapshot,
    mask: NDArray[np.bool_],
    values: NDArray[np.float64],
    colour_map: str,
) -> PolyCollection:
    """Fill the chosen cells by value, the others with grey; no seams show between them."""
    outlines = cell_outlines(_deformed(snapshot), snapshot.cells)
    # Smoothed edges would let the background shine through; outlines of the bodies cover them.
    plain: dict[str, Any] = {"lw": 0.1, "antialiased": False}
    if not mask.all():
        grey = style.LIGHT_GREY
        rest = PolyCollection(list(outlines[~mask]), facecolor=grey, edgecolor=grey, **plain)
        axes.add_collection(rest)
    cells = PolyCollection(list(outlines[mask]), array=values, cmap=colour_map, **plain)
    cells.set_edgecolor("face")
    axes.add_collection(cells)
    return cells


def _coloured_cells(
    snapshots: Sequence[FieldSnapshot], quantity: Quantity
) -> list[NDArray[np.bool_]]:
    """Cells with colours; a framework that has no value in any state has none in all of them."""
    actives = [_is_active(snapshot) for snapshot in snapshots]
    framework = not quantity.of_active or any(
        bool((snapshot.field(quantity.field)[~active] > 0.0).any())
        for snapshot, active in zip(snapshots, actives, strict=True)
    )
    return [active | framework for active in actives]


def _draw_bodies(axes: Axes, snapshot: FieldSnapshot) -> None:
    """Draw the outlines of all bodies, which tell the phases apart whatever fills them."""
    active = _is_active(snapshot)
    for phase, mask in (("active", active), ("framework", ~active)):
        cells = snapshot.cells[mask]
        axes.add_collection(_outlines(_deformed(snapshot), cells, _BODIES[phase]))


def _outlines(
    points: NDArray[np.float64], cells: NDArray[np.int64], look: Mapping[str, Any]
) -> LineCollection:
    return LineCollection(list(body_outlines(points, cells)), **look)


def _body_handles() -> list[Line2D]:
    return [Line2D([], [], label=phase, **look) for phase, look in _BODIES.items()]


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
