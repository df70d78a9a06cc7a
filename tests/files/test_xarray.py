#!/usr/bin/env python3
"""What inkdrop writes opens in xarray, h5py and netCDF4 without a converter, with the right coordinates, times, units and values; the
traps of the format, each a test; the verbs info and pack."""
import json
import os
import re
import signal
import subprocess
import sys
import time
import warnings

import h5py
import netCDF4
import numpy
import pytest
import xarray
import yaml

from runs import FOLDER, INKDROP, TIMES, copy, inkdrop, out, values

warnings.filterwarnings("ignore", category=FutureWarning)
ENGINES = [None, "h5netcdf"]
ALL = ["one", "two", "three", "graded", "single", "packed", "small", "cylinder", "sphere", "can"]
AXES = {"one": "x", "two": "yx", "three": "zyx", "graded": "yx", "single": "yx", "packed": "yx", "small": "yx", "cylinder": "r", "sphere": "r", "can": "zr"}


def solution(name, data, at):
    coordinates = {axis: data[axis] for axis in AXES[name]}
    if "r" in coordinates:
        return 300 + 5 * at + 0 * data.r + (0 * data.z if "z" in coordinates else 0)
    return values(coordinates["x"], at, coordinates.get("y", 0.0), coordinates.get("z", 0.0))


def check(name, data):
    """Coordinates, time, units, values of all times."""
    assert data.T.dims == ("time", *AXES[name])
    assert data.time.dtype == numpy.float64 and (data.time.values == TIMES).all()
    assert data.time.attrs["units"] == "s"
    for axis in AXES[name]:
        assert data[axis].dims == (axis,) and data[axis].attrs["units"] == "m"
        assert data[axis].attrs["bounds"] == f"{axis}_bnds"
        ends = data[f"{axis}_bnds"].isel(time=0).values if "time" in data[f"{axis}_bnds"].dims else data[f"{axis}_bnds"].values
        assert (ends[1:, 0] == ends[:-1, 1]).all() and (ends[:, 0] < data[axis].values).all() and (data[axis].values < ends[:, 1]).all()
    single = name in ("single", "small")
    assert data.T.dtype == (numpy.float32 if single else numpy.float64)
    assert data.T.attrs["units"] and data.T.attrs["long_name"]
    expect = solution(name, data, data.time).transpose("time", *AXES[name])
    numpy.testing.assert_allclose(data.T.values, expect.values, rtol=1e-6 if single else 1e-12)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ALL)
def test_fields(name, engine):
    with xarray.open_dataset(out(name) / "fields.h5", engine=engine) as data:
        check(name, data)


@pytest.mark.parametrize("engine", [None, "netcdf4", "h5netcdf"])
@pytest.mark.parametrize("name", ["paths", "small_paths"])
def test_paths_have_an_axis_of_their_own(name, engine):
    """A jump process: every place is the centroid of a cell, and the first ones are in the cells around the point of the start."""
    assert inkdrop("pack", out(name), f"{name}_packed.h5").returncode == 0 or (FOLDER / f"{name}_packed.h5").exists()
    seen = []
    for path in (out(name) / "fields.h5", FOLDER / f"{name}_packed.h5"):
        with xarray.open_dataset(path, engine=engine) as data:
            assert data.p.dims == data.density.dims == ("time", "v", "x") and (data.time.values == TIMES).all()
            assert (data.path.values == numpy.arange(7)).all() and "path_bnds" not in data
            for state, unit in (("x", "m"), ("v", "m/s")):
                places = data[f"path_{state}"]
                assert places.dims == ("time", "path") and places.attrs["units"] == unit
                assert places.dtype == (numpy.float32 if name == "small_paths" else numpy.float64)
                near = abs(places.values[..., None] - data[state].values).min(axis=-1)
                assert near.max() <= 1e-6 * abs(data[state].values).max()
            assert len(numpy.unique(data.path_v.values[-1])) > 1
            seen.append((data.path_x.values.tobytes(), data.path_v.values.tobytes(), data.p.values.tobytes()))
    assert seen[0] == seen[1]


