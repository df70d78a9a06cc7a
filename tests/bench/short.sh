# Sourced by the tests of the benches: a bench's short form comes out with its table and its JSON. Times are not looked at.
# short_form BENCH ARGUMENT... -- WORD...: runs BENCH ARGUMENT... with a folder of its own and looks for each WORD among the rows' names;
# the table is in $folder/table, the rows in $folder/bench.json.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=${PYTHON:-/usr/bin/python3}

short_form() {
  local command=()
  while [ "$1" != -- ]; do
    command+=("$1")
    shift
  done
  shift
  "$here/${command[0]}" --short "${command[@]:1}" --json "$folder/bench.json" --folder "$folder" | tee "$folder/table"
  "$python" - "$folder" "$@" <<'PYTHON'
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
for part in sys.argv[2:]:
    assert part in what, part
PYTHON
}
