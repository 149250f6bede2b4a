import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

import creep_fem
from creep_fem import cli
from creep_fem.errors import (
    CreepFemError,
    MeshError,
    NotConverged,
    PackingError,
    StepFailure,
)
from creep_fem.results.history import HISTORY_COLUMNS, HistoryRow, HistoryWriter
from creep_fem.results.pores import PoreWriter
from creep_fem.results.run_folder import RunFolder

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "configs" / "demo.yaml"

FIVE_MISTAKES = """\
name: five
microstructure: {layout: nowhere.json}
mesh: {surface_size: 0.25, interior_size: 12 GPa}
materials:
  active: {name: Sse, growth_mode: isotropic}
  framework: {name: Mo6Se8}
cycling:
  c_rate: 0.1 /h
  cycls: 20
  soc: {start: 0.0, low: 0.22, high: 1.0}
"""

HEAVY = ("dolfinx", "gmsh", "mpi4py", "numba", "petsc4py", "matplotlib", "pyvista")


@pytest.fixture
def faulty(tmp_path):
    path = tmp_path / "five.yaml"
    path.write_text(FIVE_MISTAKES, encoding="utf-8")
    return path


@pytest.fixture
def called(monkeypatch):
    """Replaces the simulation; records how it was called."""
    calls = []

    def simulate(config, output, quiet, profile):
        calls.append((config, output, quiet, profile))
        history = {
            "step": np.array([0.0, 7.0]),
            "time_s": np.array([0.0, 7200.0]),
            "min_gap_um": np.array([0.018, -0.0005]),
        }
        return SimpleNamespace(folder=output / config.name, history=history)

    monkeypatch.setattr(creep_fem, "run", simulate)
    return calls


def invoke(monkeypatch, capsys, *arguments):
    """Runs the command line in this process; returns exit code, output and errors."""
    monkeypatch.setattr(sys, "argv", ["creep-fem", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    captured = capsys.readouterr()
    return stopped.value.code, captured.out, captured.err


def subprocess_run(*arguments, program=("-m", "creep_fem"), **environment):
    return subprocess.run(
        [sys.executable, *program, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=ROOT,
        env={**os.environ, **environment},
    )


def test_run_hands_over_config_folder_and_quiet(monkeypatch, capsys, called, tmp_path):
    options = (
        "--set",
        "cycling.cycles=3",
        "--set",
        "name=other",
        "--output",
        tmp_path,
        "--profile",
    )
    code, out, err = invoke(monkeypatch, capsys, "run", DEMO, *options)
    config, output, quiet, profile = called[0]
    assert (code, err) == (0, "")
    assert (config.cycling.cycles, config.name, config.source) == (3, "other", DEMO)
    assert (output, quiet, profile) == (tmp_path, False, True)
    assert "7 steps, 2 h simulated, smallest gap -0.50 nm" in out
    assert str(tmp_path / "other") in out


def test_run_writes_to_results_unless_told_otherwise(monkeypatch, capsys, called, tmp_path):
    monkeypatch.chdir(tmp_path)
    code, out, err = invoke(monkeypatch, capsys, "run", DEMO, "--quiet")
    assert (code, out, err) == (0, "", "")
    assert called[0][1:] == (Path("results"), True, False)


def test_five_mistakes_are_printed_in_a_second_without_heavy_imports(faulty):
    listing = (
        "import sys\nfrom creep_fem.cli import main\ntry:\n    main()\nfinally:\n"
        f"    print([m for m in {HEAVY} if m in sys.modules])\n"
    )
    started = time.perf_counter()
    done = subprocess_run("run", faulty, program=("-c", listing))
    seconds = time.perf_counter() - started
    assert done.returncode == 2
    assert done.stdout.strip() == "[]"
    assert f"{faulty}: 5 problems" in done.stderr
    for words in (
        ("microstructure.layout (line 2)", "there is no file", "nowhere.json"),
        ("mesh.surface_size (line 3)", "the unit is missing", "found:   0.25"),
        ("mesh.interior_size (line 3)", "found:   12 GPa", "allowed: a length above 0 um"),
        ("materials.active.name (line 5)", "found:   Sse", "nearest: Se"),
        ("cycling.cycls (line 9)", "found:   20", "nearest: cycling.cycles"),
    ):
        assert all(word in done.stderr for word in words)
    # Half a second on an idle machine.
    assert seconds < 5.0


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PackingError("too dense"), 2),
        (MeshError("disc 3"), 2),
        (NotConverged(StepFailure("line search", 4, 100.0, 1e-3, 1e-3, (1.0,), 0.01, 5)), 3),
        (CreepFemError("disk full"), 1),
    ],
)
def test_errors_of_a_run_have_their_exit_codes(monkeypatch, capsys, tmp_path, error, code):
    def fail(*_, **__):
        raise error

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(creep_fem, "run", fail)
    found, out, err = invoke(monkeypatch, capsys, "run", DEMO)
    assert found == code
    assert out == ""
    assert err == f"error: {error}\n"


