"""The history table of a run: one CSV row per accepted time step."""

from __future__ import annotations

import csv
from contextlib import suppress
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from creep_fem.results.errors import ResultError, writing


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


class HistoryWriter:
    """Writes history rows to a CSV file, each one on disk before the call returns.

    Only one process may write; in a parallel run that is the caller's business.
    """

    def __init__(self, path: Path) -> None:
        """Create the file and write its header; an existing file is replaced.

        Args:
            path: CSV file to create.

        Raises:
            ResultError: If it cannot be written.
        """
        self._path = path
        with writing(path):
            self._file = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._write(HISTORY_COLUMNS)

    def append(self, row: HistoryRow) -> None:
        """Write one row; every float is written so that reading gives the same bits.

        Args:
            row: State at the end of a step.

        Raises:
            ResultError: If it cannot be written; the file is closed then.
        """
        values = astuple(row)
        # Numbers may arrive as NumPy scalars, whose repr is not a plain number.
        self._write(tuple(repr(v if isinstance(v, int) else float(v)) for v in values))

    def close(self) -> None:
        """Close the file; closing twice is harmless."""
        self._file.close()

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self.close()

    def _write(self, values: tuple[str, ...]) -> None:
        with writing(self._path):
            try:
                self._writer.writerow(values)
                self._file.flush()
            except OSError:
                # Closing would otherwise try to write the rest again, and fail again.
                with suppress(OSError):
                    self._file.close()
                raise


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
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ResultError(f"cannot read the history {path}: {error.strerror}") from error
    # A complete line ends with a line feed, so what follows the last one is a fragment.
    complete = text[: text.rfind("\n") + 1]
    header, *lines = list(csv.reader(complete.splitlines())) or [[]]
    if tuple(header) != HISTORY_COLUMNS:
        raise ResultError(f"{path} is not a history of this version: its columns differ")
    table = np.array([_parse(line, path, number) for number, line in enumerate(lines, start=2)])
    columns = table.reshape(-1, len(HISTORY_COLUMNS)).T
    return dict(zip(HISTORY_COLUMNS, columns.astype(np.float64), strict=True))


def _parse(line: list[str], path: Path, number: int) -> list[float]:
    try:
        values = [float(entry) for entry in line]
    except ValueError:
        values = []
    if len(values) != len(HISTORY_COLUMNS):
        raise ResultError(f"{path}, line {number}: expected {len(HISTORY_COLUMNS)} numbers")
    return values
