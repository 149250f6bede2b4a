"""All tables of a run, written together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from creep_fem.contact.boundary import Boundary
from creep_fem.contact.necks import Discs
from creep_fem.contact.pore_outlines import trace_pores
from creep_fem.microstructure import Layout, ParticleMesh, cell_areas
from creep_fem.results.history import HistoryRow, HistoryWriter
from creep_fem.results.pores import PoreWriter
from creep_fem.results.run_folder import RunFolder


class RunTables:
    """History and pore areas; only one process may write them."""

    def __init__(
        self,
        folder: RunFolder,
        layout: Layout,
        particles: ParticleMesh,
        boundary: Boundary,
        start_soc: float,
    ) -> None:
        """Create the files, cut the pore space into pores and write their initial areas.

        Args:
            folder: Folder of the run.
            layout: The discs that were meshed.
            particles: Their mesh.
            boundary: Their surfaces.
            start_soc: State of charge at time 0.

        Raises:
            ResultError: If a file cannot be written.
        """
        places = np.array([(disc.x, disc.y) for disc in layout.discs])
        radius = np.array([disc.radius for disc in layout.discs])
        reference = particles.points[boundary.nodes]
        discs = Discs(places, radius, layout.box)
        self._pores = trace_pores(discs, boundary, particles.arcs, reference)
        areas = cell_areas(particles.points, particles.cells)
        active = particles.body_phase[particles.cell_body] == 0
        self._active = float(areas[active].sum())
        self._rest = layout.box**2 - float(areas[~active].sum())
        self._history_file = HistoryWriter(folder.history)
        self._pore_file = PoreWriter(folder.pores, self._pores.count)
        self._append_pores(0.0, 1, start_soc, 1.0, reference)

    def append(self, row: HistoryRow, positions: NDArray[np.float64], growth: float) -> None:
        """Write the state after a step.

        Args:
            row: Row of the history.
            positions: Current positions of the surface nodes in um, shape (ns, 2).
            growth: Area of an active particle that swells freely and without creep, relative to
                its initial one.

        Raises:
            ResultError: If it cannot be written.
        """
        self._history_file.append(row)
        self._append_pores(row.time_s, row.cycle, row.soc, growth, positions)

    def close(self) -> None:
        """Close the files."""
        self._history_file.close()
        self._pore_file.close()

    def _append_pores(
        self, time: float, cycle: int, soc: float, growth: float, positions: NDArray[np.float64]
    ) -> None:
        creep_free = self._rest - growth * self._active
        self._pore_file.append(time, cycle, soc, creep_free, self._pores.areas(positions))
