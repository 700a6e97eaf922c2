"""Prints the seconds of epochs of a bare PyTorch loop on MNIST: `python -m benchmarks.torch_loop 784 100 784`.

The rows lie in memory. It is a process of its own, which loads no TensorFlow.
"""

import itertools
import sys
import time

import numpy as np
import torch

from benchmarks import common

BATCH, EPOCHS = 256, 4


def main() -> None:
    print(*torch_loop(common.digits().x_train, [int(width) for width in sys.argv[1:]]))


def torch_loop(x: np.ndarray, widths: list[int]) -> list[float]:
    layers = []
    for index, (a, b) in enumerate(itertools.pairwise(widths)):
        layers.append(torch.nn.Linear(a, b))
        if index + 2 == len(widths):
            layers.append(torch.nn.Sigmoid())
        elif b != min(widths):
            layers.append(torch.nn.SELU())
    network = torch.nn.Sequential(*layers)
    optimizer = torch.optim.Adam(network.parameters())
    rows = torch.from_numpy(x)
    seconds = []
    for _ in range(EPOCHS):
        begin = time.perf_counter()
        order = torch.randperm(len(rows))
        for start in range(0, len(rows) - BATCH + 1, BATCH):
            batch = rows[order[start : start + BATCH]]
            optimizer.zero_grad(set_to_none=True)
            loss = torch.nn.functional.mse_loss(network(batch), batch)
            loss.backward()
            optimizer.step()
        seconds.append(time.perf_counter() - begin)
    return seconds[1:]


if __name__ == "__main__":
    main()
