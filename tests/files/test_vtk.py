#!/usr/bin/env python3
"""ParaView's readers open what inkdrop writes, with the right geometry, times and values: VTKHDF on uniform Cartesian grids, netCDF-CF on
all others."""
import os
import shutil
import sys

import h5py
import numpy
import pytest
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from runs import FOLDER, TIMES, inkdrop, out, values

vtk.vtkObject.GlobalWarningDisplayOff()
STREAM = vtk.vtkStreamingDemandDrivenPipeline


def version():
    return tuple(map(int, vtk.vtkVersion.GetVTKVersion().split(".")))[:2]


def read(path):
    """(times, [image of each time])"""
    reader = vtk.vtkHDFReader()
    assert reader.CanReadFile(str(path))
    reader.SetFileName(str(path))
    reader.UpdateInformation()
    information = reader.GetOutputInformation(0)
    times = [information.Get(STREAM.TIME_STEPS(), i) for i in range(information.Length(STREAM.TIME_STEPS()))]
    images = []
    for time in times or [0.0]:
        reader.UpdateTimeStep(time)
        image = vtk.vtkImageData()
        image.DeepCopy(reader.GetOutput())
        images.append(image)
    return times, images


def centres(image):
    """Of the cells, shape (cells, 3), in VTK's order: x fastest."""
    where = vtk.vtkCellCenters()
    where.SetInputData(image)
    where.Update()
    return vtk_to_numpy(where.GetOutput().GetPoints().GetData()).astype(float)


def check(image, dim, time, rtol=1e-12):
    data = vtk_to_numpy(image.GetCellData().GetArray("T"))
    at = centres(image)
    assert data.shape == (image.GetNumberOfCells(),) == (len(at),)
    x, y, z = (at[:, a] if a < dim else 0.0 for a in range(3))
    numpy.testing.assert_allclose(data, values(x, time, y, z), rtol=max(rtol, 1e-6))  # the centres are float32 in VTK
    return data


GEOMETRY = {1: ("one", [8], [-1.0], [0.25]), 2: ("two", [8, 5], [-1.0, 0.0], [0.25, 0.5]), 3: ("three", [6, 5, 4], [-1.0, 0.0, 3.0], [1 / 3, 0.4, 0.5])}


def test_version():
    assert version() >= (9, 3)


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_all_time_steps(dim):
    name, cells, origin, spacing = GEOMETRY[dim]
    times, images = read(out(name) / "fields.h5")
    numpy.testing.assert_array_equal(times, TIMES)
    with h5py.File(out(name) / "fields.h5") as file:
        fields = file["T"][()]
    for n, image in enumerate(images):
        assert image.GetDimensions()[:dim] == tuple(c + 1 for c in cells)
        numpy.testing.assert_allclose(image.GetOrigin()[:dim], origin, rtol=1e-15)
        numpy.testing.assert_allclose(image.GetSpacing()[:dim], spacing, rtol=1e-15)
        data = check(image, dim, TIMES[n])
        assert data.astype(fields.dtype).tobytes() == fields[n].ravel().tobytes()


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_single_snapshots(dim):
    name = GEOMETRY[dim][0]
    for n in (0, 3):
        times, images = read(out(name) / f"snapshots/{n:06d}.h5")
        assert len(images) == 1
        check(images[0], dim, TIMES[n])


def test_several_species():
    times, images = read(out("species") / "fields.h5")
    numpy.testing.assert_array_equal(times, TIMES)
    with h5py.File(out("species") / "fields.h5") as file:
        for n, image in enumerate(images):
            for name in "uv":
                assert vtk_to_numpy(image.GetCellData().GetArray(name)).tobytes() == file[name][n].ravel().tobytes()


