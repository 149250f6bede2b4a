"""What the first cycle does to the single pores of runs, all packings of a label together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from creep_fem.results.cycle_ends import ends_of_first_cycle
from creep_fem.results.groups import RunGroup
from creep_fem.results.pores import PoreHistory
from creep_fem.results.targets import NO_TARGETS, Targets

RESOLUTION: Final = 3e-3
"""Changes of area below this share of the mean initial area of a run's pores mean nothing.

Surfaces in contact overlap or gape by a nanometre or two. Where a contact a micrometre long is cut
decides to which pore 0.002 um^2 belong (docs/theory.md); pores have 0.7 to 1 um^2 on average.
"""
SMALLEST: Final = 3e-2
"""Pores below this share are left out: what means nothing would be over 10 % of their area."""


@dataclass(frozen=True)
class PoreChange:
    """All pores of a group at both ends of the first cycle, relative to their initial areas.

    Attributes:
        swollen: At the swollen end, shape (pores,).
        shrunk: At the shrunk end, shape (pores,).
        regained: What all pores of the run together would have at the shrunk end without creep,
            relative to the initial state, for every pore, shape (pores,).
        shrinks_further: Whether the pore shrinks while the active phase shrinks, shape (pores,).
    """

    swollen: NDArray[np.float64]
    shrunk: NDArray[np.float64]
    regained: NDArray[np.float64]
    shrinks_further: NDArray[np.bool_]


@dataclass(frozen=True)
class PoreSummary:
    """Numbers of a group; the fields are the columns of the table, shares are in %.

    Attributes:
        label: Label of the group.
        runs: Number of runs.
        pores: Number of pores in all of them.
        left_out: How many more were too small.
        median_swollen: Median of the areas at the swollen end, relative to the initial ones.
        median_shrunk: The same at the shrunk end.
        smallest_swollen: Smallest area at the swollen end; that of a closed pore may be negative.
        total_swollen: Area of all pores, small ones too, at the swollen end, relative to the
            initial one.
        total_shrunk: The same at the shrunk end.
        total_creep_free: What it would be there without creep.
        below_creep_free: Number of pores with less than that at the shrunk end.
        published_creep_free: The published share of what there would be without creep; None if
            there is none.
        below_published: Number of pores with less than that at the shrunk end.
        shrink_further: Number of pores that shrink while the active phase shrinks.
    """

    label: str
    runs: int
    pores: int
    left_out: int
    median_swollen: float
    median_shrunk: float
    smallest_swollen: float
    total_swollen: float
    total_shrunk: float
    total_creep_free: float
    below_creep_free: int
    published_creep_free: float | None
    below_published: int | None
    shrink_further: int


def large_enough(pores: PoreHistory) -> NDArray[np.bool_]:
    """Tell which pores are large enough for changes of their areas to mean something.

    Args:
        pores: Areas over time, with at least one row.

    Returns:
        Shape (pores,).
    """
    initial = pores.areas[0]
    kept: NDArray[np.bool_] = initial >= SMALLEST * initial.mean()
    return kept


def pore_change(group: RunGroup) -> PoreChange:
    """Follow all pores of a group through the first cycle.

    Args:
        group: The runs.

    Returns:
        The pores of all runs, those that are too small left out.
    """
    runs = [_of_run(pores) for pores in group.pores]
    return PoreChange(
        *(np.concatenate([getattr(run, name) for run in runs]) for name in vars(runs[0]))
    )


def summarise(groups: Sequence[RunGroup], targets: Targets = NO_TARGETS) -> list[PoreSummary]:
    """Give the numbers of every group.

    Args:
        groups: The runs.
        targets: Published values to count by.

    Returns:
        One row per group.
    """
    return [_summary(group, targets.creep_free_pores.get(group.label)) for group in groups]


def _ends(pores: PoreHistory) -> tuple[int, int]:
    return ends_of_first_cycle({"cycle": pores.cycle, "soc": pores.soc})


def _of_run(pores: PoreHistory) -> PoreChange:
    swollen, shrunk = _ends(pores)
    initial = pores.areas[0]
    kept = large_enough(pores)
    lost = pores.areas[swollen] - pores.areas[shrunk]
    regained = float(pores.creep_free[shrunk] / initial.sum())
    return PoreChange(
        pores.areas[swollen][kept] / initial[kept],
        pores.areas[shrunk][kept] / initial[kept],
        np.full(kept.sum(), regained),
        (lost > RESOLUTION * initial.mean())[kept],
    )


def _summary(group: RunGroup, published: float | None) -> PoreSummary:
    change = pore_change(group)
    ends = [(run, *_ends(run)) for run in group.pores]
    percent = 100.0 / sum(float(run.areas[0].sum()) for run in group.pores)
    count = len(change.shrunk)
    return PoreSummary(
        label=group.label,
        runs=len(group.pores),
        pores=count,
        left_out=sum(run.areas.shape[1] for run in group.pores) - count,
        median_swollen=100.0 * float(np.median(change.swollen)),
        median_shrunk=100.0 * float(np.median(change.shrunk)),
        smallest_swollen=100.0 * float(change.swollen.min()),
        total_swollen=percent * sum(float(run.areas[row].sum()) for run, row, _ in ends),
        total_shrunk=percent * sum(float(run.areas[row].sum()) for run, _, row in ends),
        total_creep_free=percent * sum(float(run.creep_free[row]) for run, _, row in ends),
        below_creep_free=int((change.shrunk < change.regained).sum()),
        published_creep_free=None if published is None else 100.0 * published,
        below_published=None if published is None else int((change.shrunk < published).sum()),
        shrink_further=int(change.shrinks_further.sum()),
    )
