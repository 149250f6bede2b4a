"""Curves of groups of runs over the state of charge of their first swelling half-cycle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from creep_fem.report.group_curves import (
    LINE_AND_BAND,
    draw_spread,
    group_handles,
    label_panel,
    panel_figure,
    start_at_zero,
    use_logarithm,
    with_looks,
)
from creep_fem.results.cycles import QUANTITIES
from creep_fem.results.first_swelling import FOLLOWED, spread_at, swelling_range
from creep_fem.results.groups import RunGroup

_SPACING: Final = 0.005  # of states of charge
_MARKER_EVERY: Final = 20
# From this ratio on between the largest values of two groups, one axis for both is logarithmic.
_FAR_APART: Final = 10.0
# Stresses begin at nothing: so far below the largest one the logarithmic axis ends.
_DEPTH: Final = 1e-4


def first_swelling_figure(groups: Sequence[RunGroup]) -> Figure:
    """Draw mean and range of every group, each as far as all its runs went.

    Args:
        groups: The groups, at most as many as there are ``LOOKS``.

    Returns:
        The figure.
    """
    figure, axes = panel_figure(len(FOLLOWED), group_handles(groups), LINE_AND_BAND)
    for name, place in zip(FOLLOWED, axes, strict=True):
        _draw_panel(place, name, groups)
    axes[-1].set_xlabel("state of charge, first swelling half-cycle")
    return figure


def _draw_panel(axes: Axes, name: str, groups: Sequence[RunGroup]) -> None:
    quantity = QUANTITIES[name]
    for group, look in with_looks(groups):
        socs = _grid(*swelling_range(group))
        spread = spread_at(group, name, socs)
        draw_spread(axes, socs, spread, quantity.scale, look, _MARKER_EVERY)
    label_panel(axes, name)
    curves = [np.asarray(line.get_ydata()) for line in axes.get_lines()]
    # A quantity of an absent phase is NaN throughout.
    tops = [float(y.max()) for y in curves if not np.isnan(y).any()]
    if quantity.dimension.unit and tops and max(tops) > _FAR_APART * min(tops) > 0.0:
        use_logarithm(axes, lowest=_DEPTH * max(tops))
    else:
        start_at_zero(axes)


def _grid(first: float, last: float) -> NDArray[np.float64]:
    """States of charge at equal distances, both ends included."""
    count = max(int(np.ceil(abs(last - first) / _SPACING)), 1)
    return np.linspace(first, last, count + 1)