def test_paths_in_one_snapshot_and_in_info():
    with xarray.open_dataset(out("paths") / "snapshots/000002.h5") as one, xarray.open_dataset(out("paths") / "fields.h5") as all_times:
        assert (one.path_x.values[0] == all_times.path_x.values[2]).all()
    lines = inkdrop("info", out("paths") / "fields.h5").stdout.splitlines()
    (line,) = (line for line in lines if line.strip().startswith("path_v "))
    assert "5 x 7" in line and " m/s" in line


@pytest.mark.parametrize("engine", ENGINES)
def test_several_species(engine):
    with xarray.open_dataset(out("species") / "fields.h5", engine=engine) as data:
        assert data.u.dims == data.v.dims == ("time", "y", "x") and (data.time.values == TIMES).all()
        numpy.testing.assert_allclose(data.u.values, values(data.x, data.time, data.y, 0.0).transpose("time", "y", "x").values, rtol=1e-12)
        numpy.testing.assert_allclose(data.v.values, (7 * 0.5 ** numpy.arange(5))[:, None, None] + 0 * data.v.values, rtol=1e-12)
        assert data.u.attrs["long_name"] == "fuel" and data.u.attrs["units"] == "mol/m^3" and data.v.attrs["units"] == "1"


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["phase", "graded_phase"])
def test_state_variables_are_axes(name, engine):
    with xarray.open_dataset(out(name) / "fields.h5", engine=engine) as data, open(out(name) / "report.json") as report:
        assert data.p.dims == ("time", "v", "x") and (data.time.values == TIMES).all()
        assert data.x.attrs["units"] == "m" and data.v.attrs["units"] == "m/s" and data.p.attrs["units"] == "s/m^2"
        assert data.v.attrs["bounds"] == "v_bnds" and data.x.attrs["axis"] == "X" and "axis" not in data.v.attrs
        dx, dv = ((data[f"{a}_bnds"][:, 1] - data[f"{a}_bnds"][:, 0]).rename({a: a}) for a in "xv")
        assert (data.p >= 0).all() and abs((data.p * dx * dv).sum(("x", "v")) - 1).max() < 1e-12
        mean = float((data.p[-1] * data.v * dx * dv).sum())
        assert mean == pytest.approx(json.load(report)["verify"][0]["value"], rel=1e-12) and mean < -1e-4


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ALL)
def test_all_snapshots(name, engine):
    with xarray.open_mfdataset(str(out(name) / "snapshots" / "*.h5"), engine=engine) as data:
        check(name, data)


