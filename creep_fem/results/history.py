"""The history table of a run: one CSV row per accepted time step."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from creep_fem.results.errors import ResultError
from creep_fem.results.table import TableWriter, read_table


@dataclass(frozen=True)
class HistoryRow:
    """State at the end of one accepted time step; its fields are the columns of the table.

    Means are area-weighted over the phase in the deformed state. A quantity that does not exist,
    such as a contact ratio of an absent phase, is NaN.

    Attributes:
        step: Number of the step, counted from 1; row 0 is the initial state if it is written.
        time_s: Time at the end of the step in s.
        dt_s: Size of the step in s.
        cycle: Number of the cycle, counted from 1.
        soc: State of charge of the active phase, 0 to 1.
        newton_iterations: Newton iterations of the step: tangents that were factorised.
        mises_mean_active_gpa: Mean von Mises stress of the active phase in GPa.
        mises_mean_framework_gpa: Mean von Mises stress of the framework in GPa.
        pressure_mean_active_gpa: Mean pressure of the active phase in GPa, compression positive.
        pressure_mean_framework_gpa: Mean pressure of the framework in GPa, compression positive.
        creep_strain_mean_active: Mean accumulated creep strain of the active phase.
        porosity: Pore area over box area.
        contact_ratio_active_active: Share in contact of the active surface that faces active.
        contact_ratio_active_framework: Share in contact of the active surface that faces framework.
        contact_fraction_active: Share in contact of the whole free surface of the active phase.
        contact_fraction_framework: Share in contact of the whole free surface of the framework.
        wall_pressure_x_gpa: Mean pressure on the walls normal to x in GPa, compression positive.
        wall_pressure_y_gpa: Mean pressure on the walls normal to y in GPa, compression positive.
        min_gap_um: Smallest gap between two bodies in um; negative is overlap.
        mises_max_active_gpa: Largest von Mises stress of the active phase in GPa.
        mises_max_framework_gpa: Largest von Mises stress of the framework in GPa.
        creep_strain_max: Largest accumulated creep strain.
        drag_traction_max_gpa: Largest traction of the regularising surface drag in GPa.
        rejected_steps: Attempts at this step that were rejected before it succeeded.
        chord_iterations: Iterations of the step that used the factor of an earlier one again.
    """

    step: int
    time_s: float
    dt_s: float
    cycle: int
    soc: float
    newton_iterations: int
    mises_mean_active_gpa: float
    mises_mean_framework_gpa: float
    pressure_mean_active_gpa: float
    pressure_mean_framework_gpa: float
    creep_strain_mean_active: float
    porosity: float
    contact_ratio_active_active: float
    contact_ratio_active_framework: float
    contact_fraction_active: float
    contact_fraction_framework: float
    wall_pressure_x_gpa: float
    wall_pressure_y_gpa: float
    min_gap_um: float
    mises_max_active_gpa: float
    mises_max_framework_gpa: float
    creep_strain_max: float
    drag_traction_max_gpa: float
    rejected_steps: int
    chord_iterations: int


HISTORY_COLUMNS: Final = tuple(field.name for field in fields(HistoryRow))
"""Names of the columns in the order in which they are written."""


class HistoryWriter(TableWriter):
    """Writes history rows to a CSV file."""

    def __init__(self, path: Path) -> None:
        """Create the file and write its header; an existing file is replaced.

        Args:
            path: CSV file to create.

        Raises:
            ResultError: If it cannot be written.
        """
        super().__init__(path, HISTORY_COLUMNS)

    def append(self, row: HistoryRow) -> None:
        """Write one row.

        Args:
            row: State at the end of a step.

        Raises:
            ResultError: If it cannot be written; the file is closed then.
        """
        self.write(astuple(row))


def read_history(path: Path) -> dict[str, NDArray[np.float64]]:
    """Read a history table.

    A last line cut short by a killed run is dropped; any other damage is an error.

    Args:
        path: CSV file written by ``HistoryWriter``.

    Returns:
        One array of shape (rows,) per column, keyed by column name, in the order of the file.

    Raises:
        ResultError: If the file is missing, has other columns, or a line holds no numbers.
    """
    table = read_table(path, "history")
    if tuple(table) != HISTORY_COLUMNS:
        raise ResultError(f"{path} is not a history of this version: its columns differ")
    return table
