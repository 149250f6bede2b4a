"""Runs as processes of their own: a crash of one does not end the study."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from threading import Lock

from creep_fem.study.cases import Case
from creep_fem.study.errors import StudyError
from creep_fem.study.outcome import RunOutcome, RunStatus, find_outcome, record_outcome

Report = Callable[[Case, RunOutcome], None]
"""Told of each case when it is known how its run ended."""


class Launcher:
    """Starts the runs of a study that have not been made yet.

    Runs are recognised by the fingerprint of their config, whatever they are called.
    """

    def __init__(self, folder: Path, ranks: int, at_once: int, retry: bool = False) -> None:
        """Prepare to start runs.

        Args:
            folder: Folder that collects the run folders.
            ranks: Processes of one run.
            at_once: Runs at the same time.
            retry: Whether runs that did not converge, or had bad input, are made again.

        Raises:
            StudyError: If several processes are wanted and there is no mpirun.
        """
        self.folder, self.at_once = folder, at_once
        self._retry, self._prefix = retry, _mpirun(ranks)
        self._running: set[subprocess.Popen[str]] = set()
        self._lock, self._stopped = Lock(), False

    def run(self, cases: Sequence[Case], report: Report) -> list[RunOutcome]:
        """Make the runs of some cases, or find them made.

        Args:
            cases: What to run; cases of the same config share a run.
            report: Called with each run that ends, in the order in which they end, after those
                that are found.

        Returns:
            One outcome per case.

        Raises:
            KeyboardInterrupt: On Ctrl-C, after the runs in progress have been told and have ended.
        """
        outcomes: dict[str, RunOutcome] = {}
        missing: dict[str, Case] = {}
        for case in cases:
            if case.digest in outcomes or case.digest in missing:
                continue
            known = find_outcome(self.folder, case)
            if known is None or (known.status.repeatable if not self._retry else not known.done):
                missing[case.digest] = case
            else:
                outcomes[case.digest] = known
                report(case, known)
        with ThreadPoolExecutor(self.at_once) as pool:
            futures = {pool.submit(self._make, case): case for case in missing.values()}
            try:
                for future in as_completed(futures):
                    case = futures[future]
                    outcomes[case.digest] = future.result()
                    report(case, outcomes[case.digest])
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                self._interrupt()
                raise
        return [outcomes[case.digest] for case in cases]

    def _make(self, case: Case) -> RunOutcome:
        """Run one case to its end, in a thread that waits for the process."""
        command = [*self._prefix, sys.executable, "-m", "creep_fem", "run", str(case.base)]
        overrides = [override.text for override in case.variation.overrides]
        for text in (*overrides, f"name={case.run_name}"):
            command += ["--set", text]
        command += ["--output", str(self.folder), "--quiet"]
        started = time.perf_counter()
        with self._lock:
            if self._stopped:
                return RunOutcome(RunStatus.INTERRUPTED)
            # Ctrl-C reaches the runs through this process alone, and only once.
            process = subprocess.Popen(
                command,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                env=_environment(),
                start_new_session=True,
            )
            self._running.add(process)
        _, message = process.communicate()
        with self._lock:
            self._running.discard(process)
        seconds = time.perf_counter() - started
        return record_outcome(self.folder, case, process.returncode, seconds, message)

    def _interrupt(self) -> None:
        """Tell all runs in progress to end; they keep what they have computed."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.send_signal(signal.SIGINT)


def _mpirun(ranks: int) -> list[str]:
    """What stands before the command of a run with several processes."""
    if ranks == 1:
        return []
    # The wheel of DOLFINx brings the mpirun that belongs to its MPI.
    beside = Path(sys.executable).with_name("mpirun")
    program = str(beside) if beside.exists() else shutil.which("mpirun")
    if program is None:
        raise StudyError("runs with several processes need mpirun, which is not on the PATH")
    return [program, "-n", str(ranks)]


def _environment() -> dict[str, str]:
    """Environment of the runs: one thread per process, unless the user wants another number."""
    # What a launcher of this process has set would mislead the MPI of the runs.
    own = ("PMI_", "PMIX_", "OMPI_COMM_WORLD_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    return {"OMP_NUM_THREADS": "1", **kept}
