"""Errors survive the way to other processes, and Ctrl-C the way through libraries."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import pytest

# Their modules define errors of their own.
import creep_fem.results.errors
from creep_fem.errors import (
    ConfigError,
    CreepFemError,
    NotConverged,
    Problem,
    StepFailure,
    was_interrupted,
)

FAILURE = StepFailure("line search", 4, 100.0, 1e-3, 1e-3, (1.0, 0.5), 0.01, 5)
ARGUMENTS = {
    ConfigError: ("case.yaml", [Problem("name", "is missing", line=3), Problem("mesh", "too")]),
    NotConverged: (FAILURE,),
}


def kinds(base: type[CreepFemError] = CreepFemError) -> Iterator[type[CreepFemError]]:
    yield base
    for kind in base.__subclasses__():
        yield from kinds(kind)


def test_errors_of_all_rooms_are_known() -> None:
    assert {creep_fem.results.errors.ResultError, *ARGUMENTS} < set(kinds())


@pytest.mark.parametrize("kind", list(kinds()))
def test_errors_can_be_sent_to_other_processes(kind: type[CreepFemError]) -> None:
    error = kind(*ARGUMENTS.get(kind, ("what happened",)))
    received = pickle.loads(pickle.dumps(error))
    assert type(received) is kind
    assert str(received) == str(error)
    assert vars(received) == vars(error)


def test_interruptions_are_found_behind_other_errors() -> None:
    bare = RuntimeError("PETSc failed")
    assert not was_interrupted(bare)
    assert was_interrupted(KeyboardInterrupt())
    with pytest.raises(RuntimeError) as from_cause:
        raise RuntimeError from KeyboardInterrupt()
    assert was_interrupted(from_cause.value)
    bare.__context__ = from_cause.value
    assert was_interrupted(bare)


def test_errors_that_are_each_others_context_are_no_trap() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__context__, second.__context__ = second, first
    assert not was_interrupted(first)
