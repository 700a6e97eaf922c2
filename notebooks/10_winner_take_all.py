# %% [markdown]
# # 10 · Only the winners speak
#
# | | |
# |---|---|
# | Section | 19.6 of *Hands-On Machine Learning with R*, further reading: winner-take-all autoencoders |
# | Question | Can sparsity be had without a price to tune? |
# | Data | MNIST: 60,000 handwritten digits to train on, 10,000 to test |
# | Run time | about 2 minutes on 2 cores |
#
# Notebook 4 made codes sparse by a penalty: with a target, a weight, and an error that pays for both. Makhzani and Frey (2015) do
# without. They look at one unit at a time: of all the digits in a batch, it may speak for the few that excite it most, and is
# set to zero for the others.

# %%
import numpy as np

import ae_zoo
from ae_zoo import plots
from ae_zoo.chapter import stroke_dictionary
from ae_zoo.chapter.notebook import claim, digits, show

data = digits()

# %% [markdown]
# ## A share of the digits for each unit
#
# With a `share` of 5 %, a unit that is excited by everything must let go of 95 % of it, and can only gain by standing for something
# that few digits have. And a unit that is excited little still wins with its best 5 %, so that it learns. That is why the code
# may be wider than the row, a dictionary of a thousand sketches and pieces of stroke. (A unit that no digit excites at all is dead; masking some
# of the input in training, and a moderate learning rate, keep their number small.)
#
# The competition is for training alone. It depends on who else is in the batch, and a digit's code should not; so `encode` gives all
# activations, and the decoder, which has only ever seen sparse codes, is not used on them.

# %%
model = ae_zoo.build(
    "winner_take_all",
    data=data.x_train,
    code=1000,
    share=0.05,
    corruption="masking",
    corruption_amount=0.3,
    seed=1,
)
result = ae_zoo.fit(model, data.x_train, validation=0, learning_rate=4e-3, epochs=12, verbose=0)
print(result)

# %% [markdown]
# ## The dictionary
#
# What each of 96 units adds to the paper when it speaks: light is ink, dark takes ink away.

# %% tags=["cover"]
show(plots.filters(np.transpose(model.get_layer("reconstruction").kernel), most=96))

# %% [markdown]
# Pieces of strokes, and sketches of whole digits, of a slant and a bend that many share. (A few are pure grain: those are dead, and their
# weights are as they began.) For comparison the same number of units from a network of the same width
# without any competition. It reconstructs digits almost perfectly, as its error says, and has had no reason to find parts.

# %%
free = ae_zoo.build("undercomplete", data=data.x_train, hidden=[], code=1000, code_activation="relu", seed=1)
ae_zoo.fit(free, data.x_train, epochs=4, verbose=0)
print(f"test error {free.reconstruction_error(data.x_test).mean():.5f}")
show(plots.filters(np.transpose(free.get_layer("reconstruction").kernel), most=32))

# %% [markdown]
# ## How much of the paper does a unit write on?
#
# The share of the pixels on which a unit's outgoing weight is more than a fifth of its largest. The outline of a digit, with the dark beside
# it, is no small part of the paper; a pattern without an object takes half of it.

# %%


def extent(network):
    kernel = np.abs(np.asarray(network.get_layer("reconstruction").kernel))  # (units, pixels)
    return float(np.mean(kernel > 0.2 * kernel.max(axis=1, keepdims=True)))


extents = {"winner-take-all": extent(model), "no competition": extent(free)}
print("   ".join(f"{name}: {value:.0%} of the paper" for name, value in extents.items()))

# %% [markdown]
# ## Are there dead units?
#
# The activity of each unit, the most active first: for which share of the training digits is it above zero?

# %%
x, y = data.x_train[:10_000], data.y_train[:10_000]
train, test = stroke_dictionary.features(model, x, data.x_test)
dead = stroke_dictionary.dead(train)
show(plots.activity({"winner-take-all": np.mean(train > 0, axis=0)}, label="share of the digits"))
print(f"{dead:.1%} of the units are excited by no digit")

# %% [markdown]
# ## Pieces can be read
#
# Which digit is it? A linear classifier on the pixels must see every stroke in every place. On the codes it only has to know which
# pieces belong to a seven. Both learn from the same 10,000 labelled digits.

# %%
wrong = {
    "pixels": stroke_dictionary.svm_error((x, y), (data.x_test, data.y_test)),
    "codes": stroke_dictionary.svm_error((train, y), (test, data.y_test)),
}
print("   ".join(f"linear SVM on {name}: {value:.2%} wrong" for name, value in wrong.items()))

# %% [markdown]
# With 2,000 units, 20 epochs and all 60,000 labels the package reaches 1.49 % (`python -m benchmarks winner_take_all`, three seeds); the paper has 1.20 %.
#
# ## What was claimed

# %%
claim("fewer than 2 % of the units are dead", dead < 0.02)
claim(
    "a unit writes on less than three quarters as much of the paper as without competition",
    extents["winner-take-all"] < 0.75 * extents["no competition"],
)
claim(
    "a linear classifier errs less than 40 % as often on the codes as on the pixels",
    wrong["codes"] < 0.4 * wrong["pixels"],
)

# %% [markdown]
# ## Try this
#
# - `share=0.01` makes each unit choosier still. When do the pieces become whole digits?
# - `network="convolutional"` with images lets units compete within each map, for places on the paper (section 3 of the paper).
# - Which pieces does the classifier go by? Look at the largest weights of its row for the seven.
