"""Draws all figures of a run from what lies in its folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from creep_fem.report import style
from creep_fem.report.curves import cycles_figure, pressure_figure
from creep_fem.report.maps import (
    creep_figure,
    maps_over_cycles_figure,
    mesh_figure,
    spread_out,
    von_mises_figure,
)
from creep_fem.report.pores import pores_figure
from creep_fem.results.cycle_ends import History, first_swollen_time, swollen_times
from creep_fem.results.errors import ResultError, writing
from creep_fem.results.history import read_history
from creep_fem.results.pores import read_pores
from creep_fem.results.read import FieldSnapshot, field_times, read_fields
from creep_fem.results.run_folder import RunFolder
from creep_fem.units import SECONDS_PER_HOUR


def draw_run(folder: Path) -> list[Path]:
    """Draw all figures of a run into its folder ``figures``.

    Args:
        folder: Folder of the run, finished or not.

    Returns:
        The PNG files, replaced if they existed.

    Raises:
        ResultError: If history, pores or fields are missing, unreadable or still empty, or the
            figures cannot be written.
    """
    run = RunFolder(folder)
    history, pores = read_history(run.history), read_pores(run.pores)
    times = field_times(folder)
    if not len(history["step"]) or not len(times):
        raise ResultError(f"{folder} holds no results yet")
    # The history begins after the first step, the table of pores before it.
    start = float(pores.soc[0])
    snapshot = read_fields(folder, first_swollen_time(times, history, start))
    title = _title(snapshot, history)
    drawings: dict[str, Callable[[], Figure]] = {
        "mesh": lambda: mesh_figure(snapshot),
        "von_mises_lithiated": lambda: von_mises_figure(snapshot, title),
        "creep_strain": lambda: creep_figure(snapshot, title),
        "cycles": lambda: cycles_figure(history, start),
        "pressure_porosity": lambda: pressure_figure(history),
        "pores": lambda: pores_figure(pores),
    }
    swollen = swollen_times(times, history, start)
    if len(swollen) > 1:
        drawings["maps_over_cycles"] = lambda: maps_over_cycles_figure(
            {c: read_fields(folder, swollen[c]) for c in spread_out(list(swollen))}
        )
    with writing(run.figures), style.figure_style():
        run.figures.mkdir(exist_ok=True)
        return [style.save(draw(), run.figures / f"{name}.png") for name, draw in drawings.items()]


def _title(snapshot: FieldSnapshot, history: History) -> str:
    soc = float(np.interp(snapshot.time, history["time_s"], history["soc"]))
    return f"t = {snapshot.time / SECONDS_PER_HOUR:.3g} h, state of charge {soc:.2f}"
