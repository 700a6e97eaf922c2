"""The figures: each function returns a matplotlib `Figure`. They read in print and for colour-blind readers.

Figures are made without pyplot, so nothing is left open and no window system is needed; a notebook shows them.
"""

from ae_zoo.plots.curves import activations, activity, comparison, errors, learning_curves, lines
from ae_zoo.plots.fronts import front
from ae_zoo.plots.images import filters, samples, strips, tiles
from ae_zoo.plots.scatter import codes, prior

__all__ = [
    "activations",
    "activity",
    "codes",
    "comparison",
    "errors",
    "filters",
    "front",
    "learning_curves",
    "lines",
    "prior",
    "samples",
    "strips",
    "tiles",
]
