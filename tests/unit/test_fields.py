"""Fields: what dolfinx writes is what h5py and VTK's reader (that of ParaView) read."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree as ET

import h5py
import numpy as np
import pytest
from mpi4py import MPI
from synthetic_run import CENTRES, HALF_CYCLE, RADIUS, State, two_discs, write_run
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonExecutionModel import vtkStreamingDemandDrivenPipeline
from vtkmodules.vtkIOXdmf2 import vtkXdmfReader

from creep_fem.results.errors import ResultError
from creep_fem.results.fields import FieldWriter
from creep_fem.results.read import FieldSnapshot, field_times, read_fields
from creep_fem.results.run_folder import RunFolder

NAMES = {
    "displacement",
    "contact_pressure",
    "von_mises",
    "pressure",
    "creep_strain",
    "creep_direction",
    "material",
    "body",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run")
    write_run(MPI.COMM_SELF, path, cycles=1)
    return path


@pytest.fixture(scope="module")
def swollen(folder: Path) -> FieldSnapshot:
    return read_fields(folder, 1)


def test_times_are_those_written(folder: Path) -> None:
    np.testing.assert_array_equal(field_times(folder), [0.0, HALF_CYCLE, 2 * HALF_CYCLE])


def test_all_fields_come_back_with_planar_shapes(swollen: FieldSnapshot) -> None:
    n, m = len(swollen.points), len(swollen.cells)
    assert swollen.points.shape == (n, 2)
    assert swollen.cells.shape == (m, 6)
    assert set(swollen.arrays) == NAMES
    assert swollen.arrays["displacement"].shape == (n, 2)
    assert swollen.arrays["contact_pressure"].shape == (n,)
    assert swollen.arrays["creep_direction"].shape == (m, 2)
    assert swollen.arrays["von_mises"].shape == (m,)


def test_point_fields_stand_at_their_points(swollen: FieldSnapshot) -> None:
    active = swollen.points[:, 0] < 1.0
    offset = np.where(active[:, None], swollen.points - np.array(CENTRES[0]), 0.0)
    np.testing.assert_allclose(swollen.field("displacement"), 0.1 * offset, atol=1e-14)
    distance = np.linalg.norm(offset, axis=1)
    np.testing.assert_allclose(swollen.field("contact_pressure"), distance, atol=1e-14)


def test_cell_fields_stand_at_their_cells(swollen: FieldSnapshot) -> None:
    # The reference midpoint of a curved cell, where a cell-wise constant is interpolated.
    weights = np.array([-1 / 9] * 3 + [4 / 9] * 3)
    middle = np.einsum("i,mid->md", weights, swollen.points[swollen.cells])
    np.testing.assert_allclose(swollen.field("von_mises"), 0.05 + 0.1 * middle[:, 0], rtol=1e-12)
    np.testing.assert_allclose(swollen.field("pressure"), middle[:, 1], rtol=1e-12)
    np.testing.assert_array_equal(swollen.field("material"), middle[:, 0] > 1.0)


def test_mid_nodes_lie_between_their_vertices_in_vtk_order(swollen: FieldSnapshot) -> None:
    corners = swollen.points[swollen.cells[:, :3]]
    middles = swollen.points[swollen.cells[:, 3:]]
    chords = (corners + np.roll(corners, -1, axis=1)) / 2
    # A mid-node on the circle leaves its chord by the sagitta of an 18th of the circle.
    sagitta = RADIUS * (1 - np.cos(np.pi / 18))
    off_chord = np.linalg.norm(middles - chords, axis=2)
    assert off_chord.max() == pytest.approx(sagitta, rel=1e-9)


def test_fields_differ_between_times(folder: Path) -> None:
    assert np.ptp(read_fields(folder, 0).field("von_mises")) == 0.0
    assert np.ptp(read_fields(folder, 1).field("von_mises")) > 0.1
    assert read_fields(folder, -1).time == 2 * HALF_CYCLE


def test_mesh_is_stored_once_and_every_step_is_one_grid(folder: Path) -> None:
    root = ET.parse(folder / "fields.xdmf").getroot()
    (collection,) = root.findall("Domain/Grid")
    assert collection.get("CollectionType") == "Temporal"
    for grid in collection:
        assert {a.get("Name") for a in grid.findall("Attribute")} == NAMES
    geometry = {item.text for item in root.findall(".//Geometry/DataItem")}
    assert len(geometry) == 1


def test_every_reference_has_the_shape_it_declares(folder: Path) -> None:
    root = ET.parse(folder / "fields.xdmf").getroot()
    items = list(root.iter("DataItem"))
    assert len(items) == 3 * (2 + len(NAMES))
    for item in items:
        name, _, dataset = (item.text or "").partition(":")
        with h5py.File(folder / name) as file:
            declared = tuple(int(n) for n in item.attrib["Dimensions"].split())
            assert file[dataset].shape == declared
            assert file[dataset].dtype.itemsize == int(item.attrib["Precision"])


def test_vtk_reads_one_grid_with_all_fields_at_every_time(folder: Path) -> None:
    reader = vtkXdmfReader()
    reader.SetFileName(str(folder / "fields.xdmf"))
    reader.UpdateInformation()
    times = reader.GetOutputInformation(0).Get(vtkStreamingDemandDrivenPipeline.TIME_STEPS())
    np.testing.assert_array_equal(times, field_times(folder))
    reader.UpdateTimeStep(HALF_CYCLE)
    grid = reader.GetOutputDataObject(0)
    quadratic_triangle = 22
    assert grid.GetCellType(0) == quadratic_triangle
    expected = read_fields(folder, 1)
    stored = {}
    for data in (grid.GetPointData(), grid.GetCellData()):
        for number in range(data.GetNumberOfArrays()):
            array = data.GetArray(number)
            stored[array.GetName()] = vtk_to_numpy(array)
    assert set(stored) == NAMES
    np.testing.assert_array_equal(stored["displacement"][:, :2], expected.field("displacement"))
    np.testing.assert_array_equal(stored["von_mises"], expected.field("von_mises"))


def test_files_are_complete_while_the_writer_is_open(tmp_path: Path) -> None:
    state = State.on(two_discs(MPI.COMM_SELF))
    mesh = state.displacement.function_space.mesh
    writer = FieldWriter(MPI.COMM_SELF, mesh, tmp_path / "fields.xdmf", state.all())
    state.swell(0.5)
    writer.write(1 / 3)
    assert field_times(tmp_path).tolist() == [1 / 3]
    assert read_fields(tmp_path, 0).field("pressure").max() > 0.0
    writer.close()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["fields.h5", "fields.xdmf"]


def test_times_must_increase(tmp_path: Path) -> None:
    state = State.on(two_discs(MPI.COMM_SELF))
    mesh = state.displacement.function_space.mesh
    with closing(FieldWriter(MPI.COMM_SELF, mesh, tmp_path / "fields.xdmf", state.all())) as writer:
        writer.write(1.0)
        with pytest.raises(ResultError, match="follow"):
            writer.write(1.0)


def test_unusable_functions_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    state, other = (State.on(two_discs(MPI.COMM_SELF)) for _ in range(2))
    mesh = state.displacement.function_space.mesh
    path = tmp_path / "fields.xdmf"
    with pytest.raises(ResultError, match="names that differ"):
        FieldWriter(MPI.COMM_SELF, mesh, path, [state.pressure, state.pressure])
    with pytest.raises(ResultError, match="none given"):
        FieldWriter(MPI.COMM_SELF, mesh, path, [])
    with pytest.raises(ResultError, match="on another mesh: pressure"):
        FieldWriter(MPI.COMM_SELF, mesh, path, [other.pressure])
    with pytest.raises(ResultError, match=r"\.xdmf"):
        FieldWriter(MPI.COMM_SELF, mesh, tmp_path / "fields.vtu", state.all())
    assert not list(tmp_path.iterdir())


def test_reading_says_what_is_missing(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="cannot read the fields"):
        field_times(tmp_path)
    with pytest.raises(ResultError, match="holds 3 times, not number 3"):
        read_fields(folder, 3)
    with pytest.raises(ResultError, match="no field 'temperature'; there are displacement"):
        read_fields(folder, 0).field("temperature")
    RunFolder(tmp_path).fields.write_text("not xml", encoding="utf-8")
    with pytest.raises(ResultError, match="not an XDMF file"):
        field_times(tmp_path)
