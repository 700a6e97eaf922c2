# %% [markdown]
# # 4 · Many codes, few of them in use
#
# | | |
# |---|---|
# | Section | 19.3 of *Hands-On Machine Learning with R*: sparse autoencoders |
# | Question | What happens to a digit, and to its code, if most of the code must be off? |
# | Data | MNIST: 60,000 handwritten digits to train on, 10,000 to test |
# | Run time | about 2 minutes on 2 cores |
#
# A narrow code forces a network to choose. There is another way to force it: give it many code units, and let it use few of
# them at a time. Then each unit can stand for something rarer.

# %%
import numpy as np

import ae_zoo
from ae_zoo import plots
from ae_zoo.chapter import activations, reconstructions
from ae_zoo.chapter.notebook import claim, digits, show

data = digits()

# %% [markdown]
# ## A price on activity
#
# Each of the 100 codes here is the output of a `tanh`: -1 is off, 1 is on. Let $\hat\rho_j$ be where code $j$ stands between the
# two ends, on average over the digits, and $\rho$ where we want it. The penalty is the Kullback-Leibler divergence of the two
# coins with these probabilities, averaged over the codes:
#
# $$\frac{\beta}{m}\sum_{j=1}^{m} \Big[\rho \log\frac{\rho}{\hat\rho_j} + (1-\rho)\log\frac{1-\rho}{1-\hat\rho_j}\Big],
# \qquad \hat\rho_j = \frac{1 + \bar a_j}{2}.$$
#
# $\bar a_j$ is the mean activation of code $j$, $m$ the number of codes, $\beta$ the weight. The book's target of -0.1 thus means $\rho = 0.45$: nearly half way. We shall also try -0.75, which is $\rho = 0.125$.

# %%
plans = {
    "no penalty": {"sparsity": None},
    "target -0.1": {"sparsity": -0.1},
    "target -0.75": {"sparsity": -0.75},
}
models, found = {}, {}
for name, options in plans.items():
    model = ae_zoo.build("sparse", data=data.x_train, code=100, seed=1, **options)
    ae_zoo.fit(model, data.x_train, verbose=0)
    models[name] = model
    found[name] = each = activations.measure(model, data.x_test)
    least, most = each["unit_averages"]
    print(
        f"{name:13} test error {each['test_mse']:.5f}   average activation {each['average_activation']:+.3f}   "
        f"of single codes {least:+.2f} to {most:+.2f}   below -0.5: {each['share_below_minus_half']:.0%}"
    )

# %% tags=["cover"]
show(activations.figure(models, data.x_test, {"target -0.1": -0.1, "target -0.75": -0.75}))

# %% [markdown]
# Look at the shapes, not only at the line of the mean. Without a penalty each code is spread around some average of its own. With
# a target of -0.1 the mean has moved by a little, as in the book's picture, and not many more codes are *off* than without: a target
# near the middle asks for an average, and an average is not sparsity. At -0.75 most codes are off for most digits.
#
# ## What it does to a digit
#
# Few active codes still hold a digit, at a price in detail.

# %%
show(reconstructions.figure(models, data.x_test[reconstructions.one_of_each(data)]))

# %% [markdown]
# ## What it does to a code
#
# A code unit's outgoing weights are what it adds to the paper when it is on. Below are 32 units without a penalty, then 32 of the
# sparse network. Without a penalty a unit is a grainy pattern over the whole paper, that means something only together with
# all others. (Light adds ink, dark takes it away, mid-grey does nothing.) Many of the units that are mostly off have become a stroke, or the sketch of a digit.

# %%
show(plots.filters(np.transpose(models["no penalty"].get_layer("reconstruction").kernel), most=32))

# %%
show(plots.filters(np.transpose(models["target -0.75"].get_layer("reconstruction").kernel), most=32))

# %% [markdown]
# A unit can also be asked which digits switch it on most. Four units of the sparse network, and the ten test digits that
# excite each.

