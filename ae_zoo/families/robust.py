"""Robust: rows are split into a part that the network reconstructs and a sparse part, so outliers hardly shape it.

Loss of the network: mean over features of (x - s - reconstruction of x - s)^2, where s is the row's sparse part. In turn
with it s is what exceeds `split_weight` in the row's own error; ae_zoo/training/split.py has the formula.

`ae_zoo.fit` trains it so, and gives both parts of the rows. Keras's plain `model.fit(x)` knows of no split: it trains the
same network as an undercomplete one. `ae_zoo.fit_robust` does the same around any other family.

The code is small, as a network that can copy its input copies outliers too. The paper's own, of 400 and 200 units, ranks
by chance when it is trained to the end.

A row's score, by which a `Detector` ranks new rows too, is the reconstruction error of the whole row.

Sources: Zhou and Paffenroth 2017, Anomaly detection with robust deep autoencoders, sections 3 to 5.
"""

import keras

from ae_zoo.autoencoder import Autoencoder
from ae_zoo.families.configs import RobustConfig


@keras.saving.register_keras_serializable("ae_zoo")
class Robust(Autoencoder):
    """What it cannot reconstruct is split off, so outliers hardly shape it."""

    Config = RobustConfig
