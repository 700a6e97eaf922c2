"""An epoch on a GPU, by the JAX backend: the zoo's trainer, a bare scan of the same arithmetic, and a bare PyTorch loop.

Run it where Keras, JAX and a GPU are: `KERAS_BACKEND=jax python -m benchmarks.gpu [families]`. It takes about three minutes
for the layouts, and three more with `families`, which trains one epoch of each. Without a GPU it says so and ends.
"""

import importlib.util
import itertools
import os
import sys
import time

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np

import ae_zoo
from benchmarks import common

ROWS, EPOCHS = 60_000, 6
LAYOUTS = {
    "784-100-784": ((), 100),
    "784-300-100-300-784": ((300,), 100),
    "784-1000-500-250-30 mirrored": ((1000, 500, 250), 30),
}


def main() -> None:
    import jax

    device = jax.devices()[0]
    if device.platform == "cpu":
        sys.exit("There is no GPU that JAX can use; nothing was measured.")
    print(f"  {device.device_kind}, JAX {jax.__version__}, Keras {keras.__version__}", flush=True)
    x = np.random.default_rng(0).random((ROWS, 784), "float32")  # the time does not depend on the values
    for (name, (hidden, code)), batch in itertools.product(LAYOUTS.items(), (256, 4096)):
        widths = [784, *hidden, code, *reversed(hidden), 784]
        ours, scan = zoo(x, hidden, code, batch), bare_scan(x, widths, batch)
        print(f"  {name}, batch {batch}: the zoo {ours:.4f} s an epoch, bare scan {scan:.4f} s", flush=True)
        common.verdict("the zoo's time over the bare scan's", ours / scan, 1.5, at_most=True)
        if importlib.util.find_spec("torch") is None:
            print("  PyTorch is not installed; its loop was not run")
        else:
            torch = torch_loop(x, widths, batch)
            target = 8 if batch == 256 else 1
            common.verdict(f"a bare PyTorch loop's {torch:.4f} s over the zoo's", torch / ours, target, at_most=False)
    if sys.argv[1:] == ["families"]:
        for family in ae_zoo.list_families():
            options = {"input_shape": (28, 28)} if family == "convolutional" else {"input_shape": 784}
            model = ae_zoo.build(family, seed=1, **options)
            rows = x[:20_000].reshape(-1, *model.config.input_shape)
            result = ae_zoo.fit(model, rows, validation=0, epochs=3, batch_size=256, verbose=0)
            print(f"  {family}: {result.seconds_per_epoch:.4f} s an epoch of 20,000 rows", flush=True)


def zoo(x: np.ndarray, hidden: tuple[int, ...], code: int, batch: int) -> float:
    """Returns the seconds of an epoch of `ae_zoo.fit`."""
    model = ae_zoo.build("undercomplete", 784, hidden=hidden, code=code, seed=1)
    result = ae_zoo.fit(model, x, validation=0, epochs=EPOCHS, batch_size=batch, verbose=0)
    return result.seconds_per_epoch


def bare_scan(x: np.ndarray, widths: list[int], batch: int) -> float:
    """Returns the seconds of an epoch of plain Adam in one `lax.scan`, rows on the device."""
    import jax
    import jax.numpy as jnp

    keys = jax.random.split(jax.random.key(0), len(widths))
    weights = [
        (jax.random.normal(key, shape) / shape[0] ** 0.5, jnp.zeros(shape[1]))
        for key, shape in zip(keys, itertools.pairwise(widths), strict=False)
    ]

    def loss(weights, rows):
        h = rows
        for w, b in weights[:-1]:
            h = jax.nn.selu(h @ w + b)
        w, b = weights[-1]
        return jnp.mean(jnp.square(jax.nn.sigmoid(h @ w + b) - rows))

    @jax.jit
    def epoch(state, x, order):
        def step(state, some):
            weights, m, v, t = state
            gradient = jax.grad(loss)(weights, x[some])
            t = t + 1
            m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, gradient)
            v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, gradient)
            rate = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
            weights = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-7), weights, m, v)
            return (weights, m, v, t), None

        return jax.lax.scan(step, state, order)[0]

    zeros = jax.tree.map(jnp.zeros_like, weights)
    state, rows = (weights, zeros, zeros, jnp.float32(0)), jax.device_put(x)
    times = []
    for number in range(EPOCHS):
        order = np.random.default_rng(number).permutation(len(x))[: len(x) // batch * batch].reshape(-1, batch)
        begin = time.perf_counter()
        state = jax.block_until_ready(epoch(state, rows, order.astype("int32")))
        times.append(time.perf_counter() - begin)
    return float(np.mean(times[1:]))


def torch_loop(x: np.ndarray, widths: list[int], batch: int) -> float:
    """Returns the seconds of an epoch of a bare PyTorch loop, rows on the device, fused Adam."""
    import torch

    layers: list[torch.nn.Module] = []
    for a, b in itertools.pairwise(widths):
        layers += [torch.nn.Linear(a, b), torch.nn.SELU()]
    network = torch.nn.Sequential(*layers[:-1], torch.nn.Sigmoid()).cuda()
    optimizer = torch.optim.Adam(network.parameters(), fused=True)
    rows = torch.from_numpy(x).cuda()
    times = []
    for _ in range(3):
        torch.cuda.synchronize()
        begin = time.perf_counter()
        order = torch.randperm(len(rows), device="cuda")
        for start in range(0, len(rows) - batch + 1, batch):
            some = rows[order[start : start + batch]]
            optimizer.zero_grad(set_to_none=True)
            torch.nn.functional.mse_loss(network(some), some).backward()
            optimizer.step()
        torch.cuda.synchronize()
        times.append(time.perf_counter() - begin)
    return float(np.mean(times[1:]))


if __name__ == "__main__":
    main()
