"""Writes fields over time to XDMF and HDF5, in parallel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import creep_fem._backend  # noqa: F401

import numpy as np
from dolfinx.fem import Function
from dolfinx.io import XDMFFile
from dolfinx.mesh import Mesh
from mpi4py import MPI

from creep_fem.parallel import failing_together
from creep_fem.results.errors import ResultError, writing
from creep_fem.results.xdmf import append_step, create_collection


class FieldWriter:
    """Writes a fixed set of functions at increasing times.

    Between two calls the files are closed and complete: they can be opened while the run goes on,
    and a killed run keeps all that it has written.
    """

    def __init__(
        self,
        comm: MPI.Comm,
        mesh: Mesh[np.float64],
        path: Path,
        functions: Sequence[Function[np.float64]],
    ) -> None:
        """Create the files and write the mesh once; collective.

        Args:
            comm: Communicator of the mesh.
            mesh: Mesh in um; its geometry has the degree of the continuous functions.
            path: File ending in ``.xdmf``; the HDF5 file takes the same name.
            functions: Functions on the mesh, each with a name of its own: cell-wise constant or
                continuous Lagrange. Vectors are stored with three components.

        Raises:
            ResultError: If the file name, the functions' names or their mesh do not fit, or the
                files cannot be created.
        """
        _check(mesh, path, functions)
        self._comm = comm
        self._path = path
        self._functions = tuple(functions)
        self._last_time: float | None = None
        # Dolfinx names the HDF5 file after this one, whatever its ending is.
        self._raw = path.with_suffix(".part")
        with XDMFFile(comm, self._raw, "w") as file:
            file.write_mesh(mesh)
        with failing_together(comm), writing(path):
            if comm.rank == 0:
                self._mesh_only = self._raw.read_bytes()
                create_collection(path)

    def write(self, time: float) -> None:
        """Add the present values of all functions; collective.

        Args:
            time: Time in s, later than the one before.

        Raises:
            ResultError: If the time does not increase, or the light data cannot be written.
        """
        if self._last_time is not None and time <= self._last_time:
            raise ResultError(f"fields at t = {time:.6g} s follow those at {self._last_time:.6g} s")
        with XDMFFile(self._comm, self._raw, "a") as file:
            for function in self._functions:
                file.write_function(function, time)
        self._last_time = time
        with failing_together(self._comm), writing(self._path):
            if self._comm.rank == 0:
                append_step(self._raw, self._path)
                # Dolfinx rewrites all past times with every function unless it is made to forget.
                self._raw.write_bytes(self._mesh_only)

    def close(self) -> None:
        """Remove the scratch file; nothing can be written afterwards."""
        if self._comm.rank == 0:
            self._raw.unlink(missing_ok=True)


def _check(mesh: Mesh[np.float64], path: Path, functions: Sequence[Function[np.float64]]) -> None:
    """Find on every rank, before any collective call, what dolfinx would stumble over."""
    if path.suffix != ".xdmf":
        raise ResultError(f"the file of the fields must end in .xdmf, not {path.name}")
    names = [function.name for function in functions]
    if not names or len(set(names)) != len(names):
        raise ResultError(f"the fields need names that differ: {', '.join(names) or 'none given'}")
    foreign = [f.name for f in functions if f.function_space.mesh is not mesh]
    if foreign:
        raise ResultError(f"fields on another mesh: {', '.join(foreign)}")
