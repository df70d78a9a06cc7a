#!/usr/bin/env python3
"""Reference cases of particles that take more than one run, or more than one time of it.

    gbm-strong-*         root mean square of X_dt - X at the end, paths of both driven by the same Brownian motion: one seed, and equal steps
    sde-strong-order-*   its order in dt, from dt = 2^-4 ... 2^-9, with the band of four standard errors
    gbm-weak-euler       the mean of X_dt - X; the exact path beside it takes nearly all of the noise away
    polya-3d             a walk on the cubic lattice comes back with the probability 1 - 1/G, G the mean number of visits to the origin

And a law: over many seeds the p values of chains, forwards and reversed, are uniform.

The errors' own laws are known in closed form, as products of one-step moments: every root mean square is compared with that besides, within
four standard errors.
"""
import functools, json, os, re, subprocess, sys, tempfile
from math import exp, pi, sqrt
from pathlib import Path
import h5py
import numpy as np
import yaml

INKDROP = os.environ["INKDROP"]
SOURCE = Path(os.environ["INKDROP_SOURCE"])
CASES = {case["id"]: case for case in yaml.safe_load((SOURCE / "tests/references.yaml").read_text())}
MU, SIGMA, END, PATHS = 0.3, 0.5, 2.0, 100000
GEOMETRIC = f"""
solver: particles
seed: SEED
model:
  state: {{x: {{from: 0, to: 1e6, cells: 4}}}}
  drift: {{x: {MU}*x}}
  noise: {{x: {{w: {SIGMA}*x}}}}
initial: {{point: [1]}}
particles: {{count: COUNT, scheme: SCHEME, dt: STEP}}
time: {{end: {END}}}
output: {{paths: COUNT}}
"""
FAR, STEPS, WALKERS, SEEDS = 30, 100, 400000, 20
LATTICE = f"""
solver: particles
model:
  state:
    x: {{from: {-FAR - 0.5}, to: {FAR + 0.5}, cells: {2 * FAR + 1}}}
    y: {{from: {-FAR - 0.5}, to: {FAR + 0.5}, cells: {2 * FAR + 1}}}
    z: {{from: {-FAR - 0.5}, to: {FAR + 0.5}, cells: {2 * FAR + 1}}}
  diffusion: {{x: 1/6, y: 1/6, z: 1/6}}
initial: {{point: [0, 0, 0]}}
particles: {{count: {WALKERS}, scheme: jump, dt: 1}}
time: {{end: {STEPS}}}
probes:
  origin: {{field: p, at: [0, 0, 0]}}
verify:
"""
LATTICE += "".join(f'  - {{quantity: "{q}", at: {n}, expect: 0, within: 1}}\n' for n in range(1, STEPS + 1) for q in ("probe:origin", "max:density"))
failed = passed = 0


def check(name, told, good):
    global failed, passed
    passed, failed = passed + bool(good), failed + (not good)
    print(f"{name:28s} {told}  {'ok' if good else 'FAILED'}")


