"""The folder of one run: where each file lies, how it starts, what it says about its origin."""

from __future__ import annotations

import logging
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import count
from pathlib import Path

from creep_fem.results.errors import ResultError, writing

PACKAGE_LOGGER = "creep_fem"


@dataclass(frozen=True)
class RunFolder:
    """Names of the files in the folder of one run.

    Attributes:
        path: The folder itself.
    """

    path: Path

    @property
    def config(self) -> Path:
        """Resolved config, preceded by comments on where the run comes from."""
        return self.path / "config.yaml"

    @property
    def layout(self) -> Path:
        """Packed or repaired layout that the run was made with; the config refers to it."""
        return self.path / "layout.json"

    @property
    def log(self) -> Path:
        """Log of the run."""
        return self.path / "run.log"

    @property
    def profile(self) -> Path:
        """PETSc's log view, if it was asked for."""
        return self.path / "profile.txt"

    @property
    def history(self) -> Path:
        """History table, one row per accepted time step."""
        return self.path / "history.csv"

    @property
    def pores(self) -> Path:
        """Areas of all pores, at the start and after every accepted time step."""
        return self.path / "pores.csv"

    @property
    def fields(self) -> Path:
        """Fields over time; the numbers lie beside it in ``fields.h5``."""
        return self.path / "fields.xdmf"

    @property
    def figures(self) -> Path:
        """Folder of the figures."""
        return self.path / "figures"


def create_run_folder(root: Path, name: str) -> RunFolder:
    """Create a new, empty folder for a run.

    The folder is ``root/name``; if that exists it is ``root/name-2``, ``root/name-3`` and so on.
    Nothing that exists is ever touched, be it finished or not, and two runs that start at the
    same moment get two folders. In a parallel run one process calls this and tells the others.

    Args:
        root: Folder that collects the runs; created if missing.
        name: Name of the run.

    Returns:
        The new folder.

    Raises:
        ResultError: If the folder cannot be created.
    """
    if name in ("", "..") or Path(name).name != name:
        raise ResultError(f"the run name {name!r} is not the name of a folder")
    try:
        root.mkdir(parents=True, exist_ok=True)
        for number in count(1):
            path = root / (name if number == 1 else f"{name}-{number}")
            try:
                path.mkdir()
            except FileExistsError:
                continue
            break
    except OSError as error:
        raise ResultError(f"cannot create a run folder in {root}: {error.strerror}") from error
    return RunFolder(path)


def write_config(folder: RunFolder, resolved: str, origin: Mapping[str, str]) -> None:
    """Write the resolved config with the origin of the run as comments on top.

    Args:
        folder: Folder of the run.
        resolved: YAML text of the resolved config.
        origin: What the comments say: one line of text per topic, such as from ``provenance``.

    Raises:
        ResultError: If the file cannot be written.
    """
    header = [f"# {key}: {value}" for key, value in origin.items()]
    with writing(folder.config):
        folder.config.write_text("\n".join([*header, "", resolved]), encoding="utf-8")


def provenance(ranks: int) -> dict[str, str]:
    """Collect where a run comes from: program, libraries, start and command.

    Args:
        ranks: Number of MPI processes of the run.

    Returns:
        One line of text per topic: versions, git commit if there is one, start, command, ranks.
    """
    import creep_fem._backend  # noqa: F401

    import dolfinx
    from petsc4py import PETSc

    commit = git_commit(Path(__file__).parent)
    return {
        "creep_fem": _package_version(),
        **({"git commit": commit} if commit else {}),
        "dolfinx": dolfinx.__version__,
        "PETSc": ".".join(str(part) for part in PETSc.Sys.getVersion()),
        "python": platform.python_version(),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        # A line feed in an argument would end the comment.
        "command": shlex.join(sys.argv).replace("\n", " "),
        "ranks": str(ranks),
    }


def git_commit(source: Path) -> str | None:
    """Name the git commit of a source folder.

    Args:
        source: Folder of Python files.

    Returns:
        The commit, with a remark if files were changed since; None if git does not track the
        folder, as for an installed package inside someone else's repository.
    """
    tracked = _git(source, "ls-files", "--", ".")
    commit = _git(source, "rev-parse", "HEAD")
    if not tracked or not commit:
        return None
    changed = _git(source, "status", "--porcelain", "--untracked-files=no")
    return f"{commit} with local changes" if changed else commit


@contextmanager
def run_log(folder: RunFolder, level: int = logging.INFO) -> Iterator[logging.Logger]:
    """Send the package's log messages to the run's log file while the context lasts.

    In a parallel run one process enters this.

    Args:
        folder: Folder of the run.
        level: Lowest level that is written.

    Yields:
        The logger of the package.

    Raises:
        ResultError: If the file cannot be created.
    """
    logger = logging.getLogger(PACKAGE_LOGGER)
    with writing(folder.log):
        handler = logging.FileHandler(folder.log, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    level_before = logger.level
    logger.addHandler(handler)
    logger.setLevel(level)
    try:
        yield logger
    finally:
        logger.setLevel(level_before)
        logger.removeHandler(handler)
        handler.close()


def _package_version() -> str:
    try:
        return version("creep-fem")
    except PackageNotFoundError:
        return "not installed, run from source"


def _git(folder: Path, *arguments: str) -> str:
    """Return the trimmed output of a git command, empty if git fails or is missing."""
    # Reading the status must not take the lock of a repository that someone works in.
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
