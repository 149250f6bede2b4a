"""Every part of the reproduction is written from runs made of formulas, before real ones are."""

from __future__ import annotations

import math
import re
import sys
from pathlib import Path

import pytest
from finished_runs import DEMO, rows_of, write_run_of
from mpi4py import MPI
from synthetic_run import write_fields

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.paper.page import MissingFigureError, Page
from benchmarks.paper.parts import CREEP, LCO, PARTS, Part, stress_alone
from benchmarks.paper.runs import CONFIGS, Plan, plan, require
from creep_fem import run
from creep_fem.config import load_config
from creep_fem.study.cases import Case
from creep_fem.study.outcome import record_outcome

JAMMED = 3  # steps of the first swelling: the run stops before its end
PICTURES = {
    "rve": 4,
    "creep": 0,
    "cycles": 3,
    "lco": 2,
    "pores": 1,
    "control": 1,
    "sensitivity": 0,
    "design": 0,
    "contact_law": 3,
    "interfaces": 2,
}
TABLES = {
    "rve": 1,
    "creep": 2,
    "cycles": 2,
    "lco": 2,
    "pores": 1,
    "control": 2,
    "sensitivity": 1,
    "design": 1,
    "contact_law": 2,
    "interfaces": 3,
}


def finish(item: Plan, case: Case, number: int, drawn: bool) -> None:
    """Write a run that reached its end; one that is drawn with its fields."""
    folder = write_run_of(item.runs / case.run_name, case.config, 1.0 + 0.1 * number)
    if drawn:
        ends = [(row.time_s, row.soc) for row in rows_of(case.config, 1.0)[3::4]]
        write_fields(MPI.COMM_SELF, folder, [(0.0, case.config.cycling.soc.start), *ends])
    record_outcome(item.runs, case, 0, 1.0, "")


def fail(item: Plan, case: Case) -> None:
    message = "error: step 4 at t = 9 s did not converge: too full; dt = 1e-3 s"
    record_outcome(item.runs, case, 3, 1.0, message)


def plans_of(part: Part, results: Path) -> dict[str, Plan]:
    plans = {source: plan(CONFIGS / f"{source}.yaml", results) for source in part.sources}
    for item in plans.values():
        item.runs.mkdir(parents=True, exist_ok=True)
    return plans


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_every_part_is_written_from_its_runs(part: Part, tmp_path: Path) -> None:
    plans = plans_of(part, tmp_path / "results")
    for source, item in plans.items():
        for number, case in enumerate(item.cases):
            drawn = part.name in ("rve", "lco") and source in ("se_mse", LCO) and number == 0
            if source == CREEP and number == 1:
                write_run_of(item.runs / case.run_name, case.config, steps=JAMMED)
                fail(item, case)
            else:
                finish(item, case, number, drawn)
    require(plans.values())
    document = tmp_path / "docs" / "page.md"
    page = Page(part.name, plans, tmp_path / "results", document)
    text = f"{part.write(page)}\n\n{page.closing()}"
    links = re.findall(r"\]\((images/[^)]+)\)", text)
    assert len(links) == PICTURES[part.name]
    assert all((document.parent / link).stat().st_size > 1000 for link in links)
    assert len(re.findall(r"^\|(?: --- \|)+$", text, re.MULTILINE)) == TABLES[part.name]
    # Nothing that a part asks for is absent where all of its runs reached their end.
    assert "nan" not in text
    assert "too few runs" not in text
    assert "_gpa" not in text
    assert ("did not reach their end" in text) == (part.name == "creep")
    assert str(tmp_path) not in text
    if part.name == "lco":
        # Growth in the plane alone is judged by its largest stress too.
        assert "| growth in_plane | largest von Mises stress, active / GPa |" in text
    if part.name == "pores":
        assert "| pores below the creep-free share of Xiong et al. 2024 |" in text
    if part.name == "interfaces":
        report = (tmp_path / "results" / "report" / "interfaces" / "cycles.csv").read_text("utf-8")
        labels = {line.split('"')[1] for line in report.splitlines()[1:]}
        assert len(labels) == 6
        assert sum(label.endswith(", adhesion 50 MPa") for label in labels) == 3


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_parts_of_runs_that_all_failed_say_so(part: Part, tmp_path: Path) -> None:
    plans = plans_of(part, tmp_path / "results")
    for item in plans.values():
        for case in item.cases:
            fail(item, case)
    page = Page(part.name, plans, tmp_path / "results", tmp_path / "docs" / "page.md")
    assert "![" not in part.write(page)
    assert page.closing().count("did not converge: too full") == sum(
        len(item.cases) for item in plans.values()
    )


