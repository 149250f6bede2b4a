"""Pores: the area of every single one after swelling and shrinking, and of all over time."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from creep_fem.report import style
from creep_fem.results.cycle_ends import ends_of_first_cycle
from creep_fem.results.pores import PoreHistory
from creep_fem.units import SECONDS_PER_HOUR


def pores_figure(pores: PoreHistory) -> Figure:
    """Draw the areas of the pores, relative to their initial ones.

    Above, every pore at the swollen and at the shrunk end of the first cycle, beside what all pores
    together would regain without creep; below, all pores together over time.

    Args:
        pores: Areas over time, with at least one row.

    Returns:
        The figure.
    """
    figure = style.new_figure(height=115.0)
    upper, lower = figure.subplots(2, 1)
    _draw_single(upper, pores)
    _draw_total(lower, pores)
    for axes in (upper, lower):
        axes.grid(color=style.LIGHT_GREY, linewidth=0.4)
        axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, borderaxespad=0.3)
        axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    return figure


def _draw_single(axes: Axes, pores: PoreHistory) -> None:
    swollen, shrunk = ends_of_first_cycle({"cycle": pores.cycle, "soc": pores.soc})
    relative = 100.0 * pores.areas / pores.areas[0]
    order = np.argsort(relative[shrunk], kind="stable")
    number = np.arange(1, len(order) + 1)
    # The path of each pore from one state to the other.
    axes.vlines(number, relative[swollen][order], relative[shrunk][order], style.LIGHT_GREY)
    for row, marker, colour in ((swollen, "o", style.VERMILION), (shrunk, "s", style.BLUE)):
        label = f"state of charge {pores.soc[row]:.2f}"
        axes.plot(number, relative[row][order], marker, color=colour, label=label)
    regained = 100.0 * pores.creep_free[shrunk] / pores.areas[0].sum()
    label = f"all pores, creep-free: {regained:.0f} %"
    axes.axhline(regained, color=style.GREEN, linestyle="--", label=label)
    axes.axhline(100.0, color=style.INK, linewidth=0.6)
    axes.set_xlabel("pore, in order of its area at the end of the first cycle")
    axes.set_ylabel("pore area / % of initial")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def _draw_total(axes: Axes, pores: PoreHistory) -> None:
    initial = pores.areas[0].sum()
    time = pores.time / SECONDS_PER_HOUR
    # A line through a single row is invisible.
    marker = "o" if len(time) == 1 else ""
    total = 100.0 * pores.areas.sum(axis=1) / initial
    axes.plot(time, total, color=style.INK, marker=marker, label="all pores")
    free = 100.0 * pores.creep_free / initial
    axes.plot(time, free, "--", color=style.GREEN, marker=marker, label="all pores, creep-free")
    axes.set_xlabel("time / h")
    axes.set_ylabel("total pore area / % of initial")
