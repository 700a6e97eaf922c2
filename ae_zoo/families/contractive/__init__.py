"""The contractive family, and the norm of a Jacobian."""
