#!/usr/bin/env python3
"""Runs the decks of this folder and draws ink_drop.png and ink_drop.gif.

    INKDROP=build/release/inkdrop PYTHONPATH=postprocess build/venv/bin/python inputs/ink_drop/pictures.py [FOLDER FOR THE RUNS]
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib
import numpy
from matplotlib.figure import Figure

import inkdrop_post

HERE = Path(__file__).parent
HOUR, END = 3600, 12 * 3600
GRAINS = "particles.count=1000000"
# A row of pictures each: deck, settings, words, and the hours of the run's own clock.
ROWS = [("dissolve", [], "density", (0, 2, 5, 12)),
        ("particles", [GRAINS], "a million\nparticles", (0, 2, 5, 12)),
        ("reverse", [GRAINS], "reversed\nchain", (12, 10, 7, 0)),
        ("backward_heat", [], "diffusion with\nits sign turned,\nin still water", (None, 12 + 1, 12 + 1 / 3, 12))]  # fmt: skip


def run(deck, settings, folder):
    out = Path(folder) / f"{deck}.out"
    sets = [word for setting in settings for word in ("--set", setting)]
    done = subprocess.run(["mpiexec", "-n", "2", os.environ["INKDROP"], "run", HERE / f"{deck}.yaml", "--quiet", "--output", out, *sets])
    if done.returncode not in (0, 4):  # 4: the one that must fail
        sys.exit(f"{deck}: exit code {done.returncode}")
    return out


def ink(out):
    """The ink over (time, y, x), relative to the drop's own at the start."""
    dataset = inkdrop_post.open(out)
    field = dataset["c"] if "c" in dataset else dataset["p"] / inkdrop_post.open(out.parent / "dissolve.out")["p"][0].max()
    return field, dataset["time"].values


def draw(outs, file):
    figure = Figure(figsize=(7.6, 7.9), layout="constrained")
    panels = figure.subplots(len(ROWS), 4)
    for (deck, _, words, hours), out, row in zip(ROWS, outs, panels):
        field, times = ink(out)
        for axes, hour in zip(row, hours):
            axes.set(xticks=[], yticks=[])
            if hour is None:
                axes.set_axis_off()
                axes.set_box_aspect(1)
                axes.set_title(f"{24 - times[-1] / HOUR:.0f} h", fontsize=9)
                axes.text(0.5, 0.5, "beyond 1e308", transform=axes.transAxes, ha="center", va="center", fontsize=9)
                continue
            index = int(numpy.argmin(abs(times - hour * HOUR)))
            axes.pcolormesh(numpy.nan_to_num(field[index].values), cmap="Blues", norm=matplotlib.colors.PowerNorm(0.6, 0, 1), rasterized=True)
            axes.set_aspect("equal")
            age = {"reverse": 12 - hour, "backward_heat": 24 - hour}.get(deck, hour)
            axes.set_title(f"{int(age)} h {round(age % 1 * 60):02d}" if age % 1 else f"{age:.0f} h", fontsize=9)
        row[0].text(-0.12, 0.5, words, transform=row[0].transAxes, ha="right", va="center", fontsize=10)
        row[1].annotate("", (1.02, -0.06), (0.0, -0.06), xycoords="axes fraction",
                        arrowprops={"arrowstyle": "->" if deck in ("dissolve", "particles") else "<-", "color": "#555555"})  # fmt: skip
    figure.savefig(file, dpi=110)


def main(folder):
    outs = [run(deck, settings, folder) for deck, settings, _, _ in ROWS]
    draw(outs, HERE / "ink_drop.png")
    inkdrop_post.animate(outs[:3], HERE / "ink_drop.gif", field="p", names=["density", "particles", "reversed"], frames=37,
                         scale="sqrt", colours="Blues", label="ink", dpi=64)  # fmt: skip


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1])
    else:
        with tempfile.TemporaryDirectory() as scratch:
            main(scratch)
