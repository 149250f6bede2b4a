"""The verification book as Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from outcomes import Outcome
from records import Check, Convergence, RankLimit, Report, Table

_NOISE = 1e-11  # smaller errors differ from machine to machine
_SMALLEST = f"< {_NOISE:.0e}"

_HEAD = """# Verification

Written by `make verify` from the cases in `tests/verification`; every number below was computed
when this page was made. An error is relative to the reference unless the quantity says otherwise.
The order of a study is the slope of a straight line fitted to all its refinements on logarithmic
scales; figures show it with the expected one in brackets, which the dashed lines have.

A case that **falls short** misses a tolerance that it should meet, for the reason it gives.
"""


def page(
    outcomes: Sequence[Outcome],
    figures: dict[str, list[str]],
    differences: dict[int, dict[str, float]],
    limits: Mapping[str, RankLimit],
) -> str:
    """The whole page.

    Args:
        outcomes: All cases.
        figures: Files of the figures of each case that has some, relative to the page.
        differences: For every number of processes, how much the numbers of each case differ.
        limits: How much they may.
    """
    parts = [_HEAD, _summary(outcomes)]
    for chapter, members in groupby(outcomes, key=lambda outcome: outcome.chapter):
        parts.append(f"## {chapter}\n")
        parts += [_section(outcome, figures.get(outcome.name, [])) for outcome in members]
    parts.append(_ranks(differences, limits))
    return "\n".join(parts)


def verdict(outcome: Outcome) -> str:
    """How a case ended, in a word or two."""
    if outcome.error:
        return "**failed to run**"
    if outcome.met:
        return "met" if not outcome.shortfall else "**met, though announced to fall short**"
    return "**falls short**" if outcome.shortfall else "**missed**"


def _summary(outcomes: Sequence[Outcome]) -> str:
    rows = []
    for outcome in outcomes:
        report = outcome.report
        title = report.title if report is not None else outcome.name
        counts = ("", "")
        if report is not None:
            counts = (_count(report.checks), _count(report.convergence))
        rows.append((f"[{title}](#{outcome.name})", *counts, verdict(outcome)))
    return table(("case", "numbers met", "orders met", "verdict"), rows)


def _count(results: Sequence[Check | Convergence]) -> str:
    return f"{sum(r.passed for r in results)} of {len(results)}" if results else ""


def _section(outcome: Outcome, figures: Sequence[str]) -> str:
    report = outcome.report
    if report is None:
        lines = [_anchor(outcome.name, outcome.name), f"```text\n{outcome.error}```\n"]
        return "\n".join(lines)
    lines = [_anchor(outcome.name, report.title), outcome.aim + "\n", _statement(report)]
    if outcome.shortfall:
        lines.append(f"**Falls short:** {outcome.shortfall}.\n")
    if report.checks:
        lines.append(_checks(report.checks))
    if report.convergence:
        lines += [_study(study) for study in report.convergence]
    lines += [_free_table(extra) for extra in report.tables]
    lines += [f"![{report.title}]({figure})\n" for figure in figures]
    return "\n".join(lines)


def _anchor(name: str, title: str) -> str:
    return f'<a id="{name}"></a>\n\n### {title}\n'


def _statement(report: Report) -> str:
    lines = (
        f"- Closed form: {_escaped(report.closed_form)}",
        f"- Source: {_escaped(report.source)}",
        f"- Discretisation: {_escaped(report.discretisation)}\n",
    )
    return "\n".join(lines)


def _checks(checks: Iterable[Check]) -> str:
    rows = [
        (
            c.quantity,
            number(c.computed),
            number(c.reference),
            error(c.error),
            f"{c.tolerance:g}",
            "met" if c.passed else "**missed**",
        )
        for c in checks
    ]
    header = ("quantity", "computed", "reference", "error", "tolerance", "")
    return table(header, rows)


def _study(study: Convergence) -> str:
    rows = [(f"{size:.4g}", error(e)) for size, e in zip(study.sizes, study.errors, strict=True)]
    limit = f"expected {study.expected:g}, not below {study.expected - study.slack:.2f}"
    end = "met" if study.passed else "**missed**"
    line = f"{study.quantity}: observed order **{study.order:.2f}** ({limit}), {end}.\n"
    return line + "\n" + table((study.parameter, "error"), rows)


def _free_table(extra: Table) -> str:
    rows = [[number(c) if isinstance(c, float) else c for c in row] for row in extra.rows]
    return f"{extra.title}:\n\n" + table(extra.header, rows)


def _ranks(differences: dict[int, dict[str, float]], limits: Mapping[str, RankLimit]) -> str:
    rows = [
        (
            name,
            *(error(found[name]) for found in differences.values()),
            f"{limits[name].tolerance:g}",
            limits[name].reason,
        )
        for name in next(iter(differences.values()))
    ]
    header = ("case", *(f"{ranks} processes" for ranks in differences), "limit", "why")
    text = (
        "## Numbers of processes\n\nThe largest difference of any number of every case to that on"
        " one process, each in units of its scale (dashes: it did not run).\n\n"
    )
    return text + table(header, rows)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(_escaped, line)) + " |" for line in lines) + "\n"


def number(value: float) -> str:
    """Six digits; what is round-off counts as zero, what does not exist is a dash."""
    if math.isnan(value):
        return "-"
    return "0" if abs(value) < _NOISE else f"{value:.6g}"


def error(value: float) -> str:
    """Two digits, or that it is round-off."""
    if math.isnan(value):
        return "-"
    return _SMALLEST if value < _NOISE else f"{value:.1e}"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*") if "**" not in text else text
