#!/usr/bin/env python3
"""Explicit runs, implicit ones that are solved by transforms or directly, and equations that one solve answers give the same bytes in every
dataset outside /run on 1, 2, 3 and 4 ranks, other implicit ones the same numbers to tolerance."""
import os, subprocess, sys, tempfile
from pathlib import Path
import h5py
import numpy as np

INKDROP = os.environ["INKDROP"]

DECKS = {
    "one": """
solver: heat
mesh: {x: {from: 0, to: 1, cells: 37, grading: 1.03}}
material: {conductivity: "1 + 0.2*T", density: 1, heat_capacity: "2 + x"}
initial: {T: "1 + 0.1*noise(0)"}
source: "sin(3*x)*exp(-t)"
boundary: {x_min: {type: value, value: "1 + t"}, x_max: {type: convection, coefficient: 2, ambient: 0}}
time: {end: 0.02, method: METHOD}
probes: {p: {field: T, at: [0.31]}}
""",
    "two": """
solver: heat
mesh: {x: {from: 0, to: 1, cells: 24}, y: {from: 0, to: 2, cells: 19}}
material: {diffusivity: 0.3}
initial: {T: "sin(x*y) + noise(1)"}
boundary: {x_min: {type: periodic}, x_max: {type: periodic}, y_max: {type: flux, value: "x"}}
time: {end: 0.02, method: METHOD}
probes: {p: {field: T, at: [0.5, 1]}}
""",
    "three": """
solver: heat
mesh: {x: {from: 0, to: 1, cells: 9}, y: {from: 0, to: 1, cells: 10}, z: {from: 0, to: 1, cells: 11, grading: 0.9}}
material: {conductivity: "1 + 0.5*x*y", density: 1, heat_capacity: 1}
initial: {T: "300 + 5*noise(0)"}
source: "1 - 0.1*T"
boundary: {z_min: {type: value, value: 301}, y_max: {type: radiation, emissivity: 0.5, ambient: 400}}
time: {end: 0.02, method: METHOD}
probes: {p: {field: T, at: [0.21, 0.5, 0.99]}}
""",
    "sphere": """
solver: heat
mesh: {coordinates: spherical, r: {from: 0, to: 1, cells: 30}}
material: {diffusivity: 1}
initial: {T: "1 + cos(pi*r)"}
boundary: {r_max: {type: value, value: 0}}
time: {end: 0.02, method: METHOD}
probes: {p: {field: T, at: [0]}}
""",
    "patterns": """
solver: reaction_diffusion
mesh: {x: {from: 0, to: 9, cells: 23}, y: {from: 0, to: 7, cells: 18}}
species:
  u: {diffusion: 1, reaction: "0.1 - u + u^2*v", initial: "1 + 0.1*noise(0)"}
  v: {diffusion: 40, reaction: "0.9 - u^2*v", initial: "0.9 + 0.1*noise(1)"}
  w: {diffusion: 0, reaction: "u - w", initial: "x"}
boundary:
  x_min: {type: periodic}
  x_max: {type: periodic}
  y_min: {u: {type: value, value: "1 + 0.1*sin(t)"}, v: {type: flux, value: "0.1*x"}}
time: {end: 0.05, method: METHOD}
probes: {p: {field: w, at: [0.5, 1]}}
""",
    "couple": """
solver: reaction_diffusion
mesh: {x: {from: 0, to: 1, cells: 29, grading: 1.05}}
species:
  o: {diffusion: {o: "1 + 0.1*r_", r_: 0.1}, reaction: "-o*r_", initial: "1 + 0.1*noise(2)"}
  r_: {diffusion: "0.7 + 0.2*x", reaction: "o*r_ - r_^2", initial: "0.3"}
velocity: {x: "2*x"}
boundary:
  x_min: {o: {type: flux, value: "-3*o + r_", electrons: 1}, r_: {type: flux, value: "3*o - r_"}}
  x_max: {o: {type: value, value: 1}, r_: {type: convection, coefficient: 2, ambient: 0.1}}
time: {end: 0.02, method: METHOD}
probes: {p: {field: o, at: [0]}}
""",
    "disk": """
solver: reaction_diffusion
mesh: {coordinates: axisymmetric, r: {from: 0, to: 3, cells: 17, grading: 1.05}, z: {from: 0, to: 3, cells: 16}}
species: {c: {diffusion: "1 + 0.1*z", reaction: "-0.1*c", initial: "1 + 0.1*r*noise(0)"}}
boundary: {z_min: [{where: "r < 1", type: value, value: 0}, {type: symmetry}], r_max: {type: value, value: 1}}
time: {end: 0.02, method: METHOD}
probes: {p: {field: c, at: [0.2, 0.1]}}
""",
}
DECKS |= {
    "walk": """
solver: fokker_planck
model:
  state: {x: {from: -3, to: 3, cells: 61, grading: 1.02}}
  drift: {x: "x - x^3 + 0.3*sin(9*t)"}
  diffusion: {x: "0.2 + 0.05*x^2"}
  boundary: {x_max: absorbing}
initial: {point: [0.3]}
time: {end: 0.02, method: METHOD}
probes: {p: {field: p, at: [0.31]}}
verify: [{quantity: "absorbed:x_max", expect: 0, within: 1}, {quantity: "mean:x", expect: 0, within: 1}]
""",
    "turned": """
solver: fokker_planck
model:
  state: {x: {from: -4, to: 4, cells: 37}, v: {from: -3, to: 3, cells: 29}}
  drift: {x: v, v: "-x - 0.4*v"}
  diffusion: {x: "1 + 0.1*x", v: 0.07, xv: "0.2*sin(90*t)"}
  boundary: {x_min: periodic, x_max: periodic, v_max: absorbing}
initial: {density: "0.1 + exp(-(x - 3)^2 - v^2)"}
time: {end: 0.02, method: METHOD}
probes: {p: {field: p, at: [0.5, 1]}}
verify: [{quantity: "flux:x_max", expect: 0, within: 1}, {quantity: "absorbed:v_max", expect: 0, within: 1}]
""",
    "sheared": """
solver: fokker_planck
model:
  state: {x: {from: -2, to: 2, cells: 13}, y: {from: -2, to: 2, cells: 12}, z: {from: -2, to: 2, cells: 14}}
  drift: {x: "y - x", y: "-x", z: "-z^3"}
  diffusion: {xx: 1, yy: 0.6, zz: 0.4, xy: 0.5, yz: "0.1*x", xz: -0.2}
initial: {point: [0.1, -0.3, 0.2]}
time: {end: 0.02, method: METHOD}
probes: {p: {field: p, at: [0.5, 1, 0]}}
""",
}
for equation, side in (("stationary", "reflecting"), ("first_passage", "absorbing"), ("hitting_probability", "absorbing"), ("spectrum", "absorbing")):
    DECKS[equation] = f"""
solver: fokker_planck
equation: {equation}
model:
  state: {{x: {{from: -4, to: 4, cells: 27}}, v: {{from: -3, to: 3, cells: 22}}}}
  drift: {{x: v, v: "-x - 0.4*v"}}
  diffusion: {{x: "1 + 0.1*x", v: 0.3, xv: "0.2*cos(x)"}}
  boundary: {{v_min: {side}, v_max: {side}}}
{"target: v_max" if equation == "hitting_probability" else ""}
"""
BITWISE = {"patterns", "couple", "sphere", "one", "walk"}  # implicit too: solved by transforms, or directly on one axis
EXPLICIT = {"turned"}  # implicit steps look at moving data a thousand times, each time decomposing the matrix of every cell
COMMON = "output: {snapshots: {every: 0.01}, series: {every: 0.005}}\nseed: 7\n"


