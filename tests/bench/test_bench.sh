#!/bin/bash
# The bench's short form comes out with its table and its JSON. Times are not looked at.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
here=$(cd "$(dirname "$0")" && pwd)
"$here/run" --short --no-decide --json "$folder/bench.json" --folder "$folder" | tee "$folder/table"
"${PYTHON:-/usr/bin/python3}" - "$folder" <<'PYTHON'
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
    figures = [row[key] for key in ("inkdrop", "peer", "ratio", "limit") if key in row]
    assert all(math.isfinite(x) and x > 0 for x in figures), row
what = " ".join(row["what"] for row in rows)
for part in ("plain C loop", "PETSc", "2 ranks", "muparser", "compiled C loop", "checkpoint", "start-up"):
    assert part in what, part
assert sum("target" in row for row in rows) >= 10
PYTHON
