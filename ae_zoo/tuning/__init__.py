"""Searching architectures with Keras Tuner.

From the bottom up: `dimensions` and `space` say what may be drawn, `rows` and `objectives` how it is measured, `kept` what
a folder holds. `trials` runs one trial, `tuner` is Keras Tuner, `worker` a process that runs many trials, `supervisor` runs
several workers, and `search` puts them together.
"""
