"""The winner-take-all family, and the layer that keeps the winners."""
