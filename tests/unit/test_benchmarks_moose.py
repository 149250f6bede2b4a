"""The input writer and the parsers of the comparison with MOOSE."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.peers import contact_deck, decks, moose, moose_decks, moose_input
from benchmarks.peers.outcome import FINISHED
from benchmarks.peers.problems import RAMP, bar_mesh, disc_problem, quantities
from creep_fem.materials.parameters import NortonCreep

LOG = """
 0 Nonlinear |R| = \x1b[32m1.0e+00\x1b[39m
      0 Linear |R| = 1.0e+00
 1 Nonlinear |R| = \x1b[32m1.0e-03\x1b[39m
 2 Nonlinear |R| = \x1b[32m1.0e-09\x1b[39m
 0 Nonlinear |R| = \x1b[32m1.0e+00\x1b[39m
"""


def _section(text: str, name: str) -> list[str]:
    lines = text.splitlines()
    return lines[lines.index(f"${name}") + 2 : lines.index(f"$End{name}")]


def test_tree_becomes_blocks_and_quotes_lists() -> None:
    tree = {"Mesh": {"file": {"dim": 2, "names": ["a", "b"], "csv": True, "none": ""}}}
    lines = [line.strip() for line in moose_input.written(tree).splitlines()]
    assert lines == [
        *("[Mesh]", "[file]", "dim = 2", "names = 'a b'", "csv = true", "none = ''", "[]", "[]"),
    ]


def test_creep_factor_is_in_mpa() -> None:
    law = moose_input.creep(NortonCreep(1e-5, 0.1, 4.5))
    factor = law["coefficient"]
    assert isinstance(factor, float)
    assert factor * 100.0**4.5 == pytest.approx(1e-5)


def test_mesh_keeps_nodes_and_gives_sides_groups_of_their_own() -> None:
    mesh = bar_mesh()
    head = moose_input.midpoints_on(mesh, mesh.points[:, 1] == 1.0)
    text = moose_input.msh(mesh, ["bar"], {"head": head})
    assert _section(text, "PhysicalNames") == ['2 1 "bar"', '1 2 "head"']
    rows = [list(map(int, line.split())) for line in _section(text, "Elements")]
    triangles = np.array([row[5:] for row in rows if row[1] == 9])
    lines = np.array([row[3:] for row in rows if row[1] == 8])
    assert np.array_equal(triangles, mesh.cells + 1)
    assert set(lines[:, 0]) == {2}
    ends = mesh.points[lines[:, 2:4] - 1]
    assert np.allclose(ends.mean(axis=1), mesh.points[lines[:, 4] - 1])
    assert np.allclose(ends[:, :, 1], 1.0)


def test_discs_get_walls_that_touch_the_box_and_all_pairs() -> None:
    problem = disc_problem()
    deck = moose_decks.discs()
    names = {line.split('"')[1] for line in _section(deck.mesh, "PhysicalNames")}
    (pairs,) = (line for line in deck.text.splitlines() if "secondary =" in line)
    expected = len(contact_deck.disc_pairs(problem.discs))
    at_walls = contact_deck.wall_pairs(problem.discs, problem.mesh.box)
    secondary = pairs.split("'")[1].split()
    assert len(secondary) == expected + len(at_walls)
    assert set(secondary) <= names
    assert {f"wall{wall}" for _, wall in at_walls} <= names
    points = np.array([line.split()[1:3] for line in _section(deck.mesh, "Nodes")], dtype=float)
    outside = points[len(problem.mesh.points) :]
    assert np.all(np.any((outside <= 0.0) | (outside >= problem.mesh.box), axis=1))


def test_command_takes_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(moose.VARIABLE, "engine run --volume {folder}:/deck image")
    command = moose.executable()
    assert command is not None
    assert moose.in_folder(command, tmp_path)[3] == f"{tmp_path}:/deck"


def test_without_variable_and_path_there_is_no_moose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(moose.VARIABLE, raising=False)
    monkeypatch.setenv("PATH", "")
    assert moose.executable() is None


def test_log_tells_iterations_and_what_ended_it() -> None:
    assert moose.count_iterations(LOG) == 2
    assert moose.ending(LOG, 0) == FINISHED
    assert moose.ending("x\n\n*** ERROR ***\n\nthe mesh is torn\n", 1) == "the mesh is torn"
    assert "137" in moose.ending(LOG, 137)
    assert moose.stated_version("\x1b[1mApplication Version: ab12\n") == "ab12"


def test_table_survives_a_torn_end(tmp_path: Path) -> None:
    path = tmp_path / "job.csv"
    path.write_text(f"time,stress,top\n0,0,0\n{RAMP:g},-80,0.3\n1e9,-8", encoding="utf-8")
    assert moose.bar_values(tmp_path) == (-80.0, 0.3)
    path.write_text("time,stress,top\n", encoding="utf-8")
    assert moose.bar_values(tmp_path) == (None, None)


def test_tube_that_ended_early_has_no_values(tmp_path: Path) -> None:
    (tmp_path / "job.csv").write_text(f"time,dofs\n{0.5 * decks.tube_end()},9\n", encoding="utf-8")
    assert moose.tube_values(tmp_path) == (None, None, None)


@pytest.mark.skipif(moose.executable() is None, reason="MOOSE is not installed")
@pytest.mark.parametrize("problem", ["B1", "B2"])
def test_moose_meets_the_references(problem: str, tmp_path: Path) -> None:
    command = moose.executable()
    assert command is not None
    (case,) = (case for case in moose.CASES if case.problem == problem)
    outcome = moose.run(case, command, tmp_path / "job", 120.0)
    references = [quantity.reference for quantity in quantities(problem)]
    assert outcome.finished
    assert outcome.reached == pytest.approx(1.0)
    assert outcome.values == pytest.approx(references, rel=5e-4)
