"""Names what the system lacks, with the Debian packages to install, before anything is downloaded.

Python packages bring everything but these: a C compiler with the headers of C and of Python, as
FFCx compiles the finite-element forms at run time, and the display libraries gmsh is linked to.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

# What gmsh's wheel is linked to and does not carry, and the Debian package of each.
GMSH_LIBRARIES = {
    "libGL.so.1": "libgl1",
    "libGLU.so.1": "libglu1-mesa",
    "libX11.so.6": "libx11-6",
    "libXcursor.so.1": "libxcursor1",
    "libXext.so.6": "libxext6",
    "libXfixes.so.3": "libxfixes3",
    "libXft.so.2": "libxft2",
    "libXinerama.so.1": "libxinerama1",
    "libXrender.so.1": "libxrender1",
    "libfontconfig.so.1": "libfontconfig1",
    "libgomp.so.1": "libgomp1",
}


def main() -> int:
    """Print one line on what is missing.

    Returns:
        Exit code, 0 if nothing is missing.
    """
    missing = {**_missing_venv(), **_missing_compiler(), **_missing_libraries()}
    if not missing:
        return 0
    packages = " ".join(dict.fromkeys(missing.values()))
    print(f"missing: {', '.join(missing)}; on Debian: apt-get install {packages}", file=sys.stderr)
    return 1


def _missing_venv() -> dict[str, str]:
    if importlib.util.find_spec("ensurepip") is None:
        return {"Python's venv module": "python3-venv"}
    return {}


def _missing_compiler() -> dict[str, str]:
    missing = {}
    if not _compiles("#include <math.h>"):
        missing["C compiler with the C library's headers"] = "gcc libc6-dev"
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        missing["Python's C headers"] = "python3-dev"
    return missing


def _compiles(source: str) -> bool:
    """Try the compiler that FFCx will use."""
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    command = [*compiler, "-fsyntax-only", "-x", "c", "-"]
    try:
        done = subprocess.run(command, input=source, text=True, capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def _missing_libraries() -> dict[str, str]:
    return {name: package for name, package in GMSH_LIBRARIES.items() if not _loads(name)}


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
