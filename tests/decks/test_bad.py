#!/usr/bin/env python3
"""Every deck in bad/ is refused with exit code 2 and the lines it expects, each once, on 1 rank and every third on 3 ranks too (INKDROP_LONG=1: all).

The first lines of a bad deck say what to expect on stderr:  `# expect: LINE: KEY: FRAGMENT`  (what follows DECK.yaml: of one line;
an empty one asks only for a line that names the deck).
"""
import os, re, subprocess, sys, tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
INKDROP = os.environ["INKDROP"]
LONG = bool(os.environ.get("INKDROP_LONG"))
MPIEXEC = ["mpiexec", "--oversubscribe", "--bind-to", "none"]


def complaint(deck, ranks):
    """What is wrong with how `deck` was refused, or None."""
    expected = re.findall(r"^# expect: ?(.*)$", deck.read_text(), re.M)
    with tempfile.TemporaryDirectory() as folder:
        command = ([*MPIEXEC, "-n", str(ranks)] if ranks > 1 else []) + [INKDROP, "run", str(deck)]
        try:
            run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return "hangs"
        if run.returncode != 2:
            return f"exit code {run.returncode}, not 2\n{run.stderr}"
        if os.listdir(folder):
            return f"leaves {os.listdir(folder)} behind"
    lines = [line for line in run.stderr.splitlines() if line.startswith(f"{deck}:") or ".yaml:" in line]
    if "PETSC ERROR" in run.stderr or len(lines) < 1:
        return f"no clear line:\n{run.stderr}"
    if len(set(lines)) != len(lines):
        return f"a line is there twice:\n{run.stderr}"
    missing = re.findall(r"^.*\.yaml:\d+: (\S+): is required", run.stderr, re.M)
    if len(set(missing)) != len(missing):
        return f"a missing key is named twice:\n{run.stderr}"
    for fragment in expected or [""]:
        if not any(matches(line, fragment) for line in lines):
            return f"no line with '{fragment}':\n{run.stderr}"
    return None


def matches(line, fragment):
    """`LINE: KEY: TEXT` must follow the deck's name in this order; TEXT may stand anywhere after."""
    rest = line.split(".yaml:", 1)[1]
    parts = re.match(r"(\d+: (?:[^ ]+: )?)?(.*)", fragment)
    return rest.startswith(parts[1] or "") and parts[2] in rest


def main():
    decks = sorted((HERE / "bad").glob("*.yaml"))
    assert len(decks) >= 40
    jobs = [(deck, ranks) for turn, deck in enumerate(decks) for ranks in ((1, 3) if LONG or turn % 3 == 0 else (1,))]
    with ThreadPoolExecutor(2) as pool:
        complaints = list(pool.map(lambda job: complaint(*job), jobs))
    failed = 0
    for (deck, ranks), text in zip(jobs, complaints):
        if text:
            failed += 1
            print(f"{deck.name} on {ranks} ranks: {text}")
    print(f"{len(jobs) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
