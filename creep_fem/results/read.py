"""Reads fields back without MPI or a mesh library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from creep_fem.results.errors import ResultError
from creep_fem.results.run_folder import RunFolder
from creep_fem.results.xdmf import XdmfStep, read_steps


@dataclass(frozen=True)
class FieldSnapshot:
    """Mesh and fields at one time.

    Attributes:
        time: Time in s.
        points: Undeformed points in um, shape (n, 2).
        cells: Point indices of quadratic triangles, shape (m, 6): three vertices, then the
            mid-nodes of the edges 01, 12 and 20 (the order of VTK and gmsh).
        arrays: Fields by name, one row per point or per cell; scalars have shape (n,) or (m,),
            vectors (n, 2) or (m, 2).
    """

    time: float
    points: NDArray[np.float64]
    cells: NDArray[np.int64]
    arrays: Mapping[str, NDArray[np.float64]]

    def field(self, name: str) -> NDArray[np.float64]:
        """Return one field by name.

        Args:
            name: Name under which the field was written.

        Returns:
            The entry of ``arrays``.

        Raises:
            ResultError: If there is no such field.
        """
        try:
            return self.arrays[name]
        except KeyError:
            known = ", ".join(self.arrays)
            raise ResultError(f"there is no field {name!r}; there are {known}") from None


def field_times(folder: Path) -> NDArray[np.float64]:
    """List the times at which fields were written.

    Args:
        folder: Folder of the run.

    Returns:
        Times in s, increasing, shape (t,).

    Raises:
        ResultError: If the folder holds no readable fields.
    """
    return np.array([step.time for step in read_steps(RunFolder(folder).fields)], dtype=np.float64)


def read_fields(folder: Path, index: int) -> FieldSnapshot:
    """Read mesh and fields at one time.

    Args:
        folder: Folder of the run.
        index: Number of the time, counted from 0; negative numbers count from the end.

    Returns:
        The state at that time.

    Raises:
        ResultError: If the folder holds no readable fields or not so many times.
    """
    path = RunFolder(folder).fields
    steps = read_steps(path)
    try:
        step = steps[index]
    except IndexError:
        raise ResultError(f"{path} holds {len(steps)} times, not number {index}") from None
    return _read_step(path.with_suffix(".h5"), step)


def _read_step(path: Path, step: XdmfStep) -> FieldSnapshot:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return FieldSnapshot(
                time=step.time,
                points=file[step.points][:, :2],
                cells=file[step.cells][:].astype(np.int64),
                arrays={name: _planar(file[key][:]) for name, key in step.attributes.items()},
            )
    except (OSError, KeyError) as error:
        raise ResultError(f"cannot read the fields in {path}: {error}") from error


def _planar(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Undo the padding of XDMF: columns become scalars, 3D vectors lose their zero z."""
    return values[:, 0] if values.shape[1] == 1 else values[:, :2]
