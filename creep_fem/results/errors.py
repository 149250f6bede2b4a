"""Exceptions of the results room."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from creep_fem.errors import CreepFemError


class ResultError(CreepFemError):
    """A result cannot be written, or a file of a run folder is missing, incomplete or foreign."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the operating system says, such as of a full disk, into a ``ResultError``.

    Args:
        path: What is written within the context.

    Raises:
        ResultError: If an ``OSError`` occurred.
    """
    try:
        yield
    except OSError as error:
        raise ResultError(f"cannot write {path}: {error.strerror or error}") from error
