"""Evaluation of trained models: a comparison with PCA, anomaly detection, and the space of codes."""
