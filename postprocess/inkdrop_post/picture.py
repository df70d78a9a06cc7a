"""Pictures of a run: profiles in 1-D, maps in 2-D, central slices in 3-D, and the time series below them."""

import os
import re

import matplotlib
import numpy
from matplotlib.colors import LogNorm, Normalize, PowerNorm
from matplotlib.figure import Figure

from .files import NoResult, open, open_series

_STYLE = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.formatter.limits": (-3, 4),
    "axes.formatter.use_mathtext": True,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "lines.linewidth": 1.3,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "mathtext.fontset": "dejavusans",
    "savefig.dpi": 200,
}
_COLOURS = ["#1f4e79", "#c0562b", "#3a7d44", "#7a4c9a", "#8c6d1f", "#2b8c8c", "#a23b5c", "#555555"]
_PREFIXES = {
    "m": [(1e3, "km"), (1.0, "m"), (1e-3, "mm"), (1e-6, "µm"), (1e-9, "nm")],
    "s": [(3.15576e7, "years"), (86400.0, "days"), (3600.0, "h"), (60.0, "min"), (1.0, "s"),
          (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")],
}  # fmt: skip
_MOST_PANELS = {1: 6, 2: 4, 3: 1}  # times shown unless asked otherwise


def _display_unit(values, unit):
    """(factor, unit) so that the largest of `values` / factor reads well: lengths and times only."""
    largest = float(numpy.nanmax(numpy.abs(values))) if numpy.size(values) else 0.0
    for factor, name in _PREFIXES.get(unit, []):
        # Times up to two of the larger unit stay in the smaller one: 90 s, not 1.5 min.
        if largest >= factor * (2 if unit == "s" and factor > 1 else 1) * (1 - 1e-9):
            return factor, name
    return 1.0, unit


def _label(name, unit):
    """The name with its unit in parentheses, exponents raised."""
    if unit in (None, "", "1"):
        return name
    raised = re.sub(r"\^([-+]?[0-9]+)", r"$^{\1}$", str(unit))
    return f"{name} ({raised})"


def _name_of(variable):
    """T, or "temperature T" when the file says what T is."""
    long_name = variable.attrs.get("long_name", "")
    name = str(variable.name)
    return name if not long_name or long_name == name else f"{long_name} {name}" if len(name) <= 2 else long_name


class _Look:
    """What a caller may choose about a map: the scale of its colours, their map, and the field's name."""

    def __init__(self, scale="linear", colours="viridis", label=None):
        if colours not in matplotlib.colormaps:
            raise NoResult(f"no colour map '{colours}'; some are: viridis, inferno, Blues, coolwarm")
        self.scale, self.colours, self.label = scale, colours, label

    def norm(self, arrays):
        low = min(float(numpy.nanmin(a)) for a in arrays)
        high = max(float(numpy.nanmax(a)) for a in arrays)
        if not high > low:
            return Normalize(low - 0.5, high + 0.5)
        if self.scale == "sqrt":
            return PowerNorm(0.5, low, high)
        if self.scale == "log":
            if high <= 0:
                raise NoResult("a logarithmic scale needs positive values")
            return LogNorm(max(low, 1e-6 * high), high, clip=True)
        return Normalize(low, high)

    def name_of(self, variable):
        return _label(self.label or _name_of(variable), variable.attrs.get("units"))


class _Axis:
    """A coordinate in the unit it is shown in, with the faces of its cells."""

    def __init__(self, dataset, name):
        coordinate = dataset[name]
        unit = coordinate.attrs.get("units", "1")
        centres = numpy.asarray(coordinate.values, dtype=float)
        bounds = coordinate.attrs.get("bounds") or coordinate.encoding.get("bounds") or f"{name}_bnds"
        if bounds in dataset.variables:
            ends = numpy.asarray(dataset[bounds].values, dtype=float)
            faces = numpy.concatenate([ends[:, 0], ends[-1:, 1]])
        else:
            middle = 0.5 * (centres[1:] + centres[:-1])
            faces = numpy.concatenate([[2 * centres[0] - middle[0]], middle, [2 * centres[-1] - middle[-1]]])
        factor, self.unit = _display_unit(faces, unit)
        self.name, self.centres, self.faces = name, centres / factor, faces / factor
        self.label = _label(f"${name}$", self.unit)
        self.low, self.high = self.faces[0], self.faces[-1]


def _is_solved(dataset):
    """Was there one solve instead of steps? Then only the last snapshot is of interest, and it has no time."""
    return dataset.attrs.get("method") == "steady"


def _towers(dataset, field):
    """Does a density begin as a point, beside which the rest of the run would not be seen?"""
    density = "probability density" in dataset[field].attrs.get("long_name", "") and dataset.sizes["time"] > 1
    return density and float(dataset[field][0].max()) > 5 * float(dataset[field][1].max())


def _choose_times(dataset, field, times, most):
    """Indices of the snapshots to show: those nearest to `times`, or `most` spread over the run."""
    available = numpy.asarray(dataset["time"].values, dtype=float)
    if available.size == 0:
        raise NoResult("the file holds no snapshot")
    if times:
        return list(dict.fromkeys(int(numpy.argmin(numpy.abs(available - time))) for time in times))
    last = available.size - 1
    if most == 1 or _is_solved(dataset):
        return [last]
    if _towers(dataset, field):
        return sorted(set(numpy.linspace(1, last, min(most, last)).round().astype(int).tolist()))
    if last < most:
        return list(range(last + 1))
    for stride in range(-(-last // (most - 1)), last // 2 + 1):  # evenly, when the count allows it
        if last % stride == 0 and 2 * (last // stride + 1) >= most:
            return list(range(0, last + 1, stride))
    return sorted(set(numpy.linspace(0, last, most).round().astype(int).tolist()))


def _time_unit(dataset):
    """That of the file; "1" for a deck without units, whose times are numbers too."""
    lengths = {dataset[name].attrs.get("units", "1") for name in dataset.dims if name != "time" and name in dataset.coords}
    return "1" if lengths <= {"1"} else dataset["time"].attrs.get("units", "s")


def _time_labels(dataset, indices):
    if _is_solved(dataset):
        return ["" for _ in indices]
    available = numpy.asarray(dataset["time"].values, dtype=float)
    if _time_unit(dataset) == "1":
        return [f"$t$ = {available[i]:.6g}" for i in indices]
    factor, unit = _display_unit(available, _time_unit(dataset))
    return [f"$t$ = {available[i] / factor:.4g} {unit}" for i in indices]


def _fields(dataset, wanted):
    """Fields to draw: those asked for, else all that live on (time, space)."""
    known = [name for name, variable in dataset.data_vars.items() if variable.dims[:1] == ("time",) and variable.ndim > 1
             and variable.dims[-1] in dataset.coords]  # fmt: skip
    for name in wanted or []:
        if name not in known:
            raise NoResult(f"no field '{name}'; there are: {', '.join(map(str, known)) or 'none'}")
    if not known:
        raise NoResult("the file holds no field over time and space")
    # A density over one axis is drawn into the panel of the histogram beside it.
    return wanted or [name for name in known if not (name == "density" and dataset[name].ndim == 2 and _density_beside(dataset, "p"))]


def _is_paths(dataset, field):
    """Does the field hold the places of particles, path_x(time, path), instead of values over space?"""
    return dataset[field].dims == ("time", "path")


def _paths(axes, dataset, field):
    """Places of particles over time: a line for each."""
    variable = dataset[field]
    places, times = variable.values, numpy.asarray(dataset["time"].values, dtype=float)
    factor, unit = _display_unit(places, variable.attrs.get("units", "1"))
    time_factor, time_unit = _display_unit(times, _time_unit(dataset))
    colours = matplotlib.colormaps["viridis"](numpy.linspace(0.0, 0.88, places.shape[1]))
    order = numpy.argsort(places[-1])  # a path's colour is its rank at the end
    for colour, path in zip(colours, order):
        axes.plot(times / time_factor, places[:, path] / factor, color=colour, linewidth=0.6, alpha=0.8)
    name = str(field).removeprefix("path_")
    axes.set(xlim=(times[0] / time_factor, times[-1] / time_factor), xlabel=_label("$t$", time_unit),
             ylabel=_label(f"${name}$ of {places.shape[1]} particles", unit))  # fmt: skip
    axes.margins(y=0.05)


def _density_beside(dataset, field):
    """The density that the histogram p of a particle run is held against, where the file has one."""
    return "density" if field == "p" and {"p", "density"} <= set(dataset) and dataset["density"].dims == dataset[field].dims else None


def _profiles(axes, dataset, field, indices, look):
    """A 1-D field: a line for each time; of particles steps, with the density as a line on them."""
    variable, axis = dataset[field], _Axis(dataset, dataset[field].dims[-1])
    colours = matplotlib.colormaps[look.colours](numpy.linspace(0.0, 0.88, len(indices)))
    density = _density_beside(dataset, field)
    for colour, index, label in zip(colours, indices, _time_labels(dataset, indices)):
        if density:
            axes.stairs(variable[index].values, axis.faces, color=colour, linewidth=0.7, alpha=0.8)
        axes.plot(axis.centres, dataset[density or field][index].values, color=colour, label=label)
    axes.set(xlim=(axis.low, axis.high), xlabel=axis.label, ylabel=look.name_of(variable))
    if look.scale == "log":
        axes.set_yscale("log")
    axes.margins(y=0.05)
    if _is_solved(dataset):
        return
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), borderaxespad=0.3, handlelength=1.4)


def _plane(axes, horizontal, vertical, values, norm, look):
    mesh = axes.pcolormesh(horizontal.faces, vertical.faces, values, norm=norm, cmap=look.colours, rasterized=True)
    axes.set(xlim=(horizontal.low, horizontal.high), ylim=(vertical.low, vertical.high))
    # True proportions, unless that would make a needle of it.
    axes.set_aspect("auto" if _needle(horizontal, vertical) or horizontal.unit != vertical.unit else "equal")
    for spine in axes.spines.values():
        spine.set_visible(True)
    axes.set_xlabel(horizontal.label)
    return mesh


def _needle(horizontal, vertical):
    ratio = (horizontal.high - horizontal.low) / (vertical.high - vertical.low)
    return not 0.1 < ratio < 10


def _colour_bar(figure, mesh, panels, label):
    bar = figure.colorbar(mesh, ax=panels, shrink=0.9, pad=0.02, fraction=0.03, aspect=24)
    bar.set_label(label)
    bar.outline.set_linewidth(0.5)


def _maps(figure, grid, dataset, field, indices, look):
    """A 2-D field: a panel for each time, one colour bar. A histogram and the density beside it share their colours."""
    variable = dataset[field]
    vertical, horizontal = (_Axis(dataset, dim) for dim in variable.dims[1:])
    arrays = [variable[index].values for index in indices]
    histogram = "p" if field == "density" and "p" in dataset else field
    norm, panels = look.norm([dataset[histogram][index].values for index in indices]), []
    subgrid = grid.subgridspec(1, len(indices), wspace=0.08)
    for column, (values, label) in enumerate(zip(arrays, _time_labels(dataset, indices))):
        axes = figure.add_subplot(subgrid[column])
        mesh = _plane(axes, horizontal, vertical, values, norm, look)
        axes.set_title(label)
        if column == 0:
            axes.set_ylabel(vertical.label)
        else:
            axes.set_yticklabels([])
        panels.append(axes)
    _colour_bar(figure, mesh, panels, look.name_of(variable))


def _slices(figure, grid, dataset, field, indices, look):
    """A 3-D field: its three central planes, a row for each time."""
    variable = dataset[field]
    axes_of = {dim: _Axis(dataset, dim) for dim in variable.dims[1:]}
    z, y, x = variable.dims[1:]
    planes = [(z, x, y), (y, x, z), (x, y, z)]  # normal, horizontal, vertical
    cuts = [[variable[i].isel({normal: variable.sizes[normal] // 2}).values for normal, _, _ in planes] for i in indices]
    norm, panels = look.norm([cut for row in cuts for cut in row]), []
    subgrid = grid.subgridspec(len(indices), 3, wspace=0.1, hspace=0.1)
    for row, label in enumerate(_time_labels(dataset, indices)):
        for column, (normal, horizontal, vertical) in enumerate(planes):
            axes = figure.add_subplot(subgrid[row, column])
            h, v = axes_of[horizontal], axes_of[vertical]
            mesh = _plane(axes, h, v, cuts[row][column], norm, look)
            at = axes_of[normal].centres[variable.sizes[normal] // 2]
            place = f"${normal}$ = {at:.3g} {axes_of[normal].unit if axes_of[normal].unit != '1' else ''}".rstrip()
            axes.set_title(f"{place}, {label}" if label else place)
            axes.set_ylabel(v.label)
            panels.append(axes)
    _colour_bar(figure, mesh, panels, look.name_of(variable))


def _series_groups(series):
    """Columns that share a panel: the same kind (probe, flux, ...) in the same unit."""
    groups = {}
    for name, variable in series.data_vars.items():
        values = variable.values
        if variable.dims != ("time",) or not numpy.isfinite(values).any() or not values.any():
            continue  # fluxes of closed sides are zero for ever
        kind = variable.attrs.get("long_name", str(name)).partition(":")[0]
        groups.setdefault((kind, variable.attrs.get("units", "1")), []).append(variable)
    # What a reader looks for first; budgets and errors are numbers for the report.
    order = ["probe", "flux", "absorbed", "integral", "mean", "max", "min"]
    shown = [key for key in groups if key[0] in order] or list(groups)
    shown.sort(key=lambda key: order.index(key[0]) if key[0] in order else len(order))
    return [(key, groups[key]) for key in shown[:3]]


def _series(axes, key, variables, time_unit):
    kind, unit = key
    times = numpy.asarray(variables[0]["time"].values, dtype=float)
    factor, time_unit = _display_unit(times, time_unit)
    for colour, variable in zip(_COLOURS, variables):
        label = variable.attrs.get("long_name", str(variable.name)).partition(":")[2] or str(variable.name)
        axes.plot(times / factor, variable.values, color=colour, label=label)
    axes.set(xlim=(times[0] / factor, times[-1] / factor), xlabel=_label("$t$", time_unit), ylabel=_label(kind, unit))
    axes.margins(y=0.08)
    axes.legend(loc="best", handlelength=1.4)


def _read_series(path):
    """The groups of the run's series; none when it has none or only one row."""
    if not os.path.isdir(path):
        return []
    try:
        series = open_series(path)
    except NoResult:
        return []
    with series:
        series.load()
    return _series_groups(series) if series.sizes.get("time", 0) > 1 else []


def _row_height(dataset, field, panels, width):
    """Inches for a field's row."""
    dims = dataset[field].dims[1:]
    if len(dims) == 1:
        return 2.7
    vertical, horizontal = (_Axis(dataset, dim) for dim in dims[-2:])
    columns = 3 if len(dims) == 3 else panels
    if _needle(horizontal, vertical):
        return 2.6
    panel = 0.82 * width / columns
    height = panel * (vertical.high - vertical.low) / (horizontal.high - horizontal.low)
    return (min(max(height, 1.2), 5.0) + 0.8) * (panels if len(dims) == 3 else 1)


def endings():
    """Endings of the pictures that can be written: png, pdf, svg, ..."""
    return sorted(Figure().canvas.get_supported_filetypes())


def plot(path, file=None, fields=None, times=None, series=True, scale="linear", colours="viridis", label=None):
    """Draws a run and returns the matplotlib Figure.

    path: the folder of a run, a packed file or a snapshot. file: where to save (the ending gives the format), None
    for nowhere. fields: names, all by default. times: in seconds, the nearest snapshots are shown; by default
    some spread over the run (without the point a density starts as; of a solve without steps, the solution). series: also draw probes, fluxes and integrals over time. scale: of the colours,
    linear, sqrt or log. colours: a matplotlib colour map. label: what to call the field. Raises NoResult.
    """
    path, look = os.fspath(path), _Look(scale, colours, label)
    with open(path) as dataset, matplotlib.rc_context(_STYLE):
        fields = _fields(dataset, fields)
        indices = {f: _choose_times(dataset, f, times, _MOST_PANELS[dataset[f].ndim - 1]) for f in fields}
        groups = _read_series(path) if series else []
        dims = max(dataset[f].ndim - 1 for f in fields)
        panels = max(len(i) for i in indices.values())
        width = {1: 5.2, 2: min(2.4 * panels + 1.4, 9.5) if panels > 1 else 4.4, 3: 9.0}[dims]
        width = max(width, 2.6 * len(groups))
        heights = [_row_height(dataset, f, len(indices[f]), width) for f in fields] + ([2.2] if groups else [])
        figure = Figure(figsize=(width, sum(heights) + 0.35), layout="constrained")
        grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
        for row, field in enumerate(fields):
            kind = dataset[field].ndim - 1
            if _is_paths(dataset, field):
                _paths(figure.add_subplot(grid[row]), dataset, field)
            elif kind == 1:
                _profiles(figure.add_subplot(grid[row]), dataset, field, indices[field], look)
            elif kind == 2:
                _maps(figure, grid[row], dataset, field, indices[field], look)
            else:
                _slices(figure, grid[row], dataset, field, indices[field], look)
        if groups:
            subgrid = grid[len(fields)].subgridspec(1, len(groups))
            for column, (key, variables) in enumerate(groups):
                _series(figure.add_subplot(subgrid[column]), key, variables, _time_unit(dataset))
        if dataset.attrs.get("title"):
            figure.suptitle(str(dataset.attrs["title"]).replace("$", r"\$"), fontsize=10)
        if file is not None:
            figure.savefig(file)
    return figure
