#!/bin/bash
# The job scripts under a real Slurm (jobs/local_cluster, one node): submit, deadline, 75, requeue, ..., finished;
# every dataset equal to that of an uninterrupted run. Signals, other exit codes and the end of a chain.
set -u
for program in sbatch slurmctld munged; do
  if ! PATH=$PATH:/usr/sbin:/sbin command -v $program >/dev/null; then
    echo "skipped: $program is not installed (packages slurm-wlm and munge)"
    exit 77
  fi
done
if ! grep -q ' /sys/fs/cgroup' /proc/mounts; then
  echo "skipped: nothing is mounted on /sys/fs/cgroup, without which slurmd does not start"
  exit 77
fi
source=$(realpath "${INKDROP_SOURCE:-$(dirname "$0")/../..}")
export INKDROP=${INKDROP:-$source/build/release/inkdrop}
python=${PYTHON:-$source/build/venv/bin/python}
. "$source/jobs/environment"
export PYTHONPATH=$source/postprocess
unset INKDROP_TIME_LEFT INKDROP_CHAIN_MAX INKDROP_MPIEXEC

work=$(mktemp -d)
chmod 755 "$work"
finish() {
  "$source/jobs/local_cluster/down" --dir "$work/cluster" 2>/dev/null
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM
cluster=$("$source/jobs/local_cluster/up" --dir "$work/cluster" --cpus 2) || { echo "FAILED: no cluster"; exit 1; }
eval "$cluster"
cd "$work" || exit 1

failures=0
expect() { # WHAT GOT WANTED(a pattern)
  # shellcheck disable=SC2053
  if [[ $2 == $3 ]]; then echo "ok: $1"; return; fi
  echo "FAILED: $1: got '$2', wanted '$3'"
  failures=$((failures + 1))
}
of_job() { scontrol --oneliner show job "$1" | grep -o "\b$2=[^ ]*" | cut -d= -f2; }
wait_for() { # JOB: until it has ended, 120 s at most
  local deadline=$((SECONDS + 120))
  while [ $SECONDS -lt $deadline ]; do
    case $(of_job "$1" JobState) in COMPLETED | FAILED | CANCELLED | TIMEOUT | NODE_FAIL) return ;; esac
    sleep 0.2
  done
  echo "job $1 does not end: $(scontrol --oneliner show job "$1")"
}
status_of() { "$python" -c 'import inkdrop_post, sys; r = inkdrop_post.report(sys.argv[1]); print(r["status"], r["exit_code"])' "$1"; }
same() { # WHAT OUT
  expect "$1" "$("$python" -m inkdrop_post compare whole.out "$2" 2>&1)" 'the same'
}

deck() { # STEPS of 1 ms: a plate with a side that swings and one that cools, explicit
  cat <<DECK
title: Plate for the tests of the job scripts
solver: heat
mesh:
  x: {from: 0, to: 1, cells: 768}
  y: {from: 0, to: 1.5, cells: 768, grading: 1.001}
material: {diffusivity: 1e-4}
initial: {T: "300 + 20*exp(-30*((x - 0.4)^2 + (y - 0.7)^2))"}
boundary:
  x_min: {type: value, value: "300 + 10*sin(2*pi*t)"}
  y_max: {type: flux, value: -1e-3}
time: {end: $1e-3, method: explicit, dt: 1e-3}
probes: {inside: {field: T, at: [0.4, 0.7]}}
output: {snapshots: {every: $(($1 / 4))e-3}, series: {every: $(($1 / 20))e-3}}
verify:
  - {quantity: "balance:T", expect: 0, within: 1e-10}
DECK
}
wall_of() { "$python" -c 'import inkdrop_post, sys; print(inkdrop_post.report(sys.argv[1])["run"]["wall_seconds"])' "$1"; }