def test_interruption_is_one_line(monkeypatch, capsys, tmp_path):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(creep_fem, "run", stop)
    code, out, err = invoke(monkeypatch, capsys, "run", DEMO, "--output", tmp_path)
    assert (code, out) == (130, "")
    assert err == "interrupted: what was computed until then is on disk\n"


def test_unexpected_errors_keep_their_traceback(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def fail(*_, **__):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(creep_fem, "run", fail)
    monkeypatch.setattr(sys, "argv", ["creep-fem", "run", str(DEMO)])
    with pytest.raises(ZeroDivisionError, match="a bug"):
        cli.main()


@pytest.mark.parametrize(
    "arguments", [("run",), ("run", DEMO, "--nonsense"), ("fly",), ("run", "nowhere.yaml")]
)
def test_wrong_use_is_bad_input(monkeypatch, capsys, arguments):
    code, out, err = invoke(monkeypatch, capsys, *arguments)
    assert code == 2
    assert out == ""
    assert err


@pytest.mark.parametrize(
    ("environment", "rank"),
    [
        ({}, 0),
        ({"PMI_RANK": "3"}, 3),
        ({"OMPI_COMM_WORLD_RANK": "2"}, 2),
        ({"SLURM_PROCID": "1"}, 1),
        # mpirun inside of a batch script: the script's own rank does not count.
        ({"SLURM_PROCID": "0", "PMI_RANK": "1"}, 1),
        ({"SLURM_PROCID": ""}, 0),
        ({"PMI_RANK": "x"}, 0),
    ],
)
def test_the_rank_is_known_without_mpi(environment, rank):
    assert cli.process_rank(environment) == rank


@pytest.mark.parametrize("arguments", [("run", "FAULTY"), ("run",), ("materials", "Xx")])
def test_only_the_first_rank_prints_and_all_exit_alike(faulty, arguments):
    arguments = [faulty if word == "FAULTY" else word for word in arguments]
    first = subprocess_run(*arguments, PMI_RANK="0")
    second = subprocess_run(*arguments, PMI_RANK="1")
    assert first.returncode == second.returncode == 2
    assert first.stderr
    assert (second.stdout, second.stderr) == ("", "")


def test_mesh_writes_mesh_and_picture(monkeypatch, capsys, tmp_path):
    folder = tmp_path / "new" / "folder"
    code, out, _ = invoke(monkeypatch, capsys, "mesh", DEMO, "--output", folder)
    assert code == 0
    assert "10 particles (active 35.6%, framework 39.7%)" in out
    assert (folder / "demo.png").read_bytes().startswith(b"\x89PNG")
    assert '"active_' in (folder / "demo.msh").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["mesh", "run"])
def test_a_folder_that_cannot_be_made_is_bad_input(monkeypatch, capsys, tmp_path, command):
    (tmp_path / "file").write_text("", encoding="utf-8")
    code, _, err = invoke(monkeypatch, capsys, command, DEMO, "--output", tmp_path / "file" / "x")
    assert code == 2
    assert "the folder cannot be created" in err


