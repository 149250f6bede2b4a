"""The integrated packing: balances of 19 discs between symmetry walls."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import creep_fem._backend  # noqa: F401  isort: skip

import numpy as np
from distributed import meshed, point_displacements
from mpi4py import MPI
from numpy.typing import NDArray
from records import Check, Report, Table, case
from scipy.special import lambertw
from shapes import Array

from creep_fem.config import load_config
from creep_fem.microstructure import read_layout
from creep_fem.results.history import HistoryRow
from creep_fem.simulation import Simulation

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "configs" / "benchmark_19.yaml"
LAYOUT = ROOT / "meshes" / "benchmark_19.json"
GROWTH = 0.4  # relative volume change of the active discs over the full range


def simulation(socs: tuple[float, ...], *overrides: str) -> Simulation:
    """The benchmark with a changed config, to the last of these states of charge."""
    stops = [f"cycling.soc.high={socs[-1]}", f"output.fields={list(socs)}"]
    config = load_config(CONFIG, [*stops, *overrides])
    return Simulation(MPI.COMM_WORLD, config, meshed(read_layout(LAYOUT), config.mesh))


def march(run: Simulation, socs: tuple[float, ...]) -> list[HistoryRow]:
    """Rows at the states of charge, the last of which ends the first half-cycle (collective)."""
    rows, (half, *_) = [], run.swelling.half_cycles
    times = [half.time_at(soc) for soc in socs]
    for _, step in run.steps():
        if np.isclose(step.time, times).any():
            rows.append(run.row(half, step))
        if step.time == half.end_time:
            break
    return rows


def outlined_areas(run: Simulation) -> Array:
    """Area of every body in um^2 from the deformed sides of its cells alone (collective)."""
    particles = run.particles
    moves = point_displacements(run.problem.model, particles)
    corners = (particles.points + moves)[particles.cells]
    areas = np.zeros(len(particles.cells))
    for start, end, middle in ((0, 1, 3), (1, 2, 4), (2, 0, 5)):
        a, b, m = corners[:, start], corners[:, end], corners[:, middle]
        # 1/2 closed integral of x dy - y dx along parabolas
        areas += (4.0 * _cross(a, m) + 4.0 * _cross(m, b) - _cross(a, b)) / 6.0
    return np.bincount(particles.cell_body, areas)


def _cross(a: Array, b: Array) -> Array:
    product: Array = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    return product


def body_sums(run: Simulation, values: Array) -> Array:
    """Sums over the quadrature points of every body (collective)."""
    body = run.problem.model.domain.cell_body[: len(values)]
    sums = np.bincount(body, values.sum(axis=1), len(run.particles.body_phase))
    run.comm.Allreduce(MPI.IN_PLACE, sums)
    return sums


@dataclass(frozen=True)
class Balance:
    """Areas of every body in um^2.

    Attributes:
        start: At the stress-free start.
        outlined: At the end, from the deformed sides of the cells.
        summed: At the end, from the quadrature points.
        expected: At the end, from swelling and elastic compression under the pressure.
        unpressed: At the end, from swelling alone.
    """

    start: Array
    outlined: Array
    summed: Array
    expected: Array
    unpressed: Array


def balance(run: Simulation, soc: float) -> tuple[HistoryRow, Balance]:
    """March and take stock (collective)."""
    model = run.problem.model
    start = model.point_values().volume
    (row,) = march(run, (soc,))
    values, phase = model.point_values(), model.domain.cell_phase[: len(start)]
    swelling = np.array([1.0 + GROWTH * soc, 1.0])
    materials = run.config.materials
    bulk = np.array([materials.active.bulk_modulus, materials.framework.bulk_modulus])[phase]
    # p det Fe = -K ln(det Fe)
    compression = np.exp(-lambertw(values.pressure / bulk[:, None]).real)
    areas = Balance(
        body_sums(run, start),
        outlined_areas(run),
        body_sums(run, values.volume),
        body_sums(run, start * compression * swelling[phase][:, None]),
        body_sums(run, start) * swelling[run.particles.body_phase],
    )
    return row, areas


@case()
def rve_balance() -> Report:
    """Areas, porosity and lithiation of the 19-disc benchmark."""
    soc = 0.3
    run = simulation((soc,), "mesh.surface_size=0.6 um", "mesh.interior_size=0.72 um")
    row, areas = balance(run, soc)
    solid, box = float(areas.outlined.sum()), run.particles.box
    active = run.particles.body_phase == 0
    lithium = float((areas.expected / areas.unpressed * areas.start)[active].sum())
    stored = float((areas.outlined[active] / (1.0 + GROWTH * soc)).sum())
    return Report(
        "19 discs: areas, porosity and lithiation",
        "A = J sum(A_0 det Fe), det Fe = exp(-W(p/K)) with Lambert's W: creep keeps the volume;"
        " porosity = 1 - sum(A)/box^2",
        "plane strain and p det Fe = -K ln det Fe; areas also from the parabolic sides of the"
        " deformed cells",
        f"configs/benchmark_19.yaml with a surface size of 0.6 um up to a state of charge of {soc}",
        (
            Check(
                "porosity against the bodies' outlines", row.porosity, 1.0 - solid / box**2, 1e-6
            ),
            *(
                Check(f"{what}, largest relative difference", _largest(a, b), 0.0, 1e-6, 1.0)
                for what, a, b in (
                    ("areas: points against outlines", areas.summed, areas.outlined),
                    ("areas: outlines against J det Fe", areas.outlined, areas.expected),
                )
            ),
            Check("host area of the active discs in um^2, J taken out", stored, lithium, 1e-6),
            Check("state of charge", row.soc, soc, 1e-6),
        ),
        tables=(_body_table(areas, run.particles.body_phase),),
    )


def _largest(values: Array, expected: Array) -> float:
    return float(np.abs(values / expected - 1.0).max())


def _body_table(areas: Balance, phase: NDArray[np.int32]) -> Table:
    rows = tuple(
        (f"{i} {('active', 'framework')[phase[i]]}", start, end, end / start, end / free)
        for i, (start, end, free) in enumerate(
            zip(areas.start, areas.outlined, areas.unpressed, strict=True)
        )
    )
    header = ("body", "A_0 in um^2", "A in um^2", "A/A_0", "A/(J A_0)")
    return Table("Areas of the bodies", header, rows)
