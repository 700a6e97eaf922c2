"""Training with one call.

`fit` trains a whole model, `pretrain` its layers, `fit_robust` on rows with outliers; `supervise` makes a classifier or a
regressor of a trained model.
"""