@pytest.mark.parametrize("command", ["mesh", "run"])
def test_a_folder_that_is_closed_is_bad_input(monkeypatch, capsys, tmp_path, command):
    # Permissions do not stop a superuser, as whom tests may run.
    monkeypatch.setattr(os, "access", lambda _, mode, **__: not mode & os.W_OK)
    code, _, err = invoke(monkeypatch, capsys, command, DEMO, "--output", tmp_path)
    assert code == 2
    assert "the folder cannot be written to" in err


def test_mesh_shows_what_was_repaired(monkeypatch, capsys, tmp_path):
    disc = {"x": 2.5, "y": 0.01, "r": 1.0, "phase": "active"}
    (tmp_path / "discs.json").write_text(json.dumps({"box": 5.0, "discs": [disc]}), "utf-8")
    source = f"microstructure={{layout: {tmp_path / 'discs.json'}}}"
    options = ("--set", source, "--output", tmp_path)
    code, _, err = invoke(monkeypatch, capsys, "mesh", DEMO, *options)
    assert code == 0
    assert err.startswith("note: moved the centre of disc 0")


def test_materials_shows_values_sources_and_confidence(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "200")
    code, out, _ = invoke(monkeypatch, capsys, "materials", "Se")
    assert code == 0
    for word in (
        "young_modulus",
        "10 GPa",
        "4.4 to 25 GPa",
        "measured",
        "handbook",
    ):
        assert word in out
    assert "Mo6Se8:" not in out


def test_materials_shows_the_whole_library(monkeypatch, capsys):
    code, out, _ = invoke(monkeypatch, capsys, "materials")
    assert code == 0
    assert all(f"{name}:" in out for name in ("Se", "Li2Se", "Mo6Se8", "LiCoO2", "FeS", "Li"))


def test_an_unknown_material_is_answered_with_the_nearest(monkeypatch, capsys):
    code, _, err = invoke(monkeypatch, capsys, "materials", "LiCo2")
    assert code == 2
    assert "nearest: LiCoO2" in err


@pytest.fixture
def two_runs(tmp_path):
    """Folders with config, history and pores of two short runs."""
    for name, stress in (("one", 0.1), ("two", 0.3)):
        run = RunFolder(tmp_path / name)
        run.path.mkdir()
        config = creep_fem.load_config(DEMO, [f"name=demo_{name}", "cycling.soc.low=0"])
        run.config.write_text(config.to_yaml(), "utf-8")
        with closing(HistoryWriter(run.history)) as history:
            for step, soc in enumerate((1.0, 0.0), start=1):
                row = dict.fromkeys(HISTORY_COLUMNS, stress)
                history.append(HistoryRow(**{**row, "step": step, "cycle": 1, "soc": soc}))
        with closing(PoreWriter(run.pores, 1)) as pores:
            for time, soc, area in ((0, 0.0, 1.0), (1, 1.0, 0.2), (2, 0.0, 0.7)):
                pores.append(float(time), 1, soc, 0.8, np.array([area]))
    return tmp_path / "one", tmp_path / "two"


def test_report_draws_and_tabulates_labelled_runs(monkeypatch, capsys, two_runs, tmp_path):
    targets = tmp_path / "targets.yaml"
    labels = "{Se: {mises_mean_active_gpa: {1: 150 MPa}}, LCO: {}, S: {porosity: {1: 5 %}}}"
    targets.write_text(f"source: book\nlabels: {labels}\n", encoding="utf-8")
    output = tmp_path / "new" / "report"
    runs = f"Se={two_runs[0]},{two_runs[1]}"
    options = ("--targets", targets, "--output", output)
    code, out, err = invoke(monkeypatch, capsys, "report", runs, *options)
    assert code == 0
    assert err == f"note: {targets}: no runs have the label S\n"
    assert {Path(line) for line in out.splitlines()} == set(output.iterdir())
    row = "| mises_mean_active / GPa | swollen | 1 | 2 | 0.2 | 0.1414 | 0.1 to 0.3 | 0.15 | 0.05 |"
    assert f"| Se {row}\n" in (output / "cycles.md").read_text(encoding="utf-8")


