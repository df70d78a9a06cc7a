#!/usr/bin/env python3
"""One initial-value problem as heat, as a Fokker-Planck equation and as particles (inputs/unity): the fields at the end are equal, to round-off with
the same explicit steps, and to what is left of two implicit methods' errors with the same implicit steps. The particles' histogram differs from
the density by what counting so many of them brings: chi-squared over its degrees of freedom is 1, within four of its standard deviations."""
import os, subprocess, sys, tempfile
from pathlib import Path
import h5py
import numpy as np

INKDROP = os.environ["INKDROP"]
SOURCE = Path(os.environ["INKDROP_SOURCE"])
COUNT = 100000


def last_fields(deck, fields, ranks, settings=()):
    """Fields of the last snapshot of a deck's run."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["mpiexec", "--oversubscribe", "--bind-to", "none", "-n", str(ranks), INKDROP, "run", str(SOURCE / f"inputs/unity/{deck}.yaml"),
                   "--quiet", "--output", f"{folder}/out", *(word for setting in settings for word in ("--set", setting))]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise RuntimeError(f"{deck}.yaml on {ranks} ranks: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        with h5py.File(sorted(Path(folder, "out/snapshots").glob("*.h5"))[-1]) as file:
            return [np.array(file[field])[-1] for field in fields]


failed = passed = 0


def check(told, value, low, high):
    global failed, passed
    good = low <= value <= high
    passed, failed = passed + good, failed + (not good)
    print(f"{told}: {value:.3g}, {low:.3g} to {high:.3g}  {'pass' if good else 'FAIL'}")


def difference(one, other):
    """The largest difference of two fields, over the largest value."""
    assert one.shape == other.shape, (one.shape, other.shape)
    return float(np.abs(one - other).max() / np.abs(one).max())


def main():
    implicit = ["time.method=implicit", "time.dt=1e-3", "time.tolerance=1e-8"]
    for called, ranks, settings, bound in (("explicit", 1, [], 1e-13), ("explicit", 2, [], 1e-13), ("implicit", 1, implicit, 1e-6)):
        (heat,), (density,) = last_fields("heat", ["T"], ranks, settings), last_fields("fokker_planck", ["p"], ranks, settings)
        check(f"heat and fokker_planck, {called}, {ranks} rank{'s' if ranks > 1 else ' '}", difference(heat, density), 0, bound)
    density = last_fields("fokker_planck", ["p"], 1)[0]
    for ranks in (1, 2):
        histogram, beside = last_fields("particles", ["p", "density"], ranks, [f"particles.count={COUNT}", "verify=[]"])
        expected = density * COUNT / density.size  # the cells' volumes are all 1/cells
        freedom = density.size - 1
        chi = float(((histogram * COUNT / density.size - expected) ** 2 / expected).sum()) / freedom
        spread = 4 * (2 / freedom) ** 0.5
        check(f"fokker_planck and particles' density, {ranks} rank{'s' if ranks > 1 else ' '}", difference(density, beside), 0, 1e-13)
        check(f"particles and fokker_planck, chi-squared over its freedom, {ranks} rank{'s' if ranks > 1 else ' '}", chi, 1 - spread, 1 + spread)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
