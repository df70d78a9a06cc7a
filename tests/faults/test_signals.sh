#!/bin/bash
# Ways to stop early: SIGUSR1 to mpiexec, to one rank, SIGTERM to the ranks, OUT/STOP, the walltime, the scheduler's
# word. Each gives 75 and a checkpoint, and the run that is continued until it is done holds the same bytes.
. "$(dirname "$0")/../shell.sh"

cat >bar.yaml <<'DECK'
solver: heat
mesh: {x: {from: 0, to: 1, cells: 60}, y: {from: 0, to: 1, cells: 44}}
material: {conductivity: "1 + 0.5*exp(-T^2)*sin(x)^2", density: 1, heat_capacity: 1}
initial: {T: "x*y + 0.1*noise(0)"}
boundary: {x_min: {type: value, value: "sin(10*t)"}}
time: {end: 0.5, method: explicit}
output: {snapshots: {every: 0.1}, series: {every: 0.02}}
verify: [{quantity: "max:T", at: 0.15, expect: 0, within: 10}]
DECK
gives 0 "the uninterrupted run" on 2 run bar.yaml --output whole
[ "$failed" = 0 ] || report

# ranks_of PID: the processes of the program below a mpiexec
ranks_of() { pgrep -P "$1"; }

# stopped HOW OUT [OPTION...]: starts the run, does HOW to it once it steps, expects 75.
stopped() {
  mpiexec --oversubscribe --bind-to none -n 2 "$INKDROP" run bar.yaml --output "$2" "${@:3}" >"$2.log" 2>&1 </dev/null &
  local job=$! code=0
  wait_for test -e "$2/fields.h5"
  sleep 0.1
  case $1 in
    mpiexec | writing) kill -USR1 $job ;;
    twice) kill -USR1 $job && sleep 0.01 && kill -USR1 $job ;;
    interrupt) kill -INT $(ranks_of $job) ;;
    one_rank) kill -USR1 "$(ranks_of $job | tail -n 1)" ;;
    terminate) kill -TERM $(ranks_of $job) ;;
    file) touch "$2/STOP" ;;
  esac
  wait $job || code=$?
  check "$1: exit code $code, not 75: $(head -c 600 "$2.log")" [ $code = 75 ]
  check "$1: a checkpoint" has_checkpoint "$2"
  check "$1: says that it can go on" grep -q "run it again" "$2.log"
}

for how in mpiexec one_rank terminate file twice interrupt writing; do
  if [ $how = writing ]; then # checkpoints one after the other: the signal comes while one is written
    stopped $how $how --set checkpoint.every=0.001
  else
    stopped $how $how
  fi
  gives 0 "$how: continued" on 1 run bar.yaml --output $how
  prints "continuing from checkpoint"
  same whole $how
done

# A walltime of the deck: stopped before it on 2 and on 4 ranks; with long steps as well.
in_time() { "$PYTHON" -c 'import json, sys; assert json.load(open(sys.argv[1]))["run"]["wall_seconds"] < float(sys.argv[2])' "$@"; }
for ranks in 2 4; do
  gives 75 "walltime on $ranks" on $ranks run bar.yaml --output limit$ranks --set time.end=1000 --set time.walltime=3
  prints "the walltime is nearly used up"
  check "3 s were enough on $ranks ranks" in_time limit$ranks/report.json 3
done
gives 75 "walltime with long steps" on 2 run bar.yaml --output long --set mesh.x.cells=300 --set mesh.y.cells=250 \
  --set time.method=implicit --set time.end=100 --set time.walltime=8
check "8 s were enough" in_time long/report.json 8

# Parts of a run, each stopped by the scheduler's word: every one gets further, and the end is the same.
parts=0
code=75
while [ $code = 75 ] && [ $parts -lt 40 ]; do
  code=0
  INKDROP_TIME_LEFT=$(((3 + parts) / 10)).$(((3 + parts) % 10)) "$INKDROP" run bar.yaml --output time_left >stdout 2>stderr </dev/null || code=$?
  parts=$((parts + 1))
done
check "time_left: ends with $code after $parts parts" [ $code = 0 ]
check "time_left: was stopped at least once" [ $parts -ge 2 ]
same whole time_left

# The end of Slurm's job is here: one step, then the rest in another job.
gives 75 "end of the job" env SLURM_JOB_END_TIME=$(date +%s) "$INKDROP" run bar.yaml --output end_time
prints "run it again"
gives 0 "end of the job: continued" on 2 run bar.yaml --output end_time
same whole end_time
no_traceback
report