def test_report_lists_all_mistakes_before_it_draws(monkeypatch, capsys, two_runs, tmp_path):
    (two_runs[0] / "history.csv").unlink()
    output = tmp_path / "report"
    runs = (two_runs[0], tmp_path / "nowhere", two_runs[1], two_runs[1])
    code, _, err = invoke(monkeypatch, capsys, "report", *runs, "--output", output)
    assert code == 2
    assert "3 problems" in err
    for words in ("it has no history.csv", "there is no such folder", "given twice"):
        assert words in err
    assert not output.exists()


def test_schema_is_json(monkeypatch, capsys):
    code, out, _ = invoke(monkeypatch, capsys, "schema")
    assert code == 0
    assert json.loads(out)["properties"]["mesh"] == {"$ref": "#/$defs/Mesh"}


def test_version_is_that_of_the_package(monkeypatch, capsys):
    code, out, _ = invoke(monkeypatch, capsys, "--version")
    assert (code, out) == (0, f"creep-fem {creep_fem.__version__}\n")


def test_help_names_all_commands_and_exit_codes():
    result = CliRunner().invoke(cli.app, ["--help"])
    assert result.exit_code == 0
    words = ("run", "study", "calibrate", "mesh", "report", "materials", "schema")
    for word in (*words, "3 not converged"):
        assert word in result.output


STUDY = """\
name: study
base: {base}
vary: {{cycling.cycles: [1, 2]}}
observables: {{porosity: {{column: porosty, cycle: 1}}}}
"""


@pytest.fixture
def unlucky(monkeypatch, tmp_path):
    """Makes all runs of studies fail; returns a study of two."""
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho 'error: out of luck' >&2\nexit 1\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    path = tmp_path / "study.yaml"
    path.write_text(STUDY.format(base=DEMO).replace("porosty", "porosity"), encoding="utf-8")
    return path


def test_a_study_with_failed_runs_shows_them_and_has_failed(monkeypatch, capsys, tmp_path, unlucky):
    code, out, err = invoke(monkeypatch, capsys, "study", unlucky, "--output", tmp_path / "out")
    assert code == 1
    assert err.count("out of luck") == 2
    for word in ("cycles=1", "cycles=2", "failed", "porosity"):
        assert word in out
    assert (tmp_path / "out" / "study" / "table.csv").exists()


def test_mistakes_of_a_study_are_printed_without_heavy_imports(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(STUDY.format(base=DEMO), encoding="utf-8")
    listing = (
        "import sys\nfrom creep_fem.cli import main\ntry:\n    main()\nfinally:\n"
        f"    print([m for m in {HEAVY} if m in sys.modules])\n"
    )
    done = subprocess_run("study", path, program=("-c", listing))
    assert done.returncode == 2
    assert done.stdout.strip() == "[]"
    assert "observables.porosity.column (line 4)" in done.stderr
    assert "nearest: porosity" in done.stderr


@pytest.mark.parametrize("command", ["study", "calibrate"])
def test_studies_refuse_to_be_started_by_mpirun(monkeypatch, capsys, tmp_path, command):
    monkeypatch.setenv("PMI_SIZE", "2")
    code, _, err = invoke(monkeypatch, capsys, command, tmp_path / "none.yaml")
    assert code == 2
    assert "without mpirun" in err


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_study_that_is_stopped_stops_its_runs(tmp_path, ending):
    path = tmp_path / "study.yaml"
    # So many cycles that neither run can have ended when the other has begun.
    text = STUDY.format(base=DEMO).replace("porosty", "porosity").replace("[1, 2]", "[98, 99]")
    path.write_text(text + "at_once: 2\n", encoding="utf-8")
    command = [sys.executable, "-m", "creep_fem", "study", path, "--output", tmp_path]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    runs, waited = tmp_path / "study" / "runs", time.monotonic() + 120.0
    while len(list(runs.glob("*/history.csv"))) < 2:
        assert process.poll() is None
        assert time.monotonic() < waited
        time.sleep(0.1)
    process.send_signal(ending)
    _, message = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "what was computed until then is on disk" in message
    records = [json.loads(file.read_text("utf-8")) for file in runs.glob("*.json")]
    assert [record["status"] for record in records] == ["interrupted"] * 2
