"""What a verification case states and what it measured, for the asserts and for the book."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Check:
    """A computed number against its reference.

    Attributes:
        quantity: What is compared, with its unit.
        computed: Number the package gives.
        reference: Number it should be.
        tolerance: Largest allowed error.
        scale: The error is divided by this; the reference itself if not given.
    """

    quantity: str
    computed: float
    reference: float
    tolerance: float
    scale: float | None = None

    @property
    def error(self) -> float:
        """Error relative to the scale."""
        scale = self.reference if self.scale is None else self.scale
        return abs(self.computed - self.reference) / abs(scale)

    @property
    def passed(self) -> bool:
        """Whether the error is within the tolerance; a number that is not finite is not."""
        return self.error <= self.tolerance


@dataclass(frozen=True)
class Convergence:
    """Errors over refinements against the order they should fall with.

    Attributes:
        quantity: Whose error it is.
        parameter: What is refined, with its unit.
        sizes: Its values.
        errors: Errors relative to the size of the quantity.
        expected: Order that theory promises; where there is none the report says so, and it is
            an observed order kept as a limit.
        slack: How far the fitted order may stay below it.
    """

    quantity: str
    parameter: str
    sizes: tuple[float, ...]
    errors: tuple[float, ...]
    expected: float
    slack: float = 0.1

    @property
    def order(self) -> float:
        """Slope of the straight line fitted to the logarithms of all refinements."""
        return float(np.polyfit(np.log(self.sizes), np.log(self.errors), 1)[0])

    @property
    def passed(self) -> bool:
        """Whether the errors fall at least as fast as expected, within the slack."""
        return self.order >= self.expected - self.slack


@dataclass(frozen=True)
class Table:
    """Numbers to be shown that no tolerance judges.

    Attributes:
        title: What they are.
        header: Names of the columns with their units.
        rows: One tuple of cells per row.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str | float, ...], ...]


@dataclass(frozen=True)
class Report:
    """Outcome of a case.

    Attributes:
        title: What is verified.
        closed_form: The reference, as a formula.
        source: Where the reference comes from.
        discretisation: Elements and time steps.
        checks: Single numbers.
        convergence: Studies over refinements.
        tables: Further numbers for the reader.
    """

    title: str
    closed_form: str
    source: str
    discretisation: str
    checks: tuple[Check, ...] = ()
    convergence: tuple[Convergence, ...] = ()
    tables: tuple[Table, ...] = ()

    @property
    def failures(self) -> list[Check | Convergence]:
        """What missed its tolerance."""
        results: list[Check | Convergence] = [*self.checks, *self.convergence]
        return [result for result in results if not result.passed]


@dataclass(frozen=True)
class RankLimit:
    """Largest difference that another number of processes may make to a number of a case.

    Attributes:
        tolerance: The difference, in units of the number's scale.
        reason: Why it is larger than usual.
    """

    tolerance: float = 1e-8
    reason: str = ""


USUAL_RANK_LIMIT = RankLimit()


@dataclass(frozen=True)
class Case:
    """A case that can be run.

    Attributes:
        name: Identifier.
        run: Computes the report.
        slow: Whether it is left to the long suite.
        shortfall: Why the package is known to miss it; empty if it should pass.
        rank_limit: How much its numbers may depend on the number of processes.
    """

    name: str
    run: Callable[[], Report]
    slow: bool
    shortfall: str
    rank_limit: RankLimit


CASES: list[Case] = []


def case(
    *,
    slow: bool = False,
    shortfall: str = "",
    rank_limit: RankLimit = USUAL_RANK_LIMIT,
) -> Callable[[Callable[[], Report]], Callable[[], Report]]:
    """Register a function that computes a report as a case; see :class:`Case`."""

    def register(function: Callable[[], Report]) -> Callable[[], Report]:
        CASES.append(Case(function.__name__, function, slow, shortfall, rank_limit))
        return function

    return register
