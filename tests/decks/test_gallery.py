#!/usr/bin/env python3
"""Every deck of the gallery verifies itself: exit code 0 on 1, 2 and 4 ranks. INKDROP_LONG=1 runs the slow ones on each rank count too.

The folder reaction_diffusion is run by test_gallery_species.py, beside this one."""
import json, os, subprocess, sys, tempfile, threading, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

INKDROP = os.environ["INKDROP"]
SOURCE = Path(os.environ["INKDROP_SOURCE"])
SLOW = 3.0  # seconds on 2 ranks: beyond that, only INKDROP_LONG runs a deck on 1 and 4 ranks as well


class Cores:
    """Two cores. A run of one rank takes one of them, any other run both: ranks wait for messages in a busy loop, and beside another
    run's loop each of thousands of steps would last a time slice of the scheduler."""

    def __init__(self):
        self.free, self.changed = 2, threading.Condition()

    def take(self, count):
        with self.changed:
            self.changed.wait_for(lambda: self.free >= count)
            self.free -= count

    def give(self, count):
        with self.changed:
            self.free += count
            self.changed.notify_all()


cores = Cores()


def run(deck, ranks, out):
    command = ["mpiexec", "--oversubscribe", "--bind-to", "none", "-n", str(ranks), INKDROP, "run", str(deck), "--quiet", "--output", out]
    needed = min(ranks, 2)
    cores.take(needed)
    try:
        start = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, stdin=subprocess.DEVNULL)
        return done, time.monotonic() - start
    finally:
        cores.give(needed)


def verify(deck, folder):
    """Runs a deck on 2, 1 and 4 ranks: what to print, and how many runs passed and failed."""
    times, lines, passed = {}, [], 0
    for ranks in (2, 1, 4):
        if ranks != 2 and times[2] > SLOW and not os.environ.get("INKDROP_LONG"):
            continue
        out = f"{folder}/{deck.parent.name}.{deck.stem}.{ranks}"
        done, times[ranks] = run(deck, ranks, out)
        report = Path(f"{out}/report.json")
        entries = json.loads(report.read_text())["verify"] if report.exists() else []
        if done.returncode == 0 and entries and all(entry["pass"] for entry in entries):
            passed += 1
        else:
            lines.append(f"{deck.name} on {ranks} ranks: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    lines.append(f"{deck.parent.name}/{deck.stem:28s}" + "".join(f"  {r} ranks {t:6.1f} s" for r, t in sorted(times.items())))
    return "\n".join(lines), passed, len(times) - passed


def main(wanted):
    """Runs the decks of the folders that `wanted` says yes to, two at a time: most of a short run is waiting for MPI to start."""
    failed = passed = 0
    decks = [deck for deck in sorted((SOURCE / "inputs").glob("*/*.yaml")) if wanted(deck.parent.name)]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        for text, good, bad in pool.map(lambda deck: verify(deck, folder), decks):
            print(text)
            passed, failed = passed + good, failed + bad
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(lambda folder: folder != "reaction_diffusion"))
