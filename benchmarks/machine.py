"""Where and with what a measurement was made."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from pathlib import Path

from creep_fem.results.run_folder import provenance


def describe(module: str) -> dict[str, str]:
    """Processor, cores, versions and command.

    Args:
        module: The module that was started with ``python -m``.
    """
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        **provenance(ranks=1),
        "command": shlex.join(["python", "-m", module, *sys.argv[1:]]),
    }


def _processor() -> str:
    """Model of the processor, as the kernel names it where it does."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or "unknown")
