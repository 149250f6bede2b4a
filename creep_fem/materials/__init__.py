"""Materials: parameter objects and a library in which every number has a source."""

from creep_fem.materials.library import (
    Cited,
    CitedCreep,
    LibraryMaterial,
    list_materials,
    load_material,
)
from creep_fem.materials.parameters import GrowthMode, NortonCreep, PhaseMaterial

__all__ = [
    "Cited",
    "CitedCreep",
    "GrowthMode",
    "LibraryMaterial",
    "NortonCreep",
    "PhaseMaterial",
    "list_materials",
    "load_material",
]
