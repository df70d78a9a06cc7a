#!/usr/bin/env python3
"""Every deck in verify/ (small problems with closed forms: signs, units, places, times) meets its own `verify` on 1 and 2 ranks."""
import json, os, subprocess, sys, tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
INKDROP = os.environ["INKDROP"]
MPIEXEC = ["mpiexec", "--oversubscribe", "--bind-to", "none"]


def complaint(deck, ranks, folder):
    """What is wrong with the run of `deck`, or None."""
    out = Path(folder) / f"{deck.stem}.{ranks}"
    command = [*MPIEXEC, "-n", str(ranks), INKDROP, "run", str(deck), "--quiet", "--output", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    report = out / "report.json"
    entries = json.loads(report.read_text())["verify"] if report.exists() else []
    if done.returncode == 0 and entries and all(entry["pass"] for entry in entries):
        return None
    return f"exit code {done.returncode}\n{done.stdout}{done.stderr}"


def main():
    decks = sorted((HERE / "verify").glob("*.yaml"))
    assert len(decks) >= 15
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for deck in decks:
            for ranks in (1, 2):
                text = complaint(deck, ranks, folder)
                failed += text is not None
                if text:
                    print(f"{deck.name} on {ranks} ranks: {text}")
    print(f"{2 * len(decks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
