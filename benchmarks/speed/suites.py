"""Which runs are measured, and how one is started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_MPIRUN = str(Path(sys.executable).with_name("mpirun"))
# One thread for each process; on one machine shared memory and TCP are all that MPI needs.
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "UCX_TLS": "self,sm,tcp"}

_GROWING = ROOT / "benchmarks" / "speed" / "growing.yaml"
# With a new tangent in every iteration, all iterations can be held against bare ones.
_NEWTON_ONLY = ("newton.chord_reduction=0",)
# The machine's speed drifts: of runs that are compared with one another the fastest counts.
_ALTERNATIONS = 5
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
    """Runs whose time is compared with that of their linear algebra.

    The shortest of those that are compared on one process and on two comes several times on each,
    in turn: both take the same iterations, while later on round-off may send them on other paths.
    """
    discs, reference = (ROOT / "configs" / f"{name}.yaml" for name in ("benchmark_19", "se_mse"))
    finer = _GROWING.with_name("fine_60.yaml")
    lithiation = Setting("60 particles, fine, lithiation to 0.3", finer, soc=0.3)
    start = replace(lithiation, name="60 particles, fine, lithiation to 0.06", soc=0.06)
    default = [
        Setting("19 discs, lithiation", discs, soc=1.0),
        Setting("19 discs, cycle", discs),
        *_on_one_and_two(Setting("20 particles, 20 cycles", reference)),
        *_ALTERNATIONS * _on_one_and_two(start),
        *_on_one_and_two(lithiation),
        *_on_one_and_two(Setting("60 particles, fine, cycle", finer)),
    ]
    newton_only = [
        replace(setting, name=f"{setting.name}, Newton only", overrides=_NEWTON_ONLY)
        for setting in default
    ]
    return default + newton_only


def _on_one_and_two(setting: Setting) -> list[Setting]:
    """A run on one process and on two."""
    return [setting, replace(setting, ranks=2)]


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
        for number in dict.fromkeys(ranks)
    ]


def connected(largest: int, ranks: Sequence[int]) -> list[Setting]:
    """Packings in the midst of the first lithiation, and one of them on a finer mesh.

    Args:
        largest: Where to stop: 20, 60, 240 or 1000 particles; 1000 on one number of processes only.
        ranks: Numbers of processes.
    """
    settings = [
        replace(setting, soc=0.08)
        for setting in growing(largest, ranks)
        if setting.name != "1000 particles" or setting.ranks == ranks[0]
    ]
    finer = ("mesh.surface_size=0.1 um", "mesh.interior_size=0.2 um")
    fine = [
        replace(setting, name="60 particles, fine", overrides=(*setting.overrides, *finer))
        for setting in settings
        if setting.name == "60 particles"
    ]
    return fine + settings


def arguments(setting: Setting) -> list[str]:
    """Arguments that every program takes."""
    words = [str(setting.config)]
    for override in setting.overrides:
        words += ["--set", override]
    return words if setting.soc is None else [*words, "--soc", str(setting.soc)]


def march(setting: Setting, *, bare: bool) -> dict[str, Any]:
    """Measure a run, the time from the command to its first step included.

    Args:
        setting: What to run.
        bare: Whether to time bare iterations along with it.
    """
    options = ("--bare" if bare else "--no-bare", "--command-at", repr(time.time()))
    return run(setting, "march", options)


def run(setting: Setting, program: str, options: Sequence[str] = ()) -> dict[str, Any]:
    """Run a program of this package in processes of its own.

    Args:
        setting: What to run.
        program: Module that runs it and prints JSON.
        options: What this program wants to know beside.

    Raises:
        RuntimeError: If it fails; the message is what it wrote.
    """
    command = [sys.executable, "-m", "mpi4py", "-m", f"benchmarks.speed.{program}"]
    command += [*arguments(setting), *options]
    if setting.ranks > 1:
        command = [_MPIRUN, "-n", str(setting.ranks), *command]
    environment = {**os.environ, **_ENVIRONMENT}
    done = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{setting.name}: {done.stdout[-2000:]}{done.stderr[-4000:]}")
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured
