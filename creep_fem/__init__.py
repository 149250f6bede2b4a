"""Chemo-mechanics of solid-state battery cathodes: swelling, creep and contact of particles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from creep_fem.errors import (
    ConfigError,
    CreepFemError,
    MeshError,
    NotConverged,
    PackingError,
)

if TYPE_CHECKING:
    from creep_fem.config import RunConfig, load_config
    from creep_fem.simulation import RunResult

__version__ = "0.2.0.dev0"

__all__ = [
    "ConfigError",
    "CreepFemError",
    "MeshError",
    "NotConverged",
    "PackingError",
    "RunConfig",
    "__version__",
    "load_config",
    "run",
]


def run(
    config: RunConfig, output: Path | None = None, quiet: bool = False, profile: bool = False
) -> RunResult:
    """Run a simulation; see ``creep_fem.simulation.run``."""
    from creep_fem.simulation import run as simulate

    return simulate(config, output=output, quiet=quiet, profile=profile)


def __getattr__(name: str) -> Any:
    # The config needs pint and pydantic, which those who only want one room should not wait for.
    if name in ("RunConfig", "load_config"):
        from creep_fem import config

        return getattr(config, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
