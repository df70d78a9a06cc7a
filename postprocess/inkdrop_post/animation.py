"""Animations: the snapshots of one or several runs, side by side, as a GIF."""

import contextlib
import io

import matplotlib
import numpy
from matplotlib.figure import Figure
from PIL import Image

from .files import NoResult, open
from .picture import _Axis, _Look, _STYLE, _colour_bar, _fields, _is_paths, _plane, _time_labels, _towers

_COLOURS = 64  # of the GIF: few, so that the file is small


class _Panel:
    """One run: its field, the snapshots that are frames, and what is drawn of them."""

    def __init__(self, dataset, field, frames, name):
        fields = [f for f in _fields(dataset, [field] if field else None) if not _is_paths(dataset, f)]
        if not fields or dataset[fields[0]].ndim not in (2, 3):
            raise NoResult("only fields over one or two axes can be animated")
        self.variable, self.dataset = dataset[fields[0]], dataset
        last = dataset.sizes["time"] - 1
        first = 1 if _towers(dataset, fields[0]) else 0
        self.indices = numpy.linspace(first, last, frames).round().astype(int)
        self.name = name if name is not None else str(dataset.attrs.get("title", ""))
        self.labels = _time_labels(dataset, self.indices)
        self.axes_of = [_Axis(dataset, dim) for dim in self.variable.dims[1:]]

    def values(self, frame):
        return self.variable[int(self.indices[frame])].values

    def title(self, frame):
        return "\n".join(text.replace("$", r"\$") if text is self.name else text for text in (self.name, self.labels[frame]) if text)

    def draw(self, axes, norm, look):
        """The first frame; returns what later frames change."""
        self.axes = axes
        if len(self.axes_of) == 2:
            vertical, horizontal = self.axes_of
            self.drawn = _plane(axes, horizontal, vertical, self.values(0), norm, look)
        else:
            (axis,) = self.axes_of
            (self.drawn,) = axes.plot(axis.centres, self.values(0), color="#1f4e79")
            axes.set(xlim=(axis.low, axis.high), ylim=(norm.vmin, norm.vmax * 1.05), xlabel=axis.label)
        axes.set_title(self.title(0))

    def show(self, frame):
        if len(self.axes_of) == 2:
            self.drawn.set_array(self.values(frame))
        else:
            self.drawn.set_ydata(self.values(frame))
        self.axes.set_title(self.title(frame))


def _picture(figure, dpi):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    return Image.open(buffer).convert("RGB")


def _save(file, pictures, rate):
    """One palette for all frames, so that what does not move costs nothing; the ends are held for a second."""
    strip = Image.new("RGB", (pictures[0].width, pictures[0].height * 3))
    for place, picture in enumerate((pictures[0], pictures[len(pictures) // 2], pictures[-1])):
        strip.paste(picture, (0, place * picture.height))
    palette = strip.quantize(_COLOURS, dither=Image.Dither.NONE)
    frames = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    duration = [round(1000 / rate)] * len(frames)
    duration[0] = duration[-1] = 1000
    frames[0].save(file, save_all=True, append_images=frames[1:], duration=duration, loop=0, optimize=True)


def animate(paths, file, field=None, names=None, frames=40, rate=12, scale="linear", colours="viridis", label=None, dpi=80):
    """Writes a GIF of one or several runs, side by side in the same colours.

    paths: folders of runs, packed files. field: the first of each run by default. names: over the panels, the runs' titles
    by default. frames: how many, evenly over each run's own snapshots, so that runs of different clocks go together.
    rate: frames a second. scale, colours, label: as of plot. Raises NoResult.
    """
    if names and len(names) != len(paths):
        raise NoResult(f"{len(paths)} runs but {len(names)} names")
    look = _Look(scale, colours, label)
    with contextlib.ExitStack() as stack, matplotlib.rc_context(_STYLE):
        datasets = [stack.enter_context(open(path)) for path in paths]
        frames = max(1, min(frames, max(dataset.sizes["time"] for dataset in datasets)))
        panels = [_Panel(dataset, field, frames, names[i] if names else None) for i, dataset in enumerate(datasets)]
        norm = look.norm([panel.values(frame) for panel in panels for frame in {0, frames // 2, frames - 1}])
        figure = Figure(figsize=(2.5 * len(panels) + 1.0, 3.0), layout="constrained")
        axes = figure.subplots(1, len(panels), squeeze=False)[0]
        for panel, place in zip(panels, axes):
            panel.draw(place, norm, look)
            if place is not axes[0]:
                place.set_yticklabels([])
        if len(panels[0].axes_of) == 2:
            axes[0].set_ylabel(panels[0].axes_of[0].label)
            _colour_bar(figure, panels[0].drawn, list(axes), look.name_of(panels[0].variable))
        else:
            axes[0].set_ylabel(look.name_of(panels[0].variable))
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # else panels move with the lengths of their titles
        pictures = []
        for frame in range(frames):
            for panel in panels:
                panel.show(frame)
            pictures.append(_picture(figure, dpi))
    _save(file, pictures, rate)
