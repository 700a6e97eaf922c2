"""Figures: each function returns a matplotlib `Figure`, which is readable in print and for color-blind readers.

No figure is made with pyplot, so none must be closed and no window system is needed. A notebook displays them.
"""

from ae_zoo.plots.curves import activations, activity, comparison, errors, learning_curves, lines
from ae_zoo.plots.fronts import front
from ae_zoo.plots.images import filters, samples, strips, tiles
from ae_zoo.plots.of_tables import cells, column_errors, explanation
from ae_zoo.plots.scatter import codes, prior

__all__ = [
    "activations",
    "activity",
    "cells",
    "codes",
    "column_errors",
    "comparison",
    "errors",
    "explanation",
    "filters",
    "front",
    "learning_curves",
    "lines",
    "prior",
    "samples",
    "strips",
    "tiles",
]
