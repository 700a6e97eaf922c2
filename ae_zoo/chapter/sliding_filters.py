"""Section 19.6.3: small filters that see every place, beside layers in which every unit sees every pixel."""

import numpy as np

from ae_zoo import plots
from ae_zoo.chapter import reconstructions
from ae_zoo.chapter.run import Run
from ae_zoo.evaluation.paths import interpolate
from ae_zoo.report.page import Section

CODE = 30
DENSE_FASTER = 3  # so many times the rows does the dense network see in the time of the convolutional one


def section(run: Run) -> Section:
    """19.6.3: convolutions and dense layers at about equal training time."""
    section = Section("19.6.3", "Convolutional")
    x_train, x = (rows.reshape(-1, 28, 28) for rows in (run.digits.x_train, run.digits.x_test))
    shown = run.rows(240_000, 60_000)
    trained = {
        "dense": run.train("convolutional-dense", "stacked", x_train, code=CODE, shown=DENSE_FASTER * shown),
        "convolutional": run.train("convolutional", "convolutional", x_train, code=CODE, shown=shown),
    }
    models = {name: one.model for name, one in trained.items()}
    section.results |= {
        name: {
            "test_mse": float(one.model.reconstruction_error(x).mean()),
            "seconds_training": one.seconds,
            "parameters": one.model.count_params(),
        }
        for name, one in trained.items()
    }
    section.text(
        "A stroke is a stroke wherever it lies on the paper. A dense network must learn it anew for every place; a "
        "convolution slides small filters over the picture and learns it once. So fewer numbers do more, though each is "
        "used so often that an epoch takes longer: the networks are compared at about equal training time."
    )
    ends = x[reconstructions.one_of_each(run.digits)]
    section.picture("19-6-3-reconstructions", reconstructions.figure(models, ends), "Test digits from 30 codes.")
    model = models["convolutional"]
    section.picture(
        "19-6-3-filters", plots.filters(model.get_layer("hidden_0").kernel, most=32), "The filters of the first layer."
    )
    section.picture(
        "19-6-3-paths",
        plots.tiles([interpolate(model, ends[a], ends[b], 12) for a, b in ((0, 6), (1, 4), (3, 8))]),
        "On a straight line from one digit's code to another's (linear interpolation).",
    )
    pca = float(np.mean(run.pca(CODE).reconstruction_error(run.digits.x_test)))
    rows = [
        [name, f"{each['test_mse']:.5f}", f"{each['parameters']:,}", f"{each['seconds_training']:.0f}"]
        for name, each in section.results.items()
    ]
    section.table(
        ["30 codes", "test MSE", "weights", "seconds"],
        [*rows, ["PCA", f"{pca:.5f}", "", ""]],
        "Mean squared error a pixel.",
    )
    return section
