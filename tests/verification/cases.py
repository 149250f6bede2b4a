"""All verification cases, in the order of the book."""

from __future__ import annotations

import creep_cases  # noqa: F401
import cylinder_cases  # noqa: F401
import growth_cases  # noqa: F401
import incompressible_cases  # noqa: F401
import invariance_cases  # noqa: F401
import manufactured_cases  # noqa: F401
from records import CASES, Case, Report

__all__ = ["CASES", "Case", "Report"]


def print_report(report: Report) -> str:
    """The numbers of a report as plain text."""
    lines = [report.title]
    lines += [
        f"  {'ok  ' if c.passed else 'FAIL'} {c.quantity}: {c.computed:.8g} vs {c.reference:.8g},"
        f" error {c.error:.2e} (tolerance {c.tolerance:.0e})"
        for c in report.checks
    ]
    lines += [
        f"  {'ok  ' if c.passed else 'FAIL'} {c.quantity}: order {c.order:.3f} (expected"
        f" {c.expected:g}), errors {', '.join(f'{e:.2e}' for e in c.errors)}"
        for c in report.convergence
    ]
    return "\n".join(lines)
