# %% [markdown]
# # 8 · A code that holds still
#
# | | |
# |---|---|
# | Section | 19.6 of *Hands-On Machine Learning with R*, further reading: contractive autoencoders |
# | Question | Can a code ignore what does not matter, without being told what matters? |
# | Data | MNIST: 60,000 handwritten digits to train on, 10,000 to test |
# | Run time | about 1 minute on 2 cores |
#
# A smudge on the paper should not change what the code says. A **contractive** autoencoder (Rifai et al. 2011) asks for that
# directly: it counts how fast the code moves when the pixels do, and wants less of it.

# %%
import numpy as np

import ae_zoo
from ae_zoo import plots
from ae_zoo.chapter import few_labels, reconstructions, still_codes
from ae_zoo.chapter.notebook import claim, digits, show

data = digits()

# %% [markdown]
# ## The penalty
#
# Let $h(x)$ be the code. Its Jacobian has one row a code unit and one column a pixel; the penalty is the sum of the squares of all
# its entries:
#
# $$\lambda \sum_{j}\sum_{i} \Big(\frac{\partial h_j}{\partial x_i}\Big)^2
# = \lambda \sum_j h_j^2 (1 - h_j)^2 \sum_i W_{ij}^2 \quad\text{for one sigmoid layer}.$$
#
# $W_{ij}$ leads from pixel $i$ to unit $j$, and $\lambda$ is the weight. The decoder uses the same $W$, turned round, or else the encoder could
# just shrink it and the decoder grow. The closed form is exact and costs next to nothing. Many implementations take the gradient of the *summed* code instead, in
# which the derivatives of different units cancel; a test of this package compares with finite differences.
#
# The reconstruction pulls the other way: two digits that differ must have codes that differ. So the code can hold still in
# directions in which digits do *not* differ, and must keep moving where they do.

# %%
weights = {"plain": 0.0, "contractive": 0.1, "more so": 1.0}
models, found = {}, {}
for name, weight in weights.items():
    model = ae_zoo.build("contractive", data=data.x_train, code=300, loss="bce", contraction=weight, seed=1)
    ae_zoo.fit(model, data.x_train, verbose=0)
    models[name], found[name] = model, still_codes.measure(model, data)
    norm, error = found[name].values()
    print(f"{name:12} (weight {weight:3}): sum of squared derivatives {norm:7.3f}, test error {error:.5f}")

# %% [markdown]
# ## Does it hold still?
#
# Move every pixel a little at random, and see how far the code moves, as a share of how far the codes of two different digits are
# apart. Then move each digit by one pixel to the right, which changes the paper a lot and the digit not at all.

# %%
random = np.random.default_rng(1)
x = data.x_test
shaken = np.clip(x + 0.1 * random.standard_normal(x.shape).astype("float32"), 0, 1)
shifted = np.roll(x.reshape(-1, 28, 28), 1, axis=2).reshape(x.shape)
other = random.permutation(len(x))

moved = {}
for name, model in models.items():
    code = model.encode(x)
    apart = np.linalg.norm(code - code[other], axis=1).mean()
    moved[name] = {
        "noise": float(np.linalg.norm(model.encode(shaken) - code, axis=1).mean() / apart),
        "shift": float(np.linalg.norm(model.encode(shifted) - code, axis=1).mean() / apart),
    }
    print(f"{name:12} moved by noise {moved[name]['noise']:.1%}, by a shift of one pixel {moved[name]['shift']:.1%}")

# %% [markdown]
# Against noise the penalty does what was asked of it. Against a shift it helps little, probably since digits do differ by where their strokes
# lie, so that the code must keep moving there.
#
# ## What the units look for
#
# The incoming weights of 32 units each: plain, then with the larger weight (light: ink here excites the unit; dark: it calms it). A plain unit's weights are full of fine grain, which reacts
# to single pixels; it does no harm to the reconstruction, and nobody asked for less. The penalty smooths it away.

# %%
show(plots.filters(models["plain"].get_layer("code").kernel, most=32))

