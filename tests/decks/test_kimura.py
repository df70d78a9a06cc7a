#!/usr/bin/env python3
"""Will an advantageous gene be fixed? The same question asked four ways, in one table:

    formula    Kimura's u = (1 - exp(-2 N s x))/(1 - exp(-2 N s))
    backward   inputs/genes/fixation.yaml: the backward equation
    forward    inputs/genes/fixation_forward.yaml: what is absorbed at 1 in the end
    chain      inputs/population/wright_fisher_fixation.yaml: the exact Wright-Fisher chain

The backward equation is exact at the cells' centres, of which the start is one, and the forward equation has the same rates. The formula
is the chain's limit for small s at a given N s: the chain must lie between the formulas for s and for s (1 - |s|), and is the formula for s = 0.
"""
import json, os, subprocess, sys, tempfile
from math import expm1
from pathlib import Path

INKDROP = os.environ["INKDROP"]
SOURCE = Path(os.environ["INKDROP_SOURCE"])
BACKWARD, FORWARD, NEUTRAL = 1e-12, 1e-8, 1e-11
# (N, s, copies at the start, cells of which copies/N is a centre)
CASES = ((50, 0.05, 1, 1225), (50, 0.05, 5, 1005), (200, 0.01, 20, 1005), (200, -0.01, 20, 1005), (500, 0.02, 1, 1250), (100, 0, 37, 1050))


def formula(N, s, x):
    return expm1(-2 * N * s * x) / expm1(-2 * N * s) if s != 0 else x


def value(deck, quantity, *settings):
    """The value of a quantity of the deck's verify table, with other numbers than the deck's own: its table may well fail."""
    with tempfile.TemporaryDirectory() as folder:
        command = [INKDROP, "run", str(SOURCE / "inputs" / deck), "--quiet", "--output", f"{folder}/out",
                   *(word for setting in settings for word in ("--set", setting))]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
        if done.returncode not in (0, 3):
            raise RuntimeError(f"{deck}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        return next(e["value"] for e in json.loads(Path(f"{folder}/out/report.json").read_text())["verify"] if e["quantity"] == quantity)


def four_ways(N, s, copies, cells):
    x = copies / N
    diffusion = f"parameters.N={N}", f"parameters.s={s}", f"model.state.x.cells={cells}"
    return {"formula": formula(N, s, x),
            "backward": value("genes/fixation.yaml", "probe:start", *diffusion, f"probes.start.at=[{x}]"),
            "forward": value("genes/fixation_forward.yaml", "absorbed:x_max", *diffusion, f"initial.point=[{x}]", f"time.end={20 * N}"),
            "chain": value("population/wright_fisher_fixation.yaml", "probe:one_copy", f"population.size={N}", f"population.selection={s}",
                           f"probes.one_copy.at=[{x}]", f"probes.five_copies.at=[{x}]")}


def main():
    failed = passed = 0
    print(f"{'N':>5} {'s':>6} {'x':>6} {'formula':>17} {'backward':>17} {'forward':>17} {'chain':>17}   differences from the formula, bounds")
    for N, s, copies, cells in CASES:
        u = four_ways(N, s, copies, cells)
        limited = abs(formula(N, s * (1 - abs(s)), copies / N) - u["formula"]) if s != 0 else NEUTRAL
        bounds = {"backward": BACKWARD, "forward": FORWARD, "chain": limited}
        differences = {way: abs(u[way] - u["formula"]) for way in bounds}
        good = [differences[way] <= bound for way, bound in bounds.items()]
        passed, failed = passed + sum(good), failed + len(good) - sum(good)
        told = "  ".join(f"{differences[way]:.1e} ({bound:.0e})" for way, bound in bounds.items())
        print(f"{N:5d} {s:6g} {copies / N:6g} " + " ".join(f"{number:17.13f}" for number in u.values()) + f"   {told}{'' if all(good) else '  FAIL'}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
