#!/bin/bash
# The bench's short form. Times are not looked at.
set -euo pipefail
. "$(dirname "$0")/short.sh"
short_form run --no-decide -- "plain C loop" "PETSc" "2 ranks" "muparser" "compiled C loop" "checkpoint" "start-up"
"$python" - "$folder" <<'PYTHON'
import json
import sys

assert sum("target" in row for row in json.load(open(f"{sys.argv[1]}/bench.json"))["rows"]) >= 10
PYTHON
