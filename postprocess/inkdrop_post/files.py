"""The files of a run: OUT/fields.h5 (all snapshots), OUT/series.h5, OUT/report.json."""

import builtins
import json
import os

import h5py
import xarray


class NoResult(Exception):
    """There is nothing to read at a path; the message says what is missing and what to do."""


def _text(value):
    """A text attribute or dataset of HDF5 as str; anything else as it is."""
    if hasattr(value, "shape") and value.shape == (1,):
        value = value[0]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _run_texts(handle):
    """Short texts of the group /run (title, solver, method, ...), whether kept as attributes or datasets."""
    if "run" not in handle:
        return {}
    run = handle["run"]
    texts = {name: _text(value) for name, value in run.attrs.items()}
    for name, item in run.items():
        if isinstance(item, h5py.Dataset) and item.size == 1 and name not in texts:
            texts[name] = _text(item[()])
    return {name: text for name, text in texts.items() if isinstance(text, str)}


def _check_sources(handle, path):
    """A virtual dataset whose source files are gone reads as NaN without a word: refuse it instead."""
    folder = os.path.dirname(os.path.abspath(path))
    for name, item in handle.items():
        if not (isinstance(item, h5py.Dataset) and item.is_virtual):
            continue
        for source in item.virtual_sources():
            if source.file_name != "." and not os.path.exists(os.path.join(folder, source.file_name)):
                raise NoResult(
                    f"{path}: '{name}' is only an index, and {source.file_name} that it points to is not beside it; "
                    "keep OUT together, or make one portable file with `inkdrop pack OUT FILE`"
                )


def _find(path, name, what):
    """The file `name` of the run folder `path`, or `path` itself when it is a file."""
    path = os.fspath(path)
    if os.path.isfile(path):
        return path
    if not os.path.isdir(path):
        raise NoResult(f"{path}: no such folder or file; give the folder that inkdrop wrote (DECKNAME.out or --output)")
    file = os.path.join(path, name)
    if os.path.isfile(file):
        return file
    if not any(os.path.exists(os.path.join(path, known)) for known in ("deck.yaml", "report.json", "snapshots")):
        raise NoResult(f"{path}: not a folder of results: it has neither {name} nor deck.yaml")
    raise NoResult(f"{path}: no {name}: {what}")


def _open_dataset(file):
    try:
        with h5py.File(file, "r") as handle:
            _check_sources(handle, file)
            texts = _run_texts(handle)
    except OSError as error:
        raise NoResult(f"{file}: not a readable HDF5 file ({error})") from None
    dataset = xarray.open_dataset(file, engine="h5netcdf", chunks={}, decode_timedelta=False)
    for name in ("title", "solver", "method"):
        if not dataset.attrs.get(name) and texts.get(name):
            dataset.attrs[name] = texts[name]
    return dataset


def open(path):
    """The fields of a run as an xarray Dataset, read lazily.

    path: the folder of a run (all snapshots), a packed file or one snapshot. Each field has the dimensions
    (time, [z,] [y,] x) and the attributes `units` and `long_name`. Raises NoResult.
    """
    return _open_dataset(_find(path, "fields.h5", "the run has written no snapshot yet"))


def open_series(path):
    """The time series of a run (probes, integrals, fluxes) as an xarray Dataset over `time`. Raises NoResult."""
    return _open_dataset(_find(path, "series.h5", "the deck asks for no series (output.series)"))


def report(path):
    """OUT/report.json as a dict: status, exit code, the list `verify`. Raises NoResult."""
    file = _find(path, "report.json", "the run has not ended yet")
    try:
        with builtins.open(file, encoding="utf-8") as handle:
            return json.load(handle)
    except ValueError as error:
        raise NoResult(f"{file}: not a report ({error})") from None
