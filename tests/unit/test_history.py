"""The history table: what is written is read back bit by bit."""

from __future__ import annotations

import math
from contextlib import closing
from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import pytest
from synthetic_run import history_row

from creep_fem.results.errors import ResultError
from creep_fem.results.history import HISTORY_COLUMNS, HistoryWriter, read_history

AWKWARD = replace(
    history_row(step=1, time=0.1 + 0.2, cycle=1, soc=1 / 3),
    contact_ratio_active_framework=math.nan,
    min_gap_um=-5e-324,
    mises_max_active_gpa=1e300,
)


def test_columns_begin_in_the_documented_order() -> None:
    assert HISTORY_COLUMNS[:6] == ("step", "time_s", "dt_s", "cycle", "soc", "newton_iterations")
    assert HISTORY_COLUMNS[18] == "min_gap_um"
    assert HISTORY_COLUMNS[-1] == "chord_iterations"
    assert len(HISTORY_COLUMNS) == 25


def test_round_trip_is_exact(tmp_path: Path) -> None:
    rows = [AWKWARD, history_row(step=2, time=1e6 / 7, cycle=2, soc=0.22)]
    with closing(HistoryWriter(tmp_path / "history.csv")) as writer:
        for row in rows:
            writer.append(row)
    columns = read_history(tmp_path / "history.csv")
    assert tuple(columns) == HISTORY_COLUMNS
    expected = np.array([astuple(row) for row in rows])
    np.testing.assert_array_equal(np.column_stack(list(columns.values())), expected)


def test_numpy_scalars_are_written_as_plain_numbers(tmp_path: Path) -> None:
    with closing(HistoryWriter(tmp_path / "history.csv")) as writer:
        writer.append(replace(AWKWARD, soc=np.float64(0.1)))
    assert "np.float64" not in (tmp_path / "history.csv").read_text(encoding="utf-8")
    assert read_history(tmp_path / "history.csv")["soc"][0] == 0.1


def test_counts_are_written_without_a_decimal_point(tmp_path: Path) -> None:
    with closing(HistoryWriter(tmp_path / "history.csv")) as writer:
        writer.append(AWKWARD)
    line = (tmp_path / "history.csv").read_text(encoding="utf-8").splitlines()[1].split(",")
    assert (line[0], line[3], line[5]) == ("1", "1", "5")


def test_every_row_is_on_disk_before_the_writer_is_closed(tmp_path: Path) -> None:
    writer = HistoryWriter(tmp_path / "history.csv")
    writer.append(AWKWARD)
    assert read_history(tmp_path / "history.csv")["soc"].shape == (1,)
    writer.close()


def test_empty_history_has_all_columns(tmp_path: Path) -> None:
    HistoryWriter(tmp_path / "history.csv").close()
    columns = read_history(tmp_path / "history.csv")
    assert {values.shape for values in columns.values()} == {(0,)}


def test_line_cut_short_by_a_kill_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    with closing(HistoryWriter(path)) as writer:
        writer.append(AWKWARD)
        writer.append(AWKWARD)
    path.write_text(path.read_text(encoding="utf-8")[:-20], encoding="utf-8")
    assert read_history(path)["step"].tolist() == [1.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "columns differ"),
        ("step,time\n1,2\n", "columns differ"),
        (",".join(HISTORY_COLUMNS) + "\n1,2,3\n", "line 2: expected 25 numbers"),
        (",".join(HISTORY_COLUMNS) + "\n" + ",".join(["x"] * 24) + "\n", "line 2"),
    ],
)
def test_damage_is_reported(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "history.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ResultError, match=message):
        read_history(path)


def test_missing_history_is_reported_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match=r"cannot read the history .*history\.csv"):
        read_history(tmp_path / "history.csv")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_a_typed_error_and_leaves_nothing_to_be_closed() -> None:
    with pytest.raises(ResultError, match="cannot write /dev/full: No space left"):
        HistoryWriter(Path("/dev/full"))
