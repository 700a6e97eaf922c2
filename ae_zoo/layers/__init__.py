"""The zoo's own Keras layers. Importing the package makes all of them known to Keras, so that it can read files with them."""

from ae_zoo.layers import (  # noqa: F401 - imported so that they are known
    at_inference,
    corruption,
    dropout,
    noise,
    scaling,
    sparsity,
    tied_dense,
)