def test_state_variables_are_axes():
    times, images = read(out("phase") / "fields.h5")
    numpy.testing.assert_array_equal(times, TIMES)
    with h5py.File(out("phase") / "fields.h5") as file:
        x, v = numpy.meshgrid(file["x"][()], file["v"][()])
        for n, image in enumerate(images):
            assert vtk_to_numpy(image.GetCellData().GetArray("p")).tobytes() == file["p"][n].ravel().tobytes()
            numpy.testing.assert_allclose(centres(image)[:, :2], numpy.stack([x.ravel(), v.ravel()], axis=1), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", ["paths", "small_paths"])
def test_places_of_particles_are_not_in_the_picture(name):
    times, images = read(out(name) / "fields.h5")
    numpy.testing.assert_array_equal(times, TIMES)
    with h5py.File(out(name) / "fields.h5") as file:
        assert file["path_x"].shape == (5, 7)
        for n, image in enumerate(images):
            data = image.GetCellData()
            assert {data.GetArrayName(i) for i in range(data.GetNumberOfArrays())} == {"p", "density"}
            assert vtk_to_numpy(data.GetArray("p")).tobytes() == file["p"][n].ravel().tobytes()


@pytest.mark.parametrize("name", ["single", "packed", "small"])
def test_precision_and_compression(name):
    times, images = read(out(name) / "fields.h5")
    numpy.testing.assert_array_equal(times, TIMES)
    for n, image in enumerate(images):
        check(image, 2, TIMES[n], 1e-6)


def test_pack():
    assert inkdrop("pack", out("two"), "packed_for_vtk.h5").returncode == 0
    times, images = read(FOLDER / "packed_for_vtk.h5")
    numpy.testing.assert_array_equal(times, TIMES)
    for n, image in enumerate(images):
        check(image, 2, TIMES[n])


def test_nsteps_is_never_above_the_rows():
    """VTK reads past the arrays' ends then, and crashes."""
    for name in ("one", "two", "three", "single", "packed"):
        for path in [out(name) / "fields.h5", *sorted((out(name) / "snapshots").glob("*.h5"))]:
            with h5py.File(path) as file:
                group = file["VTKHDF"]
                if "Steps" not in group:
                    assert len(file["time"]) == 1
                    continue
                steps = int(group["Steps"].attrs["NSteps"])
                assert steps == len(group["Steps/Values"]) == len(file["time"]) == len(group["CellData/T"])
                numpy.testing.assert_array_equal(group["Steps/Values"], file["time"])


def test_no_field_is_stored_twice():
    with h5py.File(out("two") / "fields.h5") as file:
        assert file["VTKHDF/CellData/T"] == file["T"]  # one object of two names
    with h5py.File(out("two") / "snapshots/000001.h5") as file:
        assert file["VTKHDF/CellData/T"].is_virtual and not file["T"].is_virtual


def test_index_of_one_snapshot():
    """A run that was just begun."""
    deck = FOLDER / "begun.yaml"
    deck.write_text(out("two").with_suffix(".yaml").read_text().replace("snapshots: {every: 0.25 s}", "snapshots: {at: [1 s]}"))
    assert inkdrop("run", deck, "--output", "begun").returncode == 0
    times, images = read(FOLDER / "begun/fields.h5")
    check(images[-1], 2, 1.0)


@pytest.mark.parametrize("name", ["graded", "cylinder", "sphere", "two", "graded_phase"])
@pytest.mark.parametrize("file", ["fields.h5", "snapshots/000002.h5"])
def test_netcdf_reader(name, file):
    """It shows the values as points at the cell centroids (where these are nearly evenly spaced, as of even cells along r, VTK moves them to
    even places, by less than a hundredth of a cell)."""
    with h5py.File(out(name) / file) as h5:
        assert ("VTKHDF" in h5) == (name == "two")
        field = "p" if name == "graded_phase" else "T"
        expect, times = h5[field][()], h5["time"][()]
        axes = [h5[axis][()] for axis in ("x", "y", "v", "r") if axis in h5]
    reader = vtk.vtkNetCDFCFReader()
    assert reader.CanReadFile(str(out(name) / file))
    reader.SetFileName(str(out(name) / file))
    reader.SphericalCoordinatesOff()
    reader.UpdateInformation()
    information = reader.GetOutputInformation(0)
    steps = [information.Get(STREAM.TIME_STEPS(), i) for i in range(information.Length(STREAM.TIME_STEPS()))]
    numpy.testing.assert_array_equal(steps, times)
    for n, time in enumerate(times):
        reader.UpdateTimeStep(time)
        grid = reader.GetOutputDataObject(0)
        data = vtk_to_numpy(grid.GetPointData().GetArray(field))
        numpy.testing.assert_array_equal(data, expect[n].ravel())
        points = numpy.array([grid.GetPoint(i) for i in range(grid.GetNumberOfPoints())])
        place = numpy.meshgrid(*axes[::-1], indexing="ij")[::-1]  # x fastest
        for a, want in enumerate(place):
            numpy.testing.assert_allclose(points[:, a], want.ravel(), rtol=1e-6, atol=1e-12)


if __name__ == "__main__":
    # Leaves at once: VTK's destructors at the end of the process are not what is tested.
    code = pytest.main(["-q", "--no-header", "-p", "no:cacheprovider", *sys.argv[1:], __file__])
    sys.stdout.flush()
    sys.stderr.flush()
    shutil.rmtree(FOLDER, ignore_errors=True)
    os._exit(code)