def datasets(folder):
    """{file/path: array} of everything outside /run (and outside /VTKHDF, whose arrays are links to the same data)."""
    found = {}
    for file in sorted(folder.glob("**/*.h5")):
        if "checkpoints" in file.parts:
            continue
        with h5py.File(file) as h5:
            def visit(name, item):
                if isinstance(item, h5py.Dataset) and not name.startswith("run/"):
                    found[f"{file.relative_to(folder)}:{name}"] = item[()]
            h5.visititems(visit)
    return found


def difference(a, b, exact):
    if a.keys() != b.keys():
        return f"other datasets: {sorted(a.keys() ^ b.keys())}"
    for name in a:
        one, two = np.asarray(a[name]), np.asarray(b[name])
        if exact and one.tobytes() != two.tobytes():
            return f"{name} differs, by up to {np.nanmax(np.abs(one.astype(float) - two.astype(float))):g}"
        if not exact and one.dtype.kind == "f" and "balance" not in name:
            if not np.allclose(one, two, rtol=1e-6, atol=1e-6 * max(1e-30, np.nanmax(np.abs(one)))):
                return f"{name} differs by up to {np.nanmax(np.abs(one - two)):g}"
    return None


def main():
    failed = passed = 0
    with tempfile.TemporaryDirectory() as top:
        for name, text in DECKS.items():
            for method in ("direct",) if "METHOD" not in text else ("explicit",) if name in EXPLICIT else ("explicit", "implicit"):
                deck = Path(top) / f"{name}_{method}.yaml"
                deck.write_text((COMMON if "METHOD" in text else "") + text.replace("METHOD", method))
                first = None
                for ranks in (1, 2, 3, 4):
                    out = Path(top) / f"{name}_{method}.{ranks}"
                    command = ["mpiexec", "--oversubscribe", "--bind-to", "none", "-n", str(ranks), INKDROP, "run", str(deck),
                               "--quiet", "--output", str(out)]
                    done = subprocess.run(command, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
                    text_out = f"exit code {done.returncode}\n{done.stderr}" if done.returncode else None
                    if text_out is None:
                        found = datasets(out)
                        first = found if first is None else first
                        text_out = difference(first, found, exact=method != "implicit" or name in BITWISE)
                        if len(found) < 10:
                            text_out = f"only {sorted(found)}"
                    if text_out:
                        print(f"{name}, {method}, {ranks} ranks: {text_out}")
                    passed, failed = passed + (text_out is None), failed + (text_out is not None)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
