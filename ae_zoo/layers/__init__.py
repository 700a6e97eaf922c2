"""The zoo's own Keras layers. Importing the package makes all of them known to Keras, so that it can read files with them."""

from ae_zoo.layers import at_inference, corruption, dropout, noise, scaling, sparsity, tied_dense

__all__ = ["at_inference", "corruption", "dropout", "noise", "scaling", "sparsity", "tied_dense"]
