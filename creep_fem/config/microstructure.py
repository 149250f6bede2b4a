"""Sections of the config on particles and their mesh."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import ValidationInfo, field_validator

from creep_fem.config.fields import (
    ExistingFile,
    Length,
    Section,
    Whole,
    default,
    refuse,
    refuse_all,
)
from creep_fem.errors import ConfigError
from creep_fem.microstructure.cleaning import clean_layout
from creep_fem.microstructure.layout import read_layout
from creep_fem.units import LENGTH, NUMBER, Quantity

_MAXIMUM_SOLID_FRACTION = 0.9
"""Close to the densest packing of equal discs, 0.907; what is denser cannot be packed."""


class PhasePacking(Section):
    """Particles of one phase; their radii are lognormal.

    Attributes:
        area_fraction: Share of the box that the phase covers.
        radius: Median radius in um.
        spread: Standard deviation of the logarithm of the radius.
    """

    area_fraction: Annotated[float, Quantity(NUMBER, at_least=0.0, below=_MAXIMUM_SOLID_FRACTION)]
    radius: Length
    spread: Annotated[float, Quantity(NUMBER, at_least=0.0, at_most=1.0)]


class Packing(Section):
    """A random packing of discs in a square box.

    Attributes:
        box: Edge length of the box in um.
        seed: Seed of the random numbers; the same seed gives the same packing everywhere.
        minimum_gap: Smallest gap between two discs, and between a disc and a wall, in um.
        active: Particles of active material.
        framework: Particles of the framework.
    """

    box: Length
    seed: Annotated[int, Whole(at_least=0)]
    minimum_gap: Length
    active: PhasePacking
    framework: PhasePacking

    @field_validator("active", "framework")
    @classmethod
    def _radius_fits(cls, phase: PhasePacking, info: ValidationInfo) -> PhasePacking:
        box, gap = info.data.get("box"), info.data.get("minimum_gap")
        if box is not None and 2.0 * phase.radius > box:
            allowed = f"at most half of the box, {LENGTH.format(box / 2.0)}"
            raise refuse("the particles are larger than the box", allowed, ("radius",))
        if gap is not None and phase.radius <= 2.0 * gap:
            allowed = f"above twice packing.minimum_gap, {LENGTH.format(2.0 * gap)}"
            raise refuse("the particles are too small for the gap", allowed, ("radius",))
        return phase

    @field_validator("framework")
    @classmethod
    def _fractions_fit(cls, framework: PhasePacking, info: ValidationInfo) -> PhasePacking:
        active = info.data.get("active")
        if active is None:
            return framework
        total = active.area_fraction + framework.area_fraction
        if not 0.0 < total < _MAXIMUM_SOLID_FRACTION:
            raise refuse(
                f"the area fractions of the two phases add up to {total:.4g}",
                f"a sum above 0 and below {_MAXIMUM_SOLID_FRACTION}",
                ("area_fraction",),
            )
        return framework


class Microstructure(Section):
    """Where the particles come from: exactly one of layout and packing is given.

    Attributes:
        layout_gap: Gap in um that discs of a layout get if they are closer than that.
        layout: File with the positions of all discs.
        packing: Parameters of a random packing.
    """

    layout_gap: Length = default("5 nm")
    layout: ExistingFile | None = None
    packing: Packing | None = None

    @field_validator("layout")
    @classmethod
    def _layout_usable(cls, layout: Path | None, info: ValidationInfo) -> Path | None:
        if layout is None:
            return None
        try:
            # A wrong gap is reported by itself.
            clean_layout(read_layout(layout), info.data.get("layout_gap", 0.0))
        except ConfigError as error:
            raise refuse_all(error.problems, in_file=True) from error
        return layout

    # Before the entries of the packing are looked at: some of them may be there because of --set.
    @field_validator("packing", mode="before")
    @classmethod
    def _exactly_one(cls, packing: object, info: ValidationInfo) -> object:
        # A layout that is given but wrong is absent from the data.
        if "layout" not in info.data:
            return packing
        layout: Path | None = info.data["layout"]
        if layout is None and packing is None:
            message, allowed = "neither layout nor packing is given", "one of layout and packing"
            raise refuse(message, allowed, choices=("layout", "packing"))
        if layout is not None and packing is not None:
            message = f"layout is set to {layout.name}, so there can be no packing beside it"
            raise refuse(message, "one of layout and packing; null unsets the other")
        return packing


class Mesh(Section):
    """Edge lengths of the elements.

    Attributes:
        surface_size: Edge length along free surfaces in um.
        interior_size: Largest edge length inside the particles in um.
    """

    surface_size: Length
    interior_size: Length

    @field_validator("interior_size")
    @classmethod
    def _coarser_inside(cls, interior: float, info: ValidationInfo) -> float:
        surface = info.data.get("surface_size")
        if surface is not None and interior < surface:
            raise refuse(
                "elements inside are smaller than those at the surface",
                f"at least mesh.surface_size, {LENGTH.format(surface)}",
            )
        return interior

    def check_particles(self, microstructure: Microstructure) -> Self:
        """Refuse elements at the surface that are larger than the particles of a packing."""
        packing = microstructure.packing
        if packing is None:
            return self
        radius = min(packing.active.radius, packing.framework.radius)
        if self.surface_size > radius:
            raise refuse(
                "the elements are larger than the particles",
                f"at most the smallest median radius, {LENGTH.format(radius)}",
                ("surface_size",),
            )
        return self
