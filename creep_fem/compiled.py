"""Loops over points, compiled to machine code by Numba when they are first called."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, cast

from numba import njit
from numba.core import event

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


class _InterruptsPostponed(event.Listener):
    """Keeps Ctrl-C until the compiler has ended.

    LLVM calls back into Python, which drops all exceptions there: a run would go on.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._handler: Any = None
        self._arrived: tuple[int, FrameType | None] | None = None

    def on_start(self, _: event.Event) -> None:
        # Python handles signals in its main thread, and lets no other change how.
        if threading.current_thread() is not threading.main_thread():
            return
        # what has arrived already is raised by signal(), before anything is counted
        if self._depth == 0 and callable(signal.getsignal(signal.SIGINT)):
            self._handler = signal.signal(signal.SIGINT, self._keep)
        self._depth += 1

    def on_end(self, _: event.Event) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        self._depth -= 1
        if self._depth > 0 or self._handler is None:
            return
        handler, self._handler = self._handler, None
        signal.signal(signal.SIGINT, handler)
        # only now can nothing more arrive
        arrived, self._arrived = self._arrived, None
        if arrived is not None:
            handler(*arrived)

    def _keep(self, number: int, frame: FrameType | None) -> None:
        self._arrived = (number, frame)


event.register("numba:compiler_lock", _InterruptsPostponed())
