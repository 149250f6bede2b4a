"""All verification cases: those of every module named ``*_cases.py``."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from records import CASES, Case, Report

__all__ = ["CASES", "Case", "Report"]

for _path in sorted(Path(__file__).parent.glob("*_cases.py")):
    import_module(_path.stem)


def print_report(report: Report) -> str:
    """The numbers of a report as plain text."""
    lines = [report.title]
    lines += [
        f"  {'ok  ' if c.passed else 'FAIL'} {c.quantity}: {c.computed:.8g} vs {c.reference:.8g},"
        f" error {c.error:.2e} (tolerance {c.tolerance:g})"
        for c in report.checks
    ]
    lines += [
        f"  {'ok  ' if c.passed else 'FAIL'} {c.quantity}: order {c.order:.3f} (expected"
        f" {c.expected:g}), errors {', '.join(f'{e:.2e}' for e in c.errors)}"
        for c in report.convergence
    ]
    return "\n".join(lines)
