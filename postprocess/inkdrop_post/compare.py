"""Are two results the same? Every dataset and attribute, byte for byte, except the group /run.

/run holds what may differ between runs of the same deck (ranks, host, date, timings); nothing else may.
"""

import os

import h5py
import numpy

from .files import NoResult

# How netCDF-4 ties datasets together: references into the file, which are not data.
_BOOKKEEPING = {"DIMENSION_LIST", "REFERENCE_LIST", "_NCProperties"}
_BLOCK_BYTES = 64 << 20


def _result_files(path):
    """Names of the HDF5 results below a run's folder. Checkpoints are left out: when they come is wall clock."""
    names = [name for name in ("fields.h5", "series.h5", "samples.h5") if os.path.isfile(os.path.join(path, name))]
    for folder in ("snapshots", "samples"):
        if os.path.isdir(os.path.join(path, folder)):
            files = sorted(os.listdir(os.path.join(path, folder)))
            names += [os.path.join(folder, name) for name in files if name.endswith(".h5")]
    return names


def _items(handle):
    """{path: dataset or group} of everything outside /run, hard links under each of their names."""
    found = {}

    def walk(group, prefix):
        for name in group:
            path = f"{prefix}/{name}"
            if path == "/run":
                continue
            found[path] = group[name]
            if isinstance(group[name], h5py.Group):
                walk(group[name], path)

    found["/"] = handle
    walk(handle, "")
    return found


def _blocks(dataset):
    """Selections that cover a dataset in parts of about 64 MB."""
    if dataset.ndim == 0 or dataset.shape[0] == 0:
        yield ()
        return
    row = max(1, dataset.nbytes // dataset.shape[0])
    step = max(1, _BLOCK_BYTES // row)
    for start in range(0, dataset.shape[0], step):
        yield slice(start, start + step)


def _differences_in_values(a, b, within):
    """One line about the values of two datasets of equal type and shape, or None. within: relative to the largest."""
    worst, largest, unequal = 0.0, 0.0, False
    for block in _blocks(a):
        left, right = numpy.asarray(a[block]), numpy.asarray(b[block])
        if left.dtype.hasobject:
            unequal |= left.tolist() != right.tolist()
            continue
        if left.tobytes() == right.tobytes():
            if left.dtype.kind == "f" and left.size:
                largest = max(largest, float(numpy.abs(left).max()))
            continue
        unequal = True
        if left.dtype.kind in "fiu":
            difference = numpy.abs(left.astype(float) - right.astype(float))
            worst = max(worst, float(difference.max()))  # a NaN is the worst
            largest = max(largest, float(numpy.abs(left).max()))
            if numpy.isnan(difference).any():
                worst = float("nan")
    close = within > 0 and a.dtype.kind == "f" and worst <= within * largest
    if not unequal or close:
        return None
    if a.dtype.kind in "fiu":
        return f"values differ by up to {worst:.3g} (largest value {largest:.3g})"
    return "values differ"


def _differences_in_attributes(a, b):
    names_a, names_b = set(a.attrs) - _BOOKKEEPING, set(b.attrs) - _BOOKKEEPING
    for name in sorted(names_a ^ names_b):
        yield f"attribute {name} is only in the {'first' if name in names_a else 'second'}"
    for name in sorted(names_a & names_b):
        left, right = numpy.asarray(a.attrs[name]), numpy.asarray(b.attrs[name])
        same = left.tolist() == right.tolist() if left.dtype.hasobject else left.tobytes() == right.tobytes()
        if left.dtype != right.dtype or not same:
            yield f"attribute {name}: {a.attrs[name]!r} and {b.attrs[name]!r}"


def _compare_files(file_a, file_b, label, within):
    lines = []
    with h5py.File(file_a, "r") as handle_a, h5py.File(file_b, "r") as handle_b:
        items_a, items_b = _items(handle_a), _items(handle_b)
        for path in sorted(set(items_a) ^ set(items_b)):
            lines.append(f"{label}{path}: only in the {'first' if path in items_a else 'second'}")
        for path in sorted(set(items_a) & set(items_b)):
            a, b = items_a[path], items_b[path]
            if isinstance(a, h5py.Dataset) != isinstance(b, h5py.Dataset):
                lines.append(f"{label}{path}: a group in one and a dataset in the other")
                continue
            lines += [f"{label}{path}: {text}" for text in _differences_in_attributes(a, b)]
            if not isinstance(a, h5py.Dataset):
                continue
            if a.dtype != b.dtype or a.shape != b.shape:
                lines.append(f"{label}{path}: {a.dtype}{a.shape} and {b.dtype}{b.shape}")
                continue
            text = _differences_in_values(a, b, within)
            if text:
                lines.append(f"{label}{path}: {text}")
    return lines


def compare(a, b, within=0.0):
    """Differences between two runs (folders) or two HDF5 files as a list of lines; empty when they are the same.

    within: floating-point values may differ by this much, relative to the dataset's largest value; 0 asks for
    every byte. Raises NoResult when there is nothing to compare.
    """
    a, b = os.fspath(a), os.fspath(b)
    for path in (a, b):
        if not os.path.exists(path):
            raise NoResult(f"{path}: no such folder or file")
    try:
        if os.path.isfile(a) and os.path.isfile(b):
            return _compare_files(a, b, "", within)
        names_a, names_b = _result_files(a), _result_files(b)
        for path, names in ((a, names_a), (b, names_b)):
            if not names:
                raise NoResult(f"{path}: holds no results (fields.h5, series.h5, snapshots)")
        lines = [
            f"{name}: only in the {'first' if name in names_a else 'second'}"
            for name in sorted(set(names_a) ^ set(names_b))
        ]
        for name in sorted(set(names_a) & set(names_b)):
            lines += _compare_files(os.path.join(a, name), os.path.join(b, name), name + ":", within)
        return lines
    except OSError as error:
        raise NoResult(f"cannot read: {error}") from None
