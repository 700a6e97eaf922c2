"""What the library needs and is not about autoencoders: whole files, quiet logs, child processes."""
