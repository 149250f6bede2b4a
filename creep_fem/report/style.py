"""Looks shared by all figures: one journal column wide, colours that everyone can tell apart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib.figure import Figure

from creep_fem.microstructure.drawing import COLUMN_WIDTH

MM_PER_INCH: Final = 25.4
DOTS_PER_INCH: Final = 200

# Okabe and Ito, "Color Universal Design", 2008.
GREEN: Final = "#009E73"
BLUE: Final = "#0072B2"
VERMILION: Final = "#D55E00"

LIGHT_GREY: Final = "#D0D0D0"
INK: Final = "#202020"

ACTIVE_LINE: Final = VERMILION
FRAMEWORK_LINE: Final = BLUE


@contextmanager
def figure_style() -> Iterator[None]:
    """Apply fonts and line widths while the context lasts; the user's settings come back after."""
    with mpl.rc_context(
        {
            "font.size": 7.0,
            "axes.titlesize": 7.0,
            "legend.fontsize": 6.5,
            "legend.frameon": False,
            "axes.linewidth": 0.6,
            "xtick.major.width": 0.6,
            "ytick.major.width": 0.6,
            "lines.linewidth": 1.1,
            "lines.markersize": 3.0,
        }
    ):
        yield


def new_figure(height: float) -> Figure:
    """Make an empty figure of column width.

    Args:
        height: Height in mm.

    Returns:
        The figure; it knows no window system.
    """
    return Figure(figsize=(COLUMN_WIDTH, height / MM_PER_INCH), layout="constrained")


def save(figure: Figure, path: Path) -> Path:
    """Write a figure as PNG.

    Args:
        figure: Figure to write.
        path: File to create or replace.

    Returns:
        The file.
    """
    figure.savefig(path, dpi=DOTS_PER_INCH)
    return path
