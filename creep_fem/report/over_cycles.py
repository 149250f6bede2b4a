"""Curves of several groups of runs over the cycles, with targets beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from creep_fem.report import style
from creep_fem.results.cycles import QUANTITIES
from creep_fem.results.groups import RunGroup
from creep_fem.results.targets import Target, Targets

_PANEL_HEIGHT: Final = 38.0  # mm
_LEGEND_LINE: Final = 4.0  # mm
# From this ratio of the largest to the smallest value on, curves need a logarithmic axis.
_WIDE_RANGE: Final = 10.0


class Look(NamedTuple):
    """How the curves of one group are drawn.

    Attributes:
        colour: Colour of line, band and markers.
        marker: Marker of matplotlib.
        dashes: Line style of matplotlib.
    """

    colour: str
    marker: str
    dashes: Literal["-", "--", "-.", ":"]


# Okabe and Ito's colours; markers and dashes tell the groups apart in print without colour.
LOOKS: Final = (
    Look(style.VERMILION, "o", "-"),
    Look(style.BLUE, "s", "--"),
    Look(style.GREEN, "^", "-."),
    Look(style.INK, "v", ":"),
    Look("#CC79A7", "D", "-"),
    Look("#E69F00", "P", "--"),
    Look("#56B4E9", "X", "-."),
)


class Panel(NamedTuple):
    """One pair of axes.

    Attributes:
        quantity: Name of the quantity.
        label: Label of its axis, without unit.
    """

    quantity: str
    label: str


CONTACT: Final = (
    Panel("contact_ratio_active_active", "contact,\nactive on active"),
    Panel("contact_ratio_active_framework", "contact,\nactive on framework"),
    Panel("contact_fraction_active", "contact,\nall active surface"),
)
CONTACT_KEPT: Final = tuple(Panel(f"{name}_shrunk", label) for name, label in CONTACT)
STRESS: Final = (
    Panel("mises_mean_active_gpa", "mean von Mises stress,\nactive"),
    Panel("mises_mean_framework_gpa", "mean von Mises stress,\nframework"),
)
PRESSURE_AND_POROSITY: Final = (
    Panel("pressure_mean_active_gpa", "mean pressure, active"),
    Panel("pressure_mean_framework_gpa", "mean pressure,\nframework"),
    Panel("wall_pressure_gpa", "pressure on walls"),
    Panel("porosity", "porosity"),
)


def over_cycles_figure(
    groups: Sequence[RunGroup], targets: Targets, panels: Sequence[Panel]
) -> Figure:
    """Draw the mean of every group as a line, its smallest to largest values as a band.

    Args:
        groups: The groups, at most as many as there are ``LOOKS``.
        targets: Values to mark beside them.
        panels: Quantities to draw, one above the other; all are taken at the same end.

    Returns:
        The figure.
    """
    names = {panel.quantity for panel in panels}
    labels = {group.label for group in groups}
    shown = [t for t in targets.values if t.quantity in names and t.label in labels]
    handles = _legend(groups, targets.source, shown)
    height = _PANEL_HEIGHT * len(panels) + _LEGEND_LINE * (2 + len(handles))
    figure = style.new_figure(height)
    axes = np.atleast_1d(figure.subplots(len(panels), sharex=True))
    for panel, place in zip(panels, axes, strict=True):
        _draw_panel(place, panel, groups, targets)
    end = QUANTITIES[panels[0].quantity].end
    axes[-1].set_xlabel(f"cycle, at its {end} end")
    axes[-1].xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    title = "line: mean of the runs, band: smallest to largest"
    figure.legend(handles=handles, loc="outside upper left", title=title, alignment="left")
    return figure


def _draw_panel(axes: Axes, panel: Panel, groups: Sequence[RunGroup], targets: Targets) -> None:
    quantity = QUANTITIES[panel.quantity]
    for group, look in zip(groups, LOOKS, strict=False):
        _draw_group(axes, group, look, panel.quantity)
        for target in targets.of(group.label, panel.quantity):
            _draw_target(axes, group, look, target)
    axes.set_ylabel(f"{panel.label} / {quantity.unit}")
    axes.grid(color=style.LIGHT_GREY, linewidth=0.4)
    _scale(axes, logarithmic_allowed=bool(quantity.dimension.unit))


def _scale(axes: Axes, *, logarithmic_allowed: bool) -> None:
    """Show shares from zero on, and stresses that differ widely on a logarithmic axis."""
    if not logarithmic_allowed:
        # Values of zero keep their margin, so that their markers are not cut.
        axes.set_ylim(bottom=min(axes.get_ylim()[0], 0.0))
        return
    values = np.concatenate([np.asarray(line.get_ydata()) for line in axes.get_lines()])
    values = values[np.isfinite(values)]
    if values.size and values.min() > 0.0 and values.max() > _WIDE_RANGE * values.min():
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())


def _draw_group(axes: Axes, group: RunGroup, look: Look, name: str) -> None:
    spread, scale = group.spread(name), QUANTITIES[name].scale
    low, high = scale * spread.smallest, scale * spread.largest
    axes.plot(group.cycle, scale * spread.mean, look.dashes, color=look.colour, marker=look.marker)
    if len(group.folders) == 1:
        return
    if len(group.cycle) == 1:
        # A band of one cycle has no width.
        axes.vlines(group.cycle, low, high, color=look.colour, alpha=0.5)
    else:
        axes.fill_between(group.cycle, low, high, color=look.colour, alpha=0.2, linewidth=0.0)


def _draw_target(axes: Axes, group: RunGroup, look: Look, target: Target) -> None:
    cycles = [target.cycle] if target.cycle else [int(group.cycle[0]), int(group.cycle[-1])]
    value = QUANTITIES[target.quantity].scale * target.value
    axes.plot(cycles, [value] * len(cycles), **_target_look(look.colour, target.fitted), zorder=3)


def _target_look(colour: str, fitted: bool) -> dict[str, Any]:
    return {
        "color": colour,
        "marker": "x" if fitted else "*",
        "markersize": 6.0,
        "markerfacecolor": "white",
        "linewidth": 0.5,
    }


def _legend(groups: Sequence[RunGroup], source: str, targets: Sequence[Target]) -> list[Line2D]:
    handles = []
    for group, look in zip(groups, LOOKS, strict=False):
        count = len(group.folders)
        text = f"{group.label} ({count} {'run' if count == 1 else 'runs'})"
        line = Line2D(
            [], [], color=look.colour, marker=look.marker, linestyle=look.dashes, label=text
        )
        handles.append(line)
    for fitted in sorted({target.fitted for target in targets}):
        text = f"{source}, to which parameters were fitted" if fitted else source
        look_of_target = _target_look(style.INK, fitted)
        handles.append(Line2D([], [], **look_of_target, linestyle="", label=text))
    return handles
