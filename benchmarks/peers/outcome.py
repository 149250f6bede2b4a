"""What one code made of one problem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

FINISHED = "finished"


@dataclass(frozen=True)
class Quantity:
    """A number that is compared.

    Attributes:
        name: What it is, with its unit.
        reference: The number it should be.
        source: Where the reference comes from.
    """

    name: str
    reference: float
    source: str


@dataclass(frozen=True)
class Outcome:
    """Result of one code for one problem.

    Attributes:
        problem: B1, B2 or B3.
        code: Name of the code and its variant.
        dofs: Displacement degrees of freedom in the plane; None if unknown.
        reached: Simulated share of the ramp, 0 to 1.
        walls: Wall time of every repetition in s.
        iterations: Newton iterations, those of failed attempts included; None if unknown.
        values: Computed numbers, in the order of the problem's quantities; None if not reached.
        ended_by: What ended the run.
        model: What differs from the problem as stated.
        published: Whether the numbers were published with the benchmark and not measured.
    """

    problem: str
    code: str
    dofs: int | None
    reached: float
    walls: tuple[float, ...]
    iterations: int | None
    values: tuple[float | None, ...]
    ended_by: str
    model: str
    published: bool = False

    @property
    def wall(self) -> float | None:
        """Shortest wall time in s."""
        return min(self.walls, default=None)

    @property
    def finished(self) -> bool:
        """Whether the run came to its end."""
        return self.ended_by == FINISHED

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def merge(repetitions: Sequence[Outcome]) -> Outcome:
    """The last of several runs of the same case, with the wall times of all."""
    walls = tuple(wall for outcome in repetitions for wall in outcome.walls)
    return replace(repetitions[-1], walls=walls)
