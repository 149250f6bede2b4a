"""Folders of finished runs made of formulas, as a report of several runs reads them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from synthetic_run import history_row, history_rows, write_pores

from creep_fem.config import RunConfig, load_config
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


def rows_of(config: RunConfig, factor: float) -> list[HistoryRow]:
    """Rows with four steps in each half-cycle of a config; stresses grow with the factor."""
    halves = config.cycling.half_cycles(config.materials.active.volume_change)
    steps = [(half, share / 4) for half in halves for share in range(1, 5)]
    rows = []
    for number, (half, share) in enumerate(steps, start=1):
        time = half.start_time + share * (half.end_time - half.start_time)
        row = history_row(number, time, half.cycle, half.soc_at(time))
        stress = factor * row.mises_mean_active_gpa
        rows.append(replace(row, mises_mean_active_gpa=stress))
    return rows


def write_run_of(
    folder: Path, config: RunConfig, factor: float = 1.0, steps: int | None = None
) -> RunFolder:
    """Write the files of a run of a config but its fields; some steps only if it stopped."""
    rows, start = rows_of(config, factor)[:steps], config.cycling.soc.start
    folder.mkdir(parents=True)
    run = RunFolder(folder)
    write_config(run, config.to_yaml(), {"creep_fem": "0.1.0"})
    with closing(HistoryWriter(run.history)) as history:
        for row in rows:
            history.append(row)
    write_pores(run.pores, rows, start)
    return run


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
