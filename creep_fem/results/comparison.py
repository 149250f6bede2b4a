"""Puts runs and targets side by side: the rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from creep_fem.results.cycles import QUANTITIES, CycleQuantity
from creep_fem.results.groups import RunGroup
from creep_fem.results.targets import Targets


@dataclass(frozen=True)
class ComparedValue:
    """A quantity of a group at one cycle; its fields are the columns of the table.

    Attributes:
        label: Label of the group.
        quantity: Name of the quantity.
        unit: Unit of all values of the row.
        end: End of the cycle at which the quantity is taken.
        cycle: Number of the cycle.
        runs: Number of runs.
        mean: Mean over the runs.
        standard_deviation: Standard deviation of the sample; NaN for a single run.
        smallest: Smallest value of a run.
        largest: Largest value of a run.
        target: Value to compare with; None if there is none.
        difference: Mean minus target.
        fitted: Whether parameters were chosen to meet the target.
    """

    label: str
    quantity: str
    unit: str
    end: str
    cycle: int
    runs: int
    mean: float
    standard_deviation: float
    smallest: float
    largest: float
    target: float | None
    difference: float | None
    fitted: bool


def compare(groups: Sequence[RunGroup], targets: Targets) -> list[ComparedValue]:
    """Tabulate all quantities at the first and last cycle and at those that have a target.

    Args:
        groups: The runs.
        targets: What to compare with.

    Returns:
        Rows by label, quantity and cycle, in the units of ``CycleQuantity.unit``.
    """
    return [
        row
        for group in groups
        for quantity in QUANTITIES.values()
        for row in _rows(group, quantity, targets)
    ]


def _rows(group: RunGroup, quantity: CycleQuantity, targets: Targets) -> list[ComparedValue]:
    cycles = group.cycle.tolist()
    aimed = {target.cycle for target in targets.of(group.label, quantity.name)}
    spread, scale = group.spread(quantity.name), quantity.scale
    rows = []
    for place, cycle in enumerate(cycles):
        if cycle not in {cycles[0], cycles[-1], *aimed}:
            continue
        target = targets.at(group.label, quantity.name, cycle)
        mean = scale * float(spread.mean[place])
        rows.append(
            ComparedValue(
                label=group.label,
                quantity=quantity.name,
                unit=quantity.unit,
                end=quantity.end.value,
                cycle=cycle,
                runs=len(group.folders),
                mean=mean,
                standard_deviation=scale * float(spread.deviation[place]),
                smallest=scale * float(spread.smallest[place]),
                largest=scale * float(spread.largest[place]),
                target=None if target is None else scale * target.value,
                difference=None if target is None else mean - scale * target.value,
                fitted=target is not None and target.fitted,
            )
        )
    return rows