# As many steps as take this machine about 6 s; a job of the chain gets a quarter of what they took.
deck 400 >pilot.yaml
mpiexec -n 2 "$INKDROP" run pilot.yaml --quiet >pilot.log 2>&1 || { cat pilot.log; echo "FAILED: the pilot run"; exit 1; }
steps=$(wall_of pilot.out | awk '{ print 20 * int(400 * 6 / $1 / 20) + 20 }')
deck "$steps" >plate.yaml
mpiexec -n 2 "$INKDROP" run plate.yaml --output whole.out --quiet >whole.log 2>&1
expect 'an uninterrupted run' $? 0
wall=$(wall_of whole.out)
left=$(awk -v wall="$wall" 'BEGIN { print wall / 4 }')
echo "    $steps steps in $wall s"

# A chain of jobs that are too short, told so through the variable by which the script passes on the time left.
job=$(INKDROP_TIME_LEFT=$left sbatch --parsable "$source/jobs/slurm/chain.sbatch" plate.yaml --output chain.out)
wait_for "$job"
log=inkdrop-$job.log
expect 'the chain ends well' "$(of_job "$job" JobState) $(of_job "$job" ExitCode)" 'COMPLETED 0:0'
expect 'it was requeued at least once' "$(of_job "$job" Restarts)" '[1-9]*'
expect 'each job that stopped went back into the queue' \
  "$(grep -c 'back into the queue' "$log")" "$(of_job "$job" Restarts)"
expect 'the log says how it ended' "$(tail -n 1 "$log")" 'chain: ends after * finished and verified'
expect 'the report' "$(status_of chain.out)" 'finished 0'
same 'the chain gives every byte of the uninterrupted run' chain.out

# The chain is limited, and ends on any code but 75.
job=$(INKDROP_TIME_LEFT=$left INKDROP_CHAIN_MAX=1 sbatch --parsable "$source/jobs/slurm/chain.sbatch" plate.yaml --output short.out)
wait_for "$job"
expect 'a chain of one job ends with 75' "$(of_job "$job" ExitCode) $(of_job "$job" Restarts)" '75:0 0'
expect 'and says so' "$(tail -n 1 "inkdrop-$job.log")" 'chain: ends after 1 jobs, the run is not finished*'
sed 's/cells: 768}/cells: -1}/' plate.yaml >bad.yaml
job=$(sbatch --parsable "$source/jobs/slurm/chain.sbatch" bad.yaml)
wait_for "$job"
expect 'a bad deck ends the chain' "$(of_job "$job" ExitCode) $(of_job "$job" Restarts)" '2:0 0'
expect 'and is named in the log' "$(grep -c '^bad.yaml:[0-9]*: mesh.x.cells' "inkdrop-$job.log")" 1

# Slurm's signal: it reaches the script, the script tells the ranks. Then the same line again, on one rank.
job=$(sbatch --parsable "$source/jobs/slurm/run.sbatch" plate.yaml --output signal.out)
for _ in $(seq 100); do [ -e signal.out/snapshots/000001.h5 ] && break; sleep 0.1; done
scancel --signal=USR1 --batch "$job"
wait_for "$job"
expect 'USR1 to the batch script gives 75' "$(of_job "$job" ExitCode)" '75:0'
expect 'and a stopped run' "$(status_of signal.out)" 'stopped 75'
job=$(sbatch --parsable --ntasks=1 "$source/jobs/slurm/run.sbatch" plate.yaml --output signal.out)
wait_for "$job"
expect 'submitted again it finishes' "$(of_job "$job" ExitCode)" '0:0'
same 'and gives every byte of the uninterrupted run' signal.out

if [ -n "${INKDROP_LONG:-}" ]; then
  # The signal ahead of the limit as Slurm itself sends it: a minute before a limit of one minute is at once.
  deck $((steps * 20)) >long.yaml
  job=$(sbatch --parsable --time=1 "$source/jobs/slurm/run.sbatch" long.yaml)
  wait_for "$job"
  expect 'the signal ahead of the limit gives 75' "$(of_job "$job" ExitCode)" '75:0'
fi

if [ $failures -gt 0 ]; then
  for log in inkdrop-*.log; do echo "--- $log"; tail -n 40 "$log"; done
fi
exit $((failures > 0))