@pytest.mark.parametrize("engine", ENGINES)
def test_one_snapshot(engine):
    with xarray.open_dataset(out("two") / "snapshots/000003.h5", engine=engine) as data:
        assert data.sizes["time"] == 1 and float(data.time[0]) == 0.75
        assert float(data.T.sel(time=0.75, x=0.125, y=1.25, method="nearest")) == pytest.approx(300 + 1.25 + 125 + 3.75, rel=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
def test_series(engine):
    with xarray.open_dataset(out("two") / "series.h5", engine=engine) as data:
        assert (data.time.values == TIMES).all() and data.time.attrs["units"] == "s"
        numpy.testing.assert_allclose(data.probe_middle.values, 400 + 5 * TIMES, rtol=1e-12)
        assert data.probe_middle.attrs["long_name"] == "probe:middle" and data.probe_middle.attrs["units"]


@pytest.mark.parametrize("name", ALL)
def test_netcdf_library(name):
    for file in ("fields.h5", "snapshots/000001.h5"):
        with netCDF4.Dataset(out(name) / file) as data:
            assert data["T"].dimensions == ("time", *AXES[name]) and data.Conventions.startswith("CF-")
            assert data["time"].units == "s" and data["time"].axis == "T"
            assert numpy.isfinite(data["T"][:]).all()
            assert set(data.groups) <= {"run", "VTKHDF"}


def files(name):
    return [path for path in sorted(out(name).rglob("*.h5")) if path.parent.name != "checkpoints"]


def objects(file):
    """(path, object) of all groups and datasets."""
    found = [("/", file)]
    file.visititems(lambda path, item: found.append((path, item)))
    return found


# The traps of the format.

def test_time_unit_is_s_and_no_timedelta():
    for name in ("one", "two", "graded"):
        for file in files(name):
            with xarray.open_dataset(file) as data:
                assert not [v for v in data.variables if data[v].dtype.kind in "mM"]
                assert data.time.attrs["units"] == "s"


def test_two_dimensions_are_t_y_x():
    with h5py.File(out("two") / "fields.h5") as file:
        assert file["T"].shape == (5, 5, 8) and file["y"].shape == (5,) and file["x"].shape == (8,)


def test_text_attributes_have_fixed_length():
    for name in ALL:
        for path in files(name):
            with h5py.File(path) as file:
                for where, item in objects(file):
                    for key in item.attrs:
                        kind = item.attrs.get_id(key).get_type()
                        if kind.get_class() == h5py.h5t.STRING:
                            assert not kind.is_variable_str(), (path, where, key)


def test_format_is_of_1_8_without_open_flag():
    for name in ALL:
        for path in files(name):
            head = path.read_bytes()[:12]
            assert head[:8] == b"\x89HDF\r\n\x1a\n"
            assert head[8] <= 2, f"{path}: superblock version {head[8]}: of 1.10, which marks open files"


def test_no_user_block():
    for name in ALL:
        for path in files(name):
            with h5py.File(path) as file:
                assert file.userblock_size == 0


def test_contiguous_unless_compressed():
    for name, chunked in (("two", False), ("single", False), ("packed", True), ("small", True)):
        with h5py.File(out(name) / "snapshots/000001.h5") as file:
            assert (file["T"].chunks is not None) == chunked
            assert file["T"].compression == ("gzip" if chunked else None)
            for axis in "xy":
                assert file[axis].chunks is None


def test_names_without_slash_and_dot():
    for name in ALL:
        for path in files(name):
            with h5py.File(path) as file:
                assert not [where for where, item in objects(file) if "." in where]
    with h5py.File(out("two") / "series.h5") as file:
        assert "probe_middle" in file and "flux_x_min" in file


def test_only_fields_and_coordinates_at_the_root():
    with h5py.File(out("two") / "fields.h5") as file:
        assert set(file) == {"T", "time", "x", "y", "x_bnds", "y_bnds", "bnds", "run", "VTKHDF"}
        assert {"ranks", "version", "commit", "hdf5", "host", "date", "wall_seconds"} <= set(file["run"].attrs)
        assert b"solver: heat" in numpy.array(file["run/deck"]).tobytes()


def test_nothing_outside_run_depends_on_ranks():
    assert inkdrop("run", out("two").with_suffix(".yaml"), "--output", "two_1", ranks=1).returncode == 0

    def contents(path):
        with h5py.File(path) as file:
            found = {}
            for where, item in objects(file):
                if where == "run" or where.startswith("run/"):
                    continue
                found[where] = {key: item.attrs[key] for key in item.attrs if key not in ("DIMENSION_LIST", "REFERENCE_LIST")}
                if isinstance(item, h5py.Dataset):
                    found[where][""] = item[()].tobytes()
            return found

    for file in ["fields.h5", "series.h5"] + [f"snapshots/{n:06d}.h5" for n in range(5)]:
        numpy.testing.assert_equal(contents(FOLDER / "two_1" / file), contents(out("two") / file))
    one, two = ((folder / "checkpoints/000000.h5").read_bytes() for folder in (FOLDER / "two_1", out("two")))
    assert one == two


def test_index_parted_from_its_snapshots_is_told():
    """It reads as NaN without a word, which is what pack is for; info says so."""
    folder = copy("two", "parted")
    (folder / "fields.h5").rename(FOLDER / "alone.h5")
    with h5py.File(FOLDER / "alone.h5") as file:
        assert numpy.isnan(file["T"][()]).all()
    done = inkdrop("info", "alone.h5")
    assert "5 of its 5 snapshots are missing" in done.stdout


def test_index_moves_with_its_snapshots():
    folder = copy("two", "moved")
    with xarray.open_dataset(folder / "fields.h5") as data:
        check("two", data)


@pytest.mark.parametrize("name", ["two", "graded", "single", "cylinder"])
def test_pack_stands_alone(name):
    packed = FOLDER / f"{name}_packed.h5"
    done = inkdrop("pack", out(name), packed)
    assert done.returncode == 0, done.stderr
    moved = FOLDER / "elsewhere" / f"{name}.h5"
    moved.parent.mkdir(exist_ok=True)
    packed.rename(moved)
    with xarray.open_dataset(moved) as data:
        check(name, data)
    with h5py.File(moved) as file:
        assert not file["T"].is_virtual and ("VTKHDF" in file) == (name in ("two", "single")) and "deck" in file["run"]


def test_pack_does_not_overwrite():
    target = FOLDER / "mine.h5"
    target.write_text("precious")
    done = inkdrop("pack", out("two"), target)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "exists already" in done.stderr
    assert target.read_text() == "precious"


def test_pack_of_what_is_not_a_run():
    (FOLDER / "empty").mkdir()
    for folder in ("empty", "not_there", out("two") / "deck.yaml"):
        done = inkdrop("pack", folder, "never.h5")
        assert done.returncode == 2 and done.stderr.count("\n") == 1 and str(folder) in done.stderr
    folder = copy("two", "gap")
    (folder / "snapshots/000002.h5").unlink()
    done = inkdrop("pack", folder, "never.h5")
    assert done.returncode == 74 and done.stderr.count("\n") == 1 and "000002.h5" in done.stderr
    assert not list(FOLDER.glob("never.h5*"))


def test_deck_is_the_same_to_yaml_1_1_and_1_2():
    """PyYAML reads YAML 1.1. In it a plain y, on or 1e-6 is not what 1.2 says: such are quoted or written 1.0e-06."""
    class Core(yaml.SafeLoader):  # the core schema of YAML 1.2
        yaml_implicit_resolvers = {}

    Core.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
    Core.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(~|null|Null|NULL|)$"), ["~", "n", "N", ""])
    Core.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^([-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$"), list("-+0123456789"))
    Core.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"^([-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$"),
                               list("-+0123456789."))
    Core.add_constructor("tag:yaml.org,2002:float", lambda loader, node: float(node.value))
    Core.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(node.value))  # no octal, no hexadecimal: an error
    for name in ALL:
        text = (out(name) / "deck.yaml").read_text()
        old, new = yaml.safe_load(text), yaml.load(text, Core)
        assert old == new
        assert isinstance(old["time"]["tolerance"], float)
    assert set(old["mesh"]) >= {"r"}
    two = yaml.safe_load((out("two") / "deck.yaml").read_text())
    assert two["mesh"]["y"]["to"] == 2.5 and two["title"] == "a plane: 'T' and more"


