"""Exceptions of the package; every failure a user can act on is one of these."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any


class CreepFemError(Exception):
    """Base of all errors raised by creep_fem."""

    def __reduce__(self) -> tuple[Callable[..., CreepFemError], tuple[Any, ...]]:
        """Let errors be sent to other processes, whatever arguments their constructors take."""
        return _restored, (type(self), self.args, self.__dict__)


def _restored(
    kind: type[CreepFemError], args: tuple[Any, ...], attributes: dict[str, Any]
) -> CreepFemError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    return error


def was_interrupted(error: BaseException) -> bool:
    """Whether an error is Ctrl-C, or what a library made of it on the way."""
    known: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        found = pending.pop()
        if isinstance(found, KeyboardInterrupt):
            return True
        if found is not None and id(found) not in known:
            known.add(id(found))
            pending += [found.__cause__, found.__context__]
    return False


@dataclass(frozen=True)
class Problem:
    """One mistake found in the input.

    Attributes:
        key: Path of the offending entry, such as ``mesh.surface_size``.
        message: What is wrong, in one sentence.
        value: The value found, as written by the user; None if nothing was written.
        allowed: Allowed range, unit or choices.
        line: Line in the config file, counted from 1; None if unknown.
        suggestion: The nearest known key or name, if any.
    """

    key: str
    message: str
    value: str | None = None
    allowed: str | None = None
    line: int | None = None
    suggestion: str | None = None


class ConfigError(CreepFemError):
    """The input holds mistakes; all of them are in ``problems``."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        count = len(self.problems)
        lines = "; ".join(f"{p.key}: {p.message}" for p in self.problems)
        super().__init__(f"{source}: {count} problem{'s' if count != 1 else ''}: {lines}")


class PackingError(CreepFemError):
    """No packing with the requested fractions and gaps was found."""


class MeshError(CreepFemError):
    """The geometry could not be meshed."""


@dataclass(frozen=True)
class StepFailure:
    """Facts about a time step that did not converge.

    Attributes:
        reason: Why the nonlinear solver stopped.
        step: Number of the step, counted from 1.
        time: Time at the start of the step in s.
        dt: Last step size that was tried in s.
        minimum_dt: Smallest step size allowed in s.
        residual_history: Residual norms of the last attempt in GPa um.
        min_gap: Smallest gap between two bodies in um; infinite if none are near each other.
        active_pairs: Number of surface points that carry contact pressure.
    """

    reason: str
    step: int
    time: float
    dt: float
    minimum_dt: float
    residual_history: tuple[float, ...]
    min_gap: float
    active_pairs: int


class NotConverged(CreepFemError):
    """A time step failed at the smallest allowed step size."""

    def __init__(self, failure: StepFailure) -> None:
        self.failure = failure
        gap = f"minimum gap {failure.min_gap * 1e3:.2f} nm"
        gap = gap if isfinite(failure.min_gap) else "no bodies near each other"
        history = " ".join(f"{r:.2e}" for r in failure.residual_history)
        super().__init__(
            f"step {failure.step} at t = {failure.time:.6g} s did not converge: {failure.reason}; "
            f"dt = {failure.dt:.3g} s (minimum {failure.minimum_dt:.3g} s), "
            f"{gap}, {failure.active_pairs} active pairs, "
            f"residuals {history}"
        )
