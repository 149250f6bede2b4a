"""The table of a study: what was varied, how each run ended, and the numbers read off it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from creep_fem.results.table import csv_text
from creep_fem.study.cases import Case
from creep_fem.study.observable import Observable
from creep_fem.study.outcome import RunOutcome


@dataclass(frozen=True)
class StudyRow:
    """One line of the table of a study.

    Attributes:
        case: The case.
        outcome: How its run ended; None if it has not been made.
        observables: Numbers by name; NaN where the run has not come so far.
    """

    case: Case
    outcome: RunOutcome | None
    observables: Mapping[str, float]

    @property
    def done(self) -> bool:
        """Whether the run reached its end."""
        return self.outcome is not None and self.outcome.done

    @property
    def ending(self) -> str:
        """How the run ended, in words."""
        return self.outcome.status.value if self.outcome is not None else "not run"


def observe(
    observables: Mapping[str, Observable], case: Case, outcome: RunOutcome | None
) -> dict[str, float]:
    """Read observables off a run.

    Returns:
        Numbers by name; NaN where the run has not come so far.
    """
    history = outcome.history() if outcome is not None else None
    if history is None:
        return dict.fromkeys(observables, math.nan)
    return {name: item.read(history, case.config) for name, item in observables.items()}


def table_text(rows: Sequence[StudyRow]) -> str:
    """Write rows as CSV: what was varied, how the run ended, and the observables."""
    varied = list(dict.fromkeys(key for row in rows for key in row.case.variation.varied))
    columns = ["case", *varied, "outcome", "seconds", "folder", *rows[0].observables]
    return csv_text(columns, [_entries(row, varied) for row in rows])


def _entries(row: StudyRow, varied: Sequence[str]) -> list[object]:
    outcome = row.outcome
    return [
        row.case.variation.name,
        *(row.case.variation.varied.get(key, "") for key in varied),
        row.ending,
        f"{outcome.seconds:.1f}" if outcome is not None else "",
        outcome.folder.name if outcome is not None and outcome.folder else "",
        *row.observables.values(),
    ]
