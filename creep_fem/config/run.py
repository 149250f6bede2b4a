"""The whole config of a run."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Self

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
    LinearSolver,
    PetscOption,
    Rate,
    Section,
    Soc,
    Stiffness,
    Stress,
    Velocity,
    Whole,
    default,
    refuse,
    refuse_all,
)
from creep_fem.config.material import ActiveChoice, ChosenBy, FrameworkChoice
from creep_fem.config.microstructure import Mesh, Microstructure
from creep_fem.cycling import HalfCycle, half_cycles
from creep_fem.errors import Problem
from creep_fem.materials import ActiveMaterial, PhaseMaterial, PhaseState, phase_state
from creep_fem.materials.catalogue import Temperature
from creep_fem.units import DURATION, LENGTH, NUMBER, STRESS, Quantity

_STEPS_PER_HALF = 20
"""A first step is at most this part of the shortest half-cycle: larger ones see no detail of it."""

_CLEAR = 2.0
"""Adhesion is at least this many times as strong as the repulsion that it overlaps."""

_LARGE = 500.0
"""Largest argument of an exponential; what lies beyond is out of all range anyway."""


class Materials(Section):
    """Materials of the two phases.

    Attributes:
        active: Material of the particles that store lithium and swell.
        framework: Material of the particles that carry the current.
    """

    active: Annotated[ActiveMaterial, ChosenBy(ActiveChoice)]
    framework: Annotated[PhaseMaterial, ChosenBy(FrameworkChoice)]

    def check_temperature(self, temperature: float | None) -> Self:
        """Refuse creep laws whose rate at a temperature in K is not known."""
        phases: dict[str, PhaseMaterial] = {"active": self.active, "framework": self.framework}
        if self.active.lithiated is not None:
            phases["active.lithiated"] = self.active.lithiated.material
        problems = []
        for key, phase in phases.items():
            try:
                if phase.creep is not None:
                    phase.creep.at(temperature)
            except ValueError as error:
                entry = f"{key}.override.creep.activation_energy"
                allowed = "an energy per mole; 0 kJ/mol if the temperature has no influence"
                problems.append(Problem(entry, f"{phase.name}: {error}", allowed=allowed))
        if problems:
            raise refuse_all(problems)
        return self


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

    def half_cycles(self, volume_change: float) -> tuple[HalfCycle, ...]:
        """Lay out all half-cycles, the swelling one first.

        Args:
            volume_change: Relative growth of the active material from soc 0 to soc 1.
        """
        soc = self.soc
        ends = (soc.high, soc.low) if volume_change >= 0.0 else (soc.low, soc.high)
        return half_cycles(self.c_rate, self.cycles, soc.start, *ends)


class Adhesion(Section):
    """Tension between surfaces that are a little apart.

    Attributes:
        strength: Largest tension in GPa, at half the range.
        range: Gap at which the tension ends, in um.
    """

    strength: Stress
    range: Length


class Contact(Section):
    """The law between gap and pressure of two surfaces, and their friction.

    Attributes:
        stiffness: Growth of the pressure with the overlap in GPa/um.
        smoothing: Gap over which the pressure sets in, in um.
        zero_gap_pressure: Pressure in GPa at which two surfaces meet at zero gap.
        surface_drag: Traction per velocity of a surface in GPa s/um; holds loose particles.
        touching_gap: Surfaces closer than this count as touching, in um.
        friction_coefficient: Traction of sliding surfaces over their pressure.
        slip_regularisation: Speed in um/s below which friction is viscous.
        adhesion: Tension between surfaces; none if it is not given.
    """

    stiffness: Stiffness = default("400 GPa/um")
    smoothing: Length = default("2 nm")
    zero_gap_pressure: Stress = default("100 MPa")
    surface_drag: Drag = default("4 GPa*s/um")
    touching_gap: Length = default("10 nm")
    friction_coefficient: Annotated[float, Quantity(NUMBER, at_least=0.0)] = 0.0
    slip_regularisation: Velocity = default("1e-6 um/s")
    adhesion: Adhesion | None = None

    @field_validator("adhesion")
    @classmethod
    def _adhesion_is_felt(cls, adhesion: Adhesion | None, info: ValidationInfo) -> Adhesion | None:
        names = ("stiffness", "smoothing", "zero_gap_pressure")
        if adhesion is None or any(name not in info.data for name in names):
            return adhesion
        stiffness, smoothing, zero_gap = (info.data[name] for name in names)
        scale = stiffness * smoothing
        decay = math.exp(-0.5 * adhesion.range / smoothing)
        # softplus at half the range
        repulsion = scale * math.log1p(math.expm1(min(zero_gap / scale, _LARGE)) * decay)
        if adhesion.strength >= _CLEAR * repulsion:
            return adhesion
        allowed = f"at least {STRESS.format(_CLEAR * repulsion)}, or a longer range"
        message = "half of the tension or more is lost to the repulsion at half the range"
        raise refuse(message, allowed, ("strength",))

    def check_resolution(self, surface_size: float) -> Self:
        """Refuse lengths that are no details of the surface, whose elements have a size in um."""
        lengths = {"smoothing": self.smoothing, "touching_gap": self.touching_gap}
        if self.adhesion is not None:
            lengths["adhesion.range"] = self.adhesion.range
        problems = [
            Problem(
                name,
                "this is longer than the elements at the surface",
                allowed=f"at most mesh.surface_size, {LENGTH.format(surface_size)}",
            )
            for name, length in lengths.items()
            if length > surface_size
        ]
        if problems:
            raise refuse_all(problems)
        return self


class TimeStep(Section):
    """Limits of the adaptive time step.

    Attributes:
        minimum: Smallest step in s; if it fails, the run ends.
        initial: First step of each half-cycle in s. If it is not given, the default is shortened to
            a twentieth of the shortest half-cycle.
        maximum: Largest step in s.
        creep_tolerance: Local error of the creep strain that a step may make.
    """

    minimum: Duration = default("1e-3 s")
    initial: Duration = default("200 s")
    maximum: Duration = default("1 h")
    creep_tolerance: Annotated[float, Quantity(NUMBER, at_least=1e-6, at_most=0.1)] = 1e-3

    @field_validator("initial", "maximum")
    @classmethod
    def _in_order(cls, value: float, info: ValidationInfo) -> float:
        for name in ("minimum", "initial"):
            smaller = info.data.get(name)
            if smaller is not None and value < smaller:
                allowed = f"at least time_step.{name}, {DURATION.format(smaller)}"
                raise refuse(f"{info.field_name} is shorter than {name}", allowed)
        return value

    def fitted_to(self, shortest: float) -> Self:
        """Shorten or refuse a first step that is long against the shortest half-cycle in s."""
        limit = shortest / _STEPS_PER_HALF
        if self.initial <= limit:
            return self
        if "initial" not in self.model_fields_set and self.minimum <= limit:
            return self.model_copy(update={"initial": limit})
        name = "initial" if "initial" in self.model_fields_set else "minimum"
        allowed = f"at most 1/{_STEPS_PER_HALF} of it, {DURATION.format(limit)}"
        raise refuse("the step is long for the shortest half-cycle", allowed, (name,))


class Newton(Section):
    """The nonlinear solver of each time step.

    Attributes:
        tolerance: Residual, relative to the forces, at which a step is solved.
        maximum_iterations: Iterations after which a step is given up and repeated shorter.
        surface_step: Largest motion of a surface point within one iteration in um.
        chord_reduction: An iteration that leaves less than this share of the residual hands its
            factor on to the next one (the last step's serves three at most); 0 for a new tangent
            in every iteration.
        linear_solver: Factorisation of the whole matrix, or conjugate gradients.
    """

    tolerance: Annotated[float, Quantity(NUMBER, at_least=1e-12, at_most=1e-3)] = 1e-6
    maximum_iterations: Annotated[int, Whole(at_least=1)] = 40
    surface_step: Length = default("0.05 um")
    chord_reduction: Annotated[float, Quantity(NUMBER, at_least=0.0, at_most=0.8)] = 0.6
    linear_solver: LinearSolver = "direct"


_FieldTimes = Annotated[
    Annotated[FieldTimes, Tag("word")] | Annotated[tuple[Soc, ...], Tag("list")],
    Discriminator(lambda written: "list" if isinstance(written, list | tuple) else "word"),
]


class Output(Section):
    """What a run writes beside its history.

    Attributes:
        fields: When fields are written: at the turning points, after all steps, or at the turning
            points and the given states of charge.
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
        temperature: Temperature in K; if it is not given, creep laws hold where they were stated.
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
    temperature: Temperature | None = None
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

    @field_validator("materials")
    @classmethod
    def _creep_known_there(cls, materials: Materials, info: ValidationInfo) -> Materials:
        return materials.check_temperature(info.data.get("temperature"))

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

    @field_validator("contact")
    @classmethod
    def _contact_is_local(cls, contact: Contact, info: ValidationInfo) -> Contact:
        mesh = info.data.get("mesh")
        return contact if mesh is None else contact.check_resolution(mesh.surface_size)

    @field_validator("time_step")
    @classmethod
    def _first_step_is_short(cls, step: TimeStep, info: ValidationInfo) -> TimeStep:
        cycling, materials = info.data.get("cycling"), info.data.get("materials")
        if cycling is None or materials is None:
            return step
        halves = cycling.half_cycles(materials.active.volume_change)
        return step.fitted_to(min(half.end_time - half.start_time for half in halves))

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

    def phases(self, soc: float) -> tuple[PhaseState, PhaseState]:
        """Parameters of the active phase at a state of charge, and of the framework."""
        active, framework = self.materials.active, self.materials.framework
        temperature = self.temperature
        return phase_state(active, soc, temperature), phase_state(framework, 0.0, temperature)

    def with_layout(self, layout: Path) -> Self:
        """Take the particles from a layout file that this config has led to.

        Args:
            layout: File with the packed or repaired layout, which is used as it is.
        """
        source = self.microstructure
        gaps = [source.layout_gap, *([source.packing.minimum_gap] if source.packing else [])]
        change = {"layout": layout, "packing": None, "layout_gap": min(gaps)}
        return self.model_copy(update={"microstructure": source.model_copy(update=change)})

    def to_yaml(self) -> str:
        """Write the config in full, defaults and values of the library included.

        Returns:
            YAML text with units, which ``load_config`` reads as the same config.
        """
        from creep_fem.config.export import write_yaml

        return write_yaml(self.model_dump(mode="json", exclude_none=True))
