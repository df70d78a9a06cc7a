#!/bin/bash
# Particle runs that are killed (kill -9 at random instants) or stopped, and started again on another number of ranks, end as those that
# were left alone: in every byte, and in every number of the report. Paths with walls that absorb, paths with the density beside them,
# jumps, and jumps reversed in time. 1 kill each (none of jumps forward), or 8 with INKDROP_LONG=1. Then failures in the middle of a run.
. "$(dirname "$0")/../shell.sh"
kills=1
[ -n "${INKDROP_LONG:-}" ] && kills=8
RANDOM=${INKDROP_SEED:-20}

common='output: {snapshots: {every: 0.5}, series: {every: 0.1}, paths: 300}
checkpoint: {every: 0.1 s}
seed: 3'
cat >paths.yaml <<DECK
solver: particles
model:
  state: {x: {from: -2, to: 1, cells: 40}}
  drift: {x: "x - x^3 + 0.3*sin(9*t)"}
  diffusion: {x: "0.1 + 0.02*x^2"}
  boundary: {x_min: absorbing}
initial: {density: "exp(-(x + 0.4)^2/0.1)"}
particles: {count: 40011, dt: 0.001, absorbing: {gate: "0.9 - x"}}
time: {end: 1, method: explicit}
$common
verify:
  - {quantity: "first_passage_time:gate", expect: 0.5, within: 10}
  - {quantity: "quadratic_variation", expect: 0.1, within: 10}
DECK
sed 's/, absorbing: {gate.*"}}/, compare: true}/; /passage/s/quantity:.*, expect/quantity: "distance:total_variation", at: 0.5, expect/' paths.yaml >beside.yaml
cat >jumps.yaml <<DECK
solver: particles
model:
  state: {x: {from: -4, to: 4, cells: 16}, v: {from: -3, to: 3, cells: 12}}
  drift: {x: v, v: "-x - 0.4*v + 0.2*sin(t)"}
  diffusion: {x: "1 + 0.1*x", v: 0.3, xv: 0.2}
  boundary: {x_min: periodic, x_max: periodic, v_max: absorbing}
initial: {density: "exp(-(x - 1)^2 - v^2)"}
particles: {count: 100011, scheme: jump, dt: 0.004}
time: {end: 1}
$common
verify:
  - {quantity: "msd:x", expect: 3, within: 10}
  - {quantity: "absorbed:v_max", at: 0.5, expect: 0, within: 10}
DECK
{ cat jumps.yaml; echo "direction: reverse"; } | sed 's/, v_max: absorbing//; /absorbed/d' >reverse.yaml

# processes_of SESSION
processes_of() { ps -o pid= -s "$1"; }
are_gone() { [ -z "$(processes_of "$1")" ]; }
steps_taken() { "$PYTHON" -c 'import json, sys; print(json.load(open(sys.argv[1] + "/report.json"))["steps"])' "$1"; }

same_report() {
  "$PYTHON" - "$1" "$2" <<'PY'
import json, sys
one, two = (json.load(open(f"{out}/report.json")) for out in sys.argv[1:])
assert one["verify"] == two["verify"] and one["steps"] == two["steps"] and len(one["verify"]) > 0, (one["verify"], two["verify"])
PY
}
as_left_alone() { # DECK OUT
  same "$1" "$2"
  check "$1 and $2 report the same" same_report "$1" "$2"
}

# killed_run DECK OUT: starts the run, waits for its first checkpoint and kills it later. Fails when it was done first.
killed_run() {
  setsid mpiexec --oversubscribe --bind-to none -n 2 "$INKDROP" run "$1.yaml" --output "$2" >"$2.log" 2>&1 </dev/null &
  local job=$!
  wait_for has_checkpoint "$2" || return 1
  sleep "$(printf '0.%03d' $((RANDOM * milliseconds / 65536 % 1000)))"
  kill -9 $(processes_of $job) 2>/dev/null
  wait $job 2>/dev/null
  wait_for are_gone $job
  [ ! -e "$2/report.json" ]
}

