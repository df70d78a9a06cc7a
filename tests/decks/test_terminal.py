"""The live line: on a terminal only, also behind mpiexec, which gives rank 0 a pseudo terminal of its own."""
import os
import pty
import subprocess
import sys
import tempfile

INKDROP = os.environ["INKDROP"]
MPIEXEC = ["mpiexec", "--oversubscribe", "--bind-to", "none", "-n", "2"]
DECK = """
solver: heat
mesh: {x: {from: 0, to: 1, cells: 3000}}
material: {conductivity: "1 + 0.5*exp(-T^2)*sin(x)^2", density: 1, heat_capacity: 1}
initial: {T: x}
boundary: {x_min: {type: value, value: "sin(1000*t)"}}
time: {end: 1.0, method: explicit, walltime: 3 s}
"""
CLEAR = b"\033[K"


def on_terminal(command, term):
    """What a person would see: the program's stdout is a terminal."""
    master, slave = pty.openpty()
    environment = dict(os.environ, TERM=term) if term else {k: v for k, v in os.environ.items() if k != "TERM"}
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=slave, stderr=slave, env=environment)
    os.close(slave)
    seen = b""
    while True:
        try:
            piece = os.read(master, 4096)
        except OSError:  # Linux: the other side is closed
            break
        if not piece:
            break
        seen += piece
    os.close(master)
    return process.wait(), seen


def in_file(command):
    with tempfile.TemporaryFile() as log:
        code = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, env=dict(os.environ, TERM="xterm")).returncode
        log.seek(0)
        return code, log.read()


failed = 0


def check(what, code, seen, live):
    global failed
    good = code == 75 and (seen.count(CLEAR) > 0) == live and (live or CLEAR not in seen) and b"note: method" in seen
    if live:  # no live line is wider than the terminal of 80 columns
        lines = [piece.split(b"\r")[0].split(b"\n")[0] for piece in seen.split(CLEAR)[1:]]
        good = good and all(len(line) < 80 for line in lines)
    if not good:
        failed += 1
        print(f"FAILED: {what}: code {code}, {seen.count(CLEAR)} live lines\n{seen[-800:]!r}")


if not os.path.exists("/dev/ptmx") or not os.listdir("/dev/pts"):
    print("skipped: this machine gives out no terminals (/dev/pts)")
    sys.exit(77)
with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    with open("bar.yaml", "w") as deck:
        deck.write(DECK)
    run = [INKDROP, "run", "bar.yaml", "--output"]
    check("alone on a terminal", *on_terminal(run + ["a"], "xterm"), live=True)
    check("mpiexec on a terminal", *on_terminal(MPIEXEC + run + ["b"], "xterm"), live=True)
    check("alone into a file", *in_file(run + ["c"]), live=False)
    check("mpiexec into a file", *in_file(MPIEXEC + run + ["d"]), live=False)
    check("mpiexec, a shell between, into a file", *in_file(MPIEXEC + ["sh", "-c", " ".join(run + ["e"]) + "; exit $?"]), live=False)
    check("a dumb terminal", *on_terminal(run + ["f"], "dumb"), live=False)
    check("a terminal without a name", *on_terminal(run + ["g"], None), live=False)
    os.chdir("/")
print(f"7 cases, {failed} failed")
sys.exit(failed > 0)
