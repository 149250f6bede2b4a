"""Failures in parallel runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from creep_fem.errors import CreepFemError

if TYPE_CHECKING:
    from mpi4py import MPI


@contextmanager
def failing_together(comm: MPI.Comm) -> Iterator[None]:
    """Raise on all processes what one of them raises within the context (collective).

    Without it, a process that fails alone leaves the others waiting for it forever. The context
    itself must not communicate.

    Args:
        comm: Communicator of the processes.

    Raises:
        CreepFemError: The process's own error or else that of the first process which has one.
            Errors of other kinds pass through on their process only.
    """
    own: CreepFemError | None = None
    try:
        yield
    except CreepFemError as error:
        own = error
    failures = [error for error in comm.allgather(own) if error is not None]
    if own is not None:
        raise own
    if failures:
        raise failures[0]
