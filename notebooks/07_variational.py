# %% [markdown]
# # 7 · Digits that nobody wrote
#
# | | |
# |---|---|
# | Section | 19.6 of *Hands-On Machine Learning with R*, further reading: variational autoencoders |
# | Question | What does a code need so that any point in it decodes to something that makes sense? |
# | Data | MNIST: 60,000 handwritten digits to train on, 10,000 to test |
# | Run time | about 1.5 minutes on 2 cores |
#
# The map at the end of notebook 1 had places that decode to nothing. No wonder: an ordinary autoencoder is trained on the codes of
# its rows and on no others. A **variational** one (Kingma and Welling 2014) is trained on whole clouds.

# %%
import numpy as np
from sklearn.neighbors import KNeighborsClassifier

import ae_zoo
from ae_zoo import plots
from ae_zoo.chapter import new_digits, reconstructions
from ae_zoo.chapter.notebook import claim, digits, show

data = digits()

# %% [markdown]
# ## A cloud for each digit, and one for all
#
# Call the digit $x$ and its code $z$. The encoder gives each digit not a point but a normal distribution $q(z \mid x)$, by its mean and its variances. The decoder gets
# a draw from it. The loss has two parts, both in nats:
#
# $$\mathbb E_{z \sim q(z \mid x)}\big[-\log p(x \mid z)\big] \;+\; \mathrm{KL}\big(q(z \mid x)\,\|\,\mathcal N(0, I)\big).$$
#
# The first wants the digit back. The second wants each cloud to look like one large, round one. A cloud that is small and far
# out serves the first part and pays in the second. What settles in between is a code without holes: neighbouring clouds
# overlap, and together they fill the round one. The mean is estimated by one draw a digit; the sum is an upper bound on $-\log p(x)$, how surprised
# the model is by a digit.

# %%
model = ae_zoo.build(
    "variational", data=data.x_train, code=20, hidden=[200, 200], activation="silu", binarization="dynamic", seed=1
)
result = ae_zoo.fit(model, data.x_train, epochs=25, verbose=0)
parts = ("reconstruction", "kl")
show(
    plots.learning_curves(
        {name: values for name, values in result.history.items() if name.removeprefix("val_") in parts}
    )
)

# %% [markdown]
# (The curves are in nats a pixel: both parts are divided by 784.) The divergence *rises* at first: the encoder learns that saying
# something about the digit is worth its price.
#
# ## New digits
#
# Draw twenty random numbers and decode them; sixty times.

# %% tags=["cover"]
show(plots.samples(model.generate(60, seed=1), columns=20))

# %% [markdown]
# The same done with an ordinary autoencoder of the same shape. Its codes have no agreed distribution; we draw from a normal one with
# their mean and spread. How much do they look like digits? Ask each for the ten training digits that are nearest to it, and see how many
# of them agree on what it is.

# %%
plain = ae_zoo.build("undercomplete", data=data.x_train, code=20, hidden=[200, 200], activation="silu", seed=1)
ae_zoo.fit(plain, data.x_train, verbose=0)
codes = plain.encode(data.x_train)
noise = np.random.default_rng(1).normal(codes.mean(axis=0), codes.std(axis=0), size=(1000, 20)).astype("float32")
show(plots.samples(plain.decode(noise)[:60], columns=20))

judge = KNeighborsClassifier(10).fit(data.x_train[:20_000], data.y_train[:20_000])
drawn = {
    "test digits": data.x_test[:1000],
    "variational": model.generate(1000, seed=1),
    "ordinary": plain.decode(noise),
}
agree = {name: float(judge.predict_proba(x).max(axis=1).mean()) for name, x in drawn.items()}
print("neighbours that agree:   " + "   ".join(f"{name} {share:.0%}" for name, share in agree.items()))

