"""Evaluation of trained models: a comparison with PCA, their health, and the space of codes."""
