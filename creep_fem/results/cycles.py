"""Reduces a history to what it says at the two ends of every cycle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from creep_fem.results.cycle_ends import rows_at
from creep_fem.units import NUMBER, STRESS, Dimension


class CycleEnd(StrEnum):
    """The two ends of a cycle, in the order in which they are reached."""

    SWOLLEN = "swollen"
    SHRUNK = "shrunk"


@dataclass(frozen=True)
class CycleQuantity:
    """A number that a run has once per cycle.

    Attributes:
        name: Name in tables and target files.
        columns: Columns of the history; the quantity is their mean.
        dimension: Its dimension.
        end: End of the cycle at which it is taken.
    """

    name: str
    columns: tuple[str, ...]
    dimension: Dimension
    end: CycleEnd = CycleEnd.SWOLLEN

    @property
    def unit(self) -> str:
        """Unit in figures and tables, where shares are percentages."""
        return self.dimension.unit or "%"

    @property
    def scale(self) -> float:
        """Factor from the history's values to those in ``unit``."""
        return 1.0 if self.dimension.unit else 100.0

    def read(self, history: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        """Read the quantity off every row of a history, in its internal unit.

        Args:
            history: Columns of the history, each of shape (rows,).

        Returns:
            Values of shape (rows,).
        """
        return np.mean([history[column] for column in self.columns], axis=0)


_CONTACT: Final = (
    "contact_ratio_active_active",
    "contact_ratio_active_framework",
    "contact_fraction_active",
)
_STRESS: Final = (
    "mises_mean_active_gpa",
    "mises_max_active_gpa",
    "mises_mean_framework_gpa",
    "pressure_mean_active_gpa",
    "pressure_mean_framework_gpa",
)

QUANTITIES: Final = {
    quantity.name: quantity
    for quantity in (
        *(CycleQuantity(name, (name,), NUMBER) for name in _CONTACT),
        *(CycleQuantity(f"{name}_shrunk", (name,), NUMBER, CycleEnd.SHRUNK) for name in _CONTACT),
        *(CycleQuantity(name, (name,), STRESS) for name in _STRESS),
        CycleQuantity("wall_pressure_gpa", ("wall_pressure_x_gpa", "wall_pressure_y_gpa"), STRESS),
        CycleQuantity("porosity", ("porosity",), NUMBER),
    )
}
"""All quantities by name."""


@dataclass(frozen=True)
class CycleTable:
    """Quantities of one run over its cycles.

    Attributes:
        cycle: Numbers of the cycles whose both ends were reached, shape (cycles,).
        values: Every quantity by name, in internal units, each of shape (cycles,).
    """

    cycle: NDArray[np.int64]
    values: Mapping[str, NDArray[np.float64]]


def cycle_table(
    history: Mapping[str, NDArray[np.float64]], swollen: float, shrunk: float
) -> CycleTable:
    """Take all quantities at the ends of every complete cycle.

    Args:
        history: Columns of the history, each of shape (rows,).
        swollen: State of charge at the swollen end.
        shrunk: State of charge at the shrunk end.

    Returns:
        The quantities; no cycles if none is complete.
    """
    ends = {
        CycleEnd.SWOLLEN: rows_at(history, swollen),
        CycleEnd.SHRUNK: rows_at(history, shrunk),
    }
    both = sorted(ends[CycleEnd.SWOLLEN].keys() & ends[CycleEnd.SHRUNK].keys())
    # A run may start at its shrunk soc: what counts is the shrunk end that follows the swollen one.
    complete = [c for c in both if ends[CycleEnd.SHRUNK][c] > ends[CycleEnd.SWOLLEN][c]]
    rows = {end: np.array([of[c] for c in complete], dtype=np.int64) for end, of in ends.items()}
    return CycleTable(
        np.array(complete, dtype=np.int64),
        {name: quantity.read(history)[rows[quantity.end]] for name, quantity in QUANTITIES.items()},
    )
