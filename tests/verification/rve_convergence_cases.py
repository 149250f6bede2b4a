"""The integrated packing: what the answer owes to mesh, time step, drag and contact law."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import creep_fem._backend  # noqa: F401  isort: skip

import numpy as np
from records import Check, Report, Table, case
from rve_cases import march, simulation

from creep_fem.results.history import HistoryRow

SOCS = (0.25, 0.5)

COLUMNS = {
    "mises_mean_active_gpa": "mean mises, active, GPa",
    "pressure_mean_active_gpa": "mean pressure, active, GPa",
    "pressure_mean_framework_gpa": "mean pressure, framework, GPa",
    "wall_pressure_x_gpa": "wall pressure x, GPa",
    "contact_ratio_active_active": "contact ratio, active-active",
    "contact_ratio_active_framework": "contact ratio, active-framework",
    "porosity": "porosity",
}

Limits = tuple[Mapping[str, float], ...]
"""Largest change at every state of charge: relative for stresses, absolute for contact ratios."""


def _limits(mises: float, pressure: float, wall: float, ratio: float) -> dict[str, float]:
    return {
        "mises_mean_active_gpa": mises,
        "pressure_mean_active_gpa": pressure,
        "wall_pressure_x_gpa": wall,
        "contact_ratio_active_active": ratio,
        "contact_ratio_active_framework": ratio,
    }


USUAL_LIMITS: Limits = (_limits(5e-3, 2e-2, 2e-2, 1e-2),) * 2
# As long as discs rearrange the walls carry little, and what they carry depends on how far the
# discs have come: these limits say how much, they do not promise convergence.
TIME_LIMITS: Limits = (_limits(5e-3, 4e-2, 0.25, 1e-2), _limits(5e-3, 2e-2, 4e-2, 1e-2))
DRAG_LIMITS: Limits = (_limits(1.5e-2, 6e-2, 0.35, 2.5e-2), _limits(1.5e-2, 6e-2, 5e-2, 2.5e-2))


@dataclass(frozen=True)
class Variant:
    """A change of the config that should change little.

    Attributes:
        name: What is changed, and to what.
        overrides: The change.
        judged: Whether the change has to stay below the limits.
    """

    name: str
    overrides: tuple[str, ...] = ()
    judged: bool = True


def _meshed(size: float) -> tuple[str, str]:
    return (f"mesh.surface_size={size} um", f"mesh.interior_size={1.2 * size:.2f} um")


def _stepped(tolerance: str) -> tuple[str]:
    return (f"time_step.creep_tolerance={tolerance}",)


BASE = Variant("as configured", judged=False)


@case(slow=True)
def rve_mesh() -> Report:
    """Mesh size of the 19-disc benchmark, halved and doubled."""
    coarse = Variant("surface size 0.6 um", _meshed(0.6), judged=False)
    fine = Variant("surface size 0.15 um", _meshed(0.15))
    return _report("mesh size", "surface size 0.3 um", (coarse, BASE, fine), refined=True)


@case(slow=True)
def rve_time_step() -> Report:
    """Creep tolerance of the 19-disc benchmark; a quarter of it halves the steps.

    At the lower state of charge discs still slide past one another, at a speed that the drag
    decides, and the walls carry only a few MPa. The wall pressure there is **not converged** in
    the time step, nor is the mean pressure to less than some per cent; the limits at that state
    only say how much they move. Stress and contact ratios do not suffer, and once the packing has
    locked, at the higher state of charge, the wall pressure settles.
    """
    variants = (
        Variant("creep tolerance 4e-3", _stepped("4e-3"), judged=False),
        BASE,
        Variant("creep tolerance 2.5e-4", _stepped("2.5e-4")),
        Variant("creep tolerance 5e-4", _stepped("5e-4")),
        Variant("creep tolerance 6.25e-5", _stepped("6.25e-5")),
    )
    return _report("time step", "creep tolerance 1e-3", variants, TIME_LIMITS, refined=True)


@case(slow=True)
def rve_drag() -> Report:
    """Drag on the surfaces of the 19-disc benchmark, with steps as configured and short ones.

    Discs that lose their balance snap to another place. The drag decides how fast, and with the
    length of the steps which way, so the limits are wider here; with very little drag a snap may
    end elsewhere. At the lower state of charge, where discs still rearrange and the walls carry
    only a few MPa, the wall pressure depends on the drag: its limit only says how much.
    """
    short = "time_step.maximum=300 s"
    drags = {f"drag {drag}": f"contact.surface_drag={drag} GPa*s/um" for drag in (1.0, 0.25)}
    variants = (
        *(Variant(name, (change,)) for name, change in drags.items()),
        Variant("drag 4, steps up to 300 s", (short,), judged=False),
        *(
            Variant(f"{name}, steps up to 300 s", (change, short), judged=False)
            for name, change in drags.items()
        ),
    )
    return _report("drag in GPa s/um", "drag 4 GPa s/um", (BASE, *variants), DRAG_LIMITS)


@case(slow=True)
def rve_contact_stiffness() -> Report:
    """Stiffness of the contact law of the 19-disc benchmark."""
    stiff = Variant("contact stiffness 1600 GPa/um", ("contact.stiffness=1600 GPa/um",))
    return _report("contact stiffness", "contact stiffness 400 GPa/um", (BASE, stiff))


@case(slow=True)
def rve_contact_smoothing() -> Report:
    """Smoothing of the contact law of the 19-disc benchmark."""
    sharp = Variant("contact smoothing 1 nm", ("contact.smoothing=1 nm",))
    return _report("contact smoothing", "contact smoothing 2 nm", (BASE, sharp))


def _report(
    what: str,
    configured: str,
    variants: Sequence[Variant],
    limits: Limits = USUAL_LIMITS,
    *,
    refined: bool = False,
) -> Report:
    """Run all variants; with ``refined``, the first three halve what is refined twice."""
    found = {variant: march(simulation(SOCS, *variant.overrides), SOCS) for variant in variants}
    tables = []
    for index, soc in enumerate(SOCS):
        values = {variant.name: _values(rows[index]) for variant, rows in found.items()}
        tables.append(_table(f"State of charge {soc}", values, what if refined else None))
        tables.append(_changes(f"Relative changes at a state of charge of {soc}", values))
    return Report(
        f"19 discs: {what}",
        f"none: changes against the benchmark as configured ({configured})",
        "limits stated for each state of charge; walls press with"
        f" {' and '.join(f'{1e3 * row.wall_pressure_x_gpa:.1f}' for row in found[BASE])} MPa there",
        "configs/benchmark_19.yaml up to states of charge of " + " and ".join(map(str, SOCS)),
        tuple(
            _check(f"{variant.name}, at {soc}", column, limit, (rows[index], found[BASE][index]))
            for variant, rows in found.items()
            if variant.judged
            for index, soc in enumerate(SOCS)
            for column, limit in limits[index].items()
        ),
        tables=tuple(tables),
    )


def _check(
    name: str, column: str, limit: float, changed_and_base: tuple[HistoryRow, HistoryRow]
) -> Check:
    scale, how = (1.0, ", absolute change") if "ratio" in column else (None, "")
    computed, reference = (getattr(row, column) for row in changed_and_base)
    return Check(f"{COLUMNS[column]}{how}; {name}", computed, reference, limit, scale)


def _changes(title: str, values: dict[str, tuple[float, ...]]) -> Table:
    base = values[BASE.name]
    rows = tuple(
        (name, *(f"{value / start - 1.0:+.2%}" for value, start in zip(row, base, strict=True)))
        for name, row in values.items()
        if name != BASE.name
    )
    return Table(title, ("run", *COLUMNS.values()), rows)


def _table(title: str, values: dict[str, tuple[float, ...]], refined: str | None) -> Table:
    """Values of all runs, and what the first three tend to."""
    rows: list[tuple[str | float, ...]] = [(name, *row) for name, row in values.items()]
    if refined is not None:
        triples = list(zip(*list(values.values())[:3], strict=True))
        orders, limits = zip(*(extrapolated(*triple) for triple in triples), strict=True)
        rows += [(f"observed order in the {refined}", *orders), ("extrapolated", *limits)]
    return Table(title, ("run", *COLUMNS.values()), tuple(rows))


def _values(row: HistoryRow) -> tuple[float, ...]:
    return tuple(getattr(row, column) for column in COLUMNS)


def extrapolated(coarse: float, medium: float, fine: float) -> tuple[float, float]:
    """Richardson's order and limit of a sequence halved twice; NaN if it does not settle."""
    ratio = (coarse - medium) / (medium - fine)
    if ratio <= 1.0:
        return np.nan, np.nan
    return float(np.log2(ratio)), fine + (fine - medium) / (ratio - 1.0)
