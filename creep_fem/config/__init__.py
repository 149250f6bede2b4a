"""The input of a run: one YAML file, checked as a whole before anything is computed."""

from creep_fem.config.export import json_schema
from creep_fem.config.load import load_config, load_section
from creep_fem.config.microstructure import Mesh, Microstructure, Packing, PhasePacking
from creep_fem.config.run import (
    Contact,
    Cycling,
    Materials,
    Newton,
    Output,
    RunConfig,
    SocRange,
    TimeStep,
)

__all__ = [
    "Contact",
    "Cycling",
    "Materials",
    "Mesh",
    "Microstructure",
    "Newton",
    "Output",
    "Packing",
    "PhasePacking",
    "RunConfig",
    "SocRange",
    "TimeStep",
    "json_schema",
    "load_config",
    "load_section",
]
