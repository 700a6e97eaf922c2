# %% [markdown]
# # 9 · Filters that slide
#
# | | |
# |---|---|
# | Section | 19.6 of *Hands-On Machine Learning with R*, further reading: convolutional autoencoders |
# | Question | What does a network gain that knows which pixels are neighbours? |
# | Data | MNIST: 60,000 handwritten digits to train on, 10,000 to test |
# | Run time | about 2 minutes on 2 cores |
#
# To a dense layer a digit is a list of 784 numbers; shuffle the pixels of all digits in one way, and it learns just as well.
# What it learns about a stroke on the left it must learn anew on the right. A **convolutional** network slides small filters over
# the paper (Masci et al. 2011): what it learns in one place it knows in all.

# %%
import numpy as np

import ae_zoo
from ae_zoo import plots
from ae_zoo.chapter import reconstructions
from ae_zoo.chapter.notebook import claim, digits, show

data = digits(flat=False)  # (n, 28, 28)
x_train, x_test = data.x_train, data.x_test
print(x_train.shape)

# %% [markdown]
# ## The same code, two ways
#
# Thirty codes behind dense layers, and behind convolutions. Each weight of a filter is used in hundreds of places, so that a pass over
# the digits takes longer; the dense network gets three times as many passes. (Most of the convolutional network's weights are not in its
# filters, but in the dense layer that makes 256 numbers of all the maps.)

# %%
dense = ae_zoo.build("stacked", data=x_train, code=30, hidden=[300, 100], seed=1)
dense_run = ae_zoo.fit(dense, x_train, epochs=15, verbose=0)

convolutional = ae_zoo.build("convolutional", data=x_train, code=30, seed=1)
convolutional_run = ae_zoo.fit(convolutional, x_train, epochs=5, verbose=0)

models = {"PCA": ae_zoo.PCA(30).fit(x_train), "dense": dense, "convolutional": convolutional}
errors = {name: float(model.reconstruction_error(x_test).mean()) for name, model in models.items()}
print(f"PCA            error {errors['PCA']:.5f}")
for name, model, run in (("dense", dense, dense_run), ("convolutional", convolutional, convolutional_run)):
    print(f"{name:14} error {errors[name]:.5f}   {model.count_params():,} weights   {run.seconds:.0f} s")

# %% tags=["cover"]
first = reconstructions.one_of_each(data)
show(reconstructions.figure(models, x_test[first]))

# %% [markdown]
# Convolutions take some of the error off, at more weights and more time. On small, centred digits that is a modest gain. Where images are
# large, coloured or not centred, which is not shown here, a dense layer has too many weights, and the gain is another.
#
# ## What it looks for
#
# The filters of the first layer, 3 by 3 pixels each; light is a positive weight, dark a negative one. A single one says little.

# %%
show(plots.filters(convolutional.get_layer("hidden_0").kernel, columns=8))

# %% [markdown]
# And what some of them answer to three digits: a map each. Some answer to the whole stroke, some to one side of it, with a light rim beside a
# dark one. The maps have half the width, as the filter moves by two pixels at a time.

# %%
maps = convolutional.encode(x_test[first[2:5]], "hidden_0")  # (3, 14, 14, filters)
lively = np.argsort(maps.std(axis=(0, 1, 2)))[::-1][:10]
scaled = maps[..., lively] / np.abs(maps[..., lively]).max()
show(plots.tiles(np.moveaxis(scaled, -1, 1), low=-1, colors="gray"))

# %% [markdown]
# ## A digit out of its place
#
# MNIST's digits are centred. What if one is not? All three were trained on centred ones, and all three lose. One might expect the
# convolutional network to lose less, since its filters are at home everywhere. But its last step, from the maps to thirty numbers, is
# dense layers, which have rarely seen strokes at the rim; so it stays ahead, and loses about as much.

# %%
shifts = [0, 1, 2, 3, 4, 5]
series = {name: [] for name in models}
for shift in shifts:
    moved = np.roll(x_test[:2000], shift, axis=2)
    for name, model in models.items():
        series[name].append(float(model.reconstruction_error(moved).mean()))
show(plots.lines(shifts, series, xlabel="pixels to the right", ylabel="mean squared error a pixel"))

# %% [markdown]
# ## Between digits
#
# On straight lines between the codes of two digits, by the convolutional network and by the dense one.

# %%
pairs = [(first[3], first[8]), (first[4], first[9])]
rows = [ae_zoo.interpolate(model, x_test[a], x_test[b], 12) for a, b in pairs for model in (convolutional, dense)]
show(plots.tiles(rows, rows=["convolutional", "dense"] * len(pairs)))

# %% [markdown]
# ## What was claimed

# %%
claim(
    "at 30 codes dense layers beat PCA, and convolutions beat dense layers",
    errors["convolutional"] < errors["dense"] < errors["PCA"],
)
claim(
    "three pixels aside the convolutional network still errs least",
    series["convolutional"][3] < min(series["dense"][3], series["PCA"][3]),
)
claim(
    "they take more weights, and more time",
    convolutional.count_params() > dense.count_params() and convolutional_run.seconds > dense_run.seconds,
)

# %% [markdown]
# ## Try this
#
# - Train both networks on digits that are shifted at random. By how much does the gap grow?
# - `corruption="masking"` works here too: a convolutional denoising autoencoder needs no class of its own.
# - `ae_zoo.build("convolutional", data=images)` takes colours as well: `(n, height, width, 3)`.
