#!/bin/bash
# The short form of the reaction-diffusion bench comes out with its table and its JSON, and all codes agree (the bench ends
# when they do not). Times are not looked at.
set -euo pipefail
python=${PYTHON:-/usr/bin/python3}
"$python" -c "import h5py, numpy" 2>/dev/null || exit 77
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
here=$(cd "$(dirname "$0")" && pwd)
"$here/reaction_diffusion/run" --short --json "$folder/bench.json" --folder "$folder" | tee "$folder/table"
"$python" - "$folder" <<'PYTHON'
import json
import math
import sys

folder = sys.argv[1]
lines = open(f"{folder}/table").read().splitlines()
rows = json.load(open(f"{folder}/bench.json"))["rows"]
assert lines[0].split()[:3] == ["what", "inkdrop", "peer"], lines[0]
assert len(lines) == len(rows) + 1, (len(lines), len(rows))
for row, line in zip(rows, lines[1:]):
    assert line.startswith(row["what"]), line
    assert all(math.isfinite(row[key]) and row[key] > 0 for key in ("inkdrop", "peer", "ratio")), row
what = " ".join(row["what"] for row in rows)
for part in ("1 rank: plain C loop", "2 ranks: plain C loop", "PETSc TSEULER", "PETSc ARKIMEX, ILU"):
    assert part in what, part
PYTHON
