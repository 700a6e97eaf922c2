"""The zoo's own Keras layers."""
