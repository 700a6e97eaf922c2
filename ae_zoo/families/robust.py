"""Robust: rows are split into a part that the network reconstructs and a sparse part, so outliers hardly change it.

Loss of the network: mean over features of (x - s - reconstruction of x - s)^2, where s is the row's sparse part. Training
alternates with computing s, the part of the row's error that exceeds `split_weight`; the formula is in
ae_zoo/training/split.py.

`ae_zoo.fit` trains in this way, and returns both parts of the rows. Keras's plain `model.fit(x)` makes no split: it trains
the same network as an undercomplete one. `ae_zoo.fit_robust` trains any other family in the same way.

The code is small, because a network that can copy its input copies outliers too. The paper's network, with 400 and 200
units, ranks outliers no better than chance when it is trained to the end.

A row's score, by which a `Detector` ranks new rows too, is the reconstruction error of the whole row.

Sources: Zhou and Paffenroth 2017, Anomaly detection with robust deep autoencoders, sections 3 to 5.
"""

import keras

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.families.configs import RobustConfig


@keras.saving.register_keras_serializable("ae_zoo")
class Robust(Autoencoder):
    """The part of each row that the model cannot reconstruct is set aside, so outliers hardly change it."""

    Config = RobustConfig
