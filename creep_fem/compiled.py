"""Loops over points, compiled to machine code by Numba when they are first called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from numba import njit


def compiled[F: Callable[..., Any]](function: F) -> F:
    """Compile a function of arrays and numbers for the processor at hand.

    The machine code is kept beside the source, or in the user's cache where that is read-only.
    Division by zero gives infinities and NaN, as in NumPy.
    """
    return cast(F, njit(cache=True, error_model="numpy")(function))
