"""Materials: parameter objects, how they mix, and a library in which every number has a source."""

from creep_fem.materials.catalogue import (
    Cited,
    CitedCreep,
    LibraryMaterial,
    list_materials,
    load_material,
)
from creep_fem.materials.mixing import PhaseState, creep_obstacle, phase_state
from creep_fem.materials.parameters import (
    ActiveMaterial,
    GrowthMode,
    Lithiated,
    Mixing,
    NortonCreep,
    PhaseMaterial,
)

__all__ = [
    "ActiveMaterial",
    "Cited",
    "CitedCreep",
    "GrowthMode",
    "LibraryMaterial",
    "Lithiated",
    "Mixing",
    "NortonCreep",
    "PhaseMaterial",
    "PhaseState",
    "creep_obstacle",
    "list_materials",
    "load_material",
    "phase_state",
]
