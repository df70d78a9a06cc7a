# Sourced by the shell tests: a scratch folder to work in, runs with the exit code they must give, checks that say
# what is wrong. INKDROP is the program, PYTHON a Python with h5py. End a test with `report`.
set -u
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
passed=0
failed=0

# on N VERB...: the program on N ranks; on 1 rank without mpiexec.
on() {
  if [ "$1" = 1 ]; then "$INKDROP" "${@:2}"; else mpiexec --oversubscribe --bind-to none -n "$1" "$INKDROP" "${@:2}"; fi
}

# check WHAT COMMAND...: the command must succeed.
check() {
  if "${@:2}"; then passed=$((passed + 1)); else
    failed=$((failed + 1))
    echo "FAILED: $1"
    [ -s "$scratch/stderr" ] && sed 's/^/    stderr: /' "$scratch/stderr" | head -n 12
  fi
}

# gives CODE WHAT COMMAND...: the exit code must be CODE; stdout and stderr are kept in files of these names.
gives() {
  local code=0
  "${@:3}" >"$scratch/stdout" 2>"$scratch/stderr" </dev/null || code=$?
  check "$2: exit code $code, not $1" [ "$code" = "$1" ]
}

says() { check "stderr says '$1'" grep -qF -- "$1" "$scratch/stderr"; }          # after gives
prints() { check "stdout says '$1'" grep -qF -- "$1" "$scratch/stdout"; }        # after gives
says_once() { check "stderr says '$1' once" [ "$(grep -cF -- "$1" "$scratch/stderr")" = 1 ]; }
no_traceback() { check "no PETSc traceback" bash -c "! grep -q 'PETSC ERROR' '$scratch/stderr'"; }

# same OUT OUT: equal in every byte of every dataset outside /run.
same() { check "$1 and $2 hold the same" "$PYTHON" "$tests/same_datasets.py" "$1" "$2"; }

# Waits until the command succeeds, at most about 20 s.
wait_for() {
  for _ in $(seq 400); do
    "$@" && return 0
    sleep 0.05
  done
  echo "waited in vain for: $*"
  return 1
}
has_checkpoint() { ls "$1"/checkpoints/*.h5 >/dev/null 2>&1; }

report() {
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
  exit
}
