"""python -m inkdrop_post plot OUT | animate OUT... | compare A B"""

import argparse
import os
import sys

from .compare import compare
from .files import NoResult


def _parser():
    parser = argparse.ArgumentParser(prog="python -m inkdrop_post", description="Pictures, animations and comparisons of inkdrop's results.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="plot | animate | compare")
    draw = verbs.add_parser("plot", help="draw a run: profiles, maps or slices, and its time series")
    draw.add_argument("out", metavar="OUT", help="folder of a run, packed file or snapshot")
    draw.add_argument("-o", "--output", metavar="FILE", help="picture to write (.png, .pdf, .svg); default OUT.png in the current folder")
    draw.add_argument("--field", action="append", metavar="NAME", help="field to draw (may be repeated); default all")
    draw.add_argument("--times", nargs="+", type=float, metavar="T", help="times in seconds; the nearest snapshots are drawn")
    draw.add_argument("--no-series", action="store_true", help="without the time series")
    film = verbs.add_parser("animate", help="a GIF of one or several runs, side by side")
    film.add_argument("outs", metavar="OUT", nargs="+", help="folder of a run, or packed file")
    film.add_argument("-o", "--output", metavar="FILE", help="GIF to write; default OUT.gif of the first run in the current folder")
    film.add_argument("--field", metavar="NAME", help="field to draw; default the first")
    film.add_argument("--names", nargs="+", metavar="TEXT", help="what to write over the runs, instead of their titles")
    film.add_argument("--frames", type=int, default=40, metavar="N", help="number of frames, at most one a snapshot; default 40")
    for verb in (draw, film):
        verb.add_argument("--scale", choices=["linear", "sqrt", "log"], default="linear", help="scale of the values; default linear")
        verb.add_argument("--colours", default="viridis", metavar="MAP", help="matplotlib colour map; default viridis")
        verb.add_argument("--label", metavar="TEXT", help="what to call the field, instead of its name in the file")
    same = verbs.add_parser("compare", help="are two results the same in every byte outside /run? exit code 1 when not")
    same.add_argument("a", metavar="A", help="folder of a run, or a file")
    same.add_argument("b", metavar="B", help="folder of a run, or a file")
    same.add_argument("--within", type=float, default=0.0, metavar="X", help="numbers may differ by X of the dataset's largest value")
    return parser


def _file(arguments, out, ending):
    name = os.path.basename(os.path.abspath(out))
    return arguments.output or os.path.splitext(name)[0] + ending


def _animate(arguments):
    from .animation import animate

    file = _file(arguments, arguments.outs[0], ".gif")
    if not file.lower().endswith(".gif"):
        raise NoResult(f"{file}: an animation is a GIF: its name ends with .gif")
    try:
        animate(arguments.outs, file, field=arguments.field, names=arguments.names, frames=arguments.frames,
                scale=arguments.scale, colours=arguments.colours, label=arguments.label)  # fmt: skip
    except OSError as error:
        raise NoResult(f"cannot write {file}: {error.strerror or error}") from None
    print(f"animation: {file}")
    return 0


def _plot(arguments):
    from .picture import endings, plot  # matplotlib is slow to load

    file = _file(arguments, arguments.out, ".png")
    ending = os.path.splitext(file)[1].lstrip(".").lower()
    if ending not in endings():
        raise NoResult(f"{file}: cannot write '.{ending}'; a picture ends with one of: {' '.join(endings())}")
    try:
        plot(arguments.out, file, fields=arguments.field, times=arguments.times, series=not arguments.no_series,
             scale=arguments.scale, colours=arguments.colours, label=arguments.label)  # fmt: skip
    except OSError as error:
        raise NoResult(f"cannot write {file}: {error.strerror or error}") from None
    print(f"picture: {file}")
    return 0


def _compare(arguments):
    lines = compare(arguments.a, arguments.b, arguments.within)
    for line in lines:
        print(line)
    if not lines:
        print("the same" if arguments.within == 0 else f"the same within {arguments.within:g}")
    return 1 if lines else 0


def main(arguments=None):
    arguments = _parser().parse_args(arguments)
    try:
        return {"plot": _plot, "animate": _animate, "compare": _compare}[arguments.verb](arguments)
    except NoResult as error:
        print(f"inkdrop_post: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
