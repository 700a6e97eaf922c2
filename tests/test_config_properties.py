"""Properties of every family's config, on values that no one chose: round trips, and one sentence for what is illegal."""

import json
import typing

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ae_zoo.config import Config
from ae_zoo.errors import AEZooError
from ae_zoo.families.configs import CONFIGS as FAMILIES

CONFIGS = [Config, *FAMILIES.values()]
SHAPES = st.one_of(
    st.integers(1, 900).map(lambda width: (width,)),
    st.lists(st.integers(1, 40), min_size=1, max_size=3).map(tuple),
)
# Values that are nearly what a field takes, or that print over several lines.
STRANGE = [
    object(),
    10**400,
    [10**400],
    b"\x01\x02",
    {1: 2},
    {3, 4},
    np.True_,
    np.array([True]),
    np.array([[1, 2], [3, 4]]),
    np.ma.masked,
    "a\nb",
    1j,
    float("nan"),
]
# What no field expects, beside what some do.
ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.binary(max_size=4),
    st.complex_numbers(),
    st.lists(st.one_of(st.integers(), st.floats(), st.text(max_size=3), st.none()), max_size=4),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.sampled_from([np.float32(0.5), np.int64(3), np.array([3, 4])]),
)
# Texts that are nearly numbers, lists and words.
TEXT = st.text("0123456789-+.,()[]eE _nanifoetrus", max_size=10)
# The same number of examples each time, and the same ones: a test run says what changed, not what was drawn.
FEW = settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

every_config = pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.__name__)


def legal(field, hint):
    """A strategy of values that the field alone takes."""
    low, high = field.metadata["low"], field.metadata["high"]
    kinds = typing.get_args(hint) if type(None) in typing.get_args(hint) else (hint,)
    kind = next(kind for kind in kinds if kind is not type(None))
    if field.metadata["choices"]:
        found = st.sampled_from(sorted(field.metadata["choices"]))
    elif typing.get_origin(kind) is tuple:
        found = st.lists(st.integers(int(low or 1), 300), max_size=3).map(tuple)
    elif kind is bool:
        found = st.booleans()
    elif kind is int:
        found = st.integers(int(low or 0), int(high) if high is not None else 2000)
    else:
        found = st.floats(low if low is not None else -100, high if high is not None else 100)
    return st.one_of(st.none(), found) if len(kinds) > 1 else found


def some_options(config):
    """Some options with values that are legal alone, and a shape; columns belong to a shape, so they are left out."""
    optional = {
        name: legal(field, typing.get_type_hints(config.owner(name))[name])
        for name, field in config.options().items()
        if name not in ("input_shape", "columns")
    }
    return st.fixed_dictionaries({"input_shape": SHAPES}, optional=optional)


def made(config, options):
    """The config, or None where these options do not go together, which is said in one line."""
    return or_one_line(config.make, options)


def or_one_line(function, *args):
    """What the function returns; None where it raises an `AEZooError` of one line. Any other exception is a bug."""
    try:
        return function(*args)
    except AEZooError as refused:
        sentence = str(refused)
    assert sentence
    assert "\n" not in sentence
    return None


@every_config
@FEW
@given(data=st.data())
def test_what_is_legal_survives_a_dict_and_json(config, data):
    found = made(config, data.draw(some_options(config)))
    if found is not None:
        again = config.read(json.loads(json.dumps(found.to_dict())))
        assert again == config.read(found.to_dict()) == found
        assert hash(again) == hash(found)


@every_config
@FEW
@given(data=st.data())
def test_what_is_printed_is_parsed(config, data):
    """An option's text, as a person writes it, gives the option back."""
    options = data.draw(some_options(config))
    texts = {
        name: ",".join(map(str, value)) if isinstance(value, tuple) else str(value) for name, value in options.items()
    }
    assert config.parse(texts) == options


@every_config
@FEW
@given(value=ANYTHING)
def test_any_value_is_taken_in_its_field_s_type_or_refused_in_one_line(config, value):
    for name in names(config):
        found = made(config, {"input_shape": (8,), name: value})
        if found is not None:
            json.dumps(found.to_dict(), allow_nan=False)
            assert config.read(found.to_dict()) == found


@every_config
@pytest.mark.parametrize("value", STRANGE, ids=lambda value: type(value).__name__)
def test_strange_values_are_refused_in_one_line(config, value):
    """The text alone may be a name of a column."""
    for name in set(names(config)) - {"columns"}:
        assert made(config, {"input_shape": (8,), name: value}) is None, name


@every_config
@FEW
@given(text=st.one_of(TEXT, st.text(max_size=12)))
def test_any_text_is_parsed_or_refused_in_one_line(config, text):
    for name in [*names(config), text]:
        options = or_one_line(config.parse, {name: text})
        if options is not None:
            made(config, {"input_shape": (8,), **options})


def names(config):
    return [name for name in config.options() if name != "input_shape"]
