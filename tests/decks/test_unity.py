#!/usr/bin/env python3
"""One initial-value problem as heat and as a Fokker-Planck equation (inputs/unity): the fields at the end are equal, to round-off with the same
explicit steps, and to what is left of two implicit methods' errors with the same implicit steps."""
import os, subprocess, sys, tempfile
from pathlib import Path
import h5py
import numpy as np

INKDROP = os.environ["INKDROP"]
SOURCE = Path(os.environ["INKDROP_SOURCE"])
DECKS = {"heat": "T", "fokker_planck": "p"}


def last_field(deck, field, ranks, out, settings):
    command = ["mpiexec", "--oversubscribe", "--bind-to", "none", "-n", str(ranks), INKDROP, "run", str(SOURCE / f"inputs/unity/{deck}.yaml"),
               "--quiet", "--output", out, *(word for setting in settings for word in ("--set", setting))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise RuntimeError(f"{deck}.yaml on {ranks} ranks: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    with h5py.File(sorted(Path(out, "snapshots").glob("*.h5"))[-1]) as file:
        return np.array(file[field])


def difference(ranks, settings):
    """The largest difference between the two solvers' fields, over the largest value."""
    with tempfile.TemporaryDirectory() as folder:
        heat, density = (last_field(deck, field, ranks, f"{folder}/{deck}", settings) for deck, field in DECKS.items())
    assert heat.shape == density.shape, (heat.shape, density.shape)
    return float(np.abs(heat - density).max() / np.abs(heat).max())


def main():
    failed = passed = 0
    implicit = ["time.method=implicit", "time.dt=1e-3", "time.tolerance=1e-8"]
    for called, ranks, settings, bound in (("explicit", 1, [], 1e-13), ("explicit", 2, [], 1e-13), ("implicit", 1, implicit, 1e-6)):
        found = difference(ranks, settings)
        good = found <= bound
        passed, failed = passed + good, failed + (not good)
        print(f"heat and fokker_planck, {called}, {ranks} rank{'s' if ranks > 1 else ' '}: largest difference {found:.1e}, bound {bound:.0e}  "
              f"{'pass' if good else 'FAIL'}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
