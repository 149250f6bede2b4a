"""The table of pore areas: one CSV row at the start and after every time step."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from creep_fem.results.errors import ResultError
from creep_fem.results.table import TableWriter, read_table

_STATE_COLUMNS: Final = ("time_s", "cycle", "soc", "creep_free_um2")


@dataclass(frozen=True)
class PoreHistory:
    """Areas of all pores over time; the first row is the initial state.

    Attributes:
        time: Times in s, shape (rows,).
        cycle: Number of the cycle, counted from 1, shape (rows,).
        soc: State of charge of the active phase, shape (rows,).
        creep_free: Total pore area in um^2 that there would be at this state of charge if the
            active particles swelled freely and without creep, shape (rows,).
        areas: Area of every pore in um^2, shape (rows, pores).
    """

    time: NDArray[np.float64]
    cycle: NDArray[np.float64]
    soc: NDArray[np.float64]
    creep_free: NDArray[np.float64]
    areas: NDArray[np.float64]


class PoreWriter(TableWriter):
    """Writes the areas of the pores to a CSV file."""

    def __init__(self, path: Path, pores: int) -> None:
        """Create the file and write its header; an existing file is replaced.

        Args:
            path: CSV file to create.
            pores: Number of pores.

        Raises:
            ResultError: If it cannot be written.
        """
        super().__init__(path, (*_STATE_COLUMNS, *_pore_columns(pores)))

    def append(
        self, time: float, cycle: int, soc: float, creep_free: float, areas: NDArray[np.float64]
    ) -> None:
        """Write one row.

        Args:
            time: Time in s.
            cycle: Number of the cycle, counted from 1.
            soc: State of charge.
            creep_free: Total pore area without contact and creep in um^2.
            areas: Area of every pore in um^2, shape (pores,).

        Raises:
            ResultError: If it cannot be written; the file is closed then.
        """
        self.write((time, cycle, soc, creep_free, *areas.tolist()))


def read_pores(path: Path) -> PoreHistory:
    """Read the table of pore areas.

    A last line cut short by a killed run is dropped; any other damage is an error.

    Args:
        path: CSV file written by ``PoreWriter``.

    Returns:
        The areas over time.

    Raises:
        ResultError: If the file is missing, has other columns, or a line holds no numbers.
    """
    table = read_table(path, "table of pores")
    pores = len(table) - len(_STATE_COLUMNS)
    if pores < 1 or tuple(table) != (*_STATE_COLUMNS, *_pore_columns(pores)):
        raise ResultError(f"{path} is not a table of pores of this version: its columns differ")
    *state, areas = np.split(np.array(list(table.values())), range(1, len(_STATE_COLUMNS) + 1))
    time, cycle, soc, creep_free = (column[0] for column in state)
    return PoreHistory(time, cycle, soc, creep_free, areas.T)


def _pore_columns(pores: int) -> tuple[str, ...]:
    return tuple(f"pore_{number}_um2" for number in range(1, pores + 1))
