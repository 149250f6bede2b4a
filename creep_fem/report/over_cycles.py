"""Curves of several groups of runs over the cycles, with targets beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

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
from creep_fem.results.titles import title_of

# From this ratio of the largest to the smallest value on, curves need a logarithmic axis.
_DECADE: Final = 10.0
# Groups stand so far beside each other at every cycle, lest one covers another that is alike.
_ASIDE: Final = 0.07

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

    Quantities that are zero throughout are named below instead, unless all of them are.

    Args:
        groups: The groups, at most as many as there are ``LOOKS``.
        targets: Values to mark beside them.
        panels: Names of the quantities to draw, one above the other; all are taken at the same end.

    Returns:
        The figure.
    """
    labels = {group.label for group in groups}
    shown = [t for t in targets.values if t.quantity in panels and t.label in labels]
    nothing = [name for name in panels if _is_zero(name, groups, shown)]
    drawn = [name for name in panels if name not in nothing] or panels
    handles = [*group_handles(groups), *_target_handles(targets.source, shown)]
    figure, axes = panel_figure(len(drawn), handles, LINE_AND_BAND)
    for name, place in zip(drawn, axes, strict=True):
        _draw_panel(place, name, groups, targets)
    end = QUANTITIES[panels[0]].end
    below = [f"{title_of(name)}: zero" for name in nothing if name not in drawn]
    axes[-1].set_xlabel("\n".join([f"cycle, at its {end} end", *below]))
    axes[-1].xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    return figure


def _is_zero(name: str, groups: Sequence[RunGroup], targets: Sequence[Target]) -> bool:
    """Whether no group ever has anything of a quantity, and nothing is to compare it with."""
    known = any(target.quantity == name for target in targets)
    return not known and all((group.values[name] == 0.0).all() for group in groups)


def _draw_panel(axes: Axes, name: str, groups: Sequence[RunGroup], targets: Targets) -> None:
    quantity = QUANTITIES[name]
    for number, (group, look) in enumerate(with_looks(groups)):
        aside = _ASIDE * (number - 0.5 * (len(groups) - 1))
        cycle = group.cycle.astype(np.float64) + aside
        draw_spread(axes, cycle, group.spread(name), quantity.scale, look)
        for target in targets.of(group.label, name):
            _draw_target(axes, group.cycle, look, target, aside)
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


def _draw_target(
    axes: Axes, cycle: NDArray[np.int64], look: Look, target: Target, aside: float
) -> None:
    cycles = np.array([target.cycle]) if target.cycle else cycle[[0, -1]]
    values = np.full(len(cycles), QUANTITIES[target.quantity].scale * target.value)
    axes.plot(cycles + aside, values, **_target_look(look.colour, target.fitted), zorder=3)


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
