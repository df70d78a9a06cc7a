#!/usr/bin/env python3
"""Broken decks through the whole program: `inkdrop check` ends with 0 or 2, says why, and never crashes or hangs.

Each deck is a gallery deck with a few random edits, the same ones in every run. About 10 s; INKDROP_LONG=SECONDS goes on for
so long. tests/unit/test_deck_fuzz.c does the same to the reader alone, a thousand times faster.
"""
import os, random, subprocess, sys, tempfile, time
from pathlib import Path

INKDROP = os.environ["INKDROP"]
DECKS = sorted((Path(os.environ["INKDROP_SOURCE"]) / "inputs").glob("*/*.yaml"))
TOKENS = ["*", "&a ", "!x ", "{", "}", "[", "]", "\t", "- ", ": ", "'", '"', "---\n", "1e999", "-1", "0", "nan", "1/0", "[m]",
          " degC", "^", "((((", "noise(99)", "x", "y", "T", "t", "r", "steady", "periodic", "cylindrical", "1e15", "1e-300",
          "99999999999999999999", "2.5", "symmetry", "radiation", "z_min", "manufactured: true\n", "absorbing", "stationary",
          "first_passage", "hitting_probability", "spectrum", "stratonovich", "xv", "x_max", "milstein", "heun",
          "exact", "jump", "reverse", "path"]


def mutant(source, rng):
    for _ in range(rng.randint(1, 3)):
        at, kind = rng.randrange(len(source) + 1), rng.randrange(4)
        token, end = rng.choice(TOKENS), at + rng.randrange(12)
        if kind == 0: source = source[:at] + token + source[at:]
        elif kind == 1: source = source[:at] + token + source[end:]
        elif kind == 2: source = source[:at] + source[end:]
        else:
            lines = source.splitlines(keepends=True)
            if lines: lines.insert(rng.randrange(len(lines)), lines.pop(rng.randrange(len(lines))))
            source = "".join(lines)
    return source


def main():
    if not DECKS:
        sys.exit("no gallery decks found")
    rng, codes = random.Random(8), {0: 0, 2: 0}
    end = time.monotonic() + float(os.environ.get("INKDROP_LONG", 10))
    with tempfile.TemporaryDirectory() as folder:
        deck = Path(folder) / "d.yaml"
        while time.monotonic() < end or sum(codes.values()) < 10:
            text = mutant(rng.choice(DECKS).read_text(), rng)
            deck.write_text(text)
            run = subprocess.run([INKDROP, "check", str(deck)], cwd=folder, capture_output=True, text=True, errors="replace",
                                 timeout=60, stdin=subprocess.DEVNULL)
            silent = run.returncode == 2 and not run.stderr.strip()
            if run.returncode not in codes or silent or "PETSC ERROR" in run.stderr:
                sys.exit(f"exit code {run.returncode}\n{run.stderr}\nof the deck\n{text}")
            codes[run.returncode] += 1
    print(f"{sum(codes.values())} decks: {codes[0]} accepted, {codes[2]} refused")


main()
