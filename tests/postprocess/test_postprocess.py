"""The Python package of postprocess/ on files laid out as inkdrop writes them (netCDF-4/CF root, /run, an index)."""

import json
import os
import shutil
import subprocess
import sys

import h5py
import numpy
import pytest
import xarray

import inkdrop_post

AXES = {1: ("x",), 2: ("y", "x"), 3: ("z", "y", "x")}


def field(dim, times, cells):
    """A smooth field over (time, [z, y,] x), its coordinates and bounds."""
    faces = numpy.linspace(0.0, 0.1, cells + 1)
    centres = 0.5 * (faces[1:] + faces[:-1])
    coordinates = {"time": ("time", times, {"units": "s", "long_name": "time"})}
    bounds = {}
    for name in AXES[dim]:
        coordinates[name] = (name, centres, {"units": "m", "bounds": f"{name}_bnds"})
        bounds[f"{name}_bnds"] = ((name, "bnds"), numpy.stack([faces[:-1], faces[1:]], axis=1))
    space = sum(numpy.meshgrid(*[numpy.sin(40 * centres) + centres] * dim, indexing="ij"))
    values = 300 + numpy.exp(-times / 10).reshape((-1,) + (1,) * dim) * space
    data = {"T": (("time",) + AXES[dim], values, {"units": "K", "long_name": "temperature"})}
    return xarray.Dataset({**data, **bounds}, coordinates)


def write(dataset, path, host="here"):
    dataset.to_netcdf(path, engine="h5netcdf")
    with h5py.File(path, "a") as file:
        run = file.create_group("run")
        run.attrs["title"] = numpy.bytes_("A slab $ cooling")
        run.attrs["host"] = numpy.bytes_(host)


def make_run(out, dim=1, cells=12, rows=9, host="here"):
    """A folder like that of a run: snapshots, the virtual index over them, a series, a report."""
    times = numpy.linspace(0.0, 32.0, rows)
    (out / "snapshots").mkdir(parents=True)
    whole = field(dim, times, cells)
    for i in range(rows):
        write(whole.isel(time=slice(i, i + 1)), out / "snapshots" / f"{i:06d}.h5", host)
    write(whole, out / "fields.h5", host)
    shape = whole["T"].shape
    with h5py.File(out / "fields.h5", "a") as file:
        layout = h5py.VirtualLayout(shape, float)
        for i in range(rows):
            layout[i] = h5py.VirtualSource(f"snapshots/{i:06d}.h5", "T", (1,) + shape[1:])[0]
        scales = [file[name] for name in ("time",) + AXES[dim]]
        del file["T"]
        virtual = file.create_virtual_dataset("T", layout)
        virtual.attrs["units"] = numpy.bytes_("K")
        virtual.attrs["long_name"] = numpy.bytes_("temperature")
        for i, scale in enumerate(scales):
            virtual.dims[i].attach_scale(scale)
    series = {"probe_centre": (("time",), numpy.cos(times), {"units": "K", "long_name": "probe:centre"}),
              "flux_x_min": (("time",), times**2, {"units": "W m-2", "long_name": "flux:x_min"})}  # fmt: skip
    write(xarray.Dataset(series, {"time": ("time", times, {"units": "s"})}), out / "series.h5", host)
    (out / "deck.yaml").write_text("solver: heat\n")
    (out / "report.json").write_text(json.dumps({"status": "finished", "verify": []}))
    return whole


def command(*arguments, cwd):
    return subprocess.run([sys.executable, "-m", "inkdrop_post", *map(str, arguments)], cwd=cwd, capture_output=True, text=True)


def test_open_gives_the_values_coordinates_units_and_title(tmp_path):
    whole = make_run(tmp_path / "a.out", dim=2)
    with inkdrop_post.open(tmp_path / "a.out") as dataset:
        assert dataset["T"].dims == ("time", "y", "x")
        assert (dataset["T"].values == whole["T"].values).all()
        assert (dataset["time"].values == whole["time"].values).all()
        assert dataset["time"].dtype == float and dataset["time"].attrs["units"] == "s"
        assert dataset["T"].attrs["units"] == "K"
        assert dataset.attrs["title"] == "A slab $ cooling"
        assert dataset["T"].chunks is not None, "must be lazy"