# %% tags=["cover"]
show(plots.filters(models["more so"].get_layer("code").kernel, most=32))

# %% [markdown]
# How rough is a filter? Compare each weight with its neighbour to the right: the mean squared difference over the variance; 2 would
# be grain as fine as the pixels, 0 a flat surface.

# %%


def roughness(model):
    kernel = np.asarray(model.get_layer("code").kernel).T.reshape(-1, 28, 28)
    middle = kernel[:, 4:24, 4:24]  # where no ink comes in, at the rim, weights only serve the decoder
    return float(np.mean(np.square(np.diff(middle, axis=2))) / np.mean(np.var(middle, axis=(1, 2))))


rough = {name: roughness(model) for name, model in models.items()}
print("   ".join(f"{name}: {value:.2f}" for name, value in rough.items()))

# %% [markdown]
# ## Does it help a classifier?
#
# A thousand labels, a logistic regression on the codes. The paper uses such codes to start a classifier with. The code with the most
# contraction has the worst reconstruction and is the best to learn from: what it has let go of is grain, which a thousand labels are
# too few to see through. (At some weight that must end, since a code that does not move at all tells nothing apart.)

# %%
few = few_labels.some(data.y_train, seed=1)
named = {}
for name, encode in {"pixels": lambda rows: rows, **{name: model.encode for name, model in models.items()}}.items():
    named[name] = few_labels.accuracy(encode, data, few, scaled=True)
    print(f"{name:12} {named[name]:.1%} classified correctly")

# %% [markdown]
# ## The directions that are left
#
# At each digit, the Jacobian's largest singular vectors are the directions in pixel space along which the code still moves. Here are the
# first twelve at one digit, a three, with the larger weight: a stroke longer here, thicker there, a loop that opens. The paper calls
# such directions the tangents of the surface on which digits lie. There are few of them: the share of the squared derivatives that lies in
# the first 20 directions, of 300 that there could be, is printed for each network.

# %%
row = int(reconstructions.one_of_each(data)[3])
few_directions = {}
for name, model in models.items():
    h = model.encode(x[row : row + 1])[0]
    jacobian = (h * (1 - h))[:, None] * np.asarray(model.get_layer("code").kernel).T  # (code, pixels)
    _, strength, directions = np.linalg.svd(jacobian, full_matrices=False)
    few_directions[name] = float(np.sum(strength[:20] ** 2) / np.sum(strength**2))
print("   ".join(f"{name}: {share:.0%}" for name, share in few_directions.items()))
show(plots.filters(directions[:12].T, columns=12))

# %% [markdown]
# ## What was claimed

# %%
norms, errors = zip(*(each.values() for each in found.values()), strict=True)
claim("the penalty lowers what it counts, more with more weight", norms[0] > 2 * norms[1] > 2 * norms[2])
claim("the codes move less under noise", moved["contractive"]["noise"] < moved["plain"]["noise"], fast=True)
claim(
    "the filters are smoother, more with more weight",
    rough["more so"] < rough["contractive"] < rough["plain"],
    fast=True,
)
claim("by a fifth or more with the larger weight", rough["more so"] < 0.8 * rough["plain"])
claim("with it, 20 directions hold more than 80 % of what still moves the code", few_directions["more so"] > 0.8)
claim("codes beat pixels with 1,000 labels", min(named["plain"], named["contractive"]) > named["pixels"])
claim(
    "the more contraction, the more digits are classified correctly",
    named["plain"] < named["contractive"] < named["more so"],
)
claim(
    "though reconstructions become worse",
    errors[0] < errors[1] < errors[2],
)

# %% [markdown]
# ## Try this
#
# - `hidden=[300]` makes the encoder deep; the penalty is then estimated by random directions rather than computed.
# - Compare with noise: `corruption="gaussian", corruption_amount=0.1` and no contraction. Small noise asks, to leading order, that the
#   *reconstruction* move little (Alain and Bengio 2014); this penalty asks it of the code.
