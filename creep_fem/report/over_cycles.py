"""Curves of several groups of runs over the cycles, with targets beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from creep_fem.report import style
from creep_fem.report.group_curves import (
    LINE_AND_BAND,
    Look,
    draw_spread,
    group_handles,
    label_panel,
    panel_figure,
    start_at_zero,
    use_logarithm,
    with_looks,
)
from creep_fem.results.cycles import QUANTITIES
from creep_fem.results.groups import RunGroup
from creep_fem.results.targets import Target, Targets

# From this ratio of the largest to the smallest value on, curves need a logarithmic axis.
_DECADE: Final = 10.0


CONTACT: Final = (
    "contact_ratio_active_active",
    "contact_ratio_active_framework",
    "contact_fraction_active",
)
CONTACT_KEPT: Final = tuple(f"{name}_shrunk" for name in CONTACT)
STRESS: Final = ("mises_mean_active_gpa", "mises_mean_framework_gpa")
PRESSURE_AND_POROSITY: Final = (
    "pressure_mean_active_gpa",
    "pressure_mean_framework_gpa",
    "wall_pressure_gpa",
    "porosity",
)


def over_cycles_figure(
    groups: Sequence[RunGroup], targets: Targets, panels: Sequence[str]
) -> Figure:
    """Draw the mean of every group as a line, its smallest to largest values as a band.

    Args:
        groups: The groups, at most as many as there are ``LOOKS``.
        targets: Values to mark beside them.
        panels: Names of the quantities to draw, one above the other; all are taken at the same end.

    Returns:
        The figure.
    """
    labels = {group.label for group in groups}
    shown = [t for t in targets.values if t.quantity in panels and t.label in labels]
    handles = [*group_handles(groups), *_target_handles(targets.source, shown)]
    figure, axes = panel_figure(len(panels), handles, LINE_AND_BAND)
    for name, place in zip(panels, axes, strict=True):
        _draw_panel(place, name, groups, targets)
    end = QUANTITIES[panels[0]].end
    axes[-1].set_xlabel(f"cycle, at its {end} end")
    axes[-1].xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    return figure


def _draw_panel(axes: Axes, name: str, groups: Sequence[RunGroup], targets: Targets) -> None:
    quantity = QUANTITIES[name]
    for group, look in with_looks(groups):
        spread = group.spread(name)
        draw_spread(axes, group.cycle.astype(np.float64), spread, quantity.scale, look)
        for target in targets.of(group.label, name):
            _draw_target(axes, group, look, target)
    label_panel(axes, name)
    _scale(axes, logarithmic_allowed=bool(quantity.dimension.unit))


def _scale(axes: Axes, *, logarithmic_allowed: bool) -> None:
    """Show shares from zero on, and stresses that differ widely on a logarithmic axis."""
    if not logarithmic_allowed:
        start_at_zero(axes)
        return
    values = np.concatenate([np.asarray(line.get_ydata()) for line in axes.get_lines()])
    values = values[np.isfinite(values)]
    if values.size and values.min() > 0.0 and values.max() > _DECADE * values.min():
        use_logarithm(axes)


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


def _target_handles(source: str, targets: Sequence[Target]) -> list[Line2D]:
    handles = []
    for fitted in sorted({target.fitted for target in targets}):
        text = f"{source}, to which parameters were fitted" if fitted else source
        look_of_target = _target_look(style.INK, fitted)
        handles.append(Line2D([], [], **look_of_target, linestyle="", label=text))
    return handles
