#!/usr/bin/env python3
"""Every deck of the gallery verifies itself: exit code 0 on 1 rank and, by turns, on 2 or 4; with INKDROP_LONG=1 on 1, 2 and 4. Particles,
whose bits do not depend on the ranks (test_particle_ranks.py), on one number of ranks, by turns. A deck with a line `# expect exit 4: words` must end so, and say those words.

The folders reaction_diffusion and particles are run by test_gallery_species.py and test_gallery_particles.py, beside this one."""
import json, os, re, subprocess, sys, tempfile, threading, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import yaml
from test_references import too_wide

INKDROP = os.environ["INKDROP"]
SOURCE = Path(os.environ["INKDROP_SOURCE"])
CASES = {case["id"]: case for case in yaml.safe_load((SOURCE / "tests/references.yaml").read_text())}
LONG = bool(os.environ.get("INKDROP_LONG"))
SLOW = 3.0  # seconds on 1 rank: beyond that, only the long form runs a deck on more


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


def verify(turn, deck, folder):
    """Runs a deck on several rank counts: what to print, and how many runs passed and failed."""
    times, lines, passed = {}, [], 0
    must_fail = re.search(r"^# expect exit (\d+): (.+)$", deck.read_text(), re.MULTILINE)
    solver = yaml.safe_load(deck.read_text()).get("solver")
    for ranks in (1, 2, 4) if LONG or solver != "particles" else [1 << turn % 3]:
        if not LONG and solver != "particles" and ranks > 1 and (times[1] > SLOW or ranks != 2 << turn % 2):
            continue
        out = f"{folder}/{deck.parent.name}.{deck.stem}.{ranks}"
        done, times[ranks] = run(deck, ranks, out)
        report = Path(f"{out}/report.json")
        entries = json.loads(report.read_text())["verify"] if report.exists() else []
        wide = "".join(too_wide(entry, CASES) for entry in entries) if solver == "particles" else ""
        if must_fail:
            good = done.returncode == int(must_fail[1]) and must_fail[2] in done.stderr
        else:
            good = done.returncode == 0 and entries and all(entry["pass"] for entry in entries) and not wide
        if good:
            passed += 1
        else:
            lines.append(f"{deck.name} on {ranks} ranks: exit code {done.returncode}\n{done.stdout}{done.stderr}{wide}")
    lines.append(f"{deck.parent.name}/{deck.stem:28s}" + "".join(f"  {r} ranks {t:6.1f} s" for r, t in sorted(times.items())))
    return "\n".join(lines), passed, len(times) - passed


def main(wanted):
    """Runs the decks of the folders that `wanted` says yes to, two at a time: most of a short run is waiting for MPI to start."""
    failed = passed = 0
    decks = [deck for deck in sorted((SOURCE / "inputs").glob("*/*.yaml")) if wanted(deck.parent.name)]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        for text, good, bad in pool.map(lambda turn: verify(turn, decks[turn], folder), range(len(decks))):
            print(text)
            passed, failed = passed + good, failed + bad
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(lambda folder: folder not in ("reaction_diffusion", "particles")))
