"""Averages over phases and surfaces: the numbers of one history row."""

from __future__ import annotations

import creep_fem._backend  # noqa: F401

# isort: split
from dataclasses import dataclass

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from creep_fem.contact.measures import ContactShares, contact_shares
from creep_fem.mechanics.model import PointValues
from creep_fem.results.history import HistoryRow
from creep_fem.solver.problem import StepProblem
from creep_fem.solver.stepping import AcceptedStep

ACTIVE, FRAMEWORK = 0, 1


@dataclass(frozen=True)
class PhaseAverages:
    """Averages over the current volume of one phase; NaN for an absent phase.

    Attributes:
        mises: Mean von Mises stress in GPa.
        pressure: Mean pressure in GPa.
        creep_strain: Mean accumulated creep strain.
        area: Current area in um^2.
        mises_max: Largest von Mises stress in GPa.
        creep_strain_max: Largest accumulated creep strain.
    """

    mises: float
    pressure: float
    creep_strain: float
    area: float
    mises_max: float
    creep_strain_max: float


def phase_averages(
    comm: MPI.Intracomm, values: PointValues, cell_phase: NDArray[np.int32], phase: int
) -> PhaseAverages:
    """Average the fields of one phase over all processes (collective).

    Args:
        comm: Communicator of the mesh.
        values: Fields at the quadrature points of the owned cells.
        cell_phase: Phase of the owned cells, shape (cells,).
        phase: The phase.
    """
    chosen = cell_phase == phase
    volume = values.volume[chosen]
    fields = [f[chosen] for f in (values.mises, values.pressure, values.creep_strain)]
    sums = np.array([float(np.sum(volume)), *(float(np.sum(volume * f)) for f in fields)])
    comm.Allreduce(MPI.IN_PLACE, sums, op=MPI.SUM)
    peaks = np.array([np.max(f, initial=0.0) for f in (fields[0], fields[2])])
    comm.Allreduce(MPI.IN_PLACE, peaks, op=MPI.MAX)
    means = sums[1:] / sums[0] if sums[0] > 0.0 else np.full(3, np.nan)
    return PhaseAverages(*(float(v) for v in (*means, sums[0], *peaks)))


def history_row(
    problem: StepProblem,
    step: AcceptedStep,
    cycle: int,
    soc: float,
    body_phase: NDArray[np.int32],
    touching_gap: float,
) -> HistoryRow:
    """Evaluate the accepted state (collective).

    Args:
        problem: The problem after the step was accepted.
        step: The step.
        cycle: Cycle the step belongs to.
        soc: State of charge at its end.
        body_phase: Phase of every body, shape (bodies,).
        touching_gap: Distance in um below which surfaces touch.
    """
    walls, box = problem.reactions(), problem.contact.box
    return HistoryRow(
        step=step.number,
        time_s=step.time,
        dt_s=step.dt,
        cycle=cycle,
        soc=soc,
        newton_iterations=step.iterations,
        wall_pressure_x_gpa=0.5 * (walls.left + walls.right) / box,
        wall_pressure_y_gpa=0.5 * (walls.bottom + walls.top) / box,
        drag_traction_max_gpa=problem.max_drag_traction(),
        rejected_steps=step.rejected,
        chord_iterations=step.chord_iterations,
        **_phase_columns(problem),
        **_contact_columns(problem, body_phase, touching_gap),
    )


def _phase_columns(problem: StepProblem) -> dict[str, float]:
    """Columns made of the fields in the particles (collective)."""
    values = problem.model.point_values()
    owned_phase = problem.model.domain.cell_phase[: len(values.mises)]
    active, framework = (
        phase_averages(problem.comm, values, owned_phase, phase) for phase in (ACTIVE, FRAMEWORK)
    )
    return {
        "mises_mean_active_gpa": active.mises,
        "mises_mean_framework_gpa": framework.mises,
        "pressure_mean_active_gpa": active.pressure,
        "pressure_mean_framework_gpa": framework.pressure,
        "creep_strain_mean_active": active.creep_strain,
        "porosity": 1.0 - (active.area + framework.area) / problem.contact.box**2,
        "mises_max_active_gpa": active.mises_max,
        "mises_max_framework_gpa": framework.mises_max,
        "creep_strain_max": max(active.creep_strain_max, framework.creep_strain_max),
    }


def _contact_columns(
    problem: StepProblem, body_phase: NDArray[np.int32], touching_gap: float
) -> dict[str, float]:
    """Columns made of the distances between the surfaces (collective)."""
    contact = problem.contact
    positions = problem.surface.positions(problem.model.displacement)
    shares = contact_shares(contact.boundary, positions, body_phase, contact.box, touching_gap)
    ratio, fraction = _padded(shares)
    return {
        "contact_ratio_active_active": ratio[ACTIVE, ACTIVE],
        "contact_ratio_active_framework": ratio[ACTIVE, FRAMEWORK],
        "contact_fraction_active": fraction[ACTIVE],
        "contact_fraction_framework": fraction[FRAMEWORK],
        "min_gap_um": shares.min_gap,
    }


def _padded(shares: ContactShares) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shares of two phases, NaN where the packing has only one."""
    ratio, fraction = np.full((2, 2), np.nan), np.full(2, np.nan)
    phases = len(shares.fraction)
    ratio[:phases, :phases], fraction[:phases] = shares.ratio, shares.fraction
    return ratio, fraction
