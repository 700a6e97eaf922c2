# %% [markdown]
# # 5 · Clean digits from noisy ones
#
# | | |
# |---|---|
# | Section | 19.4 of *Hands-On Machine Learning with R*: denoising autoencoders |
# | Question | What must a network know to undo noise, and how does one tell whether it does? |
# | Data | MNIST: 60,000 handwritten digits to train on, 10,000 to test |
# | Run time | about 2.5 minutes on 2 cores |
#
# A code that is wide enough could learn to copy. A **denoising** autoencoder cannot: it is shown a corrupted digit and asked for
# the clean one (Vincent et al. 2008). To fill in what is missing it must know how digits go on.

# %%
import numpy as np

import ae_zoo
from ae_zoo import plots
from ae_zoo.chapter import noisy_digits
from ae_zoo.chapter.notebook import claim, digits, show

data = digits()
clean = data.x_test


def decibels(images):
    """The peak signal-to-noise ratio against the clean digits: 10 dB more is a tenth of the squared error."""
    return noisy_digits.measure(images, clean)["psnr_db"]


# %% [markdown]
# ## Three kinds of noise
#
# The noise is fresh at every step of the training, so no corrupted digit is ever seen twice. It is a layer of the network, and at
# inference it is not there: `model.corrupt` puts it on rows for us to look at.

# %%
kinds = {
    "on/off": ("salt_pepper", 0.3, "30 % of the pixels black or white"),
    "gaussian": ("gaussian", 0.3, "a normal number of standard deviation 0.3 on each pixel"),
    "masking": ("masking", 0.5, "half of the pixels white"),
}
strips = {"clean": clean[:10]}
for name, (kind, amount, _) in kinds.items():
    strips[name] = ae_zoo.corrupt(clean[:10], kind, amount, seed=1)
show(plots.strips(strips))

# %% [markdown]
# ## Trained to undo it
#
# One network for each kind of noise, of the same shape. They are judged as they will be used: corrupted test digits in, and
# what comes out against the *clean* ones.

# %%
models, psnr = {}, {}
for name, (kind, amount, words) in kinds.items():
    model = ae_zoo.build("denoising", data=data.x_train, corruption=kind, corruption_amount=amount, seed=1)
    ae_zoo.fit(model, data.x_train, verbose=0)
    noisy = model.corrupt(clean, seed=1)
    models[name], psnr[name] = model, (decibels(noisy), decibels(model.reconstruct(noisy)))
    print(f"{name:9} ({words}): {psnr[name][0]:.1f} dB before, {psnr[name][1]:.1f} dB after")

# %% tags=["cover"]
strips = {"clean": clean[:10]}
for name, model in models.items():
    noisy = model.corrupt(clean[:10], seed=1)
    strips |= {f"{name} noise": noisy, f"{name}, undone": model.reconstruct(noisy)}
show(plots.strips(strips))

# %% [markdown]
# ## What the book does, and why so much noise is left
#
# H2O's autoencoder knows one target: its input. So the book trains on corrupted digits both as input *and as target*, and
# asks for clean ones only when it looks at the pictures. Such a network is paid for giving the noise back. It removes only
# as much of it as does not fit through its code. Here it is, in the same shape and with the same training:

# %%
kind, amount, _ = kinds["on/off"]
noisy_once = ae_zoo.corrupt(data.x_train, kind, amount, seed=1)  # corrupted once, before the training
config = models["on/off"].config
book = ae_zoo.build("undercomplete", data=noisy_once, hidden=config.hidden, code=config.code, seed=1)
ae_zoo.fit(book, noisy_once, verbose=0)

noisy = models["on/off"].corrupt(clean, seed=1)
book_psnr = decibels(book.reconstruct(noisy))
print(f"corrupted {decibels(noisy):.1f} dB, the book's way {book_psnr:.1f} dB, denoising {psnr['on/off'][1]:.1f} dB")
show(
    plots.strips(
        {
            "clean": clean[:10],
            "on/off noise": noisy[:10],
            "the book's way": book.reconstruct(noisy[:10]),
            "denoising": models["on/off"].reconstruct(noisy[:10]),
        }
    )
)

# %% [markdown]
# ## More noise, less noise
#
# A network learns the noise that it was shown. Here the one that was trained on 30 % of on/off noise is given less and more.
# At no noise at all it still errs a little, since it expects some; far beyond what it was trained for, its strokes break up.

# %%
amounts = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
before, after, pictures = [], [], []
for amount in amounts:
    noisy = ae_zoo.corrupt(clean, "salt_pepper", amount, seed=2) if amount else clean
    before.append(decibels(noisy) if amount else np.nan)
    after.append(decibels(models["on/off"].reconstruct(noisy)))
    pictures.append(models["on/off"].reconstruct(noisy[[1, 4, 7]]))
show(
    plots.lines(
        amounts,
        {"denoised": after, "corrupted": before},
        xlabel="share of the pixels that are noise",
        ylabel="decibels",
    )
)
show(plots.tiles(np.swapaxes(pictures, 0, 1), columns=[f"{amount:.0%}" for amount in amounts]))

# %% [markdown]
# ## Another use: other features
#
# Vincent's reason for noise was not clean pictures but good codes: a unit that undoes noise must look at a piece of a stroke
# rather than at single pixels. The incoming weights of 32 units, without noise in training and with it (light: ink here excites the
# unit; dark: it calms it). Without noise they are grain. With it many have become local, spots and a few pieces of stroke. Whether a
# classifier is served better by such codes is not tested here; notebook 8 does that for another family.

# %%
shape = {"hidden": [], "code": 200, "code_activation": "sigmoid", "loss": "bce"}
plain = ae_zoo.build("undercomplete", data=data.x_train, seed=1, **shape)
noised = ae_zoo.build("denoising", data=data.x_train, corruption="masking", corruption_amount=0.5, seed=1, **shape)
for model in (plain, noised):
    ae_zoo.fit(model, data.x_train, verbose=0)
    show(plots.filters(model.get_layer("code").kernel, most=32))

# %% [markdown]
# ## What was claimed

# %%
for name, least in (("on/off", 10.0), ("gaussian", 8.0), ("masking", 6.0)):
    claim(f"{name} noise: at least {least:g} dB better after than before", psnr[name][1] > psnr[name][0] + least)
claim("the book's way leaves at least 4 dB of that undone", psnr["on/off"][1] > book_psnr + 4)
claim("more noise is never easier", np.all(np.diff(after) < 0))

# %% [markdown]
# ## Try this
#
# - Give the network that knows on/off noise digits with *Gaussian* noise. How much does it undo?
# - `ae_zoo.fit(model, noisy, clean)` takes pairs of your own: digits under a grid of lines, say, or smudged by a filter.
# - Noise is an option of every family: `ae_zoo.build("convolutional", corruption="masking", ...)`.
