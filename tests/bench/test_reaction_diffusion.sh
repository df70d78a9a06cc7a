#!/bin/bash
# The short form of the reaction-diffusion bench; all codes agree (the bench ends when they do not). Times are not looked at.
set -euo pipefail
. "$(dirname "$0")/short.sh"
"$python" -c "import h5py, numpy" 2>/dev/null || exit 77
short_form reaction_diffusion/run -- "1 rank: plain C loop" "2 ranks: plain C loop" "PETSc TSEULER" "PETSc ARKIMEX, ILU"
"$python" - "$folder" <<'PYTHON'
import json
import sys

rows = json.load(open(f"{sys.argv[1]}/bench.json"))["rows"]
assert all(key in row for row in rows for key in ("inkdrop", "peer", "ratio")), rows
PYTHON
