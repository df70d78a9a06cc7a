#!/bin/bash
# jobs/pbs/run.pbs with stand-ins for qstat and mpiexec: what it passes on, and what comes back. There is no PBS here.
set -u
source=$(realpath "${INKDROP_SOURCE:-$(dirname "$0")/../..}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
expect() { # WHAT GOT WANTED
  [ "$2" = "$3" ] && return
  echo "FAILED: $1: got '$2', wanted '$3'"
  failures=$((failures + 1))
}

mkdir "$work/bin"
cat >"$work/bin/qstat" <<'FAKE'
#!/bin/bash
[ "$*" = "-f 17.server" ] || exit 1
printf 'Job Id: 17.server\n    resources_used.walltime = 00:10:05\n    Resource_List.walltime = 02:00:00\n'
FAKE
cat >"$work/bin/mpiexec" <<'FAKE'
#!/bin/bash
echo "$INKDROP_TIME_LEFT|$*" >"$WORK/call"
trap 'exit 75' USR1
[ -z "$WAIT" ] || { touch "$WORK/waiting"; for _ in $(seq 100); do sleep 0.1; done; }
exit "${CODE:-0}"
FAKE
cp "$work/bin/mpiexec" "$work/bin/inkdrop"
chmod +x "$work/bin/"*
export PATH=$work/bin:$PATH WORK=$work PBS_O_WORKDIR=$work PBS_JOBID=17.server PBS_NODEFILE=$work/nodes
unset INKDROP INKDROP_TIME_LEFT INKDROP_MPIEXEC
printf 'a\na\nb\n' >"$PBS_NODEFILE"

DECK=slab.yaml OPTIONS='--output o.out' bash "$source/jobs/pbs/run.pbs" >"$work/log" 2>&1
expect 'exit code' $? 0
expect 'the call' "$(cat "$work/call")" "6595|-n 3 -x INKDROP_TIME_LEFT $work/bin/inkdrop run slab.yaml --output o.out"

for code in 1 2 3 4 74 75; do
  CODE=$code DECK=slab.yaml OPTIONS='' bash "$source/jobs/pbs/run.pbs" >"$work/log" 2>&1
  expect "exit code $code" $? $code
done
expect 'the advice at 75' "$(grep -c 'submit the same line again' "$work/log")" 1

DECK='' bash "$source/jobs/pbs/run.pbs" >"$work/log" 2>&1
expect 'exit code without a deck' $? 2

for signal in TERM USR1; do
  rm -f "$work/waiting"
  WAIT=yes DECK=slab.yaml OPTIONS='' bash "$source/jobs/pbs/run.pbs" >"$work/log" 2>&1 &
  job=$!
  for _ in $(seq 100); do [ -e "$work/waiting" ] && break; sleep 0.1; done
  kill -$signal $job
  wait $job
  expect "exit code after $signal" $? 75
done
[ $failures -eq 0 ] && echo "run.pbs: passes on time left and options, signals and exit codes"
exit $((failures > 0))
