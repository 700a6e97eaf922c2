"""What an export costs, how large it is, and how fast `serving.SavedModel` scores with it."""

import pathlib
import tempfile
import time

import numpy as np

import ae_zoo
from ae_zoo import serving
from ae_zoo._support import versions
from benchmarks.common import verdict

ROWS = 100_000
BATCH = 1024  # rows at a time, in both


def main() -> None:
    digits = ae_zoo.load_mnist()
    x = np.resize(digits.x_train, (ROWS, 784))
    model = ae_zoo.build("stacked", data=digits.x_train, code=100, hidden=[300], seed=1)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        ae_zoo.export(model, pathlib.Path(folder) / "rows", x_train=digits.x_train, x_test=digits.x_test)
        with_rows = time.perf_counter() - started
        started = time.perf_counter()
        version = ae_zoo.export(model, pathlib.Path(folder) / "model")
        seconds = time.perf_counter() - started
        size = sum(path.stat().st_size for path in version.rglob("*") if path.is_file())
        bound = 1.3 * 4 * versions.card(version)["parameters"] + 200_000
        verdict("export of 784-300-100-300-784", seconds, 5, at_most=True, unit=" s")
        verdict("the same with its rows, hashed, and PCA beside them", with_rows, 5, at_most=True, unit=" s")
        verdict("its size, weights times 1.3 plus 0.2 MB at most", size / 1e6, bound / 1e6, at_most=True, unit=" MB")
        served = serving.SavedModel(version)

        def by_session() -> np.ndarray:
            parts = [served.run("score", {"x": x[i : i + BATCH]}, ["error"])["error"] for i in range(0, ROWS, BATCH)]
            return np.concatenate(parts)

        def by_predict() -> np.ndarray:
            return model.predict(x, batch_size=BATCH, verbose=0)

        by_session(), by_predict()
        times: dict[str, list[float]] = {"session": [], "predict": []}
        for _ in range(3):
            for name, function in (("session", by_session), ("predict", by_predict)):
                started = time.perf_counter()
                function()
                times[name].append(time.perf_counter() - started)
        session, predict = (ROWS / min(times[name]) for name in ("session", "predict"))
        print(f"  rows a second: score by SavedModel {session:,.0f}, model.predict {predict:,.0f}")
        verdict("SavedModel's rows a second over model.predict's", session / predict, 1, at_most=False)


if __name__ == "__main__":
    main()
