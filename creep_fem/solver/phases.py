"""Where the time of a run goes: PETSc log events, so that PETSc's own log view shows them, too."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import creep_fem._backend  # noqa: F401  isort: skip

from mpi4py import MPI
from petsc4py import PETSc


class Phase(StrEnum):
    """What a run spends its time on; the phases do not overlap."""

    SET_UP = "set-up"
    ASSEMBLY = "assembly"
    CONSTITUTIVE = "constitutive update"
    CONTACT = "contact"
    FACTORISE = "factorise"
    SOLVE = "solve"
    OUTPUT = "output"


_EVENTS = {phase: PETSc.Log.Event(f"creep_fem {phase}") for phase in Phase}


def timed(phase: Phase) -> PETSc.Log.Event:
    """A context that counts as the phase."""
    return _EVENTS[phase]


class PhaseTimes:
    """Time of each phase since this object was made."""

    def __init__(self) -> None:
        """Start PETSc's log if need be: it counts events from then on."""
        if not PETSc.Log.isActive():
            PETSc.Log.begin()
        self._start = self._counted()

    @staticmethod
    def _counted() -> dict[Phase, float]:
        return {phase: event.getPerfInfo()["time"] for phase, event in _EVENTS.items()}

    def seconds(self, comm: MPI.Intracomm) -> dict[Phase, float]:
        """Seconds of each phase, of the process that spent most on it (collective)."""
        return {
            phase: comm.allreduce(now - self._start[phase], op=MPI.MAX)
            for phase, now in self._counted().items()
        }


def table(seconds: Mapping[Phase, float], total: float) -> str:
    """Lines with seconds and shares of all phases and of the rest.

    Args:
        seconds: Seconds of each phase.
        total: Seconds that are shared out.
    """
    rows = [*seconds.items(), ("everything else", total - sum(seconds.values())), ("all", total)]
    return "\n".join(f"  {name:20}{spent:10.2f} s{spent / total:8.1%}" for name, spent in rows)


def write_log_view(comm: MPI.Intracomm, path: Path) -> None:
    """Write PETSc's table of all events since its log began (collective)."""
    viewer = PETSc.Viewer().createASCII(str(path), comm=comm)
    PETSc.Log.view(viewer)
    viewer.destroy()
