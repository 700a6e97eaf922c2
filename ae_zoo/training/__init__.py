"""Training with one call: `fit` for a whole model, `pretrain` for its layers, `fit_robust` in spite of outliers."""
