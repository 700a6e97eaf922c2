# %% [markdown]
# # 6 · Which digits are strange?
#
# | | |
# |---|---|
# | Section | 19.5 of *Hands-On Machine Learning with R*: anomaly detection |
# | Question | When is an error large enough to raise an alarm, and how often will that alarm be false? |
# | Data | MNIST: 60,000 handwritten digits to train on, 10,000 to test; printed symbols that are no digits |
# | Run time | about 1 minute on 2 cores |
#
# A network gives back best what is like the rows that it was trained on. So a row that comes back badly is strange. That is a
# detector without a single label of what strange means, if one can say *how* badly.

# %%
import ae_zoo
from ae_zoo import plots
from ae_zoo.chapter import strange_digits
from ae_zoo.chapter.notebook import claim, digits, show

data = digits()

# Rows for the threshold must be ones that the network has not learned from, so they are set aside first.
x_fit, x_calibrate = strange_digits.set_aside(data.x_train, seed=1)
print(f"{len(x_fit):,} digits to train on, {len(x_calibrate):,} for the threshold")

# %% [markdown]
# ## The strangest digits
#
# First the book's way: train, score, and look at the largest errors.

# %%
wide = ae_zoo.build("undercomplete", data=x_fit, hidden=[], code=100, seed=1)
ae_zoo.fit(wide, x_fit, verbose=0)
detector = ae_zoo.Detector(wide)
scores = detector.score(data.x_test)

# %% tags=["cover"]
show(strange_digits.figure(detector, data, strange_digits.strangest(scores, 8)))

# %% [markdown]
# Stray bars, thick pens, flourishes. The last strip shows which pixels the error comes from, which is what one would
# tell the person who has to look at an alarm.
#
# ## A threshold that keeps its word
#
# The book takes a quantile of the *training* rows' errors. That flags a fixed share of them whatever the data are, and it is too
# low for new rows, which a network gives back a little worse than those that it has learned. Held-out rows do not
# have this flaw. Of their $n$ scores, in order, take the $\lceil (n + 1)(1 - \alpha)\rceil$-th: a new ordinary row exceeds it
# with a probability of at most $\alpha$, whatever the distribution (split-conformal prediction; Lei et al. 2018).

# %%
detector.calibrate(x_calibrate, false_alarm_rate=0.01)
false_alarms = float(detector.flag(data.x_test).mean())
print(f"threshold {detector.threshold:.5f}: {false_alarms:.2%} of the test digits are flagged, 1 % were allowed")

# %% [markdown]
# ## Training again without the strangest
#
# Strange rows in the training set teach the network to draw strangeness. The book therefore trains a second time, on the
# three quarters with the least error. `refit` does that. The errors of the strangest quarter of the test digits rise, while the
# rest stay about where they were, or become a little worse for the loss of a quarter of the rows. (The dashed threshold is the one before.)

# %%
refitted = detector.refit(x_fit, quantile=0.75, verbose=0).calibrate(x_calibrate, 0.01)
after = refitted.score(data.x_test)
quarters = strange_digits.quarters(scores, after)
for name, (was, became) in (("strangest quarter", quarters["strange"]), ("the others", quarters["others"])):
    print(f"{name:18} {was:.5f} before, {became:.5f} after")
show(plots.errors({"before": scores, "after the refit": after}, threshold=detector.threshold))

# %% [markdown]
# ## What reconstructs best need not detect best
#
# Now for real strangers: digits with their pixels shuffled, inverted digits, and letters and signs drawn as MNIST's digits are. A
# hundred codes describe strokes, and a letter is made of strokes. Ten codes behind two hidden layers have little room
# for anything but digits.

# %%
narrow_model = ae_zoo.build("stacked", data=x_fit, hidden=[300, 100], code=10, seed=1)
ae_zoo.fit(narrow_model, x_fit, verbose=0)
narrow = ae_zoo.Detector(narrow_model).calibrate(x_calibrate, 0.01)
narrow_pca = ae_zoo.Detector(ae_zoo.PCA(10).fit(x_fit)).calibrate(x_calibrate, 0.01)

strangers = strange_digits.strangers(data.x_test, seed=1)
detectors = {"100 codes": detector, "10 codes": narrow, "PCA, 10 codes": narrow_pca}
flagged = strange_digits.flagged(detectors, {**strangers, "real digits": data.x_test})
print(f"{'flagged':18}" + "".join(f"{title:>16}" for title in detectors))
for name, shares in flagged.items():
    print(f"{name:18}" + "".join(f"{value:16.1%}" for value in shares.values()))

# %%
show(strange_digits.strangers_figure({"by 100 codes": detector, "by 10 codes": narrow}, strangers))

# %% [markdown]
# The wide network copies a letter almost whole, so that its error says little. The narrow one bends it towards a digit,
# and the difference is the alarm.
#
# With shuffled pixels it is the other way round: they are like nothing that a hundred codes
# can write, while the narrow network's threshold is so much higher that some of those with little ink pass.
#
# So the figure to choose a detector by is not its reconstruction error: it is what it does with
# strangers, if some are known, at a false alarm rate that one can live with.

# %%
groups = {"real digits": data.x_test, **strangers}
show(plots.errors({name: narrow.score(x) for name, x in groups.items()}, threshold=narrow.threshold))

# %% [markdown]
# ## What was claimed

# %%
errors = {title: float(one.score(data.x_test).mean()) for title, one in detectors.items()}
claim("false alarms on new digits are between 0.5 % and 1.5 %, where 1 % were allowed", 0.005 < false_alarms < 0.015)
claim("the refit makes the strangest quarter stranger", quarters["strange"][1] > quarters["strange"][0], fast=True)
claim(
    "99 % of the shuffled and of the inverted digits are flagged by the 100 codes",
    min(flagged[name]["100 codes"] for name in ("shuffled pixels", "inverted digits")) > 0.99,
)
claim(
    "10 codes flag at least twice as many symbols as 100 do",
    flagged["other symbols"]["10 codes"] > 2 * flagged["other symbols"]["100 codes"],
)
claim("though they reconstruct digits worse", errors["10 codes"] > errors["100 codes"])

# %% [markdown]
# ## Try this
#
# - Set `false_alarm_rate=0.001`. How many held-out rows does that need at least, and what does `calibrate` say with fewer?
# - Train on the digits without the sevens, and score the sevens.
# - `detector.save("detector.zip")`, then `ae-zoo score --model detector.zip rows.npy` on the command line.
