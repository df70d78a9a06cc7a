#!/bin/bash
# The verbs and options as a user types them: exit codes, where results go, what is printed where.
. "$(dirname "$0")/../shell.sh"

cat >bar.yaml <<'DECK'
title: a bar
solver: heat
mesh: {x: {from: 0, to: 1 m, cells: 20}}
material: {diffusivity: 1 m^2/s}
initial: {T: 20 degC}
boundary: {x_min: {type: value, value: 100 degC}}
time: {end: 0.1 s, method: explicit}
output: {snapshots: {every: 0.05 s}, series: {every: 0.02 s}}
probes: {middle: {field: T, at: [0.5 m]}}
verify:
  - {quantity: "max:T", at: 0, expect: 20 degC, within: 0.001, source: the initial state}
  - {quantity: "probe:middle", expect: 60 degC, within: 60, source: between the two temperatures}
DECK

# run: files, table, codes
gives 0 "run" on 2 run bar.yaml
prints "probe:middle"
check "the table is in degC" grep -qE '^max:T +0 +20 +20 ' stdout
for file in deck.yaml report.json fields.h5 series.h5 snapshots/000000.h5 snapshots/000001.h5 snapshots/000002.h5; do
  check "bar.out/$file is there" [ -s "bar.out/$file" ]
done
check "and no fourth snapshot" [ ! -e bar.out/snapshots/000003.h5 ]
check "nothing unfinished is left" [ -z "$(find bar.out -name '*.tmp')" ]
check "the report is in SI" "$PYTHON" - <<'PY'
import json
report = json.load(open("bar.out/report.json"))
entry = report["verify"][0]
assert report["status"] == "finished" and report["exit_code"] == 0
assert abs(entry["expect"] - 293.15) < 1e-9 and entry["pass"] is True, entry
assert {"quantity", "at", "value", "expect", "difference", "within", "pass", "source", "unit"} <= entry.keys()
PY

# the recorded deck gives the same run
gives 0 "run of the recorded deck" on 1 run bar.out/deck.yaml --output again
same bar.out again

# verify out of tolerance; quiet; --set; series left out
gives 3 "verify fails" on 2 run bar.yaml --output failing --set 'verify[1].expect=1000 degC' --quiet
prints "FAIL"
check "quiet prints the table only" bash -c "! grep -q '^note' stdout"
gives 3 "a finished run gives its code again" on 3 run bar.yaml --output failing --set 'verify[1].expect=1000 degC'

# several decks: a folder each, the worst code
sed 's/within: 60/within: 1e-12/' bar.yaml >hopeless.yaml
echo 'solver: heet' >broken.yaml
gives 3 "several decks" on 2 run broken.yaml bar.yaml hopeless.yaml --output all
check "the good ones have run" grep -q '"finished"' all/hopeless.out/report.json
check "a folder each" [ -s all/bar.out/report.json -a -s all/hopeless.out/report.json -a ! -e all/broken.out ]
says "heat"

# JSON log and the report's times
gives 0 "json log" on 2 run bar.yaml --output logged --json-log
check "the log's events" "$PYTHON" - <<'PY'
import json, os
lines = [json.loads(line) for line in open("logged/log.jsonl")]
kinds = [line["event"] for line in lines if line["event"] not in ("note", "progress")]
assert kinds == ["start"] + ["snapshot"] * 3 + ["checkpoint"] + ["verify"] * 2 + ["end"], kinds
of = {line["event"]: line for line in lines}
start, saved, end = of["start"], of["checkpoint"], of["end"]
assert (start["deck"], start["cells"], start["ranks"], start["method"]) == ("bar.yaml", 20, 2, "explicit"), start
assert start["reason"] and start["solver"] == "heat"
assert saved["bytes"] == os.path.getsize(saved["file"]) and 0 < saved["seconds"] < 60, saved
assert of["verify"]["quantity"] == "probe:middle" and of["verify"]["pass"] is True
assert end["code"] == 0 and end["status"] == "finished" and end["steps"] > 10, end
assert 0 < end["step_seconds"] < end["wall_seconds"], end
assert 0 < end["first_step_seconds"] < end["wall_seconds"], end
run = json.load(open("logged/report.json"))["run"]
assert abs(run["step_seconds"] - end["step_seconds"]) < 1e-9
assert abs(run["start_seconds"] - end["first_step_seconds"]) < 1e-9
PY

# check, describe, list, info, help, version
gives 0 "check" on 2 check bar.yaml
prints "cells              20"
prints "x_max"
prints "on 2 ranks"
gives 0 "check of several" on 1 check bar.yaml hopeless.yaml --set time.method=steady --set 'boundary.x_max.type=symmetry'
prints "one steady solve"
check "no steps of time" bash -c "! grep -q 'monotone' stdout"
check "check leaves nothing" [ ! -e bar.out/lock -a ! -e hopeless.out ]
gives 2 "check of a bad deck" on 2 check bar.yaml --set time.end=-1
says_once "time.end"
gives 0 "describe" on 1 describe heat
prints "mesh"
gives 0 "describe a key" on 1 describe heat.time.tolerance
gives 0 "describe as JSON" on 1 describe heat --json
check "it is JSON" "$PYTHON" -c 'import json; json.load(open("stdout"))'
gives 0 "JSON schema" on 1 describe heat --json-schema
check "it is JSON" "$PYTHON" -c 'import json; json.load(open("stdout"))'
gives 2 "describe an unknown solver" on 1 describe heet
says "heat"
gives 2 "describe an unknown key" on 1 describe heat.nonsense
gives 0 "list" on 1 list
prints "explicit"
gives 0 "info" on 1 info bar.out/snapshots/000001.h5
prints "T"
gives 0 "pack" on 1 pack bar.out packed.h5
gives 0 "help" on 1 --help
prints "mpiexec"
gives 0 "version" on 1 --version

# usage
gives 2 "no verb" on 3 ; says_once "inkdrop run DECK"
gives 2 "unknown verb" on 3 rum bar.yaml ; says_once "unknown verb"
gives 2 "unknown option" on 3 run bar.yaml --outputs x ; says_once "unknown option"
gives 2 "no such deck" on 3 run missing.yaml ; says_once "missing.yaml: cannot be read"
gives 2 "quantity misspelt" on 3 run bar.yaml --output x --set 'verify[1].quantity=prob:middle'
says_once "did you mean 'probe'?"
gives 2 "expect of another dimension" on 3 run bar.yaml --output x --set 'verify[1].expect=3 m'
says_once "verify[1].expect"
check "a refused deck leaves nothing" [ ! -e x ]
no_traceback

# PETSc's options come after -- only, and its environment is not heard
gives 0 "PETSc option" env PETSC_OPTIONS="-log_view" "$INKDROP" run bar.yaml --output petsc --set time.method=implicit -- -ksp_rtol 1e-12
check "PETSC_OPTIONS is not heard" bash -c "! grep -q 'Performance Summary' stdout"
report
