# %% [markdown]
# # 2 · How wide, how deep?
#
# | | |
# |---|---|
# | Section | 19.2.2 of *Hands-On Machine Learning with R*: stacked autoencoders |
# | Question | Which layers are worth their weights, and how does one find out without fooling oneself? |
# | Data | MNIST: 60,000 handwritten digits to train on, 10,000 to test |
# | Run time | about 7 minutes on 2 cores |
#
# Two decisions make an autoencoder: how wide its code is, and which hidden layers lead there. The book tries five layouts by
# hand and ranks them by their error. Here the same five are searched by one call, beside the peer that tells whether a
# network has learned anything at all: PCA with as many components as the network has codes.

# %%
import numpy as np

import ae_zoo
from ae_zoo import plots
from ae_zoo.chapter import architectures
from ae_zoo.chapter.notebook import claim, digits, show, workplace

data = digits()
workplace()  # for the searches' records; in a folder of your own they can go on

# %% [markdown]
# ## The book's five
#
# `space` is a list here, each entry one whole network. `ae_zoo.search` trains each and ranks them by the error on digits
# that were held out. The decoder mirrors the encoder, so `hidden=[250, 100]` and `code=50` stand for 784-250-100-50-100-250-784.

# %%
layouts = {"100": ([], 100), "300-100-300": ([300], 100), "50": ([], 50), "100-50-100": ([100], 50),
           "250-100-50-100-250": ([250, 100], 50)}  # fmt: skip
grid = ae_zoo.search(
    "undercomplete",
    data.x_train,
    space=[{"hidden": hidden, "code": code} for hidden, code in layouts.values()],
    directory="grid",
    verbose=False,
)
grid.leaderboard[["hidden", "code", "reconstruction", "parameters", "seconds"]]

# %% [markdown]
# The search has spoken on held-out training digits. The test digits, which it has not seen, have the last word. The book's
# figures are its own, of H2O's networks on their training rows.

# %%
searched = [grid.load(place + 1) for place in range(len(layouts))]
models = {architectures.layout(model.config.hidden, model.config.code): model for model in searched}
found = {
    name: architectures.measure(models[name], ae_zoo.PCA(code).fit(data.x_train), data)
    for name, (_, code) in layouts.items()
}
for name, each in found.items():
    book = architectures.BOOK[name]
    print(f"{name:20} network {each['test_mse']:.5f}   PCA {each['pca_test_mse']:.5f}   book {book:.5f}")

# %% tags=["cover"]
show(architectures.figure(found))

# %% [markdown]
# (The grey squares are errors on training digits, the others on test digits.)
#
# ## Why PCA is hard to beat
#
# Four of the book's five networks do worse than PCA, a method without iterations, at the same code size. PCA is no weak peer: it
# is the *best* linear autoencoder, and a network has to use its nonlinearity well to gain on it. Two habits of the time stand in
# the way:
#
# - a `tanh` **code** clips what the code can say. The zoo's default code is linear: nothing is gained by squeezing it;
# - a `tanh` or rectified **output** is steep at 0, where most of a digit's pixels are. A sigmoid output is flat at both of its
#   ends, so white paper and black ink are easy to give back exactly.
#
# Patience is not the reason. The network below has `tanh` throughout, is trained exactly as ours, and does no better than the book's. (It
# changes the code, the output and the activation together, so it does not say which of them matters most.) A run that ends
# worse than PCA warns of it.

# %%
tanh = {"activation": "tanh", "code_activation": "tanh", "output_activation": "tanh"}
as_the_book = ae_zoo.build("undercomplete", data=data.x_train, code=100, hidden=[], seed=1, **tanh)
ae_zoo.fit(as_the_book, data.x_train, verbose=0)
tanh_error = float(as_the_book.reconstruction_error(data.x_test).mean())
print(f"100 codes, tanh throughout                {tanh_error:.5f}")
print(f"100 codes, linear code and sigmoid output {found['100']['test_mse']:.5f}")
print(f"PCA with 100 components                   {found['100']['pca_test_mse']:.5f}")

