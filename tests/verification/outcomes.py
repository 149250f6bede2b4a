"""Runs all cases, each in a process of its own, and says how they ended."""

from __future__ import annotations

import inspect
import multiprocessing
import os
import sys
import traceback
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from records import CASES, Case, Report


@dataclass(frozen=True)
class Outcome:
    """How a case ended.

    Attributes:
        name: The case.
        chapter: Heading of its module.
        aim: What it verifies.
        shortfall: Why the package is known to miss it; empty if it should pass.
        report: Its numbers, None if it raised.
        error: What it raised, empty if nothing.
    """

    name: str
    chapter: str
    aim: str
    shortfall: str
    report: Report | None
    error: str

    @property
    def met(self) -> bool:
        """Whether it ran and met every tolerance."""
        return self.report is not None and not self.report.failures

    @property
    def as_expected(self) -> bool:
        """Whether it passed, or fell short as announced."""
        return self.met != bool(self.shortfall) and not self.error


def run_all() -> list[Outcome]:
    """Run every registered case in the order of registration."""
    import cases  # noqa: F401  registers them

    # a fresh process for each: the longest study cannot disturb the next case
    with ProcessPoolExecutor(
        os.cpu_count(),
        multiprocessing.get_context("spawn"),
        max_tasks_per_child=1,
    ) as pool:
        found = []
        for outcome in pool.map(_run, [case.name for case in CASES]):
            sys.stderr.write(f"{outcome.name}: {'met' if outcome.met else 'not met'}\n")
            found.append(outcome)
        return found


def _run(name: str) -> Outcome:
    import cases  # noqa: F401

    (case,) = (case for case in CASES if case.name == name)
    report, error = None, ""
    try:
        report = case.run()
    except Exception:  # any failure of a case belongs in the book
        error = traceback.format_exc(limit=-1)
    return Outcome(name, _chapter(case), _aim(case), case.shortfall, report, error)


def _chapter(case: Case) -> str:
    heading = inspect.getdoc(sys.modules[case.run.__module__]) or case.run.__module__
    return heading.splitlines()[0].rstrip(".")


def _aim(case: Case) -> str:
    return inspect.getdoc(case.run) or ""
