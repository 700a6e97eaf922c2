"""Chapter 19, run in the book's order on real digits: one module an experiment.

Each has functions for its data, its measures and its figures, which notebooks and benchmarks call too, and `section`, which
tells it on the report's page. `contents` has the sections in order.
"""

from ae_zoo._support.quiet import quiet_import

with quiet_import():
    import keras  # noqa: F401 - loaded here so that TensorFlow's start-up lines stay out of terminals and first cells
