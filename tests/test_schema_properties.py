"""What holds of every schema, every scaling and every file, tried on many."""

import json

import hypothesis.strategies as st
import keras
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.extra.numpy import array_shapes, arrays

import ae_zoo
from ae_zoo.data import read, write
from ae_zoo.schemas import SCALINGS, ArraySchema, Schema, fit_scaling, schema_of

FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
NUMBERS = st.floats(-1e6, 1e6, width=32, allow_subnormal=False)
ROWS = arrays("float32", st.tuples(st.integers(2, 12), st.integers(1, 5)), elements=NUMBERS)
NAMES = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=8)


@FEW
@given(array_shapes(max_dims=3), st.sampled_from(sorted(SCALINGS)), st.data())
def test_a_schema_survives_json(shape, scaling, data):
    columns = None
    if len(shape) == 1 and data.draw(st.booleans()):
        columns = tuple(data.draw(st.lists(NAMES, min_size=shape[0], max_size=shape[0], unique=True)))
    schema = ArraySchema(input_shape=shape, columns=columns, scaling=scaling)
    plain = json.loads(json.dumps(schema.to_dict()))
    assert Schema.read(plain) == schema
    assert schema_of({"schema": plain}) == schema


@FEW
@given(ROWS, st.sampled_from(sorted(SCALINGS)))
def test_a_scaling_is_undone_by_its_inverse(x, scaling):
    schema = ArraySchema(input_shape=x.shape[1:], scaling=scaling)
    layer = schema.layer("scaling")
    layer.build((None, *schema.input_shape))
    layer.adapt(x)
    scaled = keras.ops.convert_to_numpy(layer(x))
    assert np.isfinite(scaled).all()
    assert np.allclose(layer.invert(scaled), x, rtol=1e-4, atol=1e-4 * max(1.0, np.abs(x).max()))
    _, scale = fit_scaling(scaling, x)
    assert (scale > 0).all()
    if scaling == "minmax":
        assert scaled.min() >= -1e-4
        assert scaled.max() <= 1 + 1e-4


@FEW
@given(ROWS, st.randoms(use_true_random=False))
def test_columns_come_in_order_whatever_order_they_stand_in(x, random):
    columns = [f"c{index}" for index in range(x.shape[1])]
    turned = random.sample(columns, len(columns))
    schema = ArraySchema(input_shape=x.shape[1:], columns=columns)
    frame = pd.DataFrame(x, columns=columns)
    assert np.array_equal(schema.code(frame[turned]), x)
    assert np.array_equal(schema.row(frame.iloc[0][turned])[0], x[0])


@FEW
@given(arrays("float64", st.tuples(st.integers(1, 6), st.integers(1, 4)), elements=st.floats(width=64)))
def test_rows_are_coded_or_refused_and_never_changed_in_silence(x):
    schema = ArraySchema(input_shape=x.shape[1:])
    with np.errstate(over="ignore"):
        single = x.astype("float32")
    if np.isfinite(single).all():
        assert np.array_equal(schema.code(x), single)
    else:
        with pytest.raises(ae_zoo.AEZooError, match="must be finite"):
            schema.code(x)


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npy"])
@FEW
@given(ROWS)
def test_files_give_the_rows_back(suffix, tmp_path, x):
    path = tmp_path / f"rows{suffix}"
    columns = [f"column {index}" for index in range(x.shape[1])]
    write(path, x, columns)
    found = read(path)
    assert np.array_equal(found.x, x)
    assert found.columns == (None if suffix == ".npy" else tuple(columns))
