"""The adversarial family, its game and its priors."""
