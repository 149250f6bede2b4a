"""Loops over points, compiled to machine code by Numba when they are first called."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, cast

from numba import njit

logger = logging.getLogger(__name__)

FASTMATH = {"contract", "arcp"}  # a product and a sum at once; products with reciprocals


def compiled[F: Callable[..., Any]](function: F) -> F:
    """Compile a function of arrays and numbers for the processor at hand.

    The machine code is kept beside the source, or in the user's cache where that is read-only. It
    counts as current as long as the source file stands, so a compiled function must not call one of
    another file, nor take tuples that are defined in one; it has to be thrown away by hand when the
    options here change. Division by zero gives infinities and NaN, as in NumPy.
    """
    try:
        return cast(F, njit(cache=True, error_model="numpy", fastmath=FASTMATH)(function))
    except RuntimeError:  # Numba finds no folder to write to
        logger.info("%s is compiled in every run: no cache can be written", function.__name__)
        return cast(F, njit(error_model="numpy", fastmath=FASTMATH)(function))


def inlined[F: Callable[..., Any]](function: F) -> F:
    """Make a small function part of the compiled ones that call it: a call costs more than it."""
    return cast(F, njit(inline="always", error_model="numpy", fastmath=FASTMATH)(function))
