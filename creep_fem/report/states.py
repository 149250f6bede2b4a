"""Finds the states of interest in a run: the swollen end of every cycle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

SOC_TOLERANCE: Final = 1e-6


def swelling_sign(soc: NDArray[np.float64]) -> float:
    """Tell whether the active phase swells with rising or with falling soc.

    The first half-cycle of a run is the swelling one, whatever the sign of the volume change.

    Args:
        soc: State of charge of every history row, shape (rows,).

    Returns:
        1.0 for rising, -1.0 for falling soc.
    """
    changes = np.diff(soc)
    moved = changes[changes != 0.0]
    return -1.0 if moved.size and moved[0] < 0.0 else 1.0


def swollen_rows(history: Mapping[str, NDArray[np.float64]]) -> NDArray[np.int64]:
    """Find the swollen end of every cycle that reached it.

    Args:
        history: Columns ``cycle`` and ``soc``, each of shape (rows,) with at least one row.

    Returns:
        Row numbers, one per cycle in order of the cycles.
    """
    swelling = swelling_sign(history["soc"]) * history["soc"]
    full = np.flatnonzero(swelling >= swelling.max() - SOC_TOLERANCE)
    _, first = np.unique(history["cycle"][full], return_index=True)
    return full[first].astype(np.int64)


def first_swollen_time(
    times: NDArray[np.float64], history: Mapping[str, NDArray[np.float64]]
) -> int:
    """Choose the first of the most swollen states among the times of the fields.

    Args:
        times: Times of the fields in s, shape (t,) with at least one entry.
        history: Columns ``time_s`` and ``soc``, each of shape (rows,) with at least one row.

    Returns:
        Number of the time, counted from 0.
    """
    # Before its first row the history says nothing: such fields are the initial state.
    soc = np.interp(times, history["time_s"], history["soc"], left=np.nan)
    swelling = swelling_sign(history["soc"]) * soc
    if np.isnan(swelling).all():
        return 0
    return int(np.flatnonzero(swelling >= np.nanmax(swelling) - SOC_TOLERANCE)[0])
