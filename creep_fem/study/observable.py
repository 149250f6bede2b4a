"""Numbers that are read off the history of a run."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field

from creep_fem.config import RunConfig
from creep_fem.config.fields import Section, Whole, refuse
from creep_fem.results.history import HISTORY_COLUMNS
from creep_fem.units import DURATION, LENGTH, NUMBER, STRESS, Dimension

_SAME_TIME = 1e-9
"""Relative difference below which two times are one."""


def _known(written: object) -> str:
    if written in HISTORY_COLUMNS:
        return str(written)
    near = get_close_matches(str(written), HISTORY_COLUMNS, n=1)
    message = "the history has no such column"
    raise refuse(message, ", ".join(HISTORY_COLUMNS), near=near[0] if near else None)


_Column = Annotated[
    str, BeforeValidator(_known), Field(json_schema_extra={"enum": list(HISTORY_COLUMNS)})
]


class Observable(Section):
    """One number out of ``history.csv``.

    Attributes:
        column: Column of the history.
        cycle: Cycle, counted from 1.
        at: At which end of the cycle's two halves, or the extreme value within the cycle.
    """

    column: _Column
    cycle: Annotated[int, Whole(at_least=1)]
    at: Literal["end_of_swelling", "end_of_shrinking", "minimum", "maximum"] = "end_of_swelling"

    @property
    def dimension(self) -> Dimension:
        """Dimension of the number, which the name of the column tells."""
        return column_dimension(self.column)

    def read(self, history: Mapping[str, NDArray[np.float64]], config: RunConfig) -> float:
        """Read the number off the history of a run.

        Args:
            history: Columns of the history, each of shape (rows,).
            config: Config of the run.

        Returns:
            The number in the unit of the column; NaN if the run ended before.
        """
        halves = config.cycling.half_cycles(config.materials.active.volume_change)
        swelling, shrinking = halves[2 * self.cycle - 2 : 2 * self.cycle]
        end = swelling if self.at == "end_of_swelling" else shrinking
        times = history["time_s"]
        row = np.flatnonzero(np.abs(times - end.end_time) <= _SAME_TIME * end.end_time)
        if not row.size:
            return float("nan")
        values = history[self.column]
        if self.at in ("minimum", "maximum"):
            within = values[history["cycle"] == self.cycle]
            return float(within.min() if self.at == "minimum" else within.max())
        return float(values[row[0]])


def column_dimension(column: str) -> Dimension:
    """Dimension of a column of the history, told by the end of its name."""
    suffixes: dict[str, Any] = {"gpa": STRESS, "um": LENGTH, "s": DURATION}
    dimension: Dimension = suffixes.get(column.rpartition("_")[2], NUMBER)
    return dimension