def test_what_a_run_that_stopped_early_has_is_shown(tmp_path: Path) -> None:
    (part,) = (part for part in PARTS if part.name == "rve")
    plans = plans_of(part, tmp_path / "results")
    (item,) = plans.values()
    (case,) = item.cases
    folder = write_run_of(item.runs / case.run_name, case.config, steps=JAMMED)
    end = rows_of(case.config, 1.0)[JAMMED - 1]
    write_fields(MPI.COMM_SELF, folder, [(0.0, 0.0), (end.time_s, end.soc)])
    fail(item, case)
    page = Page("rve", plans, tmp_path / "results", tmp_path / "docs" / "page.md")
    text = part.write(page)
    assert text.count("![") == PICTURES["rve"] - 1
    assert "| mean von Mises stress, active / GPa | - | - | - | - | - |" in text


def test_a_run_that_stops_is_followed_as_far_as_it_came(tmp_path: Path) -> None:
    (part,) = (part for part in PARTS if part.name == "creep")
    plans = plans_of(part, tmp_path / "results")
    (item,) = plans.values()
    for case in item.cases:
        write_run_of(item.runs / case.run_name, case.config, steps=JAMMED)
        fail(item, case)
    page = Page("creep", plans, tmp_path / "results", tmp_path / "docs" / "page.md")
    lines = part.write(page).splitlines()
    assert [line for line in lines if line.startswith("Selenium")] == [
        "Selenium with creep, to soc 0.75:",
        "Selenium without creep, to soc 0.75:",
    ]
    socs = "soc 0.1 | soc 0.2 | soc 0.3 | soc 0.4 | soc 0.5 | soc 0.6 | soc 0.75"
    assert f"|  | {socs} |" in lines
    # `history_row`: 0.15 GPa times the state of charge, which starts to be known at 0.25.
    walls = "- | - | 0.045 | 0.06 | 0.075 | 0.09 | 0.112"
    assert any(line.startswith("| pressure on") and walls in line for line in lines)


def test_a_figure_that_nothing_draws_is_an_error(tmp_path: Path) -> None:
    config = load_config(DEMO)
    folder = write_run_of(tmp_path / "run", config).path
    page = Page("small", {}, tmp_path, tmp_path / "docs" / "page.md")
    groups = page.groups({"one": [folder]})
    with pytest.raises(MissingFigureError, match=r"small shows stres, but there are .*stress_over"):
        page.compared(groups, {"stres": "Stress."})


def test_an_elastic_particle_alone_has_the_stress_that_is_told(tiny: Path, tmp_path: Path) -> None:
    config = load_config(tiny, ["materials.active.override.creep=none"])
    history = run(config, tmp_path, quiet=True).history
    swollen = int(history["soc"].argmax())
    found = float(history["mises_mean_active_gpa"][swollen])
    # The drag on the growing surface takes away a 5e-5th of it.
    assert found == pytest.approx(stress_alone(config), rel=2e-4)
    # The Kirchhoff stress is another one.
    active = config.materials.active
    kirchhoff = active.young_modulus * math.log1p(0.1 * active.volume_change) / 3.0
    assert found > 1.005 * kirchhoff
    in_plane = load_config(tiny, ["materials.active.growth_mode=in_plane"])
    assert stress_alone(in_plane) == 0.0
