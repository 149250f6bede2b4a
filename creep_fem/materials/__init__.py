"""Materials: parameter objects and a library in which every number has a source."""

from creep_fem.materials.catalogue import (
    Cited,
    CitedCreep,
    LibraryMaterial,
    list_materials,
    load_material,
)
from creep_fem.materials.parameters import ActiveMaterial, GrowthMode, NortonCreep, PhaseMaterial

__all__ = [
    "ActiveMaterial",
    "Cited",
    "CitedCreep",
    "GrowthMode",
    "LibraryMaterial",
    "NortonCreep",
    "PhaseMaterial",
    "list_materials",
    "load_material",
]
