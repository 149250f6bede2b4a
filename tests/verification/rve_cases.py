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
from scipy.optimize import brentq
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


def force_moments(run: Simulation) -> Array:
    """Integral of s_xx + s_yy over every body in GPa um^2, from the forces on it (collective).

    Mean-stress theorem: the sum of position times force over the surface. Positions count from
    the upper wall that holds the body, if one does, so its reaction does no work; that of the
    lower walls does none anyway.
    """
    problem, particles = run.problem, run.particles
    surface, boundary = problem.surface, problem.contact.boundary
    motion = surface.owned_values(problem.model.displacement.x.array - problem.start)
    lengths = boundary.node_lengths[surface.owned]
    drag = run.config.contact.surface_drag / problem.dt * lengths[:, None] * motion
    forces = problem.contact_forces.reshape(-1, 2) + surface.replicate(drag)
    corner = np.zeros((len(particles.body_phase), 2))
    for component, wall in enumerate(("right", "top")):
        touching = np.isin(particles.cells, particles.wall_nodes[wall]).any(axis=1)
        corner[particles.cell_body[touching], component] = particles.box
    arms = surface.positions(problem.model.displacement) - corner[boundary.node_body]
    work = -np.sum(arms * forces, axis=1)
    return np.bincount(boundary.node_body, work, len(corner))


def closed_moments(run: Simulation, areas: Array, starts: Array, swelling: Array) -> Array:
    """The same of elastic bodies, from their outlines.

    t_xx + t_yy = 2 (K + G/3) ln det Fe - 2 G e_z with the elastic strain e_z out of the plane.

    Args:
        run: The packing.
        areas: Area of every body in um^2.
        starts: The same at the stress-free start.
        swelling: Volume ratio J of every body; e_z = -ln(J)/3.
    """
    materials = run.config.materials
    phase = run.particles.body_phase
    bulk, shear = (
        np.array([getattr(m, name) for m in (materials.active, materials.framework)])[phase]
        for name in ("bulk_modulus", "shear_modulus")
    )
    squeezed = np.log(areas / (swelling * starts))
    stress = 2.0 * (bulk + shear / 3.0) * squeezed + 2.0 / 3.0 * shear * np.log(swelling)
    moments: Array = starts * swelling * stress
    return moments


@case()
def rve_stress() -> Report:
    """Pressure and lithium of the 19-disc benchmark without creep, from forces and outlines alone.

    Without creep the stress along the thickness is known, and what the forces on a body say about
    its mean stress can be held against its area.
    """
    soc = 0.3
    meshing = ("mesh.surface_size=0.6 um", "mesh.interior_size=0.72 um")
    run = simulation((soc,), *meshing, "materials.active.override.creep=none")
    starts, phase = outlined_areas(run), run.particles.body_phase
    (row,) = march(run, (soc,))
    charge = run.config.cycling.c_rate * row.time_s
    areas, forces = outlined_areas(run), force_moments(run)
    swelling = np.where(phase == 0, 1.0 + GROWTH * charge, 1.0)
    closed = closed_moments(run, areas, starts, swelling)
    charges = [
        brentq(
            lambda s, body=body: (
                closed_moments(run, areas, starts, np.where(phase == 0, 1.0 + GROWTH * s, 1.0))
                - forces
            )[body],
            0.0,
            1.0,
        )
        for body in np.flatnonzero(phase == 0)
    ]
    rows = tuple(
        (f"{i} {('active', 'framework')[phase[i]]}", -f / a / 2.0, -c / a / 2.0)
        for i, (f, c, a) in enumerate(zip(forces, closed, areas, strict=True))
    )
    return Report(
        "19 discs: stress and lithium without creep",
        "integral of s_xx + s_yy = sum of x f over a body's surface"
        " = A_0 J [2 (K + G/3) ln det Fe + (2/3) G ln J], det Fe = A/(J A_0)",
        "mean-stress theorem with contact and drag; Hencky's law in plane strain",
        "configs/benchmark_19.yaml without creep, with a surface size of 0.6 um up to a state of"
        f" charge of {soc}",
        (
            *(
                Check(
                    f"integral of the stress of {name} discs, largest difference / largest",
                    float(np.abs(forces - closed)[phase == index].max()),
                    0.0,
                    5e-3,
                    float(np.abs(closed[phase == index]).max()),
                )
                for index, name in enumerate(("active", "framework"))
            ),
            Check("state of charge in the history, C-rate times time", row.soc, charge, 1e-12),
            *(
                Check(f"{which} charge of an active disc from forces and area", value, charge, 1e-3)
                for which, value in (("least", min(charges)), ("largest", max(charges)))
            ),
        ),
        tables=(
            Table(
                "Mean in-plane pressure -(s_xx + s_yy)/2 in GPa",
                ("body", "from forces", "from areas"),
                rows,
            ),
        ),
    )


@case()
def rve_balance() -> Report:
    """Areas, porosity and lithiation of the 19-disc benchmark.

    The pressure of the creeping discs is the model's own here; the case without creep measures it.
    The framework does not creep, so its areas are held against the forces on it here, too.
    """
    soc = 0.3
    run = simulation((soc,), "mesh.surface_size=0.6 um", "mesh.interior_size=0.72 um")
    row, areas = balance(run, soc)
    solid, box = float(areas.outlined.sum()), run.particles.box
    active = run.particles.body_phase == 0
    charge = run.config.cycling.c_rate * row.time_s
    stiff = ~active
    forces = force_moments(run)[stiff]
    closed = closed_moments(run, areas.outlined, areas.start, np.ones(len(stiff)))[stiff]
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
            Check("state of charge: C-rate times time", row.soc, charge, 1e-12),
            Check("state of charge: stated", row.soc, soc, 1e-6),
            Check(
                "stress integral of framework discs from forces, largest difference / largest",
                float(np.abs(forces - closed).max()),
                0.0,
                1e-3,
                float(np.abs(closed).max()),
            ),
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
