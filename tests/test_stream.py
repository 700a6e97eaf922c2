"""Rows read and written a piece at a time are those of the whole file, and so are their scores."""

import numpy as np
import pandas as pd
import pytest

import ae_zoo
from ae_zoo.data import pieces

ROWS = 70_000  # more than a piece


@pytest.fixture(scope="module")
def frame():
    return pd.DataFrame(np.random.default_rng(0).random((ROWS, 4), "float32"), columns=list("abcd"))


@pytest.fixture(scope="module")
def exported(frame, tmp_path_factory):
    model = ae_zoo.build("undercomplete", data=frame, code=2, hidden=[3], seed=1)
    model.adapt(frame)
    detector = ae_zoo.Detector(model).calibrate(frame[:1000])
    folder = tmp_path_factory.mktemp("served")
    detector.save(folder / "detector.zip")
    return detector, ae_zoo.export(detector, folder / "m").parent, folder / "detector.zip"


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".npy"])
def test_pieces_are_the_file(frame, tmp_path, suffix):
    ae_zoo.data.write(tmp_path / f"x{suffix}", frame.to_numpy(), list("abcd"))
    found = list(pieces(tmp_path / f"x{suffix}", rows=30_000))
    assert [len(piece) for piece in found] == [30_000, 30_000, 10_000]
    assert np.allclose(np.concatenate(found), frame)


def test_a_served_detector_scores_a_large_file(run, frame, exported):
    detector, folder, file = exported
    frame[list("dbca")].to_parquet("rows.parquet")  # put in order by their names
    code, out, err = run("score", "--model", folder, "rows.parquet", "--per-feature")
    assert (code, err) == (0, "")
    found = pd.read_parquet("rows.scores.parquet")
    assert np.allclose(found["error"], detector.score(frame), atol=1e-6)
    assert np.array_equal(found["flagged"], detector.flag(frame))
    wanted = detector.model.reconstruction_error(frame, per_feature=True)
    assert np.allclose(found[[f"error_{name}" for name in "abcd"]], wanted, atol=1e-6)
    assert f"70,000 rows, mean error {found['error'].mean():.5f}" in out
    assert f"{found['flagged'].sum():,} flagged" in out
    assert run("score", "--model", file, "rows.parquet", "--out", "same.csv")[0] == 0
    assert np.allclose(pd.read_csv("same.csv")["error"], found["error"], atol=1e-6)
    assert run("encode", "--model", folder, "rows.parquet", "--out", "codes.npy")[0] == 0
    assert np.allclose(np.load("codes.npy"), detector.model.encode(frame), atol=1e-5)


def test_a_bad_row_late_in_the_file_leaves_no_output(run, frame, exported, tmp_path):
    bad = frame.copy()
    bad.iloc[66_000, 2] = np.nan
    bad.to_csv("rows.csv", index=False)
    code, _, err = run("score", "--model", exported[1], "rows.csv", "--out", "out.parquet")
    assert code == 2
    assert "rows.csv has missing values" in err
    assert "most in 'c' (1 of rows 65536 to 69999), the first in row 66000" in err
    code, _, err = run("score", "--model", exported[1], "rows.csv", "--out", "rows.csv")
    assert code == 2
    assert "which would be lost" in err
    (tmp_path / "empty.csv").write_text("a,b,c,d\n")
    with pytest.raises(ValueError, match="has no rows"):
        list(pieces(tmp_path / "empty.csv"))
    (tmp_path / "empty.csv").unlink()
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 this is none")
    assert run("score", "--model", exported[1], "broken.parquet")[0] == 2
    assert {path.name for path in tmp_path.iterdir()} == {"rows.csv", "broken.parquet"}