# %% [markdown]
# ## Depth pays where the code is small
#
# In the grid above a hidden layer gains next to nothing at 100 codes, and two gain a fifth at 50. A hundred numbers are plenty: a
# single layer can already use them. The fewer there are, the more each must say, and the more it takes to say it. Below, each
# code size is tried flat and with two hidden layers.

# %%
sizes = [4, 8, 16, 32, 64]
curves = {"no hidden layer": [], "hidden layers of 300 and 100": [], "PCA": []}
for code in sizes:
    for name, hidden in (("no hidden layer", []), ("hidden layers of 300 and 100", [300, 100])):
        model = ae_zoo.build("undercomplete", data=data.x_train, hidden=hidden, code=code, seed=1)
        ae_zoo.fit(model, data.x_train, epochs=8, verbose=0)
        curves[name].append(float(model.reconstruction_error(data.x_test).mean()))
    curves["PCA"].append(float(ae_zoo.PCA(code).fit(data.x_train).reconstruction_error(data.x_test).mean()))

show(plots.lines(sizes, curves, xlabel="code units", ylabel="mean squared error a pixel, test digits"))

# %% [markdown]
# ## Let it search
#
# Every option of a family comes with a range that is worth trying, so you need not list any. Here the search is told the code size
# and what to vary; twelve networks are drawn at random and ranked. Small networks are on the left; those on the line
# are the ones that nothing beats in both size and error, and the star marks where a larger network begins to gain less.

# %%
search = ae_zoo.search(
    "stacked",
    data.x_train,
    space={"code": 16, "depth": (1, 3), "width": (64, 400), "activation": ["selu", "relu", "tanh"]},
    trials=12,
    epochs=4,
    finalists=1,
    directory="found",
    verbose=False,
)
pca16 = ae_zoo.PCA(16).fit(data.x_train)
parameters, held_out = (search.leaderboard[name].to_numpy() for name in ("parameters", "reconstruction"))
show(plots.front(parameters, held_out, xlabel="weights of the network", ylabel="held-out error"))

# %% [markdown]
# The search has chosen by the held-out rows, so that their error may flatter the winner. The test digits say what it is worth:

# %%
searched_error = float(search.load(1).reconstruction_error(data.x_test).mean())
print(f"held-out rows {held_out.min():.5f}, test digits {searched_error:.5f}")

# %% [markdown]
# A search must not rank by the *loss*. Where a family adds a penalty, the loss counts it, and the search would choose the
# smallest penalty every time. `ae_zoo.search` ranks by the clean reconstruction error on held-out rows, whatever the loss is.
#
# ## What was claimed

# %%
claim(
    "every network of the grid is better than PCA at its code size",
    all(each["test_mse"] < each["pca_test_mse"] for each in found.values()),
)
claim(
    "four of the book's five figures are worse than PCA's",
    sum(architectures.BOOK[name] > each["pca_test_mse"] for name, each in found.items()) == 4,
)
claim(
    "tanh throughout is at least 1.5 times as bad as the default at 100 codes",
    tanh_error > 1.5 * found["100"]["test_mse"],
)
deep, flat = curves["hidden layers of 300 and 100"], curves["no hidden layer"]
at = sizes.index(16)
claim("hidden layers win at every size up to 64 codes", np.all(np.less(deep, flat)), fast=True)
claim("by a third or more at 16, by less than 15 % at 64", deep[at] < flat[at] * 2 / 3 and deep[-1] > 0.85 * flat[-1])
claim(
    "and in the grid, at 100 codes, a hidden layer gains less than 10 %",
    found["300-100-300"]["test_mse"] > 0.9 * found["100"]["test_mse"],
)
claim(
    "the best network that was searched is better than PCA at 16 codes",
    searched_error < pca16.reconstruction_error(data.x_test).mean(),
)

# %% [markdown]
# ## Try this
#
# - `space={"code": 16}` alone: what does a search over everything that the family offers find? Give it `minutes=10`.
# - `tuner="hyperband"` begins many networks and goes on with the good ones.
# - The report of a search is a page: give `directory="search"` and open `search/report.html`.