def test_one_snapshot_opens_too(tmp_path):
    whole = make_run(tmp_path / "a.out")
    with inkdrop_post.open(tmp_path / "a.out/snapshots/000003.h5") as dataset:
        assert (dataset["T"].values == whole["T"].values[3:4]).all()


def test_series_and_report(tmp_path):
    make_run(tmp_path / "a.out")
    with inkdrop_post.open_series(tmp_path / "a.out") as series:
        assert set(series.data_vars) == {"probe_centre", "flux_x_min"}
    assert inkdrop_post.report(tmp_path / "a.out")["status"] == "finished"


def test_an_index_parted_from_its_snapshots_is_refused_not_read_as_nan(tmp_path):
    make_run(tmp_path / "a.out")
    shutil.copy(tmp_path / "a.out/fields.h5", tmp_path / "alone.h5")
    with pytest.raises(inkdrop_post.NoResult, match="inkdrop pack"):
        inkdrop_post.open(tmp_path / "alone.h5")
    os.remove(tmp_path / "a.out/snapshots/000002.h5")
    with pytest.raises(inkdrop_post.NoResult, match="000002.h5"):
        inkdrop_post.open(tmp_path / "a.out")


def test_what_is_missing_is_named(tmp_path):
    make_run(tmp_path / "a.out")
    os.remove(tmp_path / "a.out/series.h5")
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.h5").write_text("no HDF5")
    with pytest.raises(inkdrop_post.NoResult, match="no such folder"):
        inkdrop_post.open(tmp_path / "nowhere.out")
    with pytest.raises(inkdrop_post.NoResult, match="not a folder of results"):
        inkdrop_post.open(tmp_path / "empty")
    with pytest.raises(inkdrop_post.NoResult, match="output.series"):
        inkdrop_post.open_series(tmp_path / "a.out")
    with pytest.raises(inkdrop_post.NoResult, match="not a readable HDF5 file"):
        inkdrop_post.open(tmp_path / "text.h5")
    done = command("plot", "nowhere.out", cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "nowhere.out" in done.stderr


def pixels(path):
    import matplotlib.image

    image = matplotlib.image.imread(path)
    assert image.std() > 0.02, "an empty picture"
    return image.shape


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_plot_writes_a_picture(tmp_path, dim):
    make_run(tmp_path / "a.out", dim=dim)
    done = command("plot", "a.out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "" and done.stdout.strip() == "picture: a.png"
    assert min(pixels(tmp_path / "a.png")[:2]) > 300


def test_plot_draws_what_the_file_holds(tmp_path):
    whole = make_run(tmp_path / "a.out", dim=1)
    figure = inkdrop_post.plot(tmp_path / "a.out", times=[0, 31], series=False)
    (axes,) = figure.axes
    drawn = [line.get_ydata() for line in axes.lines]
    assert [list(line) for line in drawn] == [list(whole["T"].values[0]), list(whole["T"].values[-1])]
    assert axes.get_ylabel() == "temperature T (K)" and axes.get_xlabel() == "$x$ (mm)"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["$t$ = 0 s", "$t$ = 32 s"]
    assert axes.get_xlim() == pytest.approx((0.0, 100.0)), "the profile's frame ends at the sides, not at the last centroids"


def test_a_solve_without_steps_has_one_picture_and_no_time(tmp_path):
    whole = make_run(tmp_path / "a.out")
    with h5py.File(tmp_path / "a.out/fields.h5", "a") as file:
        file["run"].attrs["method"] = numpy.bytes_("steady")
    (axes,) = inkdrop_post.plot(tmp_path / "a.out", series=False).axes
    assert [list(line.get_ydata()) for line in axes.lines] == [list(whole["T"].values[-1])] and axes.get_legend() is None


def test_the_point_a_density_starts_as_is_left_out_unless_asked_for(tmp_path):
    times, x = numpy.array([0.0, 1.0, 2.0]), numpy.linspace(-0.95, 0.95, 20)
    p = numpy.exp(-((x / numpy.array([[0.01], [0.3], [0.4]])) ** 2)) * numpy.array([[10], [1], [0.7]])
    p[0, 9] = 10
    dataset = xarray.Dataset({"p": (("time", "v"), p, {"units": "1", "long_name": "probability density"})},
                             {"time": ("time", times, {"units": "s"}), "v": ("v", x, {"units": "1"})})  # fmt: skip
    write(dataset, tmp_path / "p.h5")
    for asked, expect in ((None, ["$t$ = 1", "$t$ = 2"]), ([0, 2], ["$t$ = 0", "$t$ = 2"])):
        (axes,) = inkdrop_post.plot(tmp_path / "p.h5", times=asked).axes
        assert [text.get_text() for text in axes.get_legend().get_texts()] == expect and axes.get_xlabel() == "$v$"


def test_maps_share_one_scale_and_true_proportions(tmp_path):
    whole = make_run(tmp_path / "a.out", dim=2)
    figure = inkdrop_post.plot(tmp_path / "a.out", series=False)
    maps = [axes for axes in figure.axes if axes.get_title().startswith("$t$")]
    assert [m.get_title() for m in maps] == ["$t$ = 0 s", "$t$ = 16 s", "$t$ = 32 s"]
    assert all(axes.get_aspect() == 1.0 for axes in maps)
    limits = {axes.collections[0].get_clim() for axes in maps}
    assert limits == {(whole["T"].values.min(), whole["T"].values.max())}
    assert (maps[-1].collections[0].get_array() == whole["T"].values[-1]).all()


def particles(dims, paths=7):
    """What a run of particles leaves: a histogram p, the density beside it, and the places of some particles."""
    times, centres = numpy.linspace(0, 1, 5), numpy.linspace(-0.9, 0.9, 10)
    space = sum(numpy.meshgrid(*[centres**2] * len(dims), indexing="ij"))
    density = numpy.exp(-times.reshape((-1,) + (1,) * len(dims)) * space)
    where = numpy.sin(numpy.outer(times, numpy.arange(paths)))
    data = {"p": (("time", *dims), density + 0.1, {"units": "1", "long_name": "probability density"}),
            "density": (("time", *dims), density, {"units": "1", "long_name": "probability density, of the cells"}),
            "path_x": (("time", "path"), where, {"units": "1", "long_name": "places of particles"})}  # fmt: skip
    coordinates = {"time": ("time", times, {"units": "s"}), "path": ("path", numpy.arange(paths), {"units": "1"})}
    return xarray.Dataset(data, {**coordinates, **{dim: (dim, centres, {"units": "1"}) for dim in dims}})


def test_particles_are_drawn_with_the_density_on_the_histogram_and_paths_over_time(tmp_path):
    whole = particles(("x",))
    write(whole, tmp_path / "p.h5")
    histogram, paths = inkdrop_post.plot(tmp_path / "p.h5").axes
    assert len(histogram.patches) == len(histogram.lines) == 5
    assert (histogram.patches[1].get_data().values == whole["p"].values[1]).all()
    assert (histogram.lines[1].get_ydata() == whole["density"].values[1]).all()
    assert len(paths.lines) == 7 and paths.get_xlabel() == "$t$" and paths.get_ylabel() == "$x$ of 7 particles"
    drawn = sorted(tuple(line.get_ydata()) for line in paths.lines)
    assert drawn == sorted(map(tuple, whole["path_x"].values.T))


def test_a_histogram_and_its_density_share_their_colours(tmp_path):
    write(particles(("v", "x")), tmp_path / "p.h5")
    figure = inkdrop_post.plot(tmp_path / "p.h5")
    limits = {axes.collections[0].get_clim() for axes in figure.axes if axes.get_title().startswith("$t$")}
    assert len(limits) == 1 and sum(len(axes.lines) == 7 for axes in figure.axes) == 1


@pytest.mark.parametrize("dim", [1, 2])
def test_animate_shows_every_snapshot_of_runs_side_by_side(tmp_path, dim):
    from PIL import Image

    make_run(tmp_path / "a.out", dim=dim, rows=9)
    make_run(tmp_path / "b.out", dim=dim, rows=5)
    done = command("animate", "a.out", "b.out", "--names", "forward", "other", cwd=tmp_path)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "animation: a.gif\n")
    with Image.open(tmp_path / "a.gif") as film:
        pictures = []
        for frame in range(film.n_frames):
            film.seek(frame)
            pictures.append(numpy.asarray(film.convert("RGB")))
    assert len(pictures) == 9
    changes = [numpy.argwhere((a != b).any(axis=2))[:, 1] for a, b in zip(pictures, pictures[1:])]
    width = pictures[0].shape[1]
    assert all(columns.min() < 0.4 * width for columns in changes), "the first run has a new picture in every frame"
    assert sum(columns.max() > 0.7 * width for columns in changes) == 4, "the second has half as many"


def test_animate_refuses_in_one_line(tmp_path):
    make_run(tmp_path / "a.out")
    make_run(tmp_path / "c.out", dim=3)
    for arguments, word in ((["a.out", "--names", "a", "b"], "1 runs but 2 names"), (["c.out"], "one or two axes"), (["a.out", "-o", "a.png"], ".gif")):
        done = command("animate", *arguments, cwd=tmp_path)
        assert done.returncode == 2 and word in done.stderr and done.stderr.count("\n") == 1


def test_plot_refuses_what_it_cannot_do_in_one_line(tmp_path):
    make_run(tmp_path / "a.out")
    for arguments, word in ((["--field", "U"], "no field 'U'; there are: T"), (["-o", "a.doc"], ".doc"),
                            (["-o", "no/such/folder/a.png"], "cannot write")):  # fmt: skip
        done = command("plot", "a.out", *arguments, cwd=tmp_path)
        assert done.returncode == 2 and word in done.stderr and "Traceback" not in done.stderr


def test_compare_sees_one_bit_and_ignores_run(tmp_path):
    make_run(tmp_path / "a.out", host="here")
    make_run(tmp_path / "b.out", host="there")
    done = command("compare", "a.out", "b.out", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "the same\n")
    with h5py.File(tmp_path / "b.out/snapshots/000004.h5", "a") as file:
        values = file["T"][...]
        values[0, 7] = numpy.nextafter(values[0, 7], 1e9)
        file["T"][...] = values
    done = command("compare", "a.out", "b.out", cwd=tmp_path)
    assert done.returncode == 1
    assert "snapshots/000004.h5:/T: values differ" in done.stdout and "fields.h5:/T: values differ" in done.stdout
    assert len(done.stdout.splitlines()) == 2
    assert inkdrop_post.compare(tmp_path / "a.out", tmp_path / "b.out", within=1e-14) == []


def test_compare_sees_zeros_of_either_sign_nan_names_shapes_and_attributes(tmp_path):
    def pair(change):
        for name in "ab":
            with h5py.File(tmp_path / f"{name}.h5", "w") as file:
                file["T"] = numpy.array([0.0, 1.0])
                file["T"].attrs["units"] = "K"
        with h5py.File(tmp_path / "b.h5", "a") as file:
            change(file)
        return inkdrop_post.compare(tmp_path / "a.h5", tmp_path / "b.h5", within=1e-3)

    def put(value):
        def change(file):
            file["T"][0] = value

        return change

    assert pair(lambda file: None) == []
    assert "differ by up to nan" in pair(put(numpy.nan))[0]
    assert inkdrop_post.compare(tmp_path / "a.h5", tmp_path / "b.h5")
    pair(put(-0.0))
    assert inkdrop_post.compare(tmp_path / "a.h5", tmp_path / "b.h5"), "-0 and 0 differ in a bit"
    assert pair(lambda file: file["T"].attrs.modify("units", "C")) == ["/T: attribute units: 'K' and 'C'"]
    assert pair(lambda file: file.create_dataset("U", data=1.0)) == ["/U: only in the second"]
    assert pair(lambda file: file.create_group("run").attrs.create("ranks", 3)) == []
    assert "no such" in str(pytest.raises(inkdrop_post.NoResult, inkdrop_post.compare, "nowhere", tmp_path / "a.h5").value)


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", __file__]))
