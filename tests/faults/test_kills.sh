#!/bin/bash
# kill -9 at random instants between the first checkpoint and the end; each run is started again, on another number
# of ranks, and ends as one that was left alone: explicit runs, and implicit ones that are solved by transforms, in
# every byte, other implicit ones within the tolerance.
# 8 kills of an explicit heat run, or 50 with INKDROP_LONG=1; an eighth as many of an implicit one, of an
# explicit and of a split reaction-diffusion run, and of a diffusion process whose matrix is full.
. "$(dirname "$0")/../shell.sh"
kills=8
[ -n "${INKDROP_LONG:-}" ] && kills=50
RANDOM=${INKDROP_SEED:-20}

cat >explicit.yaml <<'DECK'
solver: heat
mesh: {x: {from: 0, to: 1, cells: 60}, y: {from: 0, to: 1, cells: 44}}
material: {conductivity: "1 + 0.5*exp(-T^2)*sin(x)^2", density: 1, heat_capacity: 1}
initial: {T: "x*y + 0.1*noise(0)"}
boundary: {x_min: {type: value, value: "sin(10*t)"}, y_max: {type: convection, coefficient: 2, ambient: 1}}
time: {end: 0.2, method: explicit}
output: {snapshots: {every: 0.02}, series: {every: 0.004}}
checkpoint: {every: 0.1 s}
verify: [{quantity: "max:T", at: 0.08, expect: 0, within: 10}]
DECK
cat >implicit.yaml <<'DECK'
solver: heat
mesh: {x: {from: 0, to: 1, cells: 400}}
material: {conductivity: "1 + 0.5*exp(-T^2)", density: 1, heat_capacity: 1}
initial: {T: "x"}
boundary: {x_min: {type: value, value: "sin(50*t)"}}
time: {end: 2, method: implicit, tolerance: 1e-6}
output: {snapshots: {every: 0.2}}
checkpoint: {every: 0.1 s}
DECK
for method in explicit implicit; do
  cat >patterns_$method.yaml <<DECK
solver: reaction_diffusion
mesh: {x: {from: 0, to: 20, cells: 64}, y: {from: 0, to: 20, cells: 50}}
species:
  u: {diffusion: 1, reaction: "0.1 - u + u^2*v", initial: "1 + 0.1*noise(0)"}
  v: {diffusion: 20, reaction: "0.9 - u^2*v", initial: 0.9}
boundary: {x_min: {type: periodic}, x_max: {type: periodic}, y_min: {u: {type: value, value: "1 + sin(t)"}}}
time: {end: $([ $method = explicit ] && echo 240 || echo 160), method: $method}
output: {snapshots: {every: 20}, series: {every: 4}}
checkpoint: {every: 0.1 s}
verify: [{quantity: "balance:u", expect: 0, within: 1e-9}]
DECK
done
cat >process.yaml <<'DECK'
solver: fokker_planck
model:
  state: {x: {from: -4, to: 4, cells: 64}, v: {from: -4, to: 4, cells: 50}}
  drift: {x: v, v: "x - x^3 - 0.3*v + 0.2*sin(t)"}
  diffusion: {x: 0.2, v: 0.5, xv: "0.2*cos(t)"}
  boundary: {x_min: periodic, x_max: periodic, v_max: absorbing}
initial: {point: [0.3, -0.2]}
time: {end: 16, method: explicit}
output: {snapshots: {every: 2}, series: {every: 0.4}}
checkpoint: {every: 0.1 s}
verify: [{quantity: "absorbed:v_max", expect: 0, within: 1}, {quantity: "flux:x_max", at: 6, expect: 0, within: 1}]
DECK

# left_alone DECK: the run that the others are compared with; its time.
left_alone() {
  local begin
  begin=$(date +%s%N)
  gives 0 "$1: left alone" on 2 run $1.yaml --output $1
  [ "$failed" = 0 ] || report
  milliseconds=$((($(date +%s%N) - begin) / 1000000))
}

# processes_of SESSION
processes_of() { ps -o pid= -s "$1"; }
are_gone() { [ -z "$(processes_of "$1")" ]; }

# killed_run DECK OUT: starts the run, waits for its first checkpoint and kills it later. Fails when it was done first.
killed_run() {
  setsid mpiexec --oversubscribe --bind-to none -n 2 "$INKDROP" run "$1.yaml" --output "$2" >"$2.log" 2>&1 </dev/null &
  local job=$!
  wait_for has_checkpoint "$2" || return 1
  sleep "$(printf '%d.%03d' 0 $((RANDOM * milliseconds / 65536 % 1000)))"
  if [ $((RANDOM % 3)) = 0 ]; then # one rank: mpiexec ends the others
    kill -9 "$(pgrep -P $job | tail -n 1)" 2>/dev/null
  else # everything at once, as when a node fails
    kill -9 $(processes_of $job) 2>/dev/null
  fi
  wait $job 2>/dev/null
  wait_for are_gone $job
  [ ! -e "$2/report.json" ]
}

opens_whole() {
  "$PYTHON" - "$1" <<'PY'
import glob, sys, h5py
for file in glob.glob(f"{sys.argv[1]}/**/*.h5", recursive=True):
    with h5py.File(file) as h5:
        h5.visititems(lambda name, item: item[()] if isinstance(item, h5py.Dataset) else None)
PY
}
nearly_same() {
  "$PYTHON" - "$1" "$2" <<'PY'
import sys, h5py, numpy
one, two = (h5py.File(f"{out}/fields.h5") for out in sys.argv[1:])
assert numpy.array_equal(one["time"][()], two["time"][()])
difference = numpy.abs(one["T"][()] - two["T"][()]).max()
assert difference < 1e-4, difference
PY
}

# many DECK KILLS COMPARE
many() {
  local landed=0 tries=0 out ranks
  left_alone "$1"
  while [ $landed -lt "$2" ] && [ $tries -lt $((4 * $2)) ]; do
    tries=$((tries + 1))
    out=$1_$tries
    killed_run "$1" $out || { rm -rf $out; continue; }
    landed=$((landed + 1))
    ranks=$((RANDOM % 2 * 2 + 1))
    check "$out: every file under its final name opens" opens_whole $out
    gives 0 "$out: started again" on $ranks run "$1.yaml" --output $out
    prints "continuing from checkpoint"
    echo "$1, kill $landed: $(grep -o 'continuing from.*' stdout) of $(grep -o 'end: [0-9.]*' "$1.yaml" | cut -c6-), on $ranks"
    "$3" "$1" $out
    check "$out: nothing unfinished is left" [ -z "$(find $out -name '*.tmp')" ]
    rm -rf $out
  done
  check "$1: $landed kills landed, not $2, in $tries tries" [ $landed = "$2" ]
  echo "$1: $landed kills between the first checkpoint and the end, in $tries tries"
}

within_tolerance() { check "$1 and $2 agree within the tolerance" nearly_same "$1" "$2"; }
many explicit $kills same
many implicit $((kills / 8)) within_tolerance
many patterns_explicit $((kills / 8)) same
many patterns_implicit $((kills / 8)) same
many process $((kills / 8)) same
report
