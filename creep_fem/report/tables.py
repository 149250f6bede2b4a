"""Tables of a report: rows of a dataclass as CSV, and Markdown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, fields
from typing import TYPE_CHECKING

from creep_fem.results.table import csv_text

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def rows_as_csv(kind: type[DataclassInstance], rows: Sequence[DataclassInstance]) -> str:
    """Write rows as CSV; what does not exist is an empty entry.

    Args:
        kind: The dataclass, whose fields are the columns.
        rows: Objects of it.
    """
    columns = [field.name for field in fields(kind)]
    return csv_text(columns, ([_plain(entry) for entry in astuple(row)] for row in rows))


def markdown_text(heading: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Write a table in Markdown, without a line break at its end.

    Args:
        heading: Names of the columns.
        lines: Rows with as many cells.
    """
    cells = [heading, ["---"] * len(heading), *lines]
    rows = [[cell.replace("|", "\\|") for cell in line] for line in cells]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def number(value: float | None) -> str:
    """Write a number with four digits; nothing for what does not exist."""
    return "" if value is None or math.isnan(value) else f"{value:.4g}"


def extent(smallest: float, largest: float, runs: int) -> str:
    """Write the range of several runs; nothing for a single one."""
    return f"{number(smallest)} to {number(largest)}" if runs > 1 else ""


def _plain(entry: object) -> object:
    return "" if isinstance(entry, float) and math.isnan(entry) else entry
