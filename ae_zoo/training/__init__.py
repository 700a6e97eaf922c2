"""Training with one call: `fit` for a whole model, `pretrain` for its layers, `fit_robust` in spite of outliers."""

from ae_zoo.training.pretrain import pretrain
from ae_zoo.training.robust import RobustResult, fit_robust
from ae_zoo.training.trainer import TrainingResult, fit

__all__ = ["RobustResult", "TrainingResult", "fit", "fit_robust", "pretrain"]
