"""Open, plot, animate and compare the results of inkdrop.

>>> import inkdrop_post
>>> fields = inkdrop_post.open("nafems_t3.out")          # xarray Dataset: T(time, x), coordinates, units
>>> fields.T.sel(time=32, method="nearest")
>>> series = inkdrop_post.open_series("nafems_t3.out")   # probes, integrals, fluxes over time
>>> inkdrop_post.report("nafems_t3.out")["verify"]       # the verify table
>>> inkdrop_post.plot("nafems_t3.out", "t3.png")
"""

from .compare import compare
from .files import NoResult, open, open_series, report


def plot(*arguments, **options):
    """Draws a run; see inkdrop_post.picture.plot."""
    from .picture import plot as draw  # matplotlib is slow to load

    return draw(*arguments, **options)


def animate(*arguments, **options):
    """Writes a GIF of runs; see inkdrop_post.animation.animate."""
    from .animation import animate as film

    return film(*arguments, **options)


__version__ = "0.1.0"
__all__ = ["NoResult", "animate", "compare", "open", "open_series", "plot", "report"]
