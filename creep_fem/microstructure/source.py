"""The layout a config asks for: packed, or read from a file and made fit to be meshed."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from creep_fem.microstructure.cleaning import clean_layout
from creep_fem.microstructure.layout import Layout, read_layout
from creep_fem.microstructure.packing import Packing, pack


class Microstructure(Protocol):
    """Exactly one of layout and packing is given."""

    @property
    def layout_gap(self) -> float:
        """Gap in um that discs of a layout file get if they are closer than that."""

    @property
    def layout(self) -> Path | None:
        """Layout file."""

    @property
    def packing(self) -> Packing | None:
        """What to pack."""


def build_layout(microstructure: Microstructure) -> tuple[Layout, list[str]]:
    """Packs or reads the layout.

    Args:
        microstructure: The source.

    Returns:
        Layout fit for ``build_mesh``, and a message for each change made to a layout file.

    Raises:
        PackingError: No packing was found.
        ConfigError: The layout file has mistakes.
    """
    if microstructure.packing is not None:
        return pack(microstructure.packing), []
    if microstructure.layout is None:
        raise ValueError("a microstructure needs a layout file or a packing")
    return clean_layout(read_layout(microstructure.layout), microstructure.layout_gap)
