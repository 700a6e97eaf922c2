"""Training with one call: `fit` for a whole model, `pretrain` for its layers, `fit_robust` for rows with outliers."""
