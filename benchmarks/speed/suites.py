"""Which runs are measured, and how one is started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_MPIRUN = str(Path(sys.executable).with_name("mpirun"))
# One thread for each process; on one machine shared memory and TCP are all that MPI needs.
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "UCX_TLS": "self,sm,tcp"}

_GROWING = ROOT / "benchmarks" / "speed" / "growing.yaml"
_BOX_OF_20 = 8.3  # um, holds about 20 particles of the growing packing


@dataclass(frozen=True)
class Setting:
    """A run to be measured.

    Attributes:
        name: What it is called in the tables.
        config: YAML file of the run.
        overrides: Entries to replace.
        soc: State of charge at which to stop; all cycles if None.
        ranks: Processes.
    """

    name: str
    config: Path
    overrides: tuple[str, ...] = ()
    soc: float | None = None
    ranks: int = 1


def absolute() -> list[Setting]:
    """Runs whose time is compared with that of their linear algebra."""
    reference, finer = ROOT / "configs" / "se_mse.yaml", ROOT / "benchmarks/speed/fine_60.yaml"
    return [
        Setting("19 discs, lithiation", ROOT / "configs" / "benchmark_19.yaml", soc=1.0),
        Setting("19 discs, cycle", ROOT / "configs" / "benchmark_19.yaml"),
        Setting("20 particles, 20 cycles", reference, ranks=2),
        Setting("60 particles, fine, lithiation to 0.3", finer, soc=0.3),
        Setting("60 particles, fine, cycle", finer, ranks=2),
    ]


def growing(largest: int, ranks: Sequence[int]) -> list[Setting]:
    """The same packing in larger and larger boxes, lithiated to 30 %.

    Args:
        largest: Where to stop: 20, 60, 240 or 1000 particles.
        ranks: Numbers of processes.
    """
    counts = [count for count in (20, 60, 240, 1000) if count <= largest]
    return [
        Setting(
            f"{count} particles",
            _GROWING,
            (f"microstructure.packing.box={_BOX_OF_20 * (count / 20) ** 0.5:.4g} um",),
            soc=0.3,
            ranks=number,
        )
        for count in counts
        for number in ranks
    ]


def run(setting: Setting) -> dict[str, Any]:
    """Measure a run in processes of its own.

    Raises:
        RuntimeError: If it fails; the message is what it wrote.
    """
    command = [sys.executable, "-m", "mpi4py", "-m", "benchmarks.speed.march", str(setting.config)]
    for override in setting.overrides:
        command += ["--set", override]
    if setting.soc is not None:
        command += ["--soc", str(setting.soc)]
    if setting.ranks > 1:
        command = [_MPIRUN, "-n", str(setting.ranks), *command]
    command += ["--command-at", repr(time.time())]
    environment = {**os.environ, **_ENVIRONMENT}
    done = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{setting.name}: {done.stdout[-2000:]}{done.stderr[-4000:]}")
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured
