#!/usr/bin/env python3
"""Laws of diffusion processes on the whole program. Forward and backward equations come from the same rates, so they fit to round-off
where the cells resolve the process (elsewhere the density's steps are mended to second order):

    mass        what is left and what was absorbed is 1, after a hundred thousand steps
    sign        no density is negative, however strong the drift in a cell, however long and turned the diffusion
    rest        where detailed balance holds the stationary density is exp(-V)/D at the centroids, and stays when it is stepped
    duality     the probability to leave through a side, from the backward equation, is what the side absorbs of a run from there;
                the mean time to leave is the sum of what is left, a step each
    mirror      a process turned round gives the density turned round, bit for bit
    order       values converge at second order
"""
import json, os, re, subprocess, sys, tempfile
from pathlib import Path
import h5py
import numpy as np

INKDROP = os.environ["INKDROP"]
LONG = 100_000

WALK = """
solver: fokker_planck
model:
  state: {x: {from: -2, to: 2, cells: 12}}
  drift: {x: "0.4*x - x^3"}
  diffusion: {x: "0.3 + 0.1*x^2"}
  boundary: {x_min: absorbing, x_max: absorbing}
"""
TURNED = """
solver: fokker_planck
model:
  state: {x: {from: -2, to: 2, cells: 12}, y: {from: -1, to: 1, cells: 10}}
  drift: {x: "0.1*y - 0.05*x", y: "-0.05*x"}
  diffusion: {x: 0.5, y: 0.2, xy: "0.1 + 0.02*x"}
  boundary: {x_min: absorbing, x_max: absorbing, y_min: absorbing, y_max: absorbing}
"""
LEAVE = """
solver: fokker_planck
model:
  state: {x: {from: -2, to: 2, cells: CELLS}}
  drift: {x: "0.1*x + 0.05"}
  diffusion: {x: "0.3 + 0.1*x^2"}
  boundary: {x_min: absorbing, x_max: absorbing}
"""


class Run:
    """A deck's run: its fields' last snapshot by name (y first), its table by quantity, its series by column."""

    def __init__(self, text, *quantities):
        if quantities:
            text += "\nverify:\n" + "".join(f'  - {{quantity: "{q}", expect: 0, within: 1e9}}\n' for q in quantities)
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "deck.yaml").write_text(text)
            done = subprocess.run([INKDROP, "run", "deck.yaml", "--output", "out"], cwd=folder, capture_output=True, text=True,
                                  timeout=120, stdin=subprocess.DEVNULL)
            if done.returncode:
                raise AssertionError(f"exit code {done.returncode}\n{done.stdout}{done.stderr}of the deck\n{text}")
            report = json.loads(Path(folder, "out/report.json").read_text())
            self.value = {entry["quantity"]: entry["value"] for entry in report["verify"]}
            steps = re.search(r"(\d+) steps? in", done.stdout)
            self.steps = int(steps[1]) if steps else 0
            with h5py.File(Path(folder, "out/fields.h5")) as h5:
                self.all = {name: item[()] for name, item in h5.items() if isinstance(item, h5py.Dataset)}

    def field(self, name):
        return self.all[name][-1]


def mass():
    """1e5 explicit steps: left + absorbed = 1 to 1e-13."""
    for text, sides, point in ((WALK, "x_min x_max", "[0.3]"), (TURNED, "x_min x_max y_min y_max", "[0.3, -0.2]")):
        quantities = ["integral:p"] + [f"absorbed:{side}" for side in sides.split()]
        run = Run(text + f"initial: {{point: {point}}}\ntime: {{end: 4, dt: {4 / LONG}, method: explicit}}\n", *quantities)
        yield run.steps >= LONG, f"{run.steps} steps"
        yield 0.01 < run.value["integral:p"] < 0.99, f"{run.value['integral:p']:g} is left: nothing to see"
        defect = sum(run.value.values()) - 1
        yield abs(defect) <= 1e-13, f"the mass is wrong by {defect:g} after {run.steps} steps"
        print(f"mass: {defect:.2g} off after {run.steps} steps, {1 - run.value['integral:p']:.3g} absorbed")


def sign():
    """Cell Peclet numbers of 1000, and 100:1 at 30 degrees, from a point."""
    strong = Run("""
solver: fokker_planck
model:
  state: {x: {from: -1, to: 1, cells: 50}, y: {from: -1, to: 1, cells: 50}}
  drift: {x: "-25*y", y: "25*x"}
  diffusion: {x: 0.001, y: 0.001}
initial: {point: [0.51, 0.02]}
time: {end: 0.05, method: explicit}
output: {snapshots: {every: 0.01}}
""")
    yield strong.all["p"].min() >= 0, f"p is {strong.all['p'].min():g} where drift is strong"
    for method in ("explicit", "implicit"):
        turned = Run(f"""
solver: fokker_planck
model:
  state: {{x: {{from: -1, to: 1, cells: 40}}, y: {{from: -1, to: 1, cells: 40}}}}
  diffusion: {{xx: 0.7525, yy: 0.2575, xy: 0.428682574873297}}
initial: {{point: [0.025, 0.025]}}
time: {{end: 0.02, method: {method}}}
output: {{snapshots: {{every: 0.005}}}}
""", "integral:p")
        p = turned.all["p"]
        yield p.min() >= 0, f"p is {p.min():g} at 100:1, {method}"
        yield abs(turned.value["integral:p"] - 1) <= 1e-13, f"the mass is {turned.value['integral:p']!r} at 100:1, {method}"
        yield p[-1].max() > 1, f"p is only {p[-1].max():g}"


def relative(p, law):
    """Largest relative difference of two positive fields, each normalised."""
    return np.abs(p / p.sum() / (law / law.sum()) - 1).max()


def rest():
    """Detailed balance: exp(-V)/D at the centroids, from elimination and as a state that does not move."""
    x = (np.arange(60) + 0.5) * 0.1 - 3
    law = np.exp(x**2 / 2 - x**4 / 4)  # D = 1: b/D is cubic, and the two-point rule exact
    one = """
solver: fokker_planck
model: {state: {x: {from: -3, to: 3, cells: 60}}, drift: {x: "x - x^3"}, diffusion: {x: 1}}
"""
    found = relative(Run(one + "equation: stationary").field("p"), law)
    yield found <= 1e-12, f"the stationary density of a double well is wrong by {found:g}"
    moved = relative(Run(one + 'initial: {density: "exp(x^2/2 - x^4/4)"}\ntime: {end: 5, method: explicit}').field("p"), law)
    yield moved <= 1e-11, f"it moves by {moved:g}"

    # V = x^2 + x y + y^2, b = -D grad V, D with off-diagonal entries
    x, y = np.meshgrid((np.arange(24) + 0.5) / 4 - 3, (np.arange(20) + 0.5) / 4 - 2.5)
    law = np.exp(-(x**2 + x * y + y**2))
    two = """
solver: fokker_planck
model:
  state: {x: {from: -3, to: 3, cells: 24}, y: {from: -2.5, to: 2.5, cells: 20}}
  drift: {x: "-1.0*(2*x + y) - 0.6*(x + 2*y)", y: "-0.6*(2*x + y) - 0.5*(x + 2*y)"}
  diffusion: {x: 1.0, y: 0.5, xy: 0.6}
"""
    found = relative(Run(two + "equation: stationary").field("p"), law)
    yield found <= 1e-11, f"the stationary density under a full matrix is wrong by {found:g}"
    moved = relative(Run(two + 'initial: {density: "exp(-(x^2 + x*y + y^2))"}\ntime: {end: 1, method: explicit}').field("p"), law)
    yield moved <= 1e-11, f"it moves by {moved:g}"


