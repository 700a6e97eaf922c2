# %% [markdown]
# # 3 · Looking at reconstructions
#
# | | |
# |---|---|
# | Section | 19.2.3 of *Hands-On Machine Learning with R*: visualizing the reconstruction |
# | Question | What does a mean squared error of 0.005 look like, and where does it lie? |
# | Data | MNIST: 60,000 handwritten digits to train on, 10,000 to test |
# | Run time | about 1 minute on 2 cores |
#
# An error is one number. Before trusting it, look at what it is made of.

# %%
import numpy as np

import ae_zoo
from ae_zoo import plots
from ae_zoo.chapter import reconstructions
from ae_zoo.chapter.notebook import claim, digits, show

data = digits()


def trained(family, **options):
    """A model of the family, trained on the digits."""
    model = ae_zoo.build(family, data=data.x_train, seed=1, **options)
    ae_zoo.fit(model, data.x_train, verbose=0)
    return model


models = {
    "PCA, 100 codes": ae_zoo.PCA(100).fit(data.x_train),
    "network, 100 codes": trained("undercomplete", hidden=[], code=100),
    "PCA, 16 codes": ae_zoo.PCA(16).fit(data.x_train),
    "network, 16 codes": trained("stacked", hidden=[300, 100], code=16),
}

# %% [markdown]
# ## One digit of each kind
#
# The first test digit of each kind, and what comes back through each of the four codes.

# %% tags=["cover"]
first = reconstructions.one_of_each(data)
show(reconstructions.figure(models, data.x_test[first]))

# %% [markdown]
# PCA adds and subtracts whole images, so that its reconstructions are surrounded by faint grey waves: what one component adds
# outside the strokes, the others must take away again, and with few of them it does not come out even. A network with a
# sigmoid output leaves white paper almost white. It errs in another way: where sixteen numbers are too few, it draws a
# plausible digit that is not always the one that was written. The eight has become something like a two.
#
# ## Where the error lies
#
# The squared error of each pixel, averaged over all test digits of a kind. Dark is much error, each strip on its own scale.

# %%
maps = {}
for name, model in models.items():
    error = model.reconstruction_error(data.x_test, per_feature=True)
    maps[name] = np.stack([error[data.y_test == digit].mean(axis=0) for digit in range(10)])
show(plots.strips({name: each / each.max() for name, each in maps.items()}, notes=[str(digit) for digit in range(10)]))

# %% [markdown]
# Both err where digits of one kind differ: the tail of a two, the top of a five, the crossing of an eight. What such a mean over thousands of
# digits cannot show is that the error follows each digit's own edges. So take the pixels that have an edge beside them, ink next to
# none: what share of all pixels are they, and what share of the error do they hold?

# %%
x28 = (data.x_test > 0.5).reshape(-1, 28, 28)
edge = np.zeros_like(x28)
for axis in (1, 2):
    for step in (1, -1):
        edge |= x28 != np.roll(x28, step, axis)
edge = edge.reshape(data.x_test.shape)
at_edges = {}
for name, model in models.items():
    squares = model.reconstruction_error(data.x_test, per_feature=True)
    at_edges[name] = float(squares[edge].sum() / squares.sum())
    print(f"{name:20} {at_edges[name]:.0%} of the error at edges, which are {edge.mean():.0%} of the pixels")

# %% [markdown]
# With a hundred codes the network knows that there is a stroke, only not to the pixel where it ends.
#
# The grey waves can be measured. Take the pixels that are exactly white in the original; how much ink comes back there?

# %%
white = data.x_test == 0
ink = {}
for name, model in models.items():
    back = model.reconstruct(data.x_test)
    ink[name] = float(np.clip(back[white], 0, 1).mean())  # less than white is white
    print(f"{name:20} error {np.square(back - data.x_test).mean():.5f}   mean ink on white paper {ink[name]:.4f}")

# %% [markdown]
# ## Which kinds are hard?
#
# Not every digit needs the same number of codes. A one is a stroke and a slant; an eight has two loops that may be of
# any size.

# %%
model = models["network, 16 codes"]
error = model.reconstruction_error(data.x_test)
kinds = {digit: float(error[data.y_test == digit].mean()) for digit in range(10)}
print("   ".join(f"{digit}: {value:.4f}" for digit, value in sorted(kinds.items(), key=lambda item: item[1])))
show(plots.errors({f"{digit}": error[data.y_test == digit] for digit in (1, 7, 8, 2)}))

# %% [markdown]
# ## The best and the worst
#
# The ten test digits with the least error and the ten with the most. The easy ones are nearly the same digit ten times: the
# error is a measure of how usual, and how simple, a row is. Notebook 6 makes a detector of that.

# %%
order = np.argsort(error)
for title, rows in (("least error", order[:10]), ("most error", order[-10:])):
    picked = data.x_test[rows]
    notes = [f"{value:.5f}" for value in error[rows]]
    show(plots.strips({title: picked, "reconstruction": model.reconstruct(picked)}, notes=notes))

# %% [markdown]
# ## From one digit to another
#
# A code is a place, and between two places lie others. Walking in a straight line from the code of one digit to that of
# another gives digits in between; averaging the images instead gives two digits on top of each other.

# %%
ends = [(first[1], first[7]), (first[3], first[8]), (first[4], first[9])]
walks, mixtures = [], []
for start, end in ends:
    a, b = data.x_test[start], data.x_test[end]
    walks.append(ae_zoo.interpolate(model, a, b, 12))
    mixtures.append(np.stack([(1 - share) * a + share * b for share in np.linspace(0, 1, 12)]))
rows = [row for pair in zip(walks, mixtures, strict=True) for row in pair]
show(plots.tiles(rows, rows=["codes", "pixels"] * len(ends)))

# %% [markdown]
# ## What was claimed

# %%
claim(
    "at each code size the network leaves less ink on white paper than PCA, by half or more",
    ink["network, 100 codes"] < 0.5 * ink["PCA, 100 codes"] and ink["network, 16 codes"] < 0.5 * ink["PCA, 16 codes"],
)
claim("with 100 codes most of the network's error lies at edges", at_edges["network, 100 codes"] > 0.5, fast=True)
claim("ones have the least error of all kinds", min(kinds, key=kinds.get) == 1, fast=True)
claim("the hardest kind has at least three times the error of ones", max(kinds.values()) > 3 * kinds[1])
claim("more than half of the ten easiest digits are ones", np.mean(data.y_test[order[:10]] == 1) > 0.5, fast=True)

# %% [markdown]
# ## Try this
#
# - Draw the maps of *signed* errors, reconstruction minus original. Where is there too much ink, where too little?
# - `loss="bce"` trains on the binary cross-entropy. Which has the smaller squared error, and which the sharper edges?
# - The unit of these errors is a pixel's squared grey, from 0 to 1. Hinton and Salakhutdinov (2006) sum over the 784 pixels: what is
#   0.005 in theirs?
