# %% [markdown]
# # 12 · From a search to TensorFlow Serving
#
# | | |
# |---|---|
# | Section | beyond the book: where chapter 19 ends and the work begins |
# | Question | How does a model get from a notebook to a server, so that the server gives the same answers? |
# | Data | MNIST: 60,000 handwritten digits to train on, 10,000 to test |
# | Run time | about 2 minutes on 2 cores |
#
# The book's H2O models can be handed over as a file that scores rows by itself. Here the same: search, calibrate, export, check, ask.

# %%
import json

import numpy as np

import ae_zoo
from ae_zoo import plots, serving
from ae_zoo._support import versions
from ae_zoo.chapter import strange_digits
from ae_zoo.chapter.notebook import claim, digits, show, workplace

data = digits()
workplace()  # in your own work: a folder that stays

x_fit, x_calibrate = strange_digits.set_aside(data.x_train, seed=1)

# %% [markdown]
# ## Search
#
# Eight networks with twenty codes, ranked by the error on held-out rows. A short search; `minutes=30` would be a longer one.

# %%
found = ae_zoo.search(
    "undercomplete",
    x_fit,
    space={"code": 20, "depth": (0, 2), "width": (64, 300)},
    trials=8,
    epochs=4,
    finalists=1,
    directory="search",
    verbose=False,
)
found.leaderboard[["hidden", "reconstruction", "parameters", "seconds"]].head(4)

# %% [markdown]
# ## A detector with a threshold
#
# The best network's options make a fresh network, trained for longer; rows that it has not seen give the threshold.

# %%
model = ae_zoo.build(found.family, **found.config, seed=1)
ae_zoo.fit(model, x_fit, verbose=0)
detector = ae_zoo.Detector(model).calibrate(x_calibrate, false_alarm_rate=0.01)
print(f"threshold {detector.threshold:.5f}")

# %% [markdown]
# ## Export
#
# One call writes `saved_models/digits/1`, a folder that TensorFlow Serving loads as it is. It is written beside its place and renamed, so
# that a server which watches the folder never sees half of it; the next export is version 2, and none is ever replaced. Scaling and
# threshold are inside: a client sends raw values and gets flags.

# %%
version = ae_zoo.export(detector, "saved_models/digits", x_train=x_fit, x_test=data.x_test, source=str(data))
print(*versions.described(version).splitlines()[1:-1], sep="\n")

# %% [markdown]
# ## Check
#
# Does the exported model give Python's answers? This asks TensorFlow's own loader and session, which the server uses too, in a process
# that imports neither Keras nor this package. Eight example rows and Python's answers to them are stored with the model; each
# signature is asked in batches of 1, 7 and 1,000.

# %%
checked = serving.check("saved_models/digits")
print(checked)

# %% [markdown]
# ## Ask
#
# `serving.SavedModel` is the same runtime for your own use. By it `ae-zoo score` goes through files of any size.

# %% tags=["cover"]
served = serving.SavedModel(version)
x = np.concatenate([data.x_test[:4], 1 - data.x_test[:4]])  # four digits, and the same four inverted
answer = served.run("detect", {"x": x})
back = served.run("reconstruct", {"x": x})["reconstruction"]
notes = [f"{score:.3f}{' !' if flag else ''}" for score, flag in zip(answer["score"], answer["flagged"], strict=True)]
show(plots.strips({"sent": x, "given back": np.clip(back, 0, 1)}, notes=notes))

# %% [markdown]
# A server is asked over HTTP. This is the body of the request, and what makes the server run (it is not run here: its server does not
# come as a Python package):
#
# ```sh
# ae-zoo serving-config saved_models
# docker run -p 127.0.0.1:8500:8500 -p 127.0.0.1:8501:8501 -v "$PWD/saved_models:/models" tensorflow/serving --model_config_file=/models/models.config
# ```
#
# ```python
# digits = ae_zoo.client.connect("http://localhost:8501", model="digits")
# digits.detect(x)
# ```

# %%
body = {"signature_name": "detect", "inputs": {"x": x[:1].round(3).tolist()}}
print("POST http://localhost:8501/v1/models/digits:predict")
print(json.dumps(body)[:120], "...")

# %% [markdown]
# ## What it refuses
#
# A wrong number is worse than none. A SavedModel's graph refuses what has no answer, in a server as well as here. (The ONNX and LiteRT files
# below check nothing: there NaN gives NaN.) A row in another unit, here gray values from 0 to 255, has an answer: it is flagged.

# %%
refused = []
for name, rows in (("NaN", np.full((1, 784), np.nan)), ("another width", x[:1, :700])):
    try:
        served.run("detect", {"x": rows})
    except ValueError as error:
        refused.append(name)
        print(f"{name}: {str(error).split(': ', 1)[-1]}")
bytes_flagged = served.run("detect", {"x": 255 * x[:4]})["flagged"]
print("gray values from 0 to 255, flagged:", bytes_flagged)

# %% [markdown]
# ## Other runtimes
#
# One file for ONNX Runtime, which holds all that the signatures say of rows. It appears only if its own runtime gives Python's
# answers; `.tflite` does the same for LiteRT.

# %%
ae_zoo.export(detector, "digits.onnx", x_test=data.x_test)
import onnxruntime  # noqa: E402

session = onnxruntime.InferenceSession("digits.onnx")
(flagged,) = session.run(["flagged"], {"x": x})
print("flagged by ONNX Runtime:", flagged)

# %% [markdown]
# ## What was claimed

# %%
claim("every signature answers as Python does, to 1e-5", checked.passed, fast=True)
claim("the served flags are the detector's own", np.array_equal(answer["flagged"], detector.flag(x)), fast=True)
claim("and ONNX Runtime's", np.array_equal(flagged, detector.flag(x)), fast=True)
claim("both bad requests are refused", len(refused) == 2, fast=True)
claim("rows in another unit are flagged", bytes_flagged.all(), fast=True)
claim("the inverted digits are flagged", answer["flagged"][4:].all())

# %% [markdown]
# ## Try this
#
# - `ae-zoo card saved_models/digits --html card.html` makes a page about the model: its errors, its pictures, its data.
# - Export a second version, then damage a byte of `variables/` in the first, and run `ae-zoo check` on both.
# - In a checkout of the repository `ae_zoo.load("digits-sparse")` loads one of ten trained models; `ae-zoo check digits-sparse` checks it.
