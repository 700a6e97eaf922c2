"""What a row is: the seam itself, with a kind of row that the package does not know, and the door to arrays and frames."""

import dataclasses
from decimal import Decimal
from typing import ClassVar

import keras
import numpy as np
import pandas as pd
import polars
import pyarrow
import pytest
from sklearn.preprocessing import RobustScaler

import ae_zoo
from ae_zoo import serving
from ae_zoo.families.table import FAMILIES
from ae_zoo.frames import numeric
from ae_zoo.layers.scaling import RowLayer
from ae_zoo.options import option
from ae_zoo.schemas import ArraySchema, Schema, schema_of

LEVELS = ("red", "green", "blue")


@keras.saving.register_keras_serializable("tests")
class Widen(RowLayer):
    """(size, number of a color) to (size / 10, one column a color)."""

    def call(self, x):
        ops = keras.ops
        color = ops.one_hot(ops.cast(x[:, 1], "int32"), len(LEVELS))
        return ops.concatenate([x[:, :1] / 10, color], axis=1)

    def invert(self, output):
        color = keras.ops.argmax(output[:, 1:], axis=1)[:, None]
        return keras.ops.concatenate([output[:, :1] * 10, keras.ops.cast(color, "float32")], axis=1)

    def by_feature(self, error):
        return keras.ops.stack([error[:, 0], keras.ops.mean(error[:, 1:], axis=1)], axis=1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Colored(Schema):
    """Rows of a size and a color, given as pairs."""

    kind: ClassVar[str] = "colored"
    input_shape = (2,)
    output_shape = (1 + len(LEVELS),)
    bounded = True

    columns: tuple[str, ...] = option(("size", "color"), help="names of the two columns")

    def code(self, x, name="x", *, learn=False):
        if isinstance(x, np.ndarray):  # coded already
            return np.asarray(x, "float32")
        return np.array([[size, LEVELS.index(color)] for size, color in x], "float32")

    def layer(self, name):
        return Widen(name=name)


ROWS = [(size, color) for size in (1.0, 4.0, 9.0) for color in LEVELS] * 8


@pytest.mark.parametrize("family", ["undercomplete", pytest.param("variational", marks=pytest.mark.slow)])
def test_another_kind_of_row_needs_no_change_in_the_package(family, tmp_path):
    model = ae_zoo.build(family, schema=Colored(), data=ROWS, code=2, hidden=[8], output_activation="sigmoid", seed=1)
    assert model.decoder.output_shape == (None, 4)
    ae_zoo.fit(model, ROWS, epochs=2, verbose=0)
    assert model.encode(ROWS).shape == (72, 2)
    back = model.reconstruct(ROWS)
    assert back.shape == (72, 2)
    assert set(back[:, 1]) <= {0.0, 1.0, 2.0}

    wide = np.column_stack([[size / 10 for size, _ in ROWS], np.eye(3)[[LEVELS.index(color) for _, color in ROWS]]])
    square = np.square(wide - model.predict(Colored().code(ROWS), verbose=0))
    by_column = np.column_stack([square[:, 0], square[:, 1:].mean(axis=1)])
    assert np.allclose(model.reconstruction_error(ROWS, per_feature=True), by_column, atol=1e-6)
    assert np.allclose(model.reconstruction_error(ROWS), by_column.mean(axis=1), atol=1e-6)

    model.save(tmp_path / "colored.keras")
    loaded = ae_zoo.load(tmp_path / "colored.keras")
    assert loaded.config == model.config
    assert isinstance(loaded.schema, Colored)
    assert np.array_equal(loaded.reconstruct(ROWS), back)

    path = ae_zoo.interpolate(loaded, ROWS[0], ROWS[1], 4)
    assert np.allclose(path[[0, -1]], back[:2])
    with pytest.raises(ae_zoo.AEZooError, match="Robust training takes the numbers of a row apart"):
        ae_zoo.fit_robust(loaded, ROWS)
    detector = ae_zoo.Detector(loaded).calibrate(ROWS, 0.1)
    assert detector.share(ROWS).shape == (72, 2)
    version = ae_zoo.export(detector, tmp_path / "served", x_test=ROWS)
    assert serving.check(version).passed
    assert np.array_equal(ae_zoo.load(tmp_path / "served").reconstruct(ROWS), back)


def test_a_schema_is_plain_json_and_an_unknown_one_is_refused():
    schema = ArraySchema(input_shape=(3,), columns=("a", "b", "c"), scaling="robust")
    assert Schema.read(schema.to_dict()) == schema
    assert schema_of({"input_shape": [3], "columns": ["a", "b", "c"], "scaling": "robust"}) == schema  # of version 0.1
    with pytest.raises(ae_zoo.AEZooError, match="no kind of schema 'colorful'; did you mean 'colored'"):
        Schema.read({"kind": "colorful"})
    with pytest.raises(ae_zoo.AEZooError, match="leave scaling out"):
        ae_zoo.build("sparse", schema=schema, scaling="none", output_activation="linear")


def test_robust_scaling_equals_scikit_learn():
    x = np.random.default_rng(0).gamma(1.0, size=(501, 4))
    model = ae_zoo.build("undercomplete", 4, scaling="robust", output_activation="linear", code=2)
    model.adapt(x)
    assert np.allclose(model.scaling(x.astype("float32")), RobustScaler().fit_transform(x), atol=1e-5)
    assert np.allclose(model.scaling.invert(np.asarray(model.scaling(x.astype("float32")))), x, atol=1e-5)
    mostly_equal = np.r_[np.zeros(90), np.arange(10.0)][:, None]  # quartiles have no distance
    model = ae_zoo.build("undercomplete", 1, scaling="robust", output_activation="linear", code=1)
    model.adapt(mostly_equal)
    assert float(model.scaling.scale[0]) == pytest.approx(mostly_equal.std(), rel=1e-5)


def test_differences_that_float32_cannot_hold_are_refused():
    random = np.random.default_rng(0)
    times = pd.DataFrame({"value": random.normal(size=500), "time": 1.7e9 + random.normal(0, 50, 500)})
    for learn in (
        lambda: ae_zoo.build("undercomplete", data=times),
        lambda: ae_zoo.PCA(1).fit(times),
        lambda: ae_zoo.build("undercomplete", 2, scaling="minmax").adapt(times.to_numpy()),
    ):
        with pytest.raises(ae_zoo.AEZooError, match=r"float32 can represent.*subtract"):
            learn()
    with pytest.raises(ae_zoo.AEZooError, match="'time'"):
        ae_zoo.build("undercomplete", data=times)
    times["time"] -= times["time"].mean()
    ae_zoo.build("undercomplete", data=times)


def test_a_masked_array_does_not_lose_its_mask():
    x = np.ma.masked_equal(np.array([[1.0, 2.0], [-9999.0, 3.0]]), -9999.0)
    with pytest.raises(ae_zoo.AEZooError, match="1 masked value"):
        numeric(x)
    assert numeric(np.ma.array([[1.0, 2.0]])).tolist() == [[1, 2]]


PLAIN = pd.DataFrame({"a": [1.0, 0.0, 1.0], "b": [2.0, 3.0, 4.0]})
FRAMES = {
    "bool beside numbers": PLAIN.assign(a=[True, False, True]),
    "Int64": PLAIN.astype("Int64"),
    "Float64": PLAIN.astype("Float64"),
    "boolean": PLAIN.assign(a=pd.array([True, False, True], "boolean")),
    "pyarrow": PLAIN.astype("double[pyarrow]"),
    "Decimal": PLAIN.map(lambda value: Decimal(str(value))),
    "objects": PLAIN.astype(object),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_frames_of_every_numeric_kind_are_read(kind):
    assert np.array_equal(numeric(FRAMES[kind]), PLAIN.to_numpy("float32"))


@pytest.mark.parametrize("library", ["pyarrow", "polars"])
def test_frames_of_other_libraries_are_read_by_their_names(library):
    if library == "pyarrow":
        table = pyarrow.Table.from_pandas(PLAIN[["b", "a"]])
    else:
        table = polars.DataFrame({name: PLAIN[name].to_numpy() for name in ("b", "a")})
    schema, coded = ArraySchema.of(table)
    assert schema.columns == ("b", "a")
    assert np.array_equal(coded, PLAIN[["b", "a"]].to_numpy("float32"))
    assert np.array_equal(ArraySchema(input_shape=2, columns=("a", "b")).code(table), PLAIN.to_numpy("float32"))


def test_what_is_wrong_with_a_frame_is_said_by_name():
    schema = ArraySchema(input_shape=2, columns=("a", "b"))
    for frame, sentence in (
        (PLAIN.assign(c=1), "adds 'c'"),
        (PLAIN[["a"]], "lacks 'b'"),
        (PLAIN.assign(b=list("xyz")), "a column that is not numeric: 'b'"),
        (PLAIN.assign(b=[1, None, 2]), "most in 'b' .1 of 3 rows., the first in row 1"),
        (PLAIN.set_axis(["a", "a"], axis=1), "more than one column with the name 'a'"),
    ):
        with pytest.raises(ae_zoo.AEZooError, match=sentence):
            schema.code(frame)
    with pytest.raises(ae_zoo.AEZooError, match="cannot be read as an array"):
        numeric([[1.0], [1.0, 2.0]])


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_a_series_of_channels_is_no_gray_image(family):
    with pytest.raises(ae_zoo.AEZooError, match="series of 64 steps with 3 channels"):
        ae_zoo.build(family, (64, 3), network="convolutional", hidden=[4], dense=[])


def test_an_untrained_model_says_so():
    rows = np.random.default_rng(0).normal(5000, 300, (50, 4))
    scaled = ae_zoo.build("undercomplete", data=rows)
    for verb in (scaled.encode, scaled.reconstruct, scaled.reconstruction_error, ae_zoo.Detector(scaled).calibrate):
        with pytest.raises(ae_zoo.AEZooError, match="not been trained"):
            verb(rows)
    plain = ae_zoo.build("undercomplete", 4)
    with pytest.warns(ae_zoo.AEZooWarning, match="has not been trained"):
        plain.encode(rows / 10_000)
    with pytest.raises(ae_zoo.AEZooError, match="has not been trained"):
        ae_zoo.Detector(plain).calibrate(rows / 10_000)
