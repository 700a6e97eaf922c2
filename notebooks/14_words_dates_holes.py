# %% [markdown]
# # 14 · A table with words and holes
#
# | | |
# |---|---|
# | Section | beyond the book: columns of several kinds, and missing cells |
# | Question | Can one network learn from words and numbers together, say what belongs into a hole, and find the cell that is wrong? |
# | Data | Palmer penguins (Horst, Hill and Gorman 2020; CC0): 344 birds, 8 columns, 19 holes |
# | Run time | about 1 minute on 2 cores |
#
# Most tables hold words beside numbers, and holes. A network wants numbers alone, so the usual way is to write each word as a column of
# zeros and ones, to fill the holes with the mean, and to ask for all of it back. Then a column of a thousand words owns the error, and the
# network learns the means that were made up. Here the table goes in as it is.

# %%
import numpy as np
from matplotlib.figure import Figure
from palmerpenguins import load_penguins

import ae_zoo
from ae_zoo.chapter.notebook import claim, show, workplace

workplace()  # in your own work: a folder that stays
penguins = load_penguins()
penguins.head(4)

# %% [markdown]
# ## What the columns are
#
# `ae_zoo.schema` guesses it, and prints its guess, so that you can correct it: `ae_zoo.schema(table, year="category")`.

# %%
print(ae_zoo.schema(penguins))

# %% [markdown]
# ## Learning to say what is hidden
#
# While the network trains, some of the cells that are there are hidden from it, and it is asked for them all the same. So it learns what
# follows from what. Each column has one loss, which is 1 for a network that always says what is usual: the mean, or the most frequent words
# at their rates. Cells that are missing have none.

# %%
order = np.random.default_rng(0).permutation(len(penguins))
learn, test = penguins.iloc[order[:260]], penguins.iloc[order[260:]]

model = ae_zoo.build("undercomplete", data=learn, hidden=[64], code=8, corruption_amount=0.3, seed=1)
model.adapt(learn)
untrained = float(model.reconstruction_error(test).mean())
result = ae_zoo.fit(model, learn, epochs=200, verbose=0)
print(result)
print(
    f"error of a test bird: {untrained:.2f} before the training, {model.reconstruction_error(test).mean():.3f} after it"
)

# %% [markdown]
# ## Holes
#
# Now each column of the 84 test birds is hidden, one after another, and filled. A word is judged by how often it is right, a number by its
# error, as a share of that of the mean.

# %%
right, usual, shares = {}, {}, {}
for name in ("species", "island", "sex"):
    known = test[test[name].notna()]
    right[name] = float((model.impute(known.assign(**{name: None}))[name] == known[name]).mean())
    usual[name] = float((known[name] == learn[name].mode()[0]).mean())
    print(f"{name:18} {right[name]:.0%} right; always the most frequent: {usual[name]:.0%}")
filled = {}
for name in ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"):
    known = test[test[name].notna()]
    filled[name] = model.impute(known.assign(**{name: np.nan}))[name]
    error, of_mean = (float(((guess - known[name]) ** 2).mean() ** 0.5) for guess in (filled[name], learn[name].mean()))
    shares[name] = error / of_mean
    print(f"{name:18} {shares[name]:.0%} of the mean's error, {error:.1f} instead of {of_mean:.1f}")

# %% tags=["cover"]
figure = Figure(figsize=(8, 3.4), layout="constrained")
axes = figure.subplots(1, 2)
for axis, name in zip(axes, ("bill_length_mm", "body_mass_g"), strict=True):
    known = test[test[name].notna()]
    for species, some in known.groupby("species"):
        axis.scatter(some[name], filled[name][some.index], s=14, label=species)
    ends = [known[name].min(), known[name].max()]
    axis.plot(ends, ends, color="black", linewidth=0.8)
    axis.axhline(learn[name].mean(), color="gray", linewidth=0.8, linestyle="--")
    axis.set(xlabel=f"{name}, measured", ylabel="filled")
axes[0].legend(frameon=False, fontsize=8)
figure.suptitle("cells that were hidden (dashed: the mean)", fontsize=10)
show(figure)

# %% [markdown]
# The one word that the network cannot know is the island: Adelie penguins live on all three, and nothing else in the row tells which.
#
# ## The wrong cell
#
# Somebody has written the wrong species into each test bird. `explain` compares each cell with what the network expects there *if it sees
# only the other cells of the row*, and puts the strangest cell first.

# %%
random = np.random.default_rng(1)
kinds = penguins["species"].unique()
complete = test.dropna()
wrong = complete.assign(species=[random.choice(kinds[kinds != species]) for species in complete["species"]])
reasons = model.explain(wrong, top=1)
named = float((reasons["column"] == "species").mean())
print(f"the species is named first in {named:.0%} of the rows")
reasons.head(5)

# %% [markdown]
# `p_value` is the share of held-out cells of the same column with at least this error. 26 birds were held out, so it cannot be below 1/27.
#
# ## Which columns tell of the others?
#
# A column matters if the others become harder to say when its cells are exchanged between the birds:

# %%
importance = model.importance(test)
print(importance.round(3).to_string())

# %% [markdown]
# ## What was claimed

# %%
claim("before the training the error is 1, that of always saying what is usual", abs(untrained - 1) < 0.1, fast=True)
claim("the species of at least 95 % of the test birds follows from the rest of their rows", right["species"] >= 0.95)
claim(
    "the sex is right for at least 25 in 100 birds more than the most frequent one", right["sex"] > usual["sex"] + 0.25
)
claim("a hidden measurement has at most 60 % of the error of the mean", max(shares.values()) < 0.6)
claim("a wrong species is the first cell to be named in at least 95 % of the rows", named >= 0.95)

# %% [markdown]
# ## Try this
#
# - Give `corruption="swap"` instead of hiding: cells are exchanged between the birds in training, and none is missing.
# - Make the body mass of a bird ten times too large. Does the rest of its row still look ordinary?
# - `ae_zoo.export(model, "penguins", x_test=test)`: the served model takes the columns by name, words as words.
