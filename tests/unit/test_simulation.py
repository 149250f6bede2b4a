"""Whole small runs: they can be repeated, and however they end, they leave what they should."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import creep_fem._backend  # noqa: F401

import numpy as np
import pytest

from creep_fem import simulation
from creep_fem.config import RunConfig, load_config
from creep_fem.cycling import HalfCycle, milestones
from creep_fem.errors import MeshError, NotConverged, PackingError, StepFailure
from creep_fem.mechanics.model import MechanicsModel
from creep_fem.microstructure import read_layout
from creep_fem.report import figures
from creep_fem.results.errors import ResultError
from creep_fem.results.history import HistoryWriter, read_history
from creep_fem.results.pores import read_pores
from creep_fem.simulation import Simulation, run
from creep_fem.solver.phases import Phase
from creep_fem.solver.stepping import AcceptedStep
from creep_fem.swelling import Swelling

DEMO = Path(__file__).parents[2] / "configs" / "demo.yaml"
SMALL = (
    "mesh.surface_size=0.5 um",
    "mesh.interior_size=0.8 um",
    "cycling.soc={start: 0.0, low: 0.0, high: 0.02}",
    "output.figures=false",
)
FAILURE = StepFailure("line search", 3, 100.0, 1e-3, 1e-3, (1.0,), 0.01, 5)
Steps = Iterator[tuple[HalfCycle, AcceptedStep]]


def small(*overrides: str) -> RunConfig:
    return load_config(DEMO, [*SMALL, *overrides])


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    """A layout of three discs, one of which has to be moved by 10 nm."""
    places = ((2.5, 0.01, "active"), (1.4, 2.6, "framework"), (3.6, 2.6, "active"))
    discs = [{"x": x, "y": y, "r": 1.0, "phase": phase} for x, y, phase in places]
    path = tmp_path / "ring.json"
    path.write_text(json.dumps({"box": 5.0, "discs": discs}), encoding="utf-8")
    return path


@pytest.fixture
def two_steps(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """Ends runs after two steps by the error that is put into the list."""
    errors: list[BaseException] = []
    whole = Simulation.steps

    def steps(self: Simulation) -> Steps:
        for count, step in enumerate(whole(self), start=1):
            yield step
            if count == 2:
                raise errors[0]

    monkeypatch.setattr(Simulation, "steps", steps)
    return errors


def test_a_run_can_be_repeated_from_its_folder(tmp_path: Path) -> None:
    # A gap below the one that layout files are repaired to.
    first = run(small("microstructure.packing.minimum_gap=2 nm"), tmp_path, quiet=True)
    moved = first.folder.rename(tmp_path / "elsewhere")
    again = load_config(moved / "config.yaml")
    assert again.microstructure.layout == moved / "layout.json"
    second = run(again, tmp_path, quiet=True)
    for name in ("history.csv", "pores.csv", "layout.json"):
        assert (second.folder / name).read_bytes() == (moved / name).read_bytes()


def test_pores_fill_the_pore_space(tmp_path: Path) -> None:
    result = run(small(), tmp_path, quiet=True)
    pores = read_pores(result.folder / "pores.csv")
    total = pores.areas.sum(axis=1)
    np.testing.assert_allclose(total[1:], 25.0 * result.history["porosity"], rtol=1e-9)
    np.testing.assert_array_equal(pores.time, [0.0, *result.history["time_s"]])
    assert pores.creep_free[0] == pytest.approx(total[0], rel=1e-9)
    # Swelling without contact closes what a creep-free packing would close.
    assert pores.creep_free[1] == pytest.approx(total[1], rel=1e-3)
    assert pores.creep_free[1] < pores.creep_free[0]


FULL = "materials.active.lithiated={name: %s, mixing: %s, override: {creep: {exponent: 4.5}}}"


@pytest.mark.parametrize("mixing", ["linear", "harmonic", "logarithmic"])
def test_a_lithiated_material_that_is_the_active_one_changes_nothing(
    tmp_path: Path, mixing: str
) -> None:
    plain = run(small(), tmp_path, quiet=True).folder / "history.csv"
    same = run(small(FULL % ("Se", mixing)), tmp_path, quiet=True).folder / "history.csv"
    assert same.read_bytes() == plain.read_bytes()


@dataclass
class Recorder:
    """Takes down what the loading asks of the mechanics."""

    growth: list[tuple[float, float]] = field(default_factory=list)
    phases: Sequence[object] = ()

    def set_growth(self, stretches: list[tuple[float, float]]) -> None:
        self.growth = stretches

    def set_parameters(self, phases: Sequence[object]) -> None:
        self.phases = phases


def test_growth_and_parameters_belong_to_the_same_state_of_charge() -> None:
    soc = "cycling.soc={start: 0.2, low: 0.0, high: 0.6}"
    config = small(FULL % ("Li2Se", "linear"), soc)
    model = Recorder()
    swelling = Swelling(cast("MechanicsModel", model), config)
    swelling.apply(3600.0)  # at 0.1 C
    stretch = ((1.0 + 0.98 * 0.3) / (1.0 + 0.98 * 0.2)) ** (1.0 / 3.0)
    assert model.growth == [(pytest.approx(stretch, rel=1e-12), 1.0), (1.0, 1.0)]
    assert model.phases == config.phases(swelling.current.soc_at(3600.0))
    assert model.phases != config.phases(0.2)
    swelling.current = swelling.half_cycles[1]
    swelling.apply(swelling.current.end_time)
    assert model.phases == config.phases(0.0)


@pytest.mark.parametrize(("drag", "longest"), [(4.0, 3600.0), (0.01, 3600.0), (4.0, 10.0)])
def test_what_the_tangent_leaves_out_is_little_beside_the_drag(drag: float, longest: float) -> None:
    settings = [f"contact.surface_drag={drag} GPa*s/um", f"time_step.maximum={longest} s"]
    config = load_config(DEMO, [*settings, "time_step.initial=1 s", "time_step.minimum=0.1 s"])
    law, _ = simulation._contact_laws(config.contact, config.time_step.maximum)
    assert law.stiff_reach < law.cutoff
    left_out = float(law.tangent(np.array(law.stiff_reach)))
    assert 1e-3 < left_out / (drag / longest) < 1e-2


def test_the_log_ends_with_where_the_time_went(tmp_path: Path) -> None:
    folder = run(small(), tmp_path, quiet=True, profile=True).folder
    *_, whole = table = (folder / "run.log").read_text(encoding="utf-8").splitlines()[-9:]
    seconds = [float(line.split(" s")[-2].split()[-1]) for line in table]
    names = [line[2:22].strip() for line in table]
    assert names[:-2] == [phase.value for phase in Phase]
    assert names[-2:] == ["everything else", "all"]
    assert whole.endswith("100.0%")
    assert sum(seconds[:-1]) == pytest.approx(seconds[-1], abs=0.05)
    assert min(seconds) >= 0.0
    assert "creep_fem contact" in (folder / "profile.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("quiet", [False, True])
def test_repairs_of_a_layout_are_logged_shown_and_kept(
    ring: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], quiet: bool
) -> None:
    config = small(f"microstructure={{layout: {ring}}}", "output.fields=[]")
    folder = run(config, tmp_path / "results", quiet=quiet).folder
    note = "moved the centre of disc 0"
    assert note in (folder / "run.log").read_text(encoding="utf-8")
    assert (note in capsys.readouterr().err) is not quiet
    assert read_layout(folder / "layout.json").discs[0].y == 0.0


@pytest.mark.parametrize(
    ("step", "error"), [("build_layout", PackingError("jam")), ("build_mesh", MeshError("disc 3"))]
)
def test_particles_that_cannot_be_made_leave_no_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, step: str, error: Exception
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(simulation, step, fail)
    with pytest.raises(type(error), match=str(error)):
        run(small(), tmp_path, quiet=True)
    assert list(tmp_path.iterdir()) == []


def test_figures_show_what_there_is_if_a_step_fails(
    two_steps: list[BaseException], tmp_path: Path
) -> None:
    two_steps.append(NotConverged(FAILURE))
    with pytest.raises(NotConverged, match="line search"):
        run(small("output.figures=true"), tmp_path, quiet=True)
    folder = tmp_path / "demo"
    assert (folder / "figures" / "mesh.png").exists()
    assert len(read_history(folder / "history.csv")["step"]) == 2
    assert "ERROR step 3" in (folder / "run.log").read_text(encoding="utf-8")


def test_a_failing_figure_does_not_hide_a_failing_step(
    two_steps: list[BaseException], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(_folder: Path) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(figures, "draw_run", fail)
    two_steps.append(NotConverged(FAILURE))
    with pytest.raises(NotConverged, match="line search"):
        run(small("output.figures=true"), tmp_path, quiet=True)
    log = (tmp_path / "demo" / "run.log").read_text(encoding="utf-8")
    assert "the figures could not be drawn: a bug" in log


def test_ctrl_c_is_told_from_errors_of_petsc(
    two_steps: list[BaseException], tmp_path: Path
) -> None:
    from_petsc = RuntimeError("error code 101")
    from_petsc.__cause__ = KeyboardInterrupt()
    two_steps.append(from_petsc)
    with pytest.raises(KeyboardInterrupt):
        run(small(), tmp_path, quiet=True)
    assert (tmp_path / "demo" / "run.log").read_text(encoding="utf-8").endswith("interrupted\n")


def test_ctrl_c_ends_a_run_in_one_line_and_keeps_its_results(tmp_path: Path) -> None:
    options = ("--output", str(tmp_path), "--quiet", "--set", "output.figures=false")
    command = [sys.executable, "-m", "creep_fem", "run", str(DEMO), *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    history = tmp_path / "demo" / "history.csv"
    waited = time.monotonic() + 120.0
    while not history.exists() or history.read_text(encoding="utf-8").count("\n") < 3:
        assert process.poll() is None
        assert time.monotonic() < waited
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, message = process.communicate(timeout=120)
    assert process.returncode == 130
    assert message == "interrupted: what was computed until then is on disk\n"
    assert len(read_history(history)["step"]) >= 2


def test_a_full_disk_ends_a_run_with_a_typed_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(*_: object) -> None:
        raise ResultError("cannot write history.csv: No space left on device")

    monkeypatch.setattr(HistoryWriter, "append", fail)
    with pytest.raises(ResultError, match="No space left"):
        run(small(), tmp_path, quiet=True)
    assert "No space left" in (tmp_path / "demo" / "run.log").read_text(encoding="utf-8")


HALF = HalfCycle(1, 100.0, 1100.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("socs", "apart", "expected"),
    [
        ((), 1e-3, [1100.0]),
        ((0.5, 0.2), 1e-3, [300.0, 600.0, 1100.0]),
        ((0.2999999999999999, 0.3), 1e-3, [400.0, 1100.0]),
        ((1.0, 0.9999999999999), 1e-3, [1100.0]),
        ((1e-12, 2.0), 1e-3, [1100.0]),
        ((0.3, 0.3009, 0.3018), 0.5, [400.0, 400.9, 401.8, 1100.0]),
        ((0.3, 0.3009, 0.3018), 1.0, [400.0, 401.8, 1100.0]),
    ],
)
def test_milestones_are_a_step_apart(
    socs: tuple[float, ...], apart: float, expected: list[float]
) -> None:
    found = milestones(HALF, socs, apart)
    assert found == pytest.approx(expected)
    assert found[-1] == HALF.end_time
