"""The deck writer and the parser of the comparison with CalculiX."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.peers import __main__ as peers_command
from benchmarks.peers import calculix, contact_deck, deck, own, published, tables
from benchmarks.peers.outcome import FINISHED, Outcome, merge
from benchmarks.peers.problems import PROBLEMS, bar_mesh, quantities, value_at_wall
from benchmarks.speed import __main__ as speed_command
from benchmarks.speed import tables as speed_tables
from creep_fem.materials.parameters import NortonCreep
from creep_fem.microstructure import Disc, Layout, build_mesh

DISCS = (
    Disc(0.0, 1.0, 0.9, "active"),
    Disc(2.0, 2.0, 1.3, "framework"),
)
PRINTED = """
 displacements (vx,vy,vz) for set HEAD and time  0.3600000E+05

         3  0.000000E+00  3.235123E-01  0.000000E+00
         6  1.000000E-01  3.235123E-01  0.000000E+00

 stresses (elem, integ.pnt.,sxx,syy,szz,sxy,sxz,syz) for set E and time  0.3600000E+05

         1   1 -8.000000E+01  0.000000E+00 -8.000000E+01  0.000000E+00  0.0E+00  0.0E+00
         1   2 -8.000000E+01  0.000000E+00 -8.000"""


def test_norton_factor_is_in_mpa() -> None:
    text = deck.material("M", 10.0, 0.25, NortonCreep(1e-5, 0.1, 4.5))
    elastic, creep = (line.split(", ") for line in text.splitlines()[2::2])
    assert [float(x) for x in elastic] == [1e4, 0.25]
    assert float(creep[0]) * 100.0**4.5 == pytest.approx(1e-5)
    assert "EXPANSION" not in text


def test_floats_have_a_point_and_fit_into_twenty_characters() -> None:
    row = deck.block("SPRING", [(1, 2.0, -1e-14 / 3.0)]).splitlines()[1].split(", ")
    assert row[0] == "1"
    assert all("." in entry and len(entry) <= 20 for entry in row[1:])


def test_mesh_blocks_number_from_one() -> None:
    mesh = bar_mesh()
    nodes, elements = deck.mesh_blocks(mesh)
    assert len(nodes.splitlines()) == 1 + len(mesh.points)
    rows = [list(map(int, row.split(","))) for row in elements.splitlines()[1:]]
    assert np.array_equal(np.array(rows)[:, 1:], mesh.cells + 1)


def test_faces_are_edges_between_vertices() -> None:
    mesh = bar_mesh()
    for element, face in deck.faces(mesh, np.unique(mesh.cells[:, 3:])):
        cell = mesh.cells[element - 1]
        ends = mesh.points[[cell[face - 1], cell[face % 3]]]
        assert np.allclose(ends.mean(axis=0), mesh.points[cell[2 + face]])


def test_pairs_name_the_active_disc_first_and_skip_far_ones() -> None:
    far = Disc(9.0, 9.0, 0.5, "active")
    assert contact_deck.disc_pairs([DISCS[1], DISCS[0], far]) == [(1, 0)]


def test_walls_that_cut_a_disc_are_no_pair() -> None:
    assert contact_deck.wall_pairs(DISCS, 3.4) == [(0, "BOTTOM"), (1, "RIGHT"), (1, "TOP")]


def test_contact_surfaces_cover_the_free_edges() -> None:
    mesh = build_mesh(Layout(3.4, DISCS), SimpleNamespace(surface_size=0.5, interior_size=0.5))
    found = [len(text.splitlines()) - 1 for text in contact_deck.surfaces(mesh)]
    expected = [sum(len(a.nodes) // 2 for a in mesh.arcs if a.body == body) for body in (0, 1)]
    assert found == expected
    (node,) = re.findall(r"^(\d+), 3.40*, 3.40*,", contact_deck.walls(mesh, ["TOP"], "M")[0], re.M)
    assert int(node) > len(mesh.points)


def test_tables_survive_a_torn_end() -> None:
    found = calculix.read_tables(PRINTED)
    assert found["displacements", 36000.0].shape == (2, 4)
    assert found["stresses", 36000.0].shape == (1, 8)
    assert calculix.mises(found["stresses", 36000.0][:, 2:]) == pytest.approx([80.0])


def test_status_ignores_what_did_not_converge() -> None:
    converged = " 1  1  1  2  0.5E+02  0.5E+02  0.5E+02"
    failed = " 1  2  1U  12  0.5E+02  0.5E+02  0.9E+02"
    status = f"SUMMARY\n{converged}\n{failed}\n"
    assert calculix.reached_time(status) == 50.0
    assert calculix.ending(" *ERROR: increment size smaller than minimum\n") == (
        "increment size smaller than minimum"
    )
    assert calculix.ending("\n Job finished\n") == FINISHED


def test_wall_value_follows_a_power_law() -> None:
    radii = np.linspace(1.05, 1.95, 40)
    assert value_at_wall(radii, 3.0 * radii**-0.4, 1.0) == pytest.approx(3.0)


def test_shortest_repetition_counts() -> None:
    runs = [Outcome("B1", "x", 2, 1.0, (t,), None, (1.0, 1.0), FINISHED, "") for t in (2.0, 1.0)]
    assert merge(runs).wall == 1.0
    assert merge(runs).walls == (2.0, 1.0)


def test_fastest_of_equal_runs_counts() -> None:
    rows = [
        {"name": name, "ranks": ranks, "march": march}
        for name, ranks, march in (("a", 1, 3.0), ("a", 2, 1.0), ("a", 1, 2.0), ("b", 1, 4.0))
    ]
    assert [row["march"] for row in speed_tables.fastest(rows)] == [2.0, 1.0, 4.0]


def test_speed_up_holds_a_run_against_what_its_linear_algebra_allows() -> None:
    """By hand: 8 s of algebra (6 s bare) and 4 s of all else on one process, 5 and 2.5 on two.

    As many bare operations take 1 + 2 + 1 = 4 s on two. That all else took half as long and algebra
    4/6 of its 8 s would make 12 s 22/3 s.
    """
    one = {
        "name": "a",
        "ranks": 1,
        "iterations": 20,
        "chord_iterations": 20,
        "march": 12.0,
        "operations": {"analyse": (2, 1.0), "factorise": (20, 5.5), "solve": (40, 1.5)},
        "bare": {"residual": 9.0, "tangent": 9.0, "factorise": 0.2, "solve": 0.025},
    }
    two = {
        **one,
        "ranks": 2,
        "march": 7.5,
        "operations": {"analyse": (2, 1.0), "factorise": (22, 3.0), "solve": (50, 1.0)},
        "bare": {**one["bare"], "factorise": 0.1, "solve": 0.025},
    }
    other_paths = [{**two, "iterations": 21}, {**two, "chord_iterations": 21}]
    (sentence,) = speed_tables.speed_up([one, {**one, "name": "b"}, two, *other_paths])
    assert sentence.endswith(
        "factorisations and solutions, 1.50 times as fast; all else 1.60 times; the whole 1.60"
        " times, 1.64 if all else took half as long and MUMPS's operations no more than alone."
    )


def test_document_keeps_what_is_outside_of_the_markers(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text(f"before\n{tables.BEGIN}\nold\n{tables.END}\nafter\n", encoding="utf-8")
    text = tables.markdown(published.outcomes(), {"processor": "p"})
    tables.write_between_markers(document, text)
    written = document.read_text(encoding="utf-8")
    assert written.startswith("before\n")
    assert written.endswith("after\n")
    assert "old" not in written
    assert all(f"### {problem}" in written for problem in PROBLEMS)
    bare = tmp_path / "bare.md"
    bare.write_text("nothing\n", encoding="utf-8")
    with pytest.raises(tables.MarkerError, match="lacks the lines"):
        tables.write_between_markers(bare, text)


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        (peers_command, ["--publish"]),
        *((speed_command, [name, "--publish"]) for name in ("limits", "growth", "solvers")),
    ],
)
def test_a_document_without_markers_is_told_in_a_line_before_any_run(
    command: ModuleType, arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = tmp_path / "bare.md"
    bare.write_text("nothing\n", encoding="utf-8")
    monkeypatch.setattr(command, "DOCUMENT", bare)
    monkeypatch.setattr(command, "RESULTS", tmp_path / "results")
    shown = CliRunner().invoke(app_of(command), arguments)
    assert shown.exit_code == 1
    (line,) = shown.stderr.splitlines()
    assert line.startswith(f"error: {bare} lacks the lines <!-- written by make bench")
    assert not (tmp_path / "results").exists()


def app_of(command: ModuleType) -> typer.Typer:
    if command is speed_command:
        return speed_command.app
    app = typer.Typer()
    app.command()(command.main)
    return app


def test_own_bar_meets_its_reference() -> None:
    outcome = own.run("B1", 60.0)
    references = [quantity.reference for quantity in quantities("B1")]
    assert outcome.values == pytest.approx(references, rel=1e-4)


@pytest.mark.skipif(shutil.which("ccx") is None, reason="CalculiX is not installed")
def test_calculix_solves_the_tube(tmp_path: Path) -> None:
    (case,) = (case for case in calculix.CASES if case.problem == "B2")
    outcome = calculix.run(case, "ccx", tmp_path / "job", 60.0)
    references = [quantity.reference for quantity in quantities("B2")]
    assert outcome.finished
    assert outcome.reached == pytest.approx(1.0)
    assert outcome.values == pytest.approx(references, rel=2e-3)
