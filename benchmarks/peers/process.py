"""Another code as a process: what it is asked, how it is started and how it is ended."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.outcome import Outcome

_GRACE = 20.0  # s, for a container engine to end what runs in the container


@dataclass(frozen=True)
class Case[Deck, Printed]:
    """A problem as another code is asked to solve it.

    Attributes:
        problem: B1, B2 or B3.
        code: Name of the code and its variant.
        end: Simulated time in s.
        deck: Makes the input.
        values: Reads the compared numbers from what the code has printed.
        points: Number of mesh nodes.
        model: What differs from the problem as stated.
    """

    problem: str
    code: str
    end: float
    deck: Callable[[], Deck]
    values: Callable[[Printed], tuple[float | None, ...]]
    points: Callable[[], int]
    model: str

    def outcome(
        self, ended: Ended, message: str, time: float, iterations: int, printed: Printed
    ) -> Outcome:
        """What came of it.

        Args:
            ended: How the process ended.
            message: What the code says of its end, if it was not stopped.
            time: Simulated time reached in s.
            iterations: Newton iterations.
            printed: What the code has printed.
        """
        return Outcome(
            self.problem,
            self.code,
            2 * self.points(),
            time / self.end,
            (ended.wall,),
            iterations,
            self.values(printed),
            ended.stopped_by or message,
            self.model,
        )


@dataclass(frozen=True)
class Ended:
    """How a process ended.

    Attributes:
        wall: Wall time in s.
        code: Exit code.
        stopped_by: What stopped it, empty if it ended by itself.
    """

    wall: float
    code: int
    stopped_by: str


def emptied(folder: Path) -> Path:
    """The folder, created, or emptied of an earlier run."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def execute(words: Sequence[str], log: Path, time_limit: float) -> Ended:
    """Run a command on one thread in the folder of its log.

    Args:
        words: The command.
        log: File for all that it prints.
        time_limit: Wall time in s after which it is stopped.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    started, stopped_by = time.perf_counter(), ""
    with log.open("w", encoding="utf-8") as printed:
        process = subprocess.Popen(
            words, cwd=log.parent, stdout=printed, stderr=subprocess.STDOUT, env=environment
        )
        try:
            process.wait(time_limit)
        except subprocess.TimeoutExpired:
            stopped_by = f"time limit of {time_limit:g} s"
            _stop(process)
    return Ended(time.perf_counter() - started, process.returncode, stopped_by)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop a process; gently first, as a killed container engine leaves its container behind."""
    process.terminate()
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def text(path: Path) -> str:
    """What a file holds; nothing if the code did not come to write it."""
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
