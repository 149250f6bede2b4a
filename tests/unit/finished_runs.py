"""Folders of finished runs made of formulas, as a report of several runs reads them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from synthetic_run import history_rows, write_pores

from creep_fem.config import load_config
from creep_fem.results.history import HistoryRow, HistoryWriter
from creep_fem.results.run_folder import RunFolder, write_config

DEMO = Path(__file__).parents[2] / "configs" / "demo.yaml"


def scaled_rows(cycles: int, factor: float) -> list[HistoryRow]:
    """Rows of the synthetic run with other stresses and contact."""
    return [
        replace(
            row,
            mises_mean_active_gpa=factor * row.mises_mean_active_gpa,
            contact_fraction_active=factor * row.contact_fraction_active + 0.01 * factor,
        )
        for row in history_rows(cycles)
    ]


def write_finished_run(
    folder: Path, rows: Sequence[HistoryRow], overrides: Sequence[str] = (), start: float = 0.0
) -> Path:
    """Write config, history and pores of a run between the states of charge 0 and 1."""
    folder.mkdir(parents=True)
    run = RunFolder(folder)
    config = load_config(DEMO, ["cycling.soc.low=0", *overrides])
    write_config(run, config.to_yaml(), {})
    with closing(HistoryWriter(run.history)) as history:
        for row in rows:
            history.append(row)
    write_pores(run.pores, rows, start)
    return folder
