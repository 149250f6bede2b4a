"""Curves over cycles and time: contact, stress, pressure and porosity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from creep_fem.report import style
from creep_fem.results.cycle_ends import History, swollen_rows
from creep_fem.units import SECONDS_PER_HOUR


class Curve(NamedTuple):
    """One curve of a panel.

    Attributes:
        column: Column of the history.
        label: Entry of the legend.
        colour: Colour of the line.
        dashes: Line style of matplotlib.
    """

    column: str
    label: str
    colour: str
    dashes: str = "-"


CONTACT = (
    Curve("contact_ratio_active_active", "active facing active", style.ACTIVE_LINE),
    Curve("contact_ratio_active_framework", "active facing framework", style.FRAMEWORK_LINE),
    Curve("contact_fraction_active", "all active surface", style.GREEN, "--"),
)
STRESS = (
    Curve("mises_mean_active_gpa", "active", style.ACTIVE_LINE),
    Curve("mises_mean_framework_gpa", "framework", style.FRAMEWORK_LINE),
)
PRESSURE = (
    Curve("pressure_mean_active_gpa", "active", style.ACTIVE_LINE),
    Curve("pressure_mean_framework_gpa", "framework", style.FRAMEWORK_LINE),
    Curve("wall_pressure_x_gpa", "walls in x", style.GREEN, "--"),
    Curve("wall_pressure_y_gpa", "walls in y", style.INK, ":"),
)
POROSITY = (Curve("porosity", "", style.INK),)


def cycles_figure(history: History, start: float) -> Figure:
    """Draw contact and mean von Mises stress at the swollen end of every cycle.

    Runs with fewer than two such ends are drawn over time instead.

    Args:
        history: Columns of the history, each of shape (rows,) with at least one row.
        start: State of charge before the first step.

    Returns:
        The figure.
    """
    ends = swollen_rows(history, start)
    figure, (upper, lower) = _panels()
    if len(ends) > 1:
        shown = {name: values[ends] for name, values in history.items()}
        x, marker = shown["cycle"], "o"
        lower.set_xlabel("cycle, at its swollen end")
        lower.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    else:
        shown, marker = dict(history), ""
        x = history["time_s"] / SECONDS_PER_HOUR
        lower.set_xlabel("time / h")
    _draw(upper, x, shown, CONTACT, marker=marker, scale=100.0)
    upper.set_ylabel("surface in contact / %")
    _draw(lower, x, shown, STRESS, marker=marker)
    lower.set_ylabel("mean von Mises stress / GPa")
    return figure


def pressure_figure(history: History) -> Figure:
    """Draw mean pressures, wall pressures and porosity over time.

    Args:
        history: Columns of the history, each of shape (rows,) with at least one row.

    Returns:
        The figure.
    """
    figure, (upper, lower) = _panels()
    time = history["time_s"] / SECONDS_PER_HOUR
    _draw(upper, time, history, PRESSURE)
    upper.set_ylabel("mean pressure / GPa")
    _draw(lower, time, history, POROSITY, scale=100.0)
    lower.set_ylabel("porosity / %")
    lower.set_xlabel("time / h")
    return figure


def _panels() -> tuple[Figure, tuple[Axes, Axes]]:
    figure = style.new_figure(height=105.0)
    upper = figure.add_subplot(2, 1, 1)
    lower = figure.add_subplot(2, 1, 2, sharex=upper)
    upper.tick_params(labelbottom=False)
    return figure, (upper, lower)


def _draw(
    axes: Axes,
    x: NDArray[np.float64],
    history: History,
    curves: Sequence[Curve],
    *,
    marker: str = "",
    scale: float = 1.0,
) -> None:
    """Draw the curves that have values; a quantity of an absent phase is NaN throughout."""
    # A line through a single row is invisible.
    marker = marker or ("o" if len(x) == 1 else "")
    present = [curve for curve in curves if not np.isnan(history[curve.column]).all()]
    for curve in present:
        y = scale * history[curve.column]
        axes.plot(
            x, y, curve.dashes, color=curve.colour, marker=marker, label=curve.label or "_unnamed"
        )
    axes.grid(color=style.LIGHT_GREY, linewidth=0.4)
    if any(curve.label for curve in present):
        axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, borderaxespad=0.3)
