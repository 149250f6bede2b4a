"""Particles in the box: layouts, packings and meshes as plain numbers; no physics, no DOLFINx."""

from creep_fem.microstructure.cleaning import clean_layout
from creep_fem.microstructure.coordination import coordination
from creep_fem.microstructure.drawing import draw_mesh
from creep_fem.microstructure.export import body_name, write_msh
from creep_fem.microstructure.generate import MeshSizes, build_mesh
from creep_fem.microstructure.layout import (
    PHASES,
    Disc,
    Layout,
    area_fractions,
    check_layout,
    read_layout,
    write_layout,
)
from creep_fem.microstructure.packing import Packing, PhasePacking, pack
from creep_fem.microstructure.particle_mesh import (
    WALLS,
    ParticleMesh,
    SurfaceArc,
    cell_areas,
    cell_quality,
)
from creep_fem.microstructure.source import build_layout

__all__ = [
    "PHASES",
    "WALLS",
    "Disc",
    "Layout",
    "MeshSizes",
    "Packing",
    "ParticleMesh",
    "PhasePacking",
    "SurfaceArc",
    "area_fractions",
    "body_name",
    "build_layout",
    "build_mesh",
    "cell_areas",
    "cell_quality",
    "check_layout",
    "clean_layout",
    "coordination",
    "draw_mesh",
    "pack",
    "read_layout",
    "write_layout",
    "write_msh",
]
