"""Quantities of runs over the state of charge of their first swelling half-cycle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from creep_fem.results.cycle_ends import SOC_TOLERANCE, History, rows_at
from creep_fem.results.cycles import QUANTITIES
from creep_fem.results.groups import RunGroup, Spread

FOLLOWED: Final = (
    "mises_mean_active_gpa",
    "mises_mean_framework_gpa",
    "contact_fraction_active",
    "wall_pressure_gpa",
    "porosity",
)
"""Names of the quantities in tables and figures."""
LEVELS: Final = (0.1, 0.2, 0.3, 0.5, 1.0)
"""States of charge in tables, beside those at which the groups end."""

_SAME_DIGITS: Final = 6


@dataclass(frozen=True)
class ValueAtSoc:
    """A quantity of a group at one state of charge; its fields are the columns of the table.

    Attributes:
        label: Label of the group.
        quantity: Name of the quantity.
        unit: Unit of all values of the row.
        soc: State of charge.
        runs: Number of runs.
        mean: Mean over the runs.
        standard_deviation: Standard deviation of the sample; NaN for a single run.
        smallest: Smallest value of a run.
        largest: Largest value of a run.
    """

    label: str
    quantity: str
    unit: str
    soc: float
    runs: int
    mean: float
    standard_deviation: float
    smallest: float
    largest: float


def spread_at(group: RunGroup, name: str, socs: NDArray[np.float64]) -> Spread:
    """Mean and spread of a quantity during the first swelling half-cycle.

    Between its steps, a run is interpolated linearly; where one of the runs has not been, before
    its first step or beyond its end, there is no value.

    Args:
        group: The runs.
        name: Name of the quantity.
        socs: States of charge, shape (places,).

    Returns:
        Statistics in the internal unit, NaN where there is no value.
    """
    return Spread.over_runs(np.array([_at(group, run, name, socs) for run in group.histories]))


def swelling_range(group: RunGroup) -> tuple[float, float]:
    """States of charge between which there are values of all runs.

    Args:
        group: The runs.

    Returns:
        The latest end of a first step, and the end of the half-cycle.
    """
    sign = _sign(group)
    first = max(sign * float(history["soc"][0]) for history in group.histories)
    return sign * first, group.swelling.end_soc


def tabulate(groups: Sequence[RunGroup]) -> list[ValueAtSoc]:
    """Tabulate the first swelling at some states of charge and where the groups end.

    Args:
        groups: The runs.

    Returns:
        Rows by label, quantity and state of charge, in the units of ``CycleQuantity.unit``; those
        that a group has not reached are absent.
    """
    ends = {round(group.swelling.end_soc, _SAME_DIGITS) for group in groups}
    levels = np.array(sorted({*LEVELS, *ends}))
    return [row for group in groups for name in FOLLOWED for row in _rows(group, name, levels)]


def _rows(group: RunGroup, name: str, levels: NDArray[np.float64]) -> list[ValueAtSoc]:
    quantity, spread = QUANTITIES[name], spread_at(group, name, levels)
    columns = (spread.mean, spread.deviation, spread.smallest, spread.largest)
    return [
        ValueAtSoc(
            group.label,
            name,
            quantity.unit,
            float(soc),
            len(group.folders),
            *(quantity.scale * float(column[place]) for column in columns),
        )
        for place, soc in enumerate(levels)
        if not np.isnan(spread.mean[place])
    ]


def _sign(group: RunGroup) -> float:
    """Tell whether the state of charge rises, 1.0, or falls, -1.0."""
    return 1.0 if group.swelling.end_soc > group.swelling.start_soc else -1.0


def _at(
    group: RunGroup, history: History, name: str, socs: NDArray[np.float64]
) -> NDArray[np.float64]:
    rows = rows_at(history, group.swelling.end_soc)[group.swelling.cycle] + 1
    place, wanted = _sign(group) * history["soc"][:rows], _sign(group) * socs
    values = np.interp(wanted, place, QUANTITIES[name].read(history)[:rows])
    outside = (wanted < place[0] - SOC_TOLERANCE) | (wanted > place[-1] + SOC_TOLERANCE)
    return np.where(outside, np.nan, values)
