"""Pores of groups of runs in their first cycle: how their areas are distributed, and change."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from creep_fem.report import style
from creep_fem.report.group_curves import group_handles, panel_figure, with_looks
from creep_fem.results.groups import RunGroup
from creep_fem.results.pore_change import PoreChange, pore_change, summarise

_RELATIVE = "area of a pore / % of initial"


def group_pores_figure(groups: Sequence[RunGroup]) -> Figure:
    """Draw the areas of all pores of every group, relative to their initial ones.

    Above, the share of the pores that are smaller than a relative area, at the swollen and at the
    shrunk end; below, both ends of every pore. Pores below the diagonal shrink further while the
    active phase shrinks.

    Args:
        groups: The groups, at most as many as there are ``LOOKS``.

    Returns:
        The figure.
    """
    handles = group_handles(groups)
    label = "all pores together at the shrunk end, creep-free"
    handles.append(Line2D([], [], color=style.INK, linewidth=0.6, label=label))
    figure, axes = panel_figure(3, handles, "pores of all runs", share_x=False)
    swollen, shrunk, both = axes
    changes = [pore_change(group) for group in groups]
    shrunk.sharex(swollen)
    swollen.tick_params(labelbottom=False)
    _draw_shares(swollen, groups, [change.swollen for change in changes], "swollen")
    _draw_shares(shrunk, groups, [change.shrunk for change in changes], "shrunk")
    shrunk.set_xlabel(_RELATIVE)
    for row, (_, look) in zip(summarise(groups), with_looks(groups), strict=True):
        shrunk.axvline(row.total_creep_free, color=look.colour, linewidth=0.6)
        both.axhline(row.total_creep_free, color=look.colour, linewidth=0.6)
    _draw_both_ends(both, groups, changes)
    for place in axes:
        place.grid(color=style.LIGHT_GREY, linewidth=0.4)
    return figure


def _draw_shares(
    axes: Axes, groups: Sequence[RunGroup], areas: Sequence[NDArray[np.float64]], end: str
) -> None:
    for (_, look), of_group in zip(with_looks(groups), areas, strict=True):
        axes.ecdf(100.0 * of_group, color=look.colour, linestyle=look.dashes)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=""))
    axes.set_ylabel(f"pores that are smaller,\n{end} end / %")


def _draw_both_ends(axes: Axes, groups: Sequence[RunGroup], changes: Sequence[PoreChange]) -> None:
    for (_, look), change in zip(with_looks(groups), changes, strict=True):
        areas = (100.0 * change.swollen, 100.0 * change.shrunk)
        axes.plot(*areas, linestyle="", alpha=0.7, **look.markers)
    axes.axline((0.0, 0.0), slope=1.0, color=style.INK, linewidth=0.6, linestyle="--")
    axes.set_xlabel(f"{_RELATIVE}, swollen end")
    axes.set_ylabel("shrunk end / % of initial")
