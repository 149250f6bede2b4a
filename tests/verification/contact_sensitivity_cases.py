"""What the answer owes to the law's parameters and to the mesh: three particles that swell."""

from __future__ import annotations

from dataclasses import dataclass, replace

from contact_identity_cases import LAW, PHASES, Sizes
from contact_press import Press, described
from distributed import meshed
from records import Check, Report, Table, case

from creep_fem.contact.law import PressureGapLaw
from creep_fem.contact.measures import contact_shares
from creep_fem.microstructure import Disc, Layout

_BOX = 3.0  # um
_LAYOUT = Layout(
    _BOX,
    (
        Disc(1.0, 1.5, 0.97, "active"),
        Disc(3.0, 0.0, 1.45, "framework"),
        Disc(3.0, 3.0, 1.45, "framework"),
    ),
)
_TOUCHING_GAP = 0.010  # um
_SURFACE = 0.15  # um
_CREEP_TOLERANCE = 5e-4  # at 2e-3 the steps move the wall pressure more than the law does
BASE = "as the base"


@dataclass(frozen=True)
class Outcome:
    """State at the end of swelling.

    Attributes:
        ratio: Share of the active surface that faces the framework and touches it.
        fraction: Touching share of the active surface.
        mises: Mean von Mises stress of the active phase in GPa.
        wall_pressure: Pressure on the right wall in GPa.
        iterations: Newton iterations.
    """

    ratio: float
    fraction: float
    mises: float
    wall_pressure: float
    iterations: int


def _outcome(law: PressureGapLaw = LAW, surface: float = _SURFACE) -> Outcome:
    packing = meshed(_LAYOUT, Sizes(surface, 2.0 * surface))
    press = Press(packing, PHASES, law, drag=4.0)
    press.swell(1.8, 36000.0, _CREEP_TOLERANCE)
    shares = contact_shares(
        press.boundary, press.positions(), packing.body_phase, _BOX, _TOUCHING_GAP
    )
    return Outcome(
        float(shares.ratio[0, 1]),
        float(shares.fraction[0]),
        press.mean_mises(0),
        press.problem.reactions().right / _BOX,
        press.iterations,
    )


def _change(one: Outcome, other: Outcome) -> tuple[float, float, float]:
    """Absolute change of the contact ratio, relative changes of stress and wall pressure."""
    return (
        max(abs(one.ratio - other.ratio), abs(one.fraction - other.fraction)),
        abs(one.mises / other.mises - 1.0),
        abs(one.wall_pressure / other.wall_pressure - 1.0),
    )


def _table(outcomes: dict[str, Outcome], base: Outcome) -> Table:
    """The numbers themselves and their changes relative to a base."""
    columns = {
        "contact ratio": "ratio",
        "contact fraction": "fraction",
        "mean mises, GPa": "mises",
        "wall pressure, GPa": "wall_pressure",
    }
    header = ["run"] + [part for name in columns for part in (name, "relative change")]
    rows: list[tuple[str | float, ...]] = []
    for name, outcome in outcomes.items():
        row: list[str | float] = [name]
        for attribute in columns.values():
            value = float(getattr(outcome, attribute))
            row += [value, f"{value / float(getattr(base, attribute)) - 1.0:+.2%}"]
        rows.append(tuple(row))
    return Table("Contact, stress and wall pressure at the end", tuple(header), tuple(rows))


@case()
def law_insensitivity() -> Report:
    """Stiffness and smoothing of the law four and two times larger and smaller."""
    base = _outcome()
    variants = {
        "stiffness 400 GPa/um": (replace(LAW, stiffness=400.0), 0.02),
        "stiffness 25 GPa/um": (replace(LAW, stiffness=25.0), 0.07),
        "smoothing 2 nm": (replace(LAW, smoothing=0.002), 0.03),
        "smoothing 8 nm": (replace(LAW, smoothing=0.008), 0.07),
    }
    checks, outcomes = [], {}
    for name, (law, tolerance) in variants.items():
        outcomes[name] = _outcome(law)
        ratio, mises, wall = _change(outcomes[name], base)
        checks += [
            Check(f"absolute change of the contact ratios, {name}", ratio, 0.0, 0.01, 1.0),
            Check(f"change of the mean von Mises stress, {name}", mises, 0.0, tolerance, 1.0),
            Check(f"change of the wall pressure, {name}", wall, 0.0, tolerance, 1.0),
        ]
    return Report(
        "Insensitivity to the contact law",
        "none: changes against stiffness 100 GPa/um and smoothing 4 nm",
        "stated bounds",
        "P2 with bubbles,"
        f" {len(_LAYOUT.discs)} particles, surface size {_SURFACE:g} um; swelling by 80 % with"
        f" creep; {described(LAW)}",
        tuple(checks),
        tables=(_table({BASE: base, **outcomes}, base),),
    )


@case()
def mesh_insensitivity() -> Report:
    """Contact ratios, stress and wall pressure when the mesh is halved twice."""
    sizes = (0.3, 0.15, 0.075)
    coarse, middle, fine = (_outcome(surface=size) for size in sizes)
    checks = []
    for size, one, tolerance in ((0.3, coarse, 0.03), (0.15, middle, 0.015)):
        names = (
            "absolute change of the contact ratios",
            "change of the mean von Mises stress",
            "change of the wall pressure",
        )
        checks += [
            Check(f"{name}, surface size {size:g} um", change, 0.0, tolerance, 1.0)
            for name, change in zip(names, _change(one, fine), strict=True)
        ]
    outcomes = {f"{s:g} um": o for s, o in zip(sizes, (coarse, middle, fine), strict=True)}
    return Report(
        "Insensitivity to the mesh",
        "none: changes against the finest mesh",
        "stated bounds",
        f"P2 with bubbles, {len(_LAYOUT.discs)} particles, surface sizes {sizes} um; swelling by"
        f" 80 % with creep; {described(LAW)}",
        tuple(checks),
        tables=(_table(outcomes, fine),),
    )
