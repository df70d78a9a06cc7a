#!/bin/bash
# Storage that fails: what cannot be read or written gives one line and the right code, nothing is overwritten, nothing hangs, and
# what stands under a final name is complete at any instant.
. "$(dirname "$0")/../shell.sh"
export INKDROP PYTHON
mounted=()
leave() {
  for place in "${mounted[@]}"; do umount "$place"; done
  rm -rf "$scratch"
}
trap leave EXIT

cat >plate.yaml <<'DECK'
solver: heat
mesh: {x: {from: 0, to: 1, cells: 60}, y: {from: 0, to: 1, cells: 50}}
material: {conductivity: "1 + 0.1*T", density: 1, heat_capacity: 1}
initial: {T: "x*y + 0.1*noise(0)"}
boundary: {x_min: {type: value, value: "sin(10*t)"}}
time: {end: 0.02, method: explicit}
output: {snapshots: {every: 2.0e-3}, series: {every: 1.0e-3}}
checkpoint: {every_simulated: 2.0e-3}
DECK
one_line() { check "$1: one line on stderr" [ "$(wc -l <"$scratch/stderr")" = 1 ]; }
nothing_unfinished() { check "$1: nothing unfinished is left" [ -z "$(find "$1" -name '*.tmp')" ]; }
# Everything that stands under a final name opens and is readable, and the checksums hold.
complete() {
  for file in "$1"/checkpoints/*.h5; do
    [ -e "$file" ] || continue
    "$INKDROP" info "$file" >info.out 2>info.err || { cat info.err; return 1; }
    grep -q '^checksum  *holds' info.out || { echo "$file: checksum"; return 1; }
  done
  "$PYTHON" - "$1" <<'PY'
import glob, json, sys, h5py, numpy
for file in glob.glob(f"{sys.argv[1]}/**/*.h5", recursive=True):
    with h5py.File(file) as h5:
        h5.visititems(lambda name, item: item[()] if isinstance(item, h5py.Dataset) else None)
        if "checkpoints" not in file and "T" in h5:
            assert numpy.isfinite(h5["T"][()]).all(), file
for file in glob.glob(f"{sys.argv[1]}/report.json"):
    json.load(open(file))
PY
}

gives 0 "the run that is left alone" on 2 run plate.yaml --output whole
[ "$failed" = 0 ] || report
check "whole is complete" complete whole