# %%
codes = {name: model.encode(data.x_test) for name, model in models.items()}
sparse = codes["target -0.75"]
lively = np.argsort(sparse.max(axis=0) - sparse.mean(axis=0))[::-1][:4]
show(
    plots.tiles(
        [data.x_test[np.argsort(-sparse[:, unit])[:10]] for unit in lively], rows=[f"unit {unit}" for unit in lively]
    )
)

# %% [markdown]
# How many kinds of digit does a unit serve? For each unit that is on for at least 20 of the test digits, take the test digits for which it is on (above 0.5) and count the
# share of the most frequent kind among them; one tenth would be no preference at all.

# %%


def purity(code):
    """The mean, over units that are ever on, of the share of the most frequent kind among the digits that switch it on."""
    shares = []
    for unit in (code > 0.5).T:
        if unit.sum() >= 20:
            shares.append(np.bincount(data.y_test[unit]).max() / unit.sum())
    return float(np.mean(shares)) if shares else 0.0


pure = {name: purity(code) for name, code in codes.items()}
print("   ".join(f"{name}: {value:.2f}" for name, value in pure.items()))

# %% [markdown]
# A unit of the sparse network serves one kind of digit about half of the time, twice as often as the others: its codes can be read
# one by one. That is what sparse codes are for, and the error printed above is their price.
#
# ## The weight
#
# How much the penalty counts is one more thing to choose. The zoo's weight multiplies the *mean* over the codes, so that it means
# the same at any width; where a paper sums over the codes, its $\beta$ times their number is the weight here.

# %%
averages = []
for weight in (0.01, 0.1, 1.0, 10.0):
    model = ae_zoo.build("sparse", data=data.x_train, code=100, sparsity=-0.75, sparsity_weight=weight, seed=1)
    ae_zoo.fit(model, data.x_train, verbose=0)
    each = activations.measure(model, data.x_test)
    averages.append(each["average_activation"])
    print(f"weight {weight:5g}   average activation {averages[-1]:+.3f}   test error {each['test_mse']:.5f}")

# %% [markdown]
# ## Where this differs from the book
#
# H2O, which the book uses, has no divergence in its loss: it nudges the biases of units towards the target after each row. So
# its $\beta$ and this one do not compare, and the book's errors are not those of a price: they rise from $\beta = 0.01$ to
# 0.1 and are lower again at 0.2. Here more weight brings the average nearer to the target, and each step costs error.
#
# ## What was claimed

# %%
claim(
    "with a target of -0.1 the average activation is within 0.02 of it",
    abs(found["target -0.1"]["average_activation"] + 0.1) < 0.02,
    fast=True,
)
claim(
    "with a target of -0.75 it is within 0.05",
    abs(found["target -0.75"]["average_activation"] + 0.75) < 0.05,
    fast=True,
)
claim(
    "with a target of -0.1 fewer than 40 % of the activations are off, below -0.5",
    found["target -0.1"]["share_below_minus_half"] < 0.4,
)
claim(
    "a target of -0.75 switches more than 75 % off", found["target -0.75"]["share_below_minus_half"] > 0.75, fast=True
)
claim(
    "sparsity costs error",
    found["target -0.75"]["test_mse"] > found["target -0.1"]["test_mse"] > found["no penalty"]["test_mse"],
    fast=True,
)
claim(
    "the units of the sparse network are the choosiest",
    pure["target -0.75"] > max(pure["no penalty"], pure["target -0.1"]) + 0.1,
)
claim(
    "more weight brings the average nearer to the target",
    np.all(np.diff(np.abs(np.add(averages, 0.75))) < 0.01),
)

# %% [markdown]
# ## Try this
#
# - `code_activation="sigmoid"` has 0 for off. The target is then in (0, 1): try `sparsity=0.05`.
# - `l1=0.001` is another price on activity, without a target. Which one leaves more codes at exactly the same value?
# - Notebook 10 has sparsity without any price: it simply keeps the largest activations.
