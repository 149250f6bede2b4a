"""Pores of groups of runs in their first cycle: how their areas change, and are distributed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from creep_fem.report import style
from creep_fem.report.group_curves import (
    Look,
    group_handles,
    panel_figure,
    start_at_zero,
    with_looks,
)
from creep_fem.results.groups import RunGroup
from creep_fem.results.pore_change import PoreChange, large_enough, pore_change, summarise
from creep_fem.results.pores import PoreHistory
from creep_fem.results.targets import NO_TARGETS, Targets
from creep_fem.units import SECONDS_PER_HOUR

_RELATIVE: Final = "area of a pore / % of initial"
_CREEP_FREE: Final[dict[str, Any]] = {"color": style.INK, "linewidth": 0.8, "linestyle": "--"}
_PUBLISHED: Final[dict[str, Any]] = {"color": style.INK, "linewidth": 0.8, "linestyle": ":"}
_DIAGONAL: Final[dict[str, Any]] = {"color": "grey", "linewidth": 0.6}


def group_pores_figure(groups: Sequence[RunGroup], targets: Targets = NO_TARGETS) -> Figure:
    """Draw the areas of the pores of every group, relative to their initial ones.

    From top to bottom: the pores of the first run over time, single ones if there is one group
    only, and their median; the share of the pores of all runs that are smaller than a relative
    area, at the swollen and at the shrunk end; both ends of every pore. Pores below the diagonal
    shrink further while the active phase shrinks.

    Args:
        groups: The groups, at most as many as there are ``LOOKS``.
        targets: Published values to mark beside what the pores would regain without creep.

    Returns:
        The figure.
    """
    rows, changes = summarise(groups, targets), [pore_change(group) for group in groups]
    computed = sorted({round(row.total_creep_free, 6) for row in rows})
    known = [row.published_creep_free for row in rows]
    published = sorted({share for share in known if share is not None})
    handles = [*group_handles(groups), *_handles(computed, published, targets.source)]
    single = len(groups) == 1
    shown = "pores of one run, bold: their median" if single else "median of the pores of one run"
    figure, (course, swollen, shrunk, both) = panel_figure(
        4, handles, f"over time: {shown}", share_x=False
    )
    for group, look in with_looks(groups):
        _draw_course(course, group.pores[0], look, single=single)
    course.set_xlabel("time / h")
    course.set_ylabel("area of a pore\n/ % of initial")
    shrunk.sharex(swollen)
    swollen.tick_params(labelbottom=False)
    _draw_shares(swollen, groups, [change.swollen for change in changes], "swollen")
    _draw_shares(shrunk, groups, [change.shrunk for change in changes], "shrunk")
    shrunk.set_xlabel(_RELATIVE)
    for share in computed:
        shrunk.axvline(share, **_CREEP_FREE)
        both.axhline(share, **_CREEP_FREE)
    for share in published:
        shrunk.axvline(share, **_PUBLISHED)
    _draw_both_ends(both, groups, changes)
    for place in (course, swollen, shrunk, both):
        place.grid(color=style.LIGHT_GREY, linewidth=0.4)
    return figure


def _handles(computed: Sequence[float], published: Sequence[float], source: str) -> list[Line2D]:
    """Entries of the legend for what is no group: shares without creep, and the diagonal."""
    texts = [
        (f"all pores together, creep-free: {_percent(computed)} at the shrunk end", _CREEP_FREE)
    ]
    if published:
        texts.append((f"the same in {source}: {_percent(published)}", _PUBLISHED))
    texts.append(("as small at the shrunk end as at the swollen one", _DIAGONAL))
    return [Line2D([], [], label=text, **looks) for text, looks in texts]


def _percent(shares: Sequence[float]) -> str:
    return f"{', '.join(f'{share:.0f}' for share in shares)} %"


def _draw_course(axes: Axes, pores: PoreHistory, look: Look, *, single: bool) -> None:
    """Draw the pores of a run over its first cycle."""
    first, kept = pores.cycle == pores.cycle[0], large_enough(pores)
    time = pores.time[first] / SECONDS_PER_HOUR
    relative = 100.0 * pores.areas[first][:, kept] / pores.areas[0, kept]
    if single:
        axes.plot(time, relative, color=look.colour, linewidth=0.4, alpha=0.6)
    median = np.median(relative, axis=1)
    axes.plot(time, median, color=look.colour, linestyle=look.dashes, linewidth=1.8)
    axes.plot(time, 100.0 * pores.creep_free[first] / pores.areas[0].sum(), **_CREEP_FREE)
    start_at_zero(axes)


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
    axes.axline((0.0, 0.0), slope=1.0, **_DIAGONAL)
    axes.set_xlabel(f"{_RELATIVE}, swollen end")
    axes.set_ylabel("shrunk end / % of initial")