for ranks in 1 2; do
  # OUT that cannot be written to; root may write anywhere, so a file stands in the way.
  echo precious >"file$ranks"
  gives 74 "a file in place of OUT on $ranks" on $ranks run plate.yaml --output "file$ranks"
  says_once "file$ranks"
  gives 74 "a file in place of the folder of OUT on $ranks" on $ranks run plate.yaml --output "file$ranks/out"
  says_once "file$ranks/out"
  check "the file is as it was" [ "$(cat "file$ranks")" = precious ]
  # Only a folder inside it.
  mkdir "inner$ranks"
  echo precious >"inner$ranks/snapshots"
  cp whole/deck.yaml "inner$ranks/"
  gives 74 "a file in place of OUT/snapshots on $ranks" on $ranks run plate.yaml --output "inner$ranks"
  says_once "snapshots/000000.h5"
  gives 74 "/proc as OUT on $ranks" on $ranks run plate.yaml --output /proc/inkdrop
  says_once "/proc/inkdrop"

  # A deck that cannot be read.
  gives 2 "no such deck on $ranks" on $ranks run nowhere.yaml --output never
  says_once "nowhere.yaml"
  gives 2 "a folder as deck on $ranks" on $ranks run whole --output never
  head -c 2000 /dev/urandom >random.yaml
  gives 2 "random bytes as deck on $ranks" on $ranks run random.yaml --output never
  check "nothing was made of it" [ ! -e never ]

  # OUT of another deck.
  gives 2 "OUT of another deck on $ranks" on $ranks run plate.yaml --output whole --set mesh.y.cells=51 --set seed=4
  says_once "mesh.y.cells"
  says "seed"
  same whole whole
  check "whole is complete" complete whole

  # Files given to --restart that are none.
  head -c 3000 whole/checkpoints/000009.h5 >cut.h5
  echo "not HDF5" >text.h5
  for bad in cut.h5 text.h5 /dev/null whole whole/fields.h5 whole/snapshots/000003.h5; do
    gives 74 "--restart $bad on $ranks" on $ranks run plate.yaml --output "bad$ranks" --restart $bad
    says_once "plate.yaml: $bad: "
    rm -rf "bad$ranks"
  done

  # Damaged checkpoints.
  newest=$(basename "$(ls whole/checkpoints/*.h5 | tail -n 1)")
  for damage in "truncate -s 2000" "truncate -s 0" flip foreign; do
    rm -rf damaged
    cp -r whole damaged
    rm damaged/report.json
    case $damage in
    flip) printf '\377\376\375' | dd of="damaged/checkpoints/$newest" bs=1 seek=5000 conv=notrunc 2>/dev/null ;;
    foreign) echo hello >"damaged/checkpoints/$newest.sum" ;;
    *) $damage "damaged/checkpoints/$newest" ;;
    esac
    gives 0 "newest checkpoint: $damage on $ranks" on $ranks run plate.yaml --output damaged
    says_once "$newest"
    one_line "newest checkpoint: $damage"
    prints "continuing from checkpoint"
    same whole damaged
  done
  rm -rf damaged
  cp -r whole damaged
  rm damaged/report.json
  for file in damaged/checkpoints/*.h5; do truncate -s -1 "$file"; done
  gives 0 "all checkpoints damaged on $ranks" on $ranks run plate.yaml --output damaged
  prints "starting anew"
  check "each is named" [ "$(grep -c 'passed over' stderr)" = 2 ]
  same whole damaged
done

# Two runs in one OUT, each on 1 and 2 ranks: the second is refused at once, the first ends as if nothing had been.
for ranks in 1 2; do
  on $ranks run plate.yaml --output "shared$ranks" --set time.end=2 >first.log 2>&1 &
  first=$!
  wait_for has_checkpoint "shared$ranks"
  begin=$(date +%s%N)
  gives 2 "a second run on $ranks" on $ranks run plate.yaml --output "shared$ranks" --set time.end=2
  says_once "in use by another run"
  check "at once" [ $((($(date +%s%N) - begin) / 1000000)) -lt 8000 ]
  touch "shared$ranks/STOP"
  wait $first
  check "the first ends with 75" [ $? = 75 ]
  gives 0 "the first continues" on $ranks run plate.yaml --output "shared$ranks" --set time.end=0.02 --restart "$(ls whole/checkpoints/*.h5 | tail -n 1)"
  check "shared$ranks is complete" complete "shared$ranks"
done

# A checkpoint of another folder: fields.h5 lists what there is, not what stands in that other folder and would read as NaN.
gives 0 "a checkpoint of another folder" on 2 run plate.yaml --output later --restart "$(ls whole/checkpoints/*.h5 | head -n 1)"
check "later is complete" complete later
gives 0 "pack of it" "$INKDROP" pack later later.h5
check "it holds the last times only" "$PYTHON" -c "
import h5py, numpy
with h5py.File('later.h5') as one, h5py.File('whole/fields.h5') as all:
    n = len(one['time'])
    assert 0 < n < len(all['time'])
    numpy.testing.assert_array_equal(one['time'], all['time'][-n:])
    numpy.testing.assert_array_equal(one['T'], all['T'][-n:])"

# A limit on the size of files: 74; without it the same command goes on and ends with the same bytes. The limit is above the files
# that MPI itself makes.
big=(--set mesh.x.cells=1500 --set mesh.y.cells=1400 --set time.end=2.0e-6 --set output.snapshots.every=1.0e-6
  --set output.series.every=1.0e-6 --set checkpoint.every_simulated=1.0e-6 --set time.method=explicit)
gives 0 "the big run that is left alone" on 2 run plate.yaml --output big "${big[@]}"
for ranks in 1 2; do
  gives 0 "the first half" on $ranks run plate.yaml --output "limit$ranks" "${big[@]}" --set time.end=1.0e-6
  limited() { (ulimit -f 15000; on $ranks run plate.yaml --output "limit$ranks" "${big[@]}"); }
  gives 74 "ulimit -f on $ranks" limited
  says_once "file too large"
  nothing_unfinished "limit$ranks"
  check "a checkpoint is left" has_checkpoint "limit$ranks"
  check "limit$ranks is complete" complete "limit$ranks"
  gives 0 "without the limit" on $ranks run plate.yaml --output "limit$ranks" "${big[@]}"
  prints "continuing from checkpoint"
  same big "limit$ranks"
done
# One process starts under any limit: MPI's own files must not be in the way.
tight() { (ulimit -f 200; on 1 run plate.yaml --output tight --set mesh.x.cells=300 --set mesh.y.cells=300); }
gives 74 "ulimit -f of 200 kB" tight
says_once "file too large"
rm -rf big limit1 limit2 tight

# The disk fills up after the first checkpoints.
for ranks in 1 2; do
  place=$scratch/disk$ranks
  mkdir "$place"
  if ! mount -t tmpfs -o size=400k none "$place" 2>/dev/null; then
    echo "no right to mount a small file system: the test of a full disk is skipped"
    break
  fi
  mounted+=("$place")
  gives 74 "disk full on $ranks" on $ranks run plate.yaml --output "$place/out"
  says_once "no space left"
  nothing_unfinished "$place/out"
  check "a checkpoint is left" has_checkpoint "$place/out"
  check "what is left is complete" complete "$place/out"
  gives 74 "still full on $ranks" on $ranks run plate.yaml --output "$place/out"
  check "a checkpoint is left" has_checkpoint "$place/out"
  mount -o remount,size=8m "$place"
  gives 0 "with space again" on $((3 - ranks)) run plate.yaml --output "$place/out"
  prints "continuing from checkpoint"
  same whole "$place/out"
  nothing_unfinished "$place/out"
  # An OUT that is read-only.
  mount -o remount,ro "$place"
  gives 74 "read-only on $ranks" on $ranks run plate.yaml --output "$place/new"
  says_once "$place/new"
done

# kill -9 at random instants of a run that does little but write: what stands is complete, whatever the instant.
RANDOM=${INKDROP_SEED:-7}
kills=12
[ -n "${INKDROP_LONG:-}" ] && kills=60
for n in $(seq $kills); do
  rm -rf killed
  setsid mpiexec --oversubscribe --bind-to none -n 2 "$INKDROP" run plate.yaml --output killed --set output.snapshots.every=1.0e-4 \
    --set checkpoint.every_simulated=2.0e-4 --set time.end=2 >/dev/null 2>&1 </dev/null &
  job=$!
  wait_for has_checkpoint killed
  sleep "$(printf '0.%03d' $((RANDOM % 500)))"
  kill -9 $(ps -o pid= -s $job) 2>/dev/null
  wait $job 2>/dev/null
  wait_for bash -c "[ -z \"\$(ps -o pid= -s $job)\" ]"
  check "kill $n: what stands is complete" complete killed
done
no_traceback
report
