"""Laws fitted to measured solvers, on rows that follow known laws."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.speed import extrapolation, tables


def row(dofs: float, name: str = "x", ranks: int = 1) -> dict[str, Any]:
    """Direct: 1e-9 dofs^1.5 s; iterative: 1e-6 dofs s; equal at 1e6 dofs."""

    def solved(seconds: float, memory: float) -> dict[str, float]:
        parts = {"set_up": 0.25 * seconds, "solve": 0.75 * seconds, "memory": memory}
        return {
            **parts,
            "iterations": 20,
            "motions_set_up": 1e-8 * dofs,
            "motions_solve": 1e-9 * dofs,
        }

    iterative = solved(1e-6 * dofs, 900.0 * dofs)
    solvers = {"direct": solved(1e-9 * dofs**1.5, 1300.0 * dofs)}
    solvers |= {"iterative": iterative, "iterative, 1e-6": iterative}
    counts = {"particles": dofs / 600.0, "touching": 10, "shift": 0.0}
    costs = {"replicated": 30.0 * dofs, "packing": dofs, "meshing": dofs}
    return {"name": name, "ranks": ranks, "dofs": dofs, "solvers": solvers, **counts, **costs}


def test_laws_are_found() -> None:
    law = extrapolation.Power.fit([row(d) for d in (1e4, 1e5, 1e6)], lambda r: 3.0 * r["dofs"] ** 2)
    assert (law.factor, law.exponent) == (pytest.approx(3.0), pytest.approx(2.0))
    assert law(10.0) == pytest.approx(300.0)


def test_nothing_is_continued_with_less_than_its_share() -> None:
    assert extrapolation.Power(1.0, 0.5).beyond(1e8, 1e6, 2.0) == pytest.approx(200.0)
    assert extrapolation.Power(1.0, 1.5).beyond(1e8, 1e6, 2.0) == pytest.approx(2000.0)


def test_iterative_solver_wins_from_the_crossover_on() -> None:
    rows = [row(d) for d in (3e6, 1e5, 2e6)]
    assert extrapolation.crossover(rows) == 2e6
    assert extrapolation.crossover(rows[1:2]) is None


def test_only_serial_rows_of_one_mesh_make_the_laws() -> None:
    rows = [row(1e5), row(1e5, ranks=2), row(2e5, name="60 particles, fine"), row(1e4)]
    assert [r["dofs"] for r in extrapolation.serial(rows)] == [1e4, 1e5]


def test_sentences_hold_what_the_laws_give() -> None:
    text = "\n".join(extrapolation.sentences([row(d) for d in (1e5, 2e6)]))
    assert "faster one from 2e+06 dofs on" in text
    assert "dofs^1.50, 1e+03 s on one process" in text
    assert "900 bytes a dof" in text
    assert "motions of bodies: 1e+06; their system takes 0.1 s an iteration" in text
    assert extrapolation.sentences([row(1e5)]) == []


def test_table_has_a_cell_for_every_column() -> None:
    header, cells = tables.lines([row(1e6)], tables.SOLVERS)
    assert dict(zip(header, cells, strict=True))["direct over iterative"] == "1.00"
