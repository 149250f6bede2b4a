"""The light XML part of XDMF files, without the mesh library.

Dolfinx writes one temporal collection per function. ParaView's XDMF readers then either crash or
give one block per function, so that no pipeline can warp by one field and colour by another. Here
the collections become one: a single grid per time that carries all functions. The heavy data in
the HDF5 file stay as they are.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from creep_fem.results.errors import ResultError

_HEAD: Final = b"""<?xml version="1.0" encoding="utf-8"?>
<Xdmf Version="3.0">
<Domain>
<Grid Name="fields" GridType="Collection" CollectionType="Temporal">
"""
_TAIL: Final = b"""</Grid>
</Domain>
</Xdmf>
"""


@dataclass(frozen=True)
class XdmfStep:
    """Where the data of one time lie inside the HDF5 file.

    Attributes:
        time: Time in s.
        points: Dataset of the point coordinates.
        cells: Dataset of the cells' point indices.
        attributes: Dataset of each field by name.
    """

    time: float
    points: str
    cells: str
    attributes: dict[str, str]


def create_collection(path: Path) -> None:
    """Create an XDMF file that holds no time yet.

    Args:
        path: File to create or replace.
    """
    path.write_bytes(_HEAD + _TAIL)


def append_step(source: Path, target: Path) -> None:
    """Add one time to a collection; the cost does not grow with the number of times.

    Args:
        source: XDMF file as dolfinx writes it, with the mesh and each function at one time.
        target: File made by ``create_collection`` in the same folder.

    Raises:
        ResultError: If the source lacks the mesh, a function or its time.
    """
    domain = _find(_parse(source), "Domain", source)
    mesh = _find(domain, "Grid[@GridType='Uniform']", source)
    steps = domain.findall("Grid[@CollectionType='Temporal']/Grid")
    grid = ET.Element("Grid", Name="state", GridType="Uniform")
    grid.append(_find(domain, "Grid[@CollectionType='Temporal']/Grid/Time", source))
    grid.extend(_typed(_find(mesh, tag, source)) for tag in ("Topology", "Geometry"))
    grid.extend(_typed(_find(step, "Attribute", source)) for step in steps)
    ET.indent(grid)
    with target.open("r+b") as file:
        file.seek(-len(_TAIL), os.SEEK_END)
        # In one piece, so that nobody finds the file without its end.
        file.write(ET.tostring(grid) + b"\n" + _TAIL)


def read_steps(path: Path) -> list[XdmfStep]:
    """List the times of a collection and where their data lie.

    Args:
        path: XDMF file written by ``append_step``.

    Returns:
        One entry per time, in the order of the file.

    Raises:
        ResultError: If the file is missing or not of this kind.
    """
    collection = _find(_parse(path), "Domain/Grid[@CollectionType='Temporal']", path)
    return [
        XdmfStep(
            time=float(_find(grid, "Time", path).get("Value", "nan")),
            points=_dataset(_find(grid, "Geometry", path), path),
            cells=_dataset(_find(grid, "Topology", path), path),
            attributes={a.get("Name", ""): _dataset(a, path) for a in grid.findall("Attribute")},
        )
        for grid in collection.findall("Grid")
    ]


def _typed(element: ET.Element) -> ET.Element:
    """State the number type of an element's data; readers take unmarked data as 4-byte floats."""
    for item in element.iter("DataItem"):
        item.set("NumberType", item.get("NumberType", "Float"))
        item.set("Precision", "8")
    return element


def _parse(path: Path) -> ET.Element:
    try:
        return ET.parse(path).getroot()
    except OSError as error:
        raise ResultError(f"cannot read the fields {path}: {error.strerror}") from error
    except ET.ParseError as error:
        raise ResultError(f"{path} is not an XDMF file: {error}") from error


def _find(parent: ET.Element, tag: str, path: Path) -> ET.Element:
    element = parent.find(tag)
    if element is None:
        raise ResultError(f"{path}: no {tag} in {parent.tag}")
    return element


def _dataset(parent: ET.Element, path: Path) -> str:
    """Return the part behind the colon of ``fields.h5:/Mesh/mesh/geometry``."""
    return (_find(parent, "DataItem", path).text or "").strip().rpartition(":")[2]
