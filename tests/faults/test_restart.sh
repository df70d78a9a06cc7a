#!/bin/bash
# --restart: what stands in OUT and what is made of it. A stopped run that goes on gives the same bytes, on any rank
# count; nothing of another run is overwritten.
. "$(dirname "$0")/../shell.sh"

cat >plate.yaml <<'DECK'
solver: heat
mesh: {x: {from: 0, to: 1, cells: 24}, y: {from: 0, to: 1, cells: 20}}
material: {conductivity: "1 + 0.1*T", density: 1, heat_capacity: 1}
initial: {T: "x*y + 0.1*noise(0)"}
boundary: {x_min: {type: value, value: "sin(10*t)"}, y_max: {type: convection, coefficient: 2, ambient: 1}}
time: {end: 0.5, method: explicit}
output: {snapshots: {every: 0.1}, series: {every: 0.03}}
checkpoint: {every_simulated: 0.07, keep: 3}
probes: {p: {field: T, at: [0.3, 0.7]}}
verify:
  - {quantity: "probe:p", at: 0.11, expect: 0, within: 10}
  - {quantity: "integral:T", expect: 0, within: 10}
DECK
gives 0 "the uninterrupted run" on 2 run plate.yaml --output whole

# A finished run prints its table and exits as before; nothing is written.
touch -d '2001-01-01' whole/fields.h5
gives 0 "finished" on 3 run plate.yaml --output whole
prints "probe:p"
check "nothing was written" [ "$(date -r whole/fields.h5 +%Y)" = 2001 ]

# Another deck is refused by the changed keys, and leaves all as it is.
gives 2 "another deck" on 3 run plate.yaml --output whole --set mesh.x.cells=25 --set material.density=2
says_once "mesh.x.cells"
says "material.density"
same whole whole
gives 2 "never" on 2 run plate.yaml --output whole --restart never
says_once "not empty"
gives 0 "never in an empty folder" on 2 run plate.yaml --output fresh --restart never
same whole fresh
mkdir strange && touch strange/fields.h5
gives 2 "a folder that is not ours" on 2 run plate.yaml --output strange
says_once "deck.yaml"

# A later end continues a finished run.
gives 0 "first part" on 3 run plate.yaml --output parts --set time.end=0.21
gives 0 "continued to a later end" on 1 run plate.yaml --output parts
prints "continuing from checkpoint"
gives 2 "an earlier end" on 2 run plate.yaml --output parts --set time.end=0.3
says_once "time.end"

# From a given checkpoint, N to M ranks: the same bytes.
older=$(ls whole/checkpoints/*.h5 | head -n 1)
for ranks in 1 3 4; do
  gives 0 "from $older on $ranks ranks" on "$ranks" run plate.yaml --output "file$ranks" --restart "$older"
  prints "continuing from checkpoint"
  check "same end on $ranks ranks" "$PYTHON" - "$ranks" <<'PY'
import sys, h5py
one, two = (h5py.File(f"{out}/snapshots/000005.h5")["T"][()].tobytes() for out in ("whole", f"file{sys.argv[1]}"))
assert one == two
PY
done
gives 2 "a checkpoint of another deck" on 2 run plate.yaml --output other --restart "$older" --set seed=3
gives 2 "a checkpoint that is not there" on 2 run plate.yaml --output whole --restart nothing.h5
says_once "nothing.h5 cannot be read"
check "the finished run's report stays" grep -q '"finished"' whole/report.json
cp "$older" bad.h5
gives 74 "a checkpoint without its sum" on 2 run plate.yaml --output whole --restart bad.h5
check "the finished run's report stays" grep -q '"finished"' whole/report.json
gives 2 "an end before the checkpoint" on 2 run plate.yaml --output early --set time.end=0.3 --restart "$older"
says_once "after time.end"
check "and nothing is left of it" [ ! -e early/deck.yaml ]

# The newest checkpoint is damaged: the one before it is taken, and the end is the same.
cp -r whole damaged
rm damaged/report.json
newest=$(ls damaged/checkpoints/*.h5 | tail -n 1)
printf 'x' | dd of="$newest" bs=1 seek=3000 conv=notrunc 2>/dev/null
gives 0 "damaged checkpoint" on 3 run plate.yaml --output damaged
says_once "$(basename "$newest")"
same whole damaged
cp -r whole cut
rm cut/report.json
for file in cut/checkpoints/*.h5; do truncate -s 1000 "$file"; done
gives 0 "all checkpoints cut" on 2 run plate.yaml --output cut
prints "starting anew"
same whole cut

# `auto` decides once: other rank counts and restarts keep the method and, as it is explicit, the bits. A later end
# for which a new run would be implicit keeps it as well.
sed 's/method: explicit/method: auto/' plate.yaml >auto.yaml
gives 0 "auto on one rank" on 1 run auto.yaml --output auto
prints "method explicit"
gives 0 "auto from a checkpoint on three" on 3 run auto.yaml --output auto3 --restart "$(ls auto/checkpoints/*.h5 | head -n 1)"
prints "method explicit"
check "the same bits" "$PYTHON" - <<'PY'
import h5py
one, two = (h5py.File(f"{out}/snapshots/000005.h5")["T"][()].tobytes() for out in ("auto", "auto3"))
assert one == two
PY
same whole auto
cat >long.yaml <<'DECK'
solver: heat
mesh: {x: {from: 0, to: 1, cells: 100}}
material: {diffusivity: 1}
initial: {T: "sin(pi*x)"}
boundary: {x_min: {type: value, value: 0}, x_max: {type: value, value: 0}}
time: {end: 0.005, tolerance: 1.0e-3}
DECK
gives 0 "a new run to the later end" on 1 run long.yaml --output other_method --set time.end=1
prints "method implicit"
gives 0 "to the early end" on 1 run long.yaml --output long
prints "method explicit"
gives 0 "on to the later end" on 3 run long.yaml --output long --set time.end=1
prints "method explicit"
check "the report names the method" grep -q '"method": "explicit"' long/report.json

# Two runs in one folder: the second is refused, the first goes on.
on 2 run plate.yaml --output shared --set time.end=200 >first.log 2>&1 &
first=$!
wait_for has_checkpoint shared
gives 2 "a second run" on 2 run plate.yaml --output shared --set time.end=200
says_once "in use by another run"
touch shared/STOP
wait "$first"
check "the first ends with 75" [ $? = 75 ]
check "STOP is gone" [ ! -e shared/STOP ]
no_traceback
report
