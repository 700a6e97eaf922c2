"""What the README's figures come from: `python -m benchmarks [speed] [grid] [tables] [scoring] [memory]`."""
