"""Tables as CSV: those of numbers that grow during a run, and those written as a whole."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from contextlib import suppress
from io import StringIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from creep_fem.results.errors import ResultError, writing


class TableWriter:
    """Writes rows to a CSV file, each one on disk before the call returns.

    Only one process may write; in a parallel run that is the caller's business.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        """Create the file and write its header; an existing file is replaced.

        Args:
            path: CSV file to create.
            columns: Names of the columns.

        Raises:
            ResultError: If it cannot be written.
        """
        self._path = path
        with writing(path):
            self._file = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._write(columns)

    def write(self, values: Sequence[float]) -> None:
        """Write one row; every float is written so that reading gives the same bits.

        Args:
            values: One number per column.

        Raises:
            ResultError: If it cannot be written; the file is closed then.
        """
        # Numbers may arrive as NumPy scalars, whose repr is not a plain number.
        self._write([repr(v if isinstance(v, int) else float(v)) for v in values])

    def close(self) -> None:
        """Close the file; closing twice is harmless."""
        self._file.close()

    def _write(self, values: Sequence[str]) -> None:
        with writing(self._path):
            try:
                self._writer.writerow(values)
                self._file.flush()
            except OSError:
                # Closing would otherwise try to write the rest again, and fail again.
                with suppress(OSError):
                    self._file.close()
                raise


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a whole table of texts and numbers; reading a float gives the same bits.

    Args:
        columns: Names of the columns.
        rows: One entry per column each.
    """
    stream = StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return stream.getvalue()


def read_table(path: Path, kind: str) -> dict[str, NDArray[np.float64]]:
    """Read a table.

    A last line cut short by a killed run is dropped; any other damage is an error.

    Args:
        path: CSV file written by ``TableWriter``.
        kind: What the table is, for messages.

    Returns:
        One array of shape (rows,) per column, keyed by column name, in the order of the file;
        nothing for an empty file.

    Raises:
        ResultError: If the file is missing, or a line does not hold one number per column.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ResultError(f"cannot read the {kind} {path}: {error.strerror}") from error
    # A complete line ends with a line feed, so what follows the last one is a fragment.
    complete = text[: text.rfind("\n") + 1]
    header, *lines = list(csv.reader(complete.splitlines())) or [[]]
    rows = [_parse(line, len(header), f"{path}, line {n}") for n, line in enumerate(lines, 2)]
    columns = np.array(rows, dtype=np.float64).reshape(-1, len(header)).T if header else ()
    return dict(zip(header, columns, strict=True))


def _parse(line: list[str], count: int, place: str) -> list[float]:
    try:
        values = [float(entry) for entry in line]
    except ValueError:
        values = []
    if len(values) != count:
        raise ResultError(f"{place}: expected {count} numbers")
    return values
