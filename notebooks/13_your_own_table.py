# %% [markdown]
# # 13 · A table of your own
#
# | | |
# |---|---|
# | Section | beyond the book: rows of numbers rather than pictures |
# | Question | What changes when the data are 30 measurements with names and units, and only a few hundred rows? |
# | Data | Breast cancer Wisconsin (diagnostic), which comes with scikit-learn: 569 tumours, 30 measurements each |
# | Run time | about 1 minute on 2 cores |
#
# Most data are not pictures. Here is the way from a CSV file to a detector on a table: 357 benign tumours are what is ordinary, and the
# question is whether malignant ones stand out, without the detector having seen any.

# %%
import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score

import ae_zoo
from ae_zoo import plots
from ae_zoo.chapter.notebook import claim, show, workplace

workplace()  # in your own work: a folder that stays

# %% [markdown]
# ## Files
#
# Three files, as they would lie on a disk: benign tumours to learn from, benign ones to set the threshold by, and the rest, of both kinds,
# to be judged. Rows are shuffled first, as files are often sorted in ways that matter.

# %%
table, malignant = load_breast_cancer(as_frame=True, return_X_y=True)
malignant = malignant == 0
order = np.random.default_rng(1).permutation(len(table))
table, malignant = table.iloc[order].reset_index(drop=True), malignant.iloc[order].to_numpy()

benign = np.flatnonzero(~malignant)
parts = {
    "learn": benign[:180],
    "calibrate": benign[180:280],
    "judge": np.concatenate([benign[280:], np.flatnonzero(malignant)]),
}
for name, rows in parts.items():
    table.iloc[rows].to_csv(f"{name}.csv", index=False)
is_malignant = malignant[parts["judge"]]

learn, calibrate, judge = (ae_zoo.data.read(f"{name}.csv") for name in parts)
print(learn.source, "|", calibrate.source, "|", judge.source)
table.iloc[:3, :5]

# %% [markdown]
# ## Units
#
# Areas are in the hundreds and smoothness is below 0.2. `build(data=...)` sees that the values are not in [0, 1] and standardises
# each measurement; the scaling is a part of the model, fitted to the rows that it learns from, and goes with it wherever it is saved. So are
# the names of the columns.

# %%
model = ae_zoo.build("undercomplete", data=learn.rows, code=6, hidden=[24], seed=1)
result = ae_zoo.fit(model, learn.rows, epochs=300, verbose=0)
print(model.config.scaling, model.config.output_activation, model.config.columns[:3], "...")
print(result)
show(plots.learning_curves({name: values for name, values in result.history.items() if "reconstruction" in name}))

# %% [markdown]
# ## The peer
#
# With 180 rows, a network has little to learn from that PCA does not see. So PCA goes along, as a detector of the same kind: it
# has the same verbs, and can be saved, exported and served in the same way.

# %%
detectors = {
    "network": ae_zoo.Detector(model).calibrate(calibrate.rows, false_alarm_rate=0.05),
    "PCA": ae_zoo.Detector(ae_zoo.PCA(6, scaling="standard").fit(learn.rows)).calibrate(
        calibrate.rows, false_alarm_rate=0.05
    ),
}
figures = {}
for name, detector in detectors.items():
    score, flagged = detector.score(judge.rows), detector.flag(judge.rows)
    figures[name] = {
        "area": float(roc_auc_score(is_malignant, score)),
        "found": float(flagged[is_malignant].mean()),
        "false": float(flagged[~is_malignant].mean()),
        "error": float(detector.score(calibrate.rows).mean()),
    }
    print(
        f"{name:8} error on the held-out rows {figures[name]['error']:.3f}   area under the curve {figures[name]['area']:.3f}   "
        f"malignant flagged {figures[name]['found']:.0%}   benign flagged {figures[name]['false']:.0%}"
    )

# %% tags=["cover"]
detector = max(detectors.values(), key=lambda one: roc_auc_score(is_malignant, one.score(judge.rows)))
score = detector.score(judge.rows)
show(plots.errors({"benign": score[~is_malignant], "malignant": score[is_malignant]}, threshold=detector.threshold))

# %% [markdown]
# The area under the curve is the probability that a malignant tumour has a larger error than a benign one. No malignant tumour was used in
# training, and labels only to choose the benign rows to learn from; a classifier that learns from labels would do better. A detector is for the case in which nobody has
# labelled what is strange, or in which tomorrow's strangeness is not yesterday's.
#
# Had we chosen between the two detectors by this area, as the picture does, we would have used the labels after all. With
# none at hand, choose by the error on held-out ordinary rows, and prefer the simpler where they are close: by that rule PCA is chosen here.
#
# ## Why was this one flagged?
#
# The share of each measurement in a row's error, for the strangest tumour of all:

# %%
strangest = int(score.argmax())
share = detector.share(judge.rows.iloc[[strangest]])[0]
back = detector.model.reconstruct(judge.rows.iloc[[strangest]])[0]
top = np.argsort(-share)[:6]
pd.DataFrame(
    {"measured": judge.x[strangest][top], "expected": back[top], "share of the error": share[top]},
    index=[judge.columns[place] for place in top],
).style.set_uuid("strangest").format({"measured": "{:.4g}", "expected": "{:.4g}", "share of the error": "{:.0%}"})

# %% [markdown]
# ## Columns by name
#
# A file from another source has its columns in another order. They are put in order by their names; a missing or a new one is refused,
# rather than scored as if it were something else.

# %%
shuffled = judge.rows[judge.rows.columns[::-1]]
same = np.allclose(detector.score(shuffled), score)
print("columns in another order, same scores:", same)
try:
    detector.score(shuffled.rename(columns={"mean area": "area"}))
except ValueError as error:
    print(error)

# %% [markdown]
# ## The same on the command line
#
# ```sh
# ae-zoo train undercomplete --data learn.csv --set code=6 --set hidden=24 --epochs 300 --out model.keras
# ae-zoo export model.keras saved_models/tumours --train learn.csv --calibrate calibrate.csv --false-alarm-rate 0.05
# ae-zoo check saved_models/tumours
# ae-zoo score --model saved_models/tumours judge.csv --per-feature
# ```

# %%
version = ae_zoo.export(
    detectors["network"], "saved_models/tumours", x_train=learn.rows, x_test=calibrate.rows, source=learn.source
)
checked = ae_zoo.serving.check(version)
print(checked)
served = ae_zoo.serving.SavedModel(version).run("detect", {"x": judge.x})

# %% [markdown]
# ## What was claimed

# %%
claim(
    "malignant tumours stand out from a model of benign ones alone: an area of at least 0.9, by the network and by PCA",
    min(each["area"] for each in figures.values()) > 0.9,
)
claim(
    "PCA is within 0.03 of the network on a table of this size",
    abs(figures["network"]["area"] - figures["PCA"]["area"]) < 0.03,
)
claim(
    "at most 15 % of 77 new benign rows are flagged, where 5 % were allowed",
    max(each["false"] for each in figures.values()) < 0.15,
)
claim("the order of columns does not matter", same, fast=True)
claim(
    "the exported detector flags the same rows",
    checked.passed and np.array_equal(served["flagged"], detectors["network"].flag(judge.rows)),
    fast=True,
)

# %% [markdown]
# ## Try this
#
# - Your own CSV: change `learn.csv`. Text has to be turned into numbers first; the message says which column.
# - `ae_zoo.fit_robust` if the rows to learn from may hold strange ones themselves.
# - How many codes? Draw the held-out error of PCA against the number of components, and look for where it flattens.
