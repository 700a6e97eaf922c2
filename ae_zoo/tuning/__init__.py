"""Searching architectures with Keras Tuner.

From the bottom up: `space` says what may be drawn, `rows` and `objectives` how it is measured, `trials` runs one, `tuner`
is Keras Tuner, `worker` a process that runs many, `supervisor` several of them, and `search` puts them together.
"""