# %% [markdown]
# Most of the variational draws are digits, and some lie between two kinds; of the ordinary network's more are broken. It is better, not
# perfect: real digits are further ahead still.
#
# ## Is the code what it was asked to be?
#
# Over all digits, a unit's draws should have mean 0 and variance 1. The variance is made of two parts: how far the means of
# the clouds are apart, and how wide the clouds are. A unit whose means do not move says nothing; its clouds are the round
# one itself. The model has given it up, as a unit that says something has to pay for it. Two units are idle here: the variance of their means
# is below the dashed line (0.01, as in the literature). Each line is sorted by itself: the units whose means vary least, on the
# right of the one line, are those with the widest clouds, on the left of the other.

# %%
mean, log_variance = model.encode_distribution(data.x_test)
spread, width = mean.var(axis=0), np.exp(log_variance).mean(axis=0)
active = model.active_units(data.x_test)
total = spread + width
print(
    f"{active.sum()} of 20 units in use; total variance {total.min():.2f} to {total.max():.2f}, means within {np.abs(mean.mean(axis=0)).max():.2f}"
)
show(
    plots.activity(
        {"variance of the means": spread, "mean variance of the clouds": width}, label="variance", threshold=0.01
    )
)

# %% [markdown]
# ## One number at a time
#
# The digit stays the same but for one unit of its code, from three standard deviations below the middle to three above. The
# four units that move most. They have no names, and often change two things at once.

# %%
two = data.x_test[reconstructions.one_of_each(data)[2]]
show(new_digits.walks(model, data.x_test, two))  # ae_zoo.traverse(model, two, unit, values) for each of the four

# %% [markdown]
# ## How likely is a digit?
#
# The model is a density, $p(x) = \int p(x \mid z)\,\mathcal N(z; 0, I)\,dz$, so it can be asked for $\log p(x)$. The integral is estimated by drawing from each digit's
# own cloud and weighing the draws (Burda et al. 2016). Pixels are drawn to be black or white by their grey, as in the
# literature; other ways of making them binary give other numbers, which do not compare.

# %%
likelihood = ae_zoo.log_likelihood(model, data.x_test[:300], samples=500, binarization="dynamic", seed=1)
inverted = ae_zoo.log_likelihood(model, 1 - data.x_test[:300], samples=500, binarization="dynamic", seed=1)
print(f"log p: test digits {likelihood.mean():.1f} nats, the same inverted {inverted.mean():.1f} nats")

# %% [markdown]
# The mean over a few hundred test digits, after this short training, is printed above. The paper's network of 50 codes reaches -86.8 after
# 3,280 epochs; `python -m benchmarks variational` trains for 300 and reaches -86.0 (one seed).
#
# ## The price
#
# The pictures are soft. For each pixel the model gives the probability that it is black, and where it cannot know whether
# a stroke ends here or a pixel further, it gives a grey. And its error is larger than that of an ordinary autoencoder, which is trained
# on nothing but that error.

# %%
errors = {
    name: float(one.reconstruction_error(data.x_test).mean())
    for name, one in (("variational", model), ("ordinary", plain))
}
print("   ".join(f"{name}: {value:.5f}" for name, value in errors.items()))

# %% [markdown]
# ## What was claimed

# %%
claim(
    "the neighbours of variational draws agree more than those of ordinary ones, by at least 5 points in a hundred",
    agree["variational"] > agree["ordinary"] + 0.05,
)
claim(
    "the draws of each used unit have a variance of 0.8 to 1.2", np.all((total[active] > 0.8) & (total[active] < 1.2))
)
claim("not all units are in use", active.sum() < 20)
claim("the first 300 test digits have more than -92 nats on average", likelihood.mean() > -92)
claim("an inverted one at least 300 less", inverted.mean() < likelihood.mean() - 300, fast=True)
claim("the ordinary autoencoder reconstructs better", errors["ordinary"] < errors["variational"], fast=True)

# %% [markdown]
# ## Try this
#
# - `beta=4` makes the divergence four times as dear: fewer units, softer pictures, each unit more of one thing.
# - `free_bits=0.1` gives each unit a tenth of a nat for nothing. How many are in use now?
# - `ae_zoo.Density(plain, kind="mixture").fit(data.x_train).generate(60)` draws from an *ordinary* autoencoder, by a density that was
#   fitted to its codes afterwards. Are its digits better?