def test_deck_gives_the_same_run():
    done = inkdrop("run", out("two") / "deck.yaml", "--output", "again")
    assert done.returncode == 0, done.stderr
    for n in range(5):
        with h5py.File(out("two") / f"snapshots/{n:06d}.h5") as one, h5py.File(FOLDER / f"again/snapshots/{n:06d}.h5") as two:
            assert one["T"][()].tobytes() == two["T"][()].tobytes()


def test_no_open_flag_after_a_kill():
    """What stands after kill -9 opens, for reading and for writing, with a libhdf5 that looks for the mark of an open file."""
    deck = FOLDER / "long.yaml"
    text = out("two").with_suffix(".yaml").read_text().replace("end: 1 s", "end: 4000 s")
    deck.write_text(text.replace("every: 0.25 s", "every: 1 s"))
    folder = FOLDER / "killed"
    run = subprocess.Popen([INKDROP, "run", str(deck), "--output", str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                           stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while len(list((folder / "snapshots").glob("*.h5"))) < 12 and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
    written = [folder / "fields.h5", *sorted((folder / "snapshots").glob("*.h5"))]
    assert len(written) > 12
    for path in written:
        with h5py.File(path, "r+") as file:
            assert numpy.isfinite(file["T"][0]).all()


# The verb info.

def test_info():
    done = inkdrop("info", out("two") / "snapshots/000002.h5")
    assert done.returncode == 0 and done.stderr == ""
    for words in ("snapshot\n", "a plane: 'T' and more", "time       0.5 s", "1 x 5 x 8", "318.75 to 536.25"):
        assert words in done.stdout, words
    done = inkdrop("info", out("two") / "fields.h5")
    assert done.returncode == 0 and "index\n" in done.stdout and "5 from 0 to 1 s" in done.stdout and "5 x 5 x 8" in done.stdout
    done = inkdrop("info", out("two") / "series.h5")
    assert done.returncode == 0 and "probe_middle" in done.stdout and "400 to 405" in done.stdout
    done = inkdrop("info", out("two") / "checkpoints/000000.h5")
    assert done.returncode == 0 and "checksum   holds" in done.stdout and "state/T" in done.stdout
    inkdrop("pack", out("two"), "for_info.h5")
    done = inkdrop("info", "for_info.h5")
    assert done.returncode == 0 and "packed\n" in done.stdout


def test_info_of_state_variables():
    done = inkdrop("info", out("graded_phase") / "fields.h5")
    lines = {line.split()[0]: line for line in done.stdout.splitlines() if line.startswith("  ")}
    assert list(lines) == ["x", "v", "p"] and lines["v"].endswith(" m/s  cell centroids") and "5 x 10 x 12" in lines["p"]


def test_info_of_a_foreign_file():
    with h5py.File(FOLDER / "foreign.h5", "w") as file:
        file["a/b"] = numpy.arange(12.0).reshape(3, 4)
        file.attrs["note"] = "variable length text"
        file["words"] = ["one", "two"]
    done = inkdrop("info", "foreign.h5")
    assert done.returncode == 0 and "did not write" in done.stdout and "3 x 4" in done.stdout


def test_info_of_bad_files():
    good = out("two") / "checkpoints/000000.h5"
    data = good.read_bytes()
    flipped = bytearray(data)
    flipped[len(data) // 2] ^= 1
    bad = {"empty": b"", "text": b"not HDF5 at all\n" * 20, "cut": data[: len(data) // 2], "head": data[:40], "flipped": bytes(flipped)}
    for name, content in bad.items():
        path = FOLDER / f"bad_{name}.h5"
        path.write_bytes(content)
        if name == "flipped":
            path.with_name(path.name + ".sum").write_bytes((good.parent / "000000.h5.sum").read_bytes())
        done = inkdrop("info", path)
        assert done.returncode == 74, (name, done.returncode, done.stdout)
        assert done.stderr.count("\n") == 1 and str(path) in done.stderr, (name, done.stderr)
    (FOLDER / "bad_sum.h5").write_bytes(data)
    (FOLDER / "bad_sum.h5.sum").write_text("what is this\n")
    for path in ("bad_sum.h5", "not_there.h5", "."):
        done = inkdrop("info", path)
        assert done.returncode == 74 and done.stderr.count("\n") == 1 and path in done.stderr, (path, done)


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--no-header", "-p", "no:cacheprovider", *sys.argv[1:], __file__]))
