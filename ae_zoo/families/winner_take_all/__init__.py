"""The winner-take-all family, and the layer that lets winners pass."""
