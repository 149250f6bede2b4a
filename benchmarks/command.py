"""What the commands that write a document have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from creep_fem.errors import CreepFemError
from creep_fem.messages import print_error


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show an error as ``creep-fem`` does; a traceback is for what the user cannot act on.

    Raises:
        typer.Exit: With code 1, in place of a ``CreepFemError``.
    """
    try:
        yield
    except CreepFemError as error:
        print_error(error)
        raise typer.Exit(1) from error
