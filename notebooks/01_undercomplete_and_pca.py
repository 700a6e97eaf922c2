# %% [markdown]
# # 1 · How much of a digit do two numbers hold?
#
# | | |
# |---|---|
# | Section | 19.2.1 of *Hands-On Machine Learning with R*: undercomplete autoencoders, and PCA |
# | Question | What can a network do with two numbers that a flat plane cannot? |
# | Data | MNIST: 60,000 handwritten digits to train on, 10,000 to test |
# | Run time | about 1 minute on 2 cores |
#
# An **autoencoder** is a network that is asked for its own input. That would be easy, were it not for the waist in the
# middle: a digit has 784 pixels, and everything that is to come back must pass through a *code* of a few numbers. Here the
# code has two, so that it can be drawn.

# %%
import numpy as np

import ae_zoo
from ae_zoo import plots
from ae_zoo.chapter import reconstructions, two_codes
from ae_zoo.chapter.notebook import claim, digits, show

data = digits()

# %% [markdown]
# ## PCA is an autoencoder
#
# Principal component analysis finds the flat plane that lies closest to the digits. A digit's code is its shadow on that
# plane, and its reconstruction is the point in the plane itself:
#
# $$\hat x = \bar x + W W^\top (x - \bar x),$$
#
# where $\bar x$ is the mean digit and the two columns of $W$, of 784 numbers each, are at right angles and of length 1.
#
# No linear network can do better (Baldi and Hornik 1989): whatever it does before and after its two numbers, what it can
# give back is a plane, and PCA's is the best one. We can watch a network without activations find the same plane.

# %%
pca = ae_zoo.PCA(2).fit(data.x_train)

linear = ae_zoo.build("undercomplete", data=data.x_train, code=2, hidden=[], output_activation="linear", seed=1)
ae_zoo.fit(linear, data.x_train, epochs=20, verbose=0)


def test_error(model):
    """Mean squared error a pixel, on digits that no model has seen."""
    return float(model.reconstruction_error(data.x_test).mean())


print(f"PCA             {test_error(pca):.5f}")
print(f"linear network  {test_error(linear):.5f}")

# %% [markdown]
# ## Letting the plane bend
#
# The book's code is a single layer of two `tanh` units, which squeeze each number into (-1, 1); here an output layer of 784
# sigmoids makes an image of the two. The second network has hidden layers of 300 and 100 units on both sides of the code, so
# that the surface itself can bend through the cloud of digits.

# %%
book = ae_zoo.build("undercomplete", data=data.x_train, code=2, hidden=[], code_activation="tanh", seed=1)
ae_zoo.fit(book, data.x_train, verbose=0)

deep = ae_zoo.build("stacked", data=data.x_train, code=2, hidden=[300, 100], seed=1)
result = ae_zoo.fit(deep, data.x_train, verbose=0)
print(result)

# %% tags=["cover"]
models = {"PCA": pca, "784-2-784, tanh": book, "784-300-100-2 and back": deep}
show(two_codes.figure(models, data))

# %% [markdown]
# Each point is a test digit, placed by its two numbers and coloured by what it is. Nobody told the networks which digit is
# which. In PCA's plane zeros and ones lie apart and most of the rest overlap; the deep network has pulled several kinds into arms of
# their own, because digits that look alike can share a neighbourhood, and sharing makes the two numbers go further.
#
# Two figures say the same without a picture: the error, and how often the 15 nearest training digits, in those two numbers
# alone, classify a test digit correctly. Guessing would be right one time in ten.

# %%
found = {name: two_codes.measure(model, data) for name, model in models.items()}
for name, each in found.items():
    print(f"{name:24} error {each['test_mse']:.5f}   named rightly {each['knn_accuracy']:.1%}")

# %% [markdown]
# ## What comes back
#
# One test digit of each kind, and what two numbers make of it. PCA gives a mixture of grey shapes. The deep network gives something
# more like a digit, but a three comes back as a five and a five as a nine: where two kinds share a place in the code it
# cannot tell them apart, and draws one of them or a blur of both.

# %%
show(reconstructions.figure(models, data.x_test[reconstructions.one_of_each(data)]))

# %% [markdown]
# ## The map of the code
#
# The decoder works on any two numbers. Here it is asked for a grid of them, over the middle of the codes that the deep
# network gives. Between two kinds of digit lie shapes that are a little of both; some places mean nothing, since no digit
# lives there and nothing in the training asked for sense. Notebook 7 mends that.

# %%
codes = deep.encode(data.x_test)
low, high = np.quantile(codes, 0.05, axis=0), np.quantile(codes, 0.95, axis=0)
across, up = np.linspace(low[0], high[0], 15), np.linspace(high[1], low[1], 10)
grid = np.stack(np.meshgrid(across, up), axis=-1).astype("float32")  # (rows, columns, 2)
show(plots.tiles(deep.decode(grid.reshape(-1, 2)).reshape(10, 15, 784)))

# %% [markdown]
# ## What was claimed
#
# The book says that a deeper autoencoder captures more of the digits in two numbers than PCA does, and shows it with one
# layer of `tanh`. One layer gains little here: it finds about PCA's plane, turned and squeezed into a square. The hidden layers
# are what makes the difference.

# %%
claim("a linear network comes to within 2 % of PCA", abs(test_error(linear) / test_error(pca) - 1) < 0.02)
claim("hidden layers take the error at two codes at least 25 % below PCA's", test_error(deep) < 0.75 * test_error(pca))
claim("one tanh layer stays within 10 % of PCA", abs(test_error(book) / test_error(pca) - 1) < 0.10)
claim(
    "the deep codes name more digits than PCA's, by at least 25 points in a hundred",
    found["784-300-100-2 and back"]["knn_accuracy"] > found["PCA"]["knn_accuracy"] + 0.25,
)

# %% [markdown]
# ## Try this
#
# - Build `deep` again with another `seed`. Which kinds of digit part, and where they lie, changes; the error hardly does. Two
#   numbers of a network have no meaning by themselves, unlike PCA's components, which come in order.
# - Give `code=3`. By how much does the error fall, for PCA and for the network?
# - Colour by something other than the digit: the mean of its pixels, say, or how far it leans.
