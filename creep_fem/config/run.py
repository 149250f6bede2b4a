"""The whole config of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import (
    Discriminator,
    Field,
    PrivateAttr,
    StrictBool,
    Tag,
    ValidationInfo,
    field_validator,
)

from creep_fem.config.fields import (
    Drag,
    Duration,
    FieldTimes,
    Length,
    PetscOption,
    Rate,
    Section,
    Soc,
    Stiffness,
    Stress,
    Tolerance,
    Whole,
    default,
    refuse,
)
from creep_fem.config.material import ActiveChoice, ChosenBy, FrameworkChoice
from creep_fem.config.microstructure import Mesh, Microstructure
from creep_fem.materials import ActiveMaterial, PhaseMaterial
from creep_fem.units import DURATION, NUMBER


class Materials(Section):
    """Materials of the two phases.

    Attributes:
        active: Material of the particles that store lithium and swell.
        framework: Material of the particles that carry the current.
    """

    active: Annotated[ActiveMaterial, ChosenBy(ActiveChoice)]
    framework: Annotated[PhaseMaterial, ChosenBy(FrameworkChoice)]


class SocRange(Section):
    """States of charge: 0 is the empty host, 1 the full one.

    Attributes:
        start: State of charge in the stress-free beginning.
        low: Where a cycle turns at the empty end.
        high: Where a cycle turns at the full end.
    """

    start: Soc
    low: Soc
    high: Soc

    @field_validator("high")
    @classmethod
    def _above_low(cls, high: float, info: ValidationInfo) -> float:
        low = info.data.get("low")
        if low is not None and high <= low:
            allowed = f"above cycling.soc.low, {NUMBER.format(low)}"
            raise refuse("the upper end of the range is not above the lower one", allowed)
        return high


class Cycling(Section):
    """How the active material is charged and discharged.

    Attributes:
        c_rate: Inverse of the time in s that a full soc range from 0 to 1 takes.
        cycles: Number of cycles, each of a swelling half and a shrinking half.
        soc: Range of the state of charge.
    """

    c_rate: Rate
    cycles: Annotated[int, Whole(at_least=1)]
    soc: SocRange


class Contact(Section):
    """The law between gap and pressure of two surfaces.

    Attributes:
        stiffness: Growth of the pressure with the overlap in GPa/um.
        smoothing: Gap over which the pressure sets in, in um.
        zero_gap_pressure: Pressure in GPa at which two surfaces meet at zero gap.
        surface_drag: Traction per velocity of a surface in GPa s/um; holds loose particles.
        touching_gap: Surfaces closer than this count as touching, in um.
    """

    stiffness: Stiffness = default("1000 GPa/um")
    smoothing: Length = default("3 nm")
    zero_gap_pressure: Stress = default("100 MPa")
    surface_drag: Drag = default("4 GPa*s/um")
    touching_gap: Length = default("10 nm")


class TimeStep(Section):
    """Limits of the adaptive time step.

    Attributes:
        minimum: Smallest step in s; if it fails, the run ends.
        initial: First step in s.
        maximum: Largest step in s.
        creep_tolerance: Local error of the creep strain that a step may make.
    """

    minimum: Duration = default("1e-3 s")
    initial: Duration = default("200 s")
    maximum: Duration = default("1 h")
    creep_tolerance: Tolerance = 1e-3

    @field_validator("initial", "maximum")
    @classmethod
    def _in_order(cls, value: float, info: ValidationInfo) -> float:
        for name in ("minimum", "initial"):
            smaller = info.data.get(name)
            if smaller is not None and value < smaller:
                allowed = f"at least time_step.{name}, {DURATION.format(smaller)}"
                raise refuse(f"{info.field_name} is shorter than {name}", allowed)
        return value


class Newton(Section):
    """The nonlinear solver of each time step.

    Attributes:
        tolerance: Residual, relative to the forces, at which a step is solved.
        maximum_iterations: Iterations after which a step is given up and repeated shorter.
        surface_step: Largest motion of a surface point within one iteration in um.
    """

    tolerance: Tolerance = 1e-8
    maximum_iterations: Annotated[int, Whole(at_least=1)] = 40
    surface_step: Length = default("0.05 um")


_FieldTimes = Annotated[
    Annotated[FieldTimes, Tag("word")] | Annotated[tuple[Soc, ...], Tag("list")],
    Discriminator(lambda written: "list" if isinstance(written, list | tuple) else "word"),
]


class Output(Section):
    """What a run writes beside its history.

    Attributes:
        fields: When fields are written: at the turning points, after all steps, or at the given
            states of charge.
        figures: Whether figures are drawn at the end.
    """

    fields: _FieldTimes = "half_cycles"
    figures: StrictBool = True


class RunConfig(Section):
    """Everything a run depends on; numbers are in um, GPa and s.

    Attributes:
        name: Name of the result folder.
        microstructure: Where the particles come from.
        mesh: Sizes of the elements.
        materials: Materials of the two phases, combined from the library and what replaces it.
        cycling: Charging and discharging.
        contact: Law of contact.
        time_step: Limits of the time step.
        newton: Nonlinear solver.
        petsc_options: Options handed to PETSc.
        output: What is written.
    """

    name: Annotated[
        str,
        Field(
            strict=True,
            pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
            description="the name of a folder: letters, digits, dots, hyphens and underscores",
        ),
    ]
    microstructure: Microstructure
    mesh: Mesh
    materials: Materials
    cycling: Cycling
    contact: Contact = Contact()
    time_step: TimeStep = TimeStep()
    newton: Newton = Newton()
    petsc_options: dict[str, PetscOption] = Field(default_factory=dict)
    output: Output = Output()

    _source: Path = PrivateAttr(default=Path())

    @property
    def source(self) -> Path:
        """The file that the config was read from."""
        return self._source

    @field_validator("mesh")
    @classmethod
    def _mesh_resolves_particles(cls, mesh: Mesh, info: ValidationInfo) -> Mesh:
        microstructure = info.data.get("microstructure")
        return mesh if microstructure is None else mesh.check_particles(microstructure)

    @field_validator("cycling")
    @classmethod
    def _starts_by_swelling(cls, cycling: Cycling, info: ValidationInfo) -> Cycling:
        materials, soc = info.data.get("materials"), cycling.soc
        if materials is None:
            return cycling
        if materials.active.volume_change >= 0.0 and soc.start >= soc.high:
            allowed = f"below cycling.soc.high, {NUMBER.format(soc.high)}"
        elif materials.active.volume_change < 0.0 and soc.start <= soc.low:
            allowed = f"above cycling.soc.low, {NUMBER.format(soc.low)}"
        else:
            return cycling
        raise refuse("the first half-cycle would not swell the material", allowed, ("soc", "start"))

    @field_validator("output")
    @classmethod
    def _fields_are_reached(cls, output: Output, info: ValidationInfo) -> Output:
        cycling = info.data.get("cycling")
        if cycling is None or isinstance(output.fields, str):
            return output
        soc: SocRange = cycling.soc
        lowest, highest = min(soc.start, soc.low), max(soc.start, soc.high)
        if any(not lowest <= value <= highest for value in output.fields):
            raise refuse(
                "the run does not reach all of these states of charge",
                f"values from {NUMBER.format(lowest)} to {NUMBER.format(highest)}",
                ("fields",),
            )
        return output

    def to_yaml(self) -> str:
        """Write the config in full, defaults and values of the library included.

        Returns:
            YAML text with units, which ``load_config`` reads as the same config.
        """
        from creep_fem.config.export import write_yaml

        return write_yaml(self.model_dump(mode="json", exclude_none=True))
