"""Helpers that are not about autoencoders: whole files, quiet logs, child processes, folders of versions."""
