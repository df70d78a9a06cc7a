#!/bin/bash
# Ways to stop early: SIGUSR1 to mpiexec, to one rank, SIGTERM to the ranks, OUT/STOP, the walltime, the scheduler's
# word. Each gives 75 and a checkpoint, and the run that is continued until it is done holds the same bytes.
. "$(dirname "$0")/../shell.sh"

cat >bar.yaml <<'DECK'
solver: heat
mesh: {x: {from: 0, to: 1, cells: 3000}}
material: {conductivity: "1 + 0.5*exp(-T^2)*sin(x)^2", density: 1, heat_capacity: 1}
initial: {T: "x + 0.1*noise(0)"}
boundary: {x_min: {type: value, value: "sin(1000*t)"}}
time: {end: 2.0e-3, method: explicit}
output: {snapshots: {every: 5.0e-4}, series: {every: 1.0e-4}}
verify: [{quantity: "max:T", at: 4.0e-4, expect: 0, within: 10}]
DECK
begin=$(date +%s%N)
gives 0 "the uninterrupted run" on 2 run bar.yaml --output whole
[ "$failed" = 0 ] || report
milliseconds=$((($(date +%s%N) - begin) / 1000000))

# ranks_of PID: the processes of the program below a mpiexec
ranks_of() { pgrep -P "$1"; }

# stopped HOW OUT: starts the run, does HOW to it once it steps, expects 75.
stopped() {
  mpiexec --oversubscribe --bind-to none -n 2 "$INKDROP" run bar.yaml --output "$2" >"$2.log" 2>&1 </dev/null &
  local job=$! code=0
  wait_for test -e "$2/fields.h5"
  sleep 0.1
  case $1 in
    mpiexec) kill -USR1 $job ;;
    one_rank) kill -USR1 "$(ranks_of $job | tail -n 1)" ;;
    terminate) kill -TERM $(ranks_of $job) ;;
    file) touch "$2/STOP" ;;
  esac
  wait $job || code=$?
  check "$1: exit code $code, not 75: $(head -c 600 "$2.log")" [ $code = 75 ]
  check "$1: a checkpoint" has_checkpoint "$2"
  check "$1: says that it can go on" grep -q "run it again" "$2.log"
}

for how in mpiexec one_rank terminate file; do
  stopped $how $how
  gives 0 "$how: continued" on 1 run bar.yaml --output $how
  prints "continuing from checkpoint"
  same whole $how
done

# until_done OUT COMMAND...: again and again while it gives 75; every part gets further.
until_done() {
  local out=$1 parts=0 code=75
  shift
  while [ $code = 75 ] && [ $parts -lt 60 ]; do
    code=0
    "$@" run bar.yaml --output "$out" >stdout 2>stderr </dev/null || code=$?
    parts=$((parts + 1))
  done
  check "$out: ends with $code after $parts parts" [ $code = 0 ]
  check "$out: was stopped at least once" [ $parts -ge 2 ]
  same whole "$out"
}
# A limit of half the time that the whole run took here.
half=$((milliseconds / 2))
sed "s/^time: {/&walltime: $half ms, /" bar.yaml >short.yaml
cp bar.yaml long.yaml
cp short.yaml bar.yaml
until_done walltime mpiexec --oversubscribe --bind-to none -n 2 "$INKDROP"
cp long.yaml bar.yaml
until_done time_left env INKDROP_TIME_LEFT="$((half / 1000)).$(printf %03d $((half % 1000)))" "$INKDROP"

# Slurm's end of the job is in whole seconds: one stopped part, then the rest.
gives 75 "end of the job" env SLURM_JOB_END_TIME=$(($(date +%s) + 1)) "$INKDROP" run bar.yaml --output end_time
prints "run it again"
gives 0 "end of the job: continued" on 2 run bar.yaml --output end_time
same whole end_time
no_traceback
report
