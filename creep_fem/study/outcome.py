"""How runs of a study ended: recorded for those that come later."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creep_fem.results.errors import ResultError, writing
from creep_fem.results.history import read_history
from creep_fem.results.run_folder import RunFolder
from creep_fem.study.cases import Case

_ALMOST = 1.0 - 1e-9
"""Share of the simulated time from which on a run counts as complete."""

_MESSAGE_LENGTH = 4000


class RunStatus(Enum):
    """How a run ended."""

    DONE = "done"
    NOT_CONVERGED = "not converged"
    BAD_INPUT = "bad input"
    INTERRUPTED = "interrupted"
    FAILED = "failed"

    @property
    def repeatable(self) -> bool:
        """Whether another attempt may end in another way; what the input decides does not."""
        return self in (RunStatus.INTERRUPTED, RunStatus.FAILED)


# Exit codes of `creep-fem run`; any other, and a signal, is a failure.
_STATUS = {2: RunStatus.BAD_INPUT, 3: RunStatus.NOT_CONVERGED, 130: RunStatus.INTERRUPTED}


@dataclass(frozen=True)
class RunOutcome:
    """How a run ended.

    Attributes:
        status: In which way.
        folder: Its folder, if it came to have one.
        seconds: Wall time; NaN if nobody measured it.
        message: What it wrote to standard error.
    """

    status: RunStatus
    folder: Path | None = None
    seconds: float = math.nan
    message: str = ""

    @property
    def done(self) -> bool:
        """Whether the run reached its end."""
        return self.status is RunStatus.DONE

    @property
    def reason(self) -> str:
        """The line of the message that says why the run failed."""
        lines = [line.strip() for line in self.message.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("error: ")]
        return (errors or lines or [""])[-1].removeprefix("error: ")

    def history(self) -> dict[str, NDArray[np.float64]] | None:
        """What the run has computed, be it complete or not; None if there is nothing."""
        if self.folder is None:
            return None
        try:
            return read_history(RunFolder(self.folder).history)
        except ResultError:
            return None


def find_outcome(root: Path, case: Case) -> RunOutcome | None:
    """Look for a run that was made of the same config, under whatever name.

    Args:
        root: Folder that collects the run folders.
        case: The case.

    Returns:
        A complete run if there is one, else how the last attempt ended; None if there was none
        or nobody saw how it ended.
    """
    records = sorted(root.glob(f"*-{case.digest}.json"), key=lambda path: path.stat().st_mtime)
    record = _read(records[-1]) if records else {}
    for attempt in _attempts(root, case):
        if _is_complete(attempt, case):
            return RunOutcome(RunStatus.DONE, attempt, float(record.get("seconds", math.nan)))
    if record.get("status") in (None, RunStatus.DONE.value):
        # Its folder has been taken away.
        return None
    folder = root / record["folder"] if record["folder"] else None
    return RunOutcome(RunStatus(record["status"]), folder, record["seconds"], record["message"])


def record_outcome(
    root: Path, case: Case, exit_code: int, seconds: float, message: str
) -> RunOutcome:
    """Find out how a run ended and write it down beside its folder.

    Args:
        root: Folder that collects the run folders.
        case: The case.
        exit_code: What the process returned.
        seconds: Wall time.
        message: What it wrote to standard error.

    Raises:
        ResultError: If the record cannot be written.
    """
    attempts = _attempts(root, case)
    folder = attempts[0] if attempts else None
    status = _STATUS.get(exit_code, RunStatus.FAILED)
    if status is RunStatus.BAD_INPUT:
        folder = None
    elif folder is not None and _is_complete(folder, case):
        # Figures may have failed after it.
        status = RunStatus.DONE
    message = message[-_MESSAGE_LENGTH:] or f"the process ended with code {exit_code}"
    outcome = RunOutcome(status, folder, seconds, "" if exit_code == 0 else message)
    record = {
        "case": case.variation.name,
        "base": str(case.base),
        "overrides": [override.text for override in case.variation.overrides],
        "status": status.value,
        "exit_code": exit_code,
        "folder": None if folder is None else folder.name,
        "seconds": seconds,
        "message": outcome.message,
    }
    write_whole(root / f"{case.run_name}.json", json.dumps(record, indent=2) + "\n")
    return outcome


def write_whole(path: Path, text: str) -> None:
    """Write a file such that whoever reads it meets the old text or the new one.

    Raises:
        ResultError: If it cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    with writing(path):
        part.write_text(text, encoding="utf-8")
        part.replace(path)


def _read(path: Path) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record


def _attempts(root: Path, case: Case) -> list[Path]:
    """Folders of all runs of the same config, the latest first."""
    pattern = re.compile(rf".*-{case.digest}(-\d+)?")
    found = [p for p in root.glob(f"*-{case.digest}*") if p.is_dir() and pattern.fullmatch(p.name)]
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def _is_complete(folder: Path, case: Case) -> bool:
    """Whether the history of a run reaches the end of its last half-cycle."""
    config = case.config
    halves = config.cycling.half_cycles(config.materials.active.volume_change)
    try:
        times = read_history(RunFolder(folder).history)["time_s"]
    except ResultError:
        return False
    return bool(times.size and times[-1] >= _ALMOST * halves[-1].end_time)
