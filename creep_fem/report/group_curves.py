"""What figures of groups of runs have in common: looks, legend, and curves with their bands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter
from numpy.typing import NDArray

from creep_fem.report import style
from creep_fem.results.cycles import QUANTITIES
from creep_fem.results.groups import RunGroup, Spread
from creep_fem.results.titles import title_of

Dashes = Literal["-", "--", "-.", ":"]

LINE_AND_BAND: Final = "line: mean of the runs, band: smallest to largest"
_PANEL_HEIGHT: Final = 38.0  # mm
_LEGEND_LINE: Final = 4.0  # mm
_MARGIN: Final = 0.05
# Up to this ratio of its ends a logarithmic axis has room for other labels than powers of ten.
_NARROW: Final = 200.0


class Look(NamedTuple):
    """How the curves of one group are drawn.

    Attributes:
        colour: Colour of line, band and markers.
        marker: Marker of matplotlib.
        dashes: Line style of matplotlib.
        fill: Whether the markers are filled.
    """

    colour: str
    marker: str
    dashes: Dashes
    fill: Literal["full", "none"] = "full"

    @property
    def markers(self) -> dict[str, Any]:
        """Colour and markers, as matplotlib's lines take them."""
        return {"color": self.colour, "marker": self.marker, "fillstyle": self.fill}


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
# An original and its variants.
_DASHES: Final[tuple[Dashes, ...]] = ("-", "--", ":", "-.")


def with_looks(groups: Sequence[RunGroup]) -> Iterator[tuple[RunGroup, Look]]:
    """Give every group its look, the same one in all figures.

    A label that continues another one after a comma, as ``Se, sticky`` does ``Se``, is a variant of
    it: it has the same colour and marker, hollow, and dashes tell variants apart instead of groups.
    An original with more than three variants leaves every label a look of its own.

    Args:
        groups: The groups, at most as many as there are ``LOOKS``.
    """
    families = _families([group.label for group in groups])
    if not 1 < max(map(len, families), default=0) <= len(_DASHES):
        return zip(groups, LOOKS, strict=False)
    looks = {
        label: look._replace(dashes=dashes, fill="full" if label == family[0] else "none")
        for look, family in zip(LOOKS[: len(families)], families, strict=True)
        for dashes, label in zip(_DASHES[: len(family)], family, strict=True)
    }
    return ((group, looks[group.label]) for group in groups)


def _families(labels: Sequence[str]) -> list[list[str]]:
    """Originals, each followed by its variants."""
    families: dict[str, list[str]] = {}
    for label in labels:
        original = min((o for o in labels if f"{label}, ".startswith(f"{o}, ")), key=len)
        members = families.setdefault(original, [original])
        if label != original:
            members.append(label)
    return list(families.values())


def panel_figure(
    panels: int, handles: Sequence[Line2D], title: str, *, share_x: bool = True
) -> tuple[Figure, list[Axes]]:
    """Make a figure with panels one above the other and the legend on top.

    Args:
        panels: How many panels.
        handles: Entries of the legend.
        title: Line above them.
        share_x: Whether all panels have one axis of x.

    Returns:
        The figure and its panels, from top to bottom.
    """
    height = _PANEL_HEIGHT * panels + _LEGEND_LINE * (2 + len(handles))
    figure = style.new_figure(height)
    axes = figure.subplots(panels, sharex=share_x, squeeze=False)
    figure.legend(handles=handles, loc="outside upper left", title=title, alignment="left")
    return figure, list(axes[:, 0])


def label_panel(axes: Axes, name: str) -> None:
    """Name quantity and unit of a panel, in lines that fit its height, and draw its grid."""
    title = title_of(name).replace(", ", ",\n")
    axes.set_ylabel(f"{title} / {QUANTITIES[name].unit}")
    axes.grid(color=style.LIGHT_GREY, linewidth=0.4)


def group_handles(groups: Sequence[RunGroup], *, lines: bool = True) -> list[Line2D]:
    """Entries of the legend for the groups.

    Args:
        groups: The groups.
        lines: Whether they are drawn as lines, or as markers only.
    """
    handles = []
    for group, look in with_looks(groups):
        count = len(group.folders)
        text = f"{group.label} ({count} {'run' if count == 1 else 'runs'})"
        dashes = look.dashes if lines else ""
        handles.append(Line2D([], [], linestyle=dashes, label=text, **look.markers))
    return handles


def draw_spread(
    axes: Axes, x: NDArray[np.float64], spread: Spread, scale: float, look: Look, every: int = 1
) -> None:
    """Draw the mean as a line and the range from smallest to largest as a band.

    Args:
        axes: Where to draw.
        x: Places, shape (places,).
        spread: Statistics at these.
        scale: Factor from the values to those of the axis.
        look: Look of the group.
        every: A marker stands at every so manieth place.
    """
    mean = scale * spread.mean
    axes.plot(x, mean, linestyle=look.dashes, markevery=every, **look.markers)
    low, high = scale * spread.smallest, scale * spread.largest
    if np.array_equal(low, high, equal_nan=True):
        return
    if len(x) == 1:
        # A band of one place has no width.
        axes.vlines(x, low, high, color=look.colour, alpha=0.5)
    else:
        axes.fill_between(x, low, high, color=look.colour, alpha=0.2, linewidth=0.0)


def start_at_zero(axes: Axes) -> None:
    """Show shares from zero on, with room for the markers of the smallest and largest ones."""
    low, high = axes.dataLim.intervaly
    if not np.isfinite((low, high)).all():
        return
    # The margins of matplotlib are shares of the range of the values, which may be narrow and high.
    room = _MARGIN * (high or 1.0)
    # Zeros alone would get an axis of negative shares.
    axes.set_ylim(min(low - room, 0.0), high + room if high else 1.0)


def use_logarithm(axes: Axes, lowest: float = 0.0) -> None:
    """Make the axis of y a logarithmic one, labelled so that labels do not overlap.

    Args:
        axes: Where to do so.
        lowest: The axis ends here, or above.
    """
    axes.set_yscale("log")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(bottom=max(axes.get_ylim()[0], lowest))
    bottom, top = axes.get_ylim()
    if top <= _NARROW * bottom:
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_major_formatter("{x:g}")
