"""What columns of the history and quantities of the cycles are called, without their units."""

from __future__ import annotations

from typing import Final

_SHRUNK: Final = "_shrunk"
_TITLES: Final = {
    "mises_mean_active_gpa": "mean von Mises stress, active",
    "mises_mean_framework_gpa": "mean von Mises stress, framework",
    "mises_max_active_gpa": "largest von Mises stress, active",
    "mises_max_framework_gpa": "largest von Mises stress, framework",
    "pressure_mean_active_gpa": "mean pressure, active",
    "pressure_mean_framework_gpa": "mean pressure, framework",
    "wall_pressure_gpa": "pressure on walls",
    "wall_pressure_x_gpa": "pressure on left and right walls",
    "porosity": "porosity",
    "creep_strain_mean_active": "mean creep strain",
    "creep_strain_max": "largest creep strain",
    "min_gap_um": "smallest gap",
    "contact_ratio_active_active": "contact, active on active",
    "contact_ratio_active_framework": "contact, active on framework",
    "contact_fraction_active": "contact, all active surface",
}


def title_of(name: str) -> str:
    """Title of a column or quantity, whichever end of the cycle it is taken at.

    Args:
        name: Name of the column or quantity; one without a title is its own.
    """
    column = name.removesuffix(_SHRUNK)
    return _TITLES.get(column, column)


def is_shrunk(name: str) -> bool:
    """Whether a quantity is taken at the shrunk end of the cycle."""
    return name.endswith(_SHRUNK)
