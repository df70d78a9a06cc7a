#!/bin/bash
# kill -9 at random instants between the first checkpoint and the end; each run is started again, on another number
# of ranks, and ends with the same bytes as one that was left alone. 8 kills, or 50 with INKDROP_LONG=1.
. "$(dirname "$0")/../shell.sh"
kills=8
[ -n "${INKDROP_LONG:-}" ] && kills=50
RANDOM=${INKDROP_SEED:-20}

cat >bar.yaml <<'DECK'
solver: heat
mesh: {x: {from: 0, to: 1, cells: 3000}}
material: {conductivity: "1 + 0.5*exp(-T^2)*sin(x)^2", density: 1, heat_capacity: 1}
initial: {T: "x + 0.1*noise(0)"}
boundary: {x_min: {type: value, value: "sin(1000*t)"}}
time: {end: 1.0e-3, method: explicit}
output: {snapshots: {every: 5.0e-5}, series: {every: 1.0e-5}}
checkpoint: {every: 0.1 s}
verify: [{quantity: "max:T", at: 4.0e-4, expect: 0, within: 10}]
DECK
begin=$(date +%s%N)
gives 0 "the run that is left alone" on 2 run bar.yaml --output whole
[ "$failed" = 0 ] || report
milliseconds=$((($(date +%s%N) - begin) / 1000000))

landed=0
tries=0
while [ $landed -lt $kills ] && [ $tries -lt $((3 * kills)) ]; do
  tries=$((tries + 1))
  out=run$tries
  setsid mpiexec --oversubscribe --bind-to none -n 2 "$INKDROP" run bar.yaml --output $out >$out.log 2>&1 </dev/null &
  job=$!
  wait_for has_checkpoint $out || break
  sleep "$(printf '0.%03d' $((RANDOM % 1000 * milliseconds / 1500 % 1000)))"
  if [ $((RANDOM % 3)) = 0 ]; then # one rank: mpiexec ends the others
    kill -9 "$(pgrep -P $job | tail -n 1)" 2>/dev/null
  else # everything at once, as when a node fails
    kill -9 $(ps -o pid= -s $job) 2>/dev/null
  fi
  wait $job 2>/dev/null
  wait_for bash -c "[ -z \"\$(ps -o pid= -s $job)\" ]"
  [ -e $out/report.json ] && { rm -rf $out; continue; } # it was done already
  landed=$((landed + 1))
  check "$out: every file under its final name opens" "$PYTHON" - $out <<'PY'
import glob, sys, h5py
for file in glob.glob(f"{sys.argv[1]}/**/*.h5", recursive=True):
    with h5py.File(file) as h5:
        h5.visititems(lambda name, item: item[()] if isinstance(item, h5py.Dataset) else None)
PY
  gives 0 "$out: started again" on $((RANDOM % 2 + 1)) run bar.yaml --output $out
  prints "continuing from checkpoint"
  same whole $out
  check "$out: nothing unfinished is left" [ -z "$(find $out -name '*.tmp')" ]
  rm -rf $out
done
check "$landed kills landed, not $kills, in $tries tries" [ $landed = $kills ]
echo "$landed kills between the first checkpoint and the end"
report