def duality():
    """Backward against forward."""
    cases = ((LEAVE.replace("CELLS", "12"), "[0.5]", (7,), "x_min x_max", 120), (TURNED, "[-0.5, 0.3]", (6, 4), "x_min x_max y_min y_max", 120))
    for text, point, cell, sides, end in cases:  # the point is the centroid of the cell
        run = Run(text + f"initial: {{point: {point}}}\ntime: {{end: {end}, method: explicit}}\noutput: {{snapshots: {{at: [0]}}}}\n",
                  "integral:p", *(f"absorbed:{side}" for side in sides.split()))
        yield run.all["p"][0][cell] == run.all["p"][0].max() and (run.all["p"][0] > 0).sum() == 1, f"the start is not in cell {cell}"
        yield run.value["integral:p"] <= 1e-12, f"{run.value['integral:p']:g} is not absorbed yet"
        total = 0.0
        for side in sides.split():
            u = Run(text + f"equation: hitting_probability\ntarget: {side}\n").field("u")
            total = total + u
            gap = abs(u[cell] - run.value[f"absorbed:{side}"])
            yield gap <= 1e-10, f"hit {side}: {u[cell]!r} backward, {run.value[f'absorbed:{side}']!r} forward"
            print(f"duality: {side} {u[cell]:.12f}, {gap:.1e} apart")
        yield np.abs(total - 1).max() <= 1e-12, f"the probabilities add up to 1 but for {np.abs(total - 1).max():g}"

    # p_(n+1) = p_n + dt G p_n: the sum of dt <1, p_n> is <tau, p_0>
    dt, steps, text = 0.2, 600, LEAVE.replace("CELLS", "6").replace("0.1*x + 0.05", "0.04*x + 0.02")
    run = Run(text + f"initial: {{point: [1]}}\ntime: {{end: {dt * steps}, dt: {dt}, method: explicit}}\noutput: {{snapshots: {{every: {dt}}}}}\n")
    yield run.steps == steps, f"{run.steps} steps, not {steps}"
    p, tau = run.all["p"], Run(text + "equation: first_passage\n").field("tau")[4]
    time = dt * p.sum() * (4 / 6)
    yield len(p) == steps + 1 and p[-1].sum() <= 5e-11, f"{p[-1].sum():g} is left, {len(p)} snapshots"
    yield abs(time - tau) <= 1e-10 * tau, f"mean time {tau!r} backward, {time!r} forward"
    print(f"duality: mean time {tau:.12f}, {abs(time - tau):.1e} apart")


def mirror():
    """x -> -x."""
    for method in ("explicit", "implicit"):
        end = f"time: {{end: 0.3, method: {method}}}\n"
        there = Run("""
solver: fokker_planck
model:
  state: {x: {from: -2, to: 2, cells: 32}}
  drift: {x: "0.4 + x - x^3"}
  diffusion: {x: "0.3 + 0.1*x"}
  boundary: {x_max: absorbing}
initial: {density: "exp(-(x - 0.25)^2)"}
""" + end, "absorbed:x_max")
        back = Run("""
solver: fokker_planck
model:
  state: {x: {from: -2, to: 2, cells: 32}}
  drift: {x: "-(0.4 + (-x) - (-x)^3)"}
  diffusion: {x: "0.3 + 0.1*(-x)"}
  boundary: {x_min: absorbing}
initial: {density: "exp(-((-x) - 0.25)^2)"}
""" + end, "absorbed:x_min")
        one, two = there.field("p"), back.field("p")[::-1]
        exact = method == "explicit"
        gap = np.abs(one - two).max()
        yield gap == 0 if exact else gap <= 1e-12, f"the mirrored density differs by {gap:g}, {method}"
        yield abs(there.value["absorbed:x_max"] - back.value["absorbed:x_min"]) <= 1e-15, "the mirrored side absorbs something else"


def order():
    """The mean time to leave (-1, 1) under b = x, D = 1/2 + x^2/4, against a fine mesh; a covariance under a full matrix."""
    tau = {}
    for cells in (20, 40, 80, 1280):
        tau[cells] = Run(f"""
solver: fokker_planck
equation: first_passage
model:
  state: {{x: {{from: -1, to: 1, cells: {cells}}}}}
  drift: {{x: x}}
  diffusion: {{x: "0.5 + x^2/4"}}
  boundary: {{x_min: absorbing, x_max: absorbing}}
probes: {{middle: {{field: tau, at: [0]}}}}
""", "probe:middle").value["probe:middle"]
    errors = [abs(tau[cells] - tau[1280]) for cells in (20, 40, 80)]
    orders = [np.log2(errors[i] / errors[i + 1]) for i in range(2)]
    yield all(1.9 < o < 2.1 for o in orders), f"first passage: orders {orders}"
    print(f"order: first passage {orders[0]:.3f} {orders[1]:.3f}")


def main():
    failed = passed = 0
    for law in (mass, sign, rest, duality, mirror, order):
        for good, text in law():
            passed, failed = passed + bool(good), failed + (not good)
            if not good:
                print(f"FAILED: {law.__name__}: {text}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
