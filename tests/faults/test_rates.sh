#!/bin/bash
# Rates (front:speed, growth) are made from samples over time: a run that goes on from any checkpoint, on any rank count,
# gives the same bits, and what is sampled stands in the series.
. "$(dirname "$0")/../shell.sh"

cat >wave.yaml <<'DECK'
solver: heat
mesh: {x: {from: 0, to: 4, cells: 40}, y: {from: 0, to: 1, cells: 12}}
material: {diffusivity: 1}
initial: {T: "exp(-x) + 0.1*cos(pi*y)"}
boundary: {x_min: {type: value, value: "exp(t)"}, x_max: {type: value, value: "exp(t - 4)"}}
time: {end: 0.2, method: explicit}
output: {series: {every: 0.02}}
checkpoint: {every_simulated: 0.03, keep: 100}
verify:
  - {quantity: "front:speed", axis: x, level: 0.3, from: 0.02, to: 0.14, expect: 1, within: 0.02}
  - {quantity: growth, axis: y, wavenumber: pi, from: 0, to: 0.1, expect: -11, within: 1}
  - {quantity: growth, axis: y, wavenumber: pi, expect: -11, within: 1}
DECK
gives 0 "the uninterrupted run" on 2 run wave.yaml --output whole
check "the series shows what is sampled" "$PYTHON" - <<'PY'
import h5py
series = h5py.File("whole/series.h5")
assert len(series["front_position"]) == len(series["amplitude"]) == 11 and "amplitude_2" not in series
PY
number=0
for file in whole/checkpoints/*.h5; do
  ranks=$((number % 4 + 1))
  gives 0 "from $file on $ranks ranks" on "$ranks" run wave.yaml --output "again$number" --restart "$file"
  check "the same rates from $file" "$PYTHON" - "$number" <<'PY'
import json, sys
one, two = (json.load(open(f"{out}/report.json"))["verify"] for out in ("whole", f"again{sys.argv[1]}"))
assert len(one) == 3 and all(entry["standard_error"] > 0 for entry in one) and one == two
PY
  number=$((number + 1))
done
check "there were checkpoints before, between and after the samples" [ "$number" -ge 6 ]
report