# many DECK: the run that is left alone, and as many that are killed.
many() {
  local landed=0 tries=0 out ranks begin
  begin=$(date +%s%N)
  gives 0 "$1: left alone" on 2 run "$1.yaml" --output "$1"
  [ "$failed" = 0 ] || report
  milliseconds=$((($(date +%s%N) - begin) / 1000000))
  while [ $landed -lt "$kills" ] && [ $tries -lt $((8 * kills)) ]; do
    tries=$((tries + 1))
    out=$1_$tries
    killed_run "$1" "$out" || { rm -rf "$out"; continue; }
    landed=$((landed + 1))
    ranks=$((RANDOM % 2 * 2 + 1))
    gives 0 "$out: started again" on $ranks run "$1.yaml" --output "$out"
    prints "continuing from checkpoint"
    echo "$1, kill $landed: $(grep -o 'continuing from.*' stdout), on $ranks"
    as_left_alone "$1" "$out"
    rm -rf "$out"
  done
  check "$1: $landed kills landed, not $kills, in $tries tries" [ $landed = "$kills" ]
}
for deck in paths ${INKDROP_LONG:+jumps} reverse; do many $deck; done

# From a checkpoint at a time of the run's own clock: the same, on any rank count.
clock="--set checkpoint.every=1000 --set checkpoint.every_simulated=0.3 --set checkpoint.keep=9"
for deck in beside reverse; do
  gives 0 "$deck: with checkpoints" on 2 run $deck.yaml --output $deck.c $clock
  cp -r $deck.c $deck.f
  rm $deck.f/report.json $(find $deck.f/checkpoints -type f | sort | tail -n +5)
  gives 0 "$deck: from the one at 0.3" on 1 run $deck.yaml --output $deck.f $clock
  prints "continuing from checkpoint"
  echo "$deck: $(grep -o 'continuing from.*' stdout)"
  as_left_alone $deck.c $deck.f
done

# A reversed run's steps are those of its density: it cannot go on to other times.
start=$(find reverse.c/checkpoints -name '*.h5' | sort | head -n 1)
for other in time.end=1.5 output.snapshots.every=0.0371; do
  gives 2 "reversed, with $other" on 1 run reverse.yaml --output other --restart "$start" --set $other $clock
  says "the steps of a reversed run are those of its density"
  no_traceback
  rm -rf other
done

# A drift that is not finite somewhere: which particle, when, where and why; the message does not depend on the ranks.
cat >blow.yaml <<'DECK'
solver: particles
model:
  state: {x: {from: -4, to: 4, cells: 40}}
  drift: {x: "log(x)"}
  diffusion: {x: 0.5}
initial: {point: [1]}
particles: {count: 5000, dt: 0.01}
time: {end: 1}
DECK
for ranks in 1 3; do
  gives 4 "a drift that is not finite, on $ranks ranks" on $ranks run blow.yaml --output blow$ranks
  says "particle "
  says "drift"
  no_traceback
  grep -h 'particle ' stderr | head -n 1 | sed "s/blow$ranks/blow/g" >blame$ranks
done
cat blame1
check "the same particle is to blame" cmp blame1 blame3

# Densities that are none
cat >none.yaml <<'DECK'
solver: particles
model:
  state: {x: {from: -4, to: 4, cells: 40}}
  diffusion: {x: 0.5}
initial: {density: "exp(-x^2)"}
particles: {count: 100}
time: {end: 1}
DECK
for law in "x" "0*x" "sqrt(x)"; do
  gives 4 "the density $law" on 1 run none.yaml --output none --set "initial.density=$law"
  says "initial.density"
  no_traceback
done

# A sample outside, one that is not a number, too few datasets
"$PYTHON" - <<'PY'
import h5py
for name, values in {"outside": [0, 1, 7.5], "nan": [0.0, float("nan")]}.items():
    with h5py.File(f"{name}.h5", "w") as h5:
        h5["x"] = values
h5py.File("empty.h5", "w").close()
PY
for file in outside nan empty; do
  gives 2 "samples: $file" on 1 run none.yaml --output none --set particles.start.file=$file.h5
  says "particles.start.file"
  no_traceback
done
gives 0 "samples of a snapshot" on 2 run none.yaml --output again --set particles.start.file=paths/snapshots/000001.h5 --set particles.count=300
report
