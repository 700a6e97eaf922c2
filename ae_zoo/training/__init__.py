"""Training with one call: `fit` for a whole model, `pretrain` for its layers one by one."""

from ae_zoo.training.pretrain import pretrain
from ae_zoo.training.trainer import TrainingResult, fit

__all__ = ["TrainingResult", "fit", "pretrain"]
