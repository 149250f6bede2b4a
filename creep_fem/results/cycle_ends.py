"""Finds the ends of the cycles: in histories, in tables of pores, and among the times of fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

SOC_TOLERANCE: Final = 1e-6
# Relative difference below which two times are one.
_SAME_TIME: Final = 1e-9

History = Mapping[str, NDArray[np.float64]]


def rows_at(history: History, soc: float) -> dict[int, int]:
    """Find the last row of every cycle at a state of charge.

    A cycle may begin at the soc at which it ends, so that it is its last row that counts.

    Args:
        history: Columns ``cycle`` and ``soc``, each of shape (rows,).
        soc: State of charge.

    Returns:
        Row numbers by the numbers of the cycles that reached it, in their order.
    """
    rows = np.flatnonzero(np.abs(history["soc"] - soc) <= SOC_TOLERANCE)
    return {int(history["cycle"][row]): int(row) for row in rows}


def swelling_sign(soc: NDArray[np.float64], start: float) -> float:
    """Tell whether the active phase swells with rising or with falling soc.

    The first half-cycle of a run is the swelling one, whatever the sign of the volume change. It
    may be a single row: only the start tells the direction then.

    Args:
        soc: State of charge of every row, shape (rows,).
        start: State of charge before the first step.

    Returns:
        1.0 for rising, -1.0 for falling soc.
    """
    changes = soc - start
    moved = changes[np.abs(changes) > SOC_TOLERANCE]
    return -1.0 if moved.size and moved[0] < 0.0 else 1.0


def swollen_rows(history: History, start: float) -> NDArray[np.int64]:
    """Find the swollen end of every cycle that reached it.

    Of a run that ended before its first swollen end, it is the most swollen state that counts.

    Args:
        history: Columns ``cycle`` and ``soc``, each of shape (rows,) with at least one row.
        start: State of charge before the first step.

    Returns:
        Row numbers, one per cycle in order of the cycles.
    """
    soc = history["soc"]
    extreme = soc.max() if swelling_sign(soc, start) > 0.0 else soc.min()
    return np.array(list(rows_at(history, float(extreme)).values()), dtype=np.int64)


def first_swollen_time(times: NDArray[np.float64], history: History, start: float) -> int:
    """Choose the first of the most swollen states among the times of the fields.

    Args:
        times: Times of the fields in s, shape (t,) with at least one entry.
        history: Columns ``time_s`` and ``soc``, each of shape (rows,) with at least one row.
        start: State of charge before the first step.

    Returns:
        Number of the time, counted from 0.
    """
    # Before its first row the history says nothing: such fields are the initial state.
    soc = np.interp(times, history["time_s"], history["soc"], left=np.nan)
    swelling = swelling_sign(history["soc"], start) * soc
    if np.isnan(swelling).all():
        return 0
    return int(np.flatnonzero(swelling >= np.nanmax(swelling) - SOC_TOLERANCE)[0])


def swollen_times(times: NDArray[np.float64], history: History, start: float) -> dict[int, int]:
    """Find the fields of every swollen end.

    Args:
        times: Times of the fields in s, shape (t,).
        history: Columns ``cycle``, ``soc`` and ``time_s``, each of shape (rows,) with at least
            one row.
        start: State of charge before the first step.

    Returns:
        Numbers of the times, counted from 0, by the numbers of the cycles, in their order; cycles
        for whose swollen end no fields were written are absent.
    """
    found = {}
    for row in swollen_rows(history, start):
        same = np.flatnonzero(np.isclose(times, history["time_s"][row], rtol=_SAME_TIME, atol=0.0))
        if same.size:
            found[int(history["cycle"][row])] = int(same[0])
    return found


def ends_of_first_cycle(states: History) -> tuple[int, int]:
    """Find the swollen and the shrunk end of the first cycle in a table that begins at the start.

    Args:
        states: Columns ``cycle`` and ``soc``, each of shape (rows,); the first row is the state
            before the first step.

    Returns:
        Row numbers; the shrunk end is the last row of the cycle, or of a run that ended in it.
    """
    first = states["cycle"] == states["cycle"][0]
    of_first = {name: states[name][first] for name in ("cycle", "soc")}
    swollen = swollen_rows(of_first, float(states["soc"][0]))
    return int(swollen[0]), int(first.sum()) - 1
