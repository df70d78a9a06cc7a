"""python -m inkdrop_post plot OUT | compare A B"""

import argparse
import os
import sys

from .compare import compare
from .files import NoResult


def _parser():
    parser = argparse.ArgumentParser(prog="python -m inkdrop_post", description="Pictures and comparisons of inkdrop's results.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="plot | compare")
    draw = verbs.add_parser("plot", help="draw a run: profiles, maps or slices, and its time series")
    draw.add_argument("out", metavar="OUT", help="folder of a run, packed file or snapshot")
    draw.add_argument("-o", "--output", metavar="FILE", help="picture to write (.png, .pdf, .svg); default OUT.png in the current folder")
    draw.add_argument("--field", action="append", metavar="NAME", help="field to draw (may be repeated); default all")
    draw.add_argument("--times", nargs="+", type=float, metavar="T", help="times in seconds; the nearest snapshots are drawn")
    draw.add_argument("--scale", choices=["linear", "sqrt", "log"], default="linear", help="scale of the values; default linear")
    draw.add_argument("--colours", default="viridis", metavar="MAP", help="matplotlib colour map; default viridis")
    draw.add_argument("--label", metavar="TEXT", help="what to call the field, instead of its name in the file")
    draw.add_argument("--no-series", action="store_true", help="without the time series")
    same = verbs.add_parser("compare", help="are two results the same in every byte outside /run? exit code 1 when not")
    same.add_argument("a", metavar="A", help="folder of a run, or a file")
    same.add_argument("b", metavar="B", help="folder of a run, or a file")
    same.add_argument("--within", type=float, default=0.0, metavar="X", help="numbers may differ by X of the dataset's largest value")
    return parser


def _plot(arguments):
    from .picture import endings, plot  # matplotlib is slow to load

    name = os.path.basename(os.path.abspath(arguments.out))
    file = arguments.output or os.path.splitext(name)[0] + ".png"
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
        return _plot(arguments) if arguments.verb == "plot" else _compare(arguments)
    except NoResult as error:
        print(f"inkdrop_post: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
