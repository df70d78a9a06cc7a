"""Small runs for the tests of files: decks whose solution is known at every time, run once and kept for all tests of a session."""
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy

INKDROP = os.environ["INKDROP"]
TIMES = numpy.array([0, 0.25, 0.5, 0.75, 1])
FORMULA = {1: "300 + 10*x", 2: "300 + 10*x + 100*y", 3: "300 + 10*x + 100*y + 1000*z"}
AXES = {
    1: "x: {from: -1 m, to: 1 m, cells: 8}",
    2: "x: {from: -1 m, to: 1 m, cells: 8}, y: {from: 0 mm, to: 2500 mm, cells: 5}",
    3: "x: {from: -1 m, to: 1 m, cells: 6}, y: {from: 0 m, to: 2 m, cells: 5}, z: {from: 3 m, to: 5 m, cells: 4}",
}
GRADED = "x: {from: -1 m, to: 1 m, cells: 8, grading: 1.2}, y: {from: 0 m, to: 2 m, cells: 5}"


def plane(dim, mesh=None, output=""):
    """T is linear in space and time, which the scheme gives without error on every grid."""
    formula = FORMULA[dim]
    sides = "\n".join(f'  {a}_{end}: {{type: value, value: "{formula} + 5*t"}}' for a in "xyz"[:dim] for end in ("min", "max"))
    return f"""
title: "a plane: 'T' and more"
solver: heat
mesh: {{{mesh or AXES[dim]}}}
material: {{diffusivity: 0.01}}
source: 5
initial: {{T: "{formula}"}}
boundary:
{sides}
probes: {{middle: {{field: T, at: {[0.0, 1.0, 4.0][:dim]}}}}}
time: {{end: 1 s, method: explicit}}
output: {{snapshots: {{every: 0.25 s}}, series: {{every: 0.25 s}}{output}}}
"""


def radial(coordinates):
    """T is 300 + 5 t inside a closed shell."""
    return f"""
solver: heat
mesh: {{coordinates: {coordinates}, r: {{from: 0.5 m, to: 1.5 m, cells: 6, grading: 1.2}}}}
material: {{diffusivity: 0.01}}
source: 5
initial: {{T: 300}}
time: {{end: 1 s, method: explicit}}
output: {{snapshots: {{every: 0.25 s}}}}
"""


SPECIES = f"""
solver: reaction_diffusion
mesh: {{{AXES[2]}}}
species:
  u: {{diffusion: 0.01, reaction: 5, unit: mol/m^3, name: fuel, initial: "300 + 10*x + 100*y"}}
  v: {{diffusion: 0, reaction: "-2*v"}}
initial: {{v: 7}}
boundary:
  x_min: {{u: {{type: value, value: "300 + 10*x + 100*y + 5*t"}}}}
  x_max: {{u: {{type: value, value: "300 + 10*x + 100*y + 5*t"}}}}
  y_min: {{u: {{type: value, value: "300 + 10*x + 100*y + 5*t"}}}}
  y_max: {{u: {{type: value, value: "300 + 10*x + 100*y + 5*t"}}}}
time: {{end: 1 s, method: explicit, dt: 0.25 s}}
output: {{snapshots: {{every: 0.25 s}}}}
"""
CAN = """
solver: heat
mesh: {coordinates: axisymmetric, r: {from: 0 m, to: 1.5 m, cells: 6}, z: {from: 0 m, to: 1 m, cells: 4, grading: 1.2}}
material: {diffusivity: 0.01}
source: 5
initial: {T: 300}
time: {end: 1 s, method: explicit}
output: {snapshots: {every: 0.25 s}}
"""
# Axes named by the deck: a particle on a spring, its law over x and v.
PHASE = """
solver: fokker_planck
model:
  state: {x: {from: -1 mm, to: 1 mm, cells: 12}, v: {from: -2 mm/s, to: 3 mm/s, cells: 10}}
  drift: {x: v, v: "-x*1[1/s^2]"}
  diffusion: {v: 0.2 mm^2/s^3}
initial: {point: [0.25 mm, 0 mm/s]}
time: {end: 1 s}
output: {snapshots: {every: 0.25 s}}
verify:
  - {quantity: "mean:v", expect: -0.2 mm/s, within: 1 mm/s}
"""
# Its particles: the histogram p and the density beside it on the cells, and on an axis of their own the places of a few.
PATHS = PHASE.replace("solver: fokker_planck", "solver: particles").replace("time: {end: 1 s}", "particles: {count: 1000, scheme: jump}\ntime: {end: 1 s}").replace(
    "every: 0.25 s}", "every: 0.25 s}, paths: 7")

DECKS = {
    "phase": PHASE,
    "paths": PATHS,
    "small_paths": PATHS.replace("paths: 7", "paths: 7, precision: f32, compression: 9"),
    "graded_phase": PHASE.replace("cells: 10", "cells: 10, grading: 1.2"),
    "species": SPECIES,
    "can": CAN,
    "one": plane(1),
    "two": plane(2),
    "three": plane(3),
    "graded": plane(2, GRADED),
    "single": plane(2, output=", precision: f32"),
    "packed": plane(2, output=", compression: 4"),
    "small": plane(2, output=", precision: f32, compression: 9"),
    "cylinder": radial("cylindrical"),
    "sphere": radial("spherical"),
}

_folder = tempfile.TemporaryDirectory(prefix="inkdrop_files_")
FOLDER = Path(_folder.name)


def inkdrop(*arguments, ranks=1):
    start = [] if ranks == 1 else ["mpiexec", "--oversubscribe", "--bind-to", "none", "-n", str(ranks)]
    return subprocess.run([*start, INKDROP, *map(str, arguments)], capture_output=True, text=True, timeout=300,
                          stdin=subprocess.DEVNULL, cwd=FOLDER)


def out(name):
    """The output folder of a deck, which is run when it is first asked for."""
    folder = FOLDER / name
    if not folder.exists():
        deck = FOLDER / f"{name}.yaml"
        deck.write_text(DECKS[name])
        done = inkdrop("run", deck, "--output", folder, ranks=2)
        assert done.returncode == 0, done.stderr
    return folder


def copy(name, to):
    shutil.copytree(out(name), FOLDER / to)
    return FOLDER / to


def values(x, time, y=0.0, z=0.0):
    """The solution of `plane`."""
    return 300 + 10 * x + 100 * y + 1000 * z + 5 * time
