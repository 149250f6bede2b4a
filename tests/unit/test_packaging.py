"""The package as installed: one version everywhere, the command, the data, a lock that fits."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib import metadata, resources
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from ruamel.yaml import YAML

import creep_fem

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"^[A-Za-z0-9._-]+")


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return table["project"]


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_version_is_the_same_everywhere(project: dict[str, Any]) -> None:
    citation = YAML(typ="safe").load(ROOT / "CITATION.cff")
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    found = {
        creep_fem.__version__,
        metadata.version("creep-fem"),
        project["version"],
        citation["version"],
    }
    assert len(found) == 1, found
    (version,) = found
    headings = re.findall(r"^## \[(.+)\]", changelog, re.MULTILINE)
    if ".dev" in version:
        assert headings[0] == "Unreleased"
        assert not version.startswith(headings[1])
    else:
        assert version in headings[:2]


def test_command_prints_the_version() -> None:
    command = Path(sys.executable).with_name("creep-fem")
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == creep_fem.__version__


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("creep_fem", ("dolfinx", "gmsh", "matplotlib", "petsc4py", "pyvista")),
        ("creep_fem.config", ("dolfinx", "gmsh", "matplotlib", "petsc4py", "pyvista")),
        # Time steps wait for what is imported here, figures come after them.
        ("creep_fem.simulation", ("gmsh", "matplotlib", "pyvista")),
    ],
)
def test_import_stays_light(module: str, heavy: tuple[str, ...]) -> None:
    program = f"import sys, {module}; print(*[m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


def test_library_and_type_marker_are_in_the_wheel(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run([*command, "--directory", tmp_path], cwd=ROOT, capture_output=True, check=True)
    with ZipFile(next(tmp_path.glob("creep_fem-*.whl"))) as wheel:
        packed = set(wheel.namelist())
    library = resources.files(creep_fem) / "materials" / "library"
    expected = {f"creep_fem/materials/library/{file.name}" for file in library.iterdir()}
    assert len(expected) >= 6
    assert expected | {"creep_fem/py.typed"} <= packed
    assert not [name for name in packed if name.startswith(("tests", "configs"))]


def test_lock_holds_versions_only_and_covers_every_requirement(project: dict[str, Any]) -> None:
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[\w.-]+==[\w.]+", pin)] == []
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(item for extra in extras for item in extra)]
    names = {_normalised(match[0]) for item in wanted if (match := NAME.match(item))}
    assert names <= {_normalised(pin.split("==")[0]) for pin in pins}


def test_image_installs_what_the_check_asks_for() -> None:
    check = (ROOT / "scripts" / "check_system.py").read_text(encoding="utf-8")
    libraries = set(re.findall(r'"lib\w+\.so\.\d+": "([\w-]+)"', check))
    packages = {"gcc", "libc6-dev", "python3-dev", "python3-venv", *libraries}
    assert len(libraries) >= 10
    for name in ("Dockerfile", "README.md"):
        words = set((ROOT / name).read_text(encoding="utf-8").split())
        assert packages <= words, (name, packages - words)