def run(text, read, *settings):
    """Runs a deck and reads something in its output folder. Its own verify table may fail."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "deck.yaml").write_text(text)
        command = [INKDROP, "run", f"{folder}/deck.yaml", "--quiet", "--output", f"{folder}/out",
                   *(word for setting in settings for word in ("--set", setting))]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
        if done.returncode not in (0, 3):
            raise RuntimeError(f"exit code {done.returncode}\n{done.stdout}{done.stderr}\n{text}")
        return read(Path(folder, "out"))


def last_places(out):
    with h5py.File(sorted(out.glob("snapshots/*.h5"))[-1]) as file:
        return np.array(file["path_x"])[-1]


def answers(out):
    """The values of the verify table, by quantity, in the order of the deck."""
    found = {}
    for entry in json.loads((out / "report.json").read_text())["verify"]:
        found.setdefault(entry["quantity"], []).append(entry["value"])
    return {quantity: np.array(values) for quantity, values in found.items()}


@functools.cache
def ends(scheme, dt, count, seed):
    """The places of all paths at the end."""
    text = GEOMETRIC.replace("SCHEME", scheme).replace("STEP", repr(dt)).replace("COUNT", str(count)).replace("SEED", str(seed))
    return run(text, last_places)


class Errors:
    """X_dt - X of paths driven by the same noise, and its second moment in theory: of one step, f = X_dt(dt)/X_dt(0) and g = X(dt)/X(0)."""

    def __init__(self, scheme, dt, count=PATHS, seed=0):
        self.difference = ends(scheme, dt, count, seed) - ends("exact", dt, count, seed)
        square = self.difference**2
        self.rms = sqrt(square.mean())
        self.error = square.std() / sqrt(count) / (2 * self.rms)
        more = 0.5 * SIGMA**4 * dt**2 if scheme == "milstein" else 0.0
        ff = (1 + MU * dt) ** 2 + SIGMA**2 * dt + more
        fg = exp(MU * dt) * (1 + MU * dt + SIGMA**2 * dt + more)
        gg, steps = exp((2 * MU + SIGMA**2) * dt), round(END / dt)
        self.theory = sqrt(ff**steps - 2 * fg**steps + gg**steps)


def order(scheme, case):
    """The slope of ln RMS over ln dt, and the band: from the errors of the six points, which have seeds of their own."""
    steps = [2.0**-k for k in range(4, 10)]
    found = [Errors(scheme, dt, seed=number) for number, dt in enumerate(steps)]
    for dt, e in zip(steps, found):
        check(f"{scheme} at 1/{1 / dt:.0f}", f"rms {e.rms:.6g} +- {e.error:.1e}, in theory {e.theory:.6g}", abs(e.rms - e.theory) <= 4 * e.error)
    x = np.log(steps) - np.mean(np.log(steps))
    slope = sum(x * np.log([e.rms for e in found])) / sum(x**2)
    band = 4 * sqrt(sum((x * [e.error / e.rms for e in found]) ** 2)) / sum(x**2)
    low, high = (float(end) for end in re.match(r"([\d.]+) to ([\d.]+)", CASES[case]["tolerance"]).groups())
    check(case, f"order {slope:.4f} +- {band:.4f}, {low} to {high}", low <= slope - band and slope + band <= high)


def strong():
    for scheme in ("euler", "milstein"):
        for dt in (0.02, 0.01):
            case = f"gbm-strong-{scheme}-dt{dt:.2f}".replace("0.", "")
            e, value = Errors("euler_maruyama" if scheme == "euler" else scheme, dt), float(CASES[case]["value"])
            within = 0.01 * float(re.match(r"([\d.]+) %", CASES[case]["tolerance"])[1]) * value
            good = abs(e.rms - value) <= within and abs(e.theory / value - 1) < 1e-7
            check(case, f"rms {e.rms:.6g}, expected {value:.6g}, within {within:.1e}", good)


def weak():
    value, count = float(CASES["gbm-weak-euler"]["value"]), 4 * PATHS
    difference = Errors("euler_maruyama", 0.02, count).difference
    mean, error = difference.mean(), difference.std() / sqrt(count)
    check("gbm-weak-euler", f"{mean:.6g} +- {error:.1e}, expected {value:.6g}", abs(mean - value) <= 4 * error and 10 * error < abs(value))


def polya():
    """Visits at even steps up to n, and the tail beyond: 2 (3/(4 pi m))^(3/2) at the step 2 m, whose sum over m > M is 4 (3/(4 pi))^(3/2)
    /sqrt(M + 1/2) up to M^(-3/2). The number of visits is geometric, with the variance F/(1 - F)^2; F = 1 - 1/G. Of the density the origin is the
    largest value at even steps."""
    found = run(LATTICE, answers)
    tail = 4 * (3 / (4 * pi)) ** 1.5 / sqrt(STEPS / 2 + 0.5)
    walkers, chance = (1 - 1 / (1 + found[quantity][1::2].sum() + tail) for quantity in ("probe:origin", "max:density"))
    value = float(CASES["polya-3d"]["value"])
    within = 4 * sqrt(value / WALKERS) * (1 - value)
    check("polya-3d", f"{walkers:.5f}, expected {value:.5f}, four standard errors {within:.5f}", abs(walkers - value) <= within)
    check("polya-3d, of the density", f"{chance:.6f}, expected {value:.6f}, within 1e-4", abs(chance - value) <= 1e-4)
    odd = found["probe:origin"][::2]
    check("nobody there at odd steps", f"{len(odd)} of them", len(odd) == STEPS / 2 and not odd.any())


def uniform(deck):
    """Fisher's sums -2 sum ln p and -2 sum ln (1 - p) of n p values are chi-squared with 2 n degrees of freedom."""
    text, p = (SOURCE / f"inputs/particles/{deck}.yaml").read_text(), []
    for seed in range(100, 100 + SEEDS):
        p.append(run(text, answers, f"seed={seed}", "particles.count=20000")["p_value:chi_squared"][-1])
    for called, sum_of_logs in (("p", -2 * np.log(p).sum()), ("1 - p", -2 * np.log1p(-np.array(p)).sum())):
        band = 4 * sqrt(4 * SEEDS)
        check(f"{deck}, {called}", f"Fisher's sum {sum_of_logs:.1f}, {2 * SEEDS} +- {band:.1f}", abs(sum_of_logs - 2 * SEEDS) <= band)


def main():
    strong()
    order("euler_maruyama", "sde-strong-order-euler")
    order("milstein", "sde-strong-order-milstein")
    weak()
    polya()
    for deck in ("jumps_in_the_plane", "reversed"):
        uniform(deck)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
