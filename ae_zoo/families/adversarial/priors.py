"""Distributions that codes are trained to follow, and the distance of a set of codes from one."""

import math

import keras

from ae_zoo.families.configs import MODES
from ae_zoo.layers import noise
from ae_zoo.layers.noise import Seed
from ae_zoo.typing import Tensor


def gaussian(modes: Tensor, code: int, seed: Seed) -> Tensor:
    """Returns standard normal codes `(batch, code)`. There is one mode, so `modes` `(batch,)` only gives their number."""
    return noise.normal((keras.ops.shape(modes)[0], code), seed)


def mixture(modes: Tensor, code: int, seed: Seed) -> Tensor:
    """Returns codes `(batch, 2)` from ten narrow normal distributions in a ring; `modes` `(batch,)` says which."""
    ops = keras.ops
    draws = noise.normal((ops.shape(modes)[0], 2), seed)
    outwards, across = 1.5 + 0.5 * draws[:, 0], 0.1 * draws[:, 1]
    angle = 2 * math.pi / MODES * ops.cast(modes, "float32")
    x = outwards * ops.cos(angle) - across * ops.sin(angle)
    y = outwards * ops.sin(angle) + across * ops.cos(angle)
    return ops.stack([x, y], axis=1)


def swiss_roll(modes: Tensor, code: int, seed: Seed) -> Tensor:
    """Returns codes `(batch, 2)` on a spiral of two turns; mode m is the m-th tenth of its length, from the inside."""
    ops = keras.ops
    shape = (ops.shape(modes)[0], 1)
    along = (ops.cast(modes, "float32") + noise.uniform(shape, seed)[:, 0]) / MODES  # (batch,) in [0, 1)
    radius = 2 * ops.sqrt(along)  # the length of a spiral grows as the square of its radius
    angle = 2 * math.pi * radius
    point = ops.stack([radius * ops.cos(angle), radius * ops.sin(angle)], axis=1)
    return point + 0.05 * noise.normal((ops.shape(modes)[0], 2), seed)


PRIORS = {"gaussian": gaussian, "mixture": mixture, "swiss_roll": swiss_roll}


def mmd(a: Tensor, b: Tensor, *, paired: bool = False) -> Tensor:
    """Returns the squared maximum mean discrepancy of two samples `(n, code)` and `(m, code)`, without bias, a scalar.

    Its mean is 0 for samples of one distribution, and positive for others. The kernel is a sum of inverse multiquadrics of
    several widths, because one width sees only differences of its own size (Gretton et al. 2012, equations 3 and 4;
    Tolstikhin et al. 2018, section 4, for the kernel).

    Args:
        a, b: the samples.
        paired: whether the i-th rows of both depend on each other, as those of one label do; then n = m, and these pairs
            are left out, which would bias the estimate.
    """
    ops = keras.ops
    a, b = ops.cast(a, "float32"), ops.cast(b, "float32")
    n, m = (ops.cast(ops.shape(sample)[0], "float32") for sample in (a, b))

    def kernel(p: Tensor, q: Tensor) -> Tensor:
        distance = (
            ops.sum(ops.square(p), axis=1)[:, None]
            + ops.sum(ops.square(q), axis=1)[None]
            - 2 * ops.matmul(p, ops.transpose(q))
        )
        width = 2.0 * a.shape[1]  # the squared distance that two standard normal codes have on average
        return sum(width * s / (width * s + ops.maximum(distance, 0.0)) for s in (0.02, 0.1, 0.5)) / 3

    within = (ops.sum(kernel(a, a)) - n) / (n * (n - 1)) + (ops.sum(kernel(b, b)) - m) / (m * (m - 1))
    between = kernel(a, b)
    if paired:
        return within - 2 * (ops.sum(between) - ops.trace(between)) / (n * (n - 1))
    return within - 2 * ops.mean(between)
