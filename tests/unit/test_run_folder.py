"""The run folder: nothing is overwritten, and the config says where the run comes from."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from creep_fem.errors import CreepFemError
from creep_fem.results.errors import ResultError
from creep_fem.results.progress import RunProgress
from creep_fem.results.run_folder import (
    RunFolder,
    create_run_folder,
    git_commit,
    provenance,
    run_log,
    write_config,
)


def test_existing_folders_are_never_reused(tmp_path: Path) -> None:
    root = tmp_path / "results"
    folders = [create_run_folder(root, "demo") for _ in range(3)]
    assert [folder.path.name for folder in folders] == ["demo", "demo-2", "demo-3"]
    (folders[0].path / "history.csv").write_text("kept", encoding="utf-8")
    assert create_run_folder(root, "demo").path.name == "demo-4"
    assert folders[0].history.read_text(encoding="utf-8") == "kept"


@pytest.mark.parametrize("name", ["", "..", "a/b", "/tmp"])
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ResultError, match="not the name of a folder"):
        create_run_folder(tmp_path, name)


def test_root_that_is_a_file_is_a_typed_error(tmp_path: Path) -> None:
    root = tmp_path / "file"
    root.write_text("", encoding="utf-8")
    with pytest.raises(CreepFemError, match="cannot create a run folder"):
        create_run_folder(root, "demo")


def test_config_keeps_the_text_below_its_header(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    write_config(folder, "name: demo\n", provenance(ranks=2) | {"layout": "packed"})
    header, _, body = folder.config.read_text(encoding="utf-8").partition("\n\n")
    assert body == "name: demo\n"
    assert all(line.startswith("# ") for line in header.splitlines())
    assert "# ranks: 2" in header
    assert "# layout: packed" in header


def test_files_that_cannot_be_written_are_typed_errors(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "gone")
    with pytest.raises(ResultError, match=r"cannot write .*config\.yaml: No such file"):
        write_config(folder, "name: demo\n", {})
    with pytest.raises(ResultError, match=r"cannot write .*run\.log"), run_log(folder):
        pass


def test_provenance_names_versions_start_and_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["creep-fem", "run", "a b.yaml", "x\ny"])
    facts = provenance(ranks=1)
    for key in ("creep_fem", "dolfinx", "PETSc", "python", "started", "command", "ranks"):
        assert facts[key]
        assert "\n" not in facts[key]
    assert re.match(r"\d+\.\d+\.\d+", facts["PETSc"])
    assert facts["command"].startswith("creep-fem run 'a b.yaml'")


def _git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def test_git_commit_tells_clean_from_changed_from_foreign(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    assert git_commit(source) is None
    (source / "module.py").write_text("a = 1\n", encoding="utf-8")
    _git(tmp_path, "init")
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "-m", "first")
    clean = git_commit(source)
    assert clean is not None
    assert re.fullmatch(r"[0-9a-f]{40,64}", clean)
    (source / "module.py").write_text("a = 2\n", encoding="utf-8")
    assert git_commit(source) == f"{clean} with local changes"
    installed = tmp_path / "site-packages"
    installed.mkdir()
    (installed / "module.py").write_text("", encoding="utf-8")
    assert git_commit(installed) is None


def test_log_takes_messages_only_while_it_is_open(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    package, logger = logging.getLogger("creep_fem"), logging.getLogger("creep_fem.somewhere")
    before = (package.level, list(package.handlers))
    with run_log(folder):
        logger.info("inside")
        logger.debug("too fine")
    logger.info("outside")
    assert (package.level, package.handlers) == before
    text = folder.log.read_text(encoding="utf-8")
    assert "INFO inside" in text
    assert "too fine" not in text
    assert "outside" not in text


def test_progress_without_terminal_writes_log_lines_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = RunFolder(tmp_path)
    with run_log(folder), closing(RunProgress(7200.0, enabled=True)) as progress:
        progress.update(time=3600.0, cycle=3, soc=0.5, dt=12.0, iterations=4)
    text = folder.log.read_text(encoding="utf-8")
    assert "t = 1 h of 2 h  cycle 3  soc 0.500  dt 12 s  4 iterations" in text
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""


@pytest.mark.parametrize("enabled", [True, False])
def test_progress_on_a_terminal_shows_a_bar_unless_quiet(enabled: bool) -> None:
    import io

    from rich.console import Console

    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120)
    with closing(RunProgress(7200.0, enabled=enabled, console=console)) as progress:
        progress.update(time=3600.0, cycle=3, soc=0.5, dt=12.0, iterations=4)
    assert ("cycle 3" in screen.getvalue()) is enabled
    assert ("50%" in screen.getvalue()) is enabled
