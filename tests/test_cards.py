"""Cards that are damaged, or of another make, and folders whose names are no versions: one sentence each."""

import json
import re

import pytest

import ae_zoo
from ae_zoo._support import versions
from ae_zoo.errors import AEZooError

SOUND = json.loads((versions.ZOO / "digits-sparse" / "1" / versions.EXTRA / versions.CARD).read_text())


def written(version, card):
    """A version with this card, sealed, and nothing to run."""
    extra = version / versions.EXTRA
    extra.mkdir(parents=True, exist_ok=True)
    (version / "saved_model.pb").touch()
    (extra / versions.CARD).write_text(card if isinstance(card, str) else json.dumps(versions.sealed(card)))
    return version


def places(value, place=()):
    """Where values are in a card; its configuration is its family's own."""
    if place:
        yield place
    if isinstance(value, dict | list) and place != ("config",):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(part, (*place, key))


DAMAGED = [
    ("[" * 200_000, "nested too deeply"),
    ('{"a":' * 200_000, "nested too deeply"),
    ("[]", "it is no object of JSON"),
    ("null", "it is no object of JSON"),
    ("{}", "it lacks bytes, config, data, family"),
    ('{"bytes": ' + "9" * 5000, "is damaged: Exceeds the limit"),
    (
        {**SOUND, "data": {**SOUND["data"], "training": {"rows": 1}}},
        "it lacks data.training.sha256, data.training.shape",
    ),
    (
        {**SOUND, "signatures": {"encode": {"about": "", "inputs": None, "outputs": {}}}},
        "signatures.encode.inputs must be an object; received None",
    ),
    ({**SOUND, "threshold": "0.5"}, "threshold must be a finite number or null; received '0.5'"),
    ({**SOUND, "bytes": 10**400}, "bytes must be a whole number; received 1000"),
    ({**SOUND, "metrics": {"test mse": None}}, "metrics.test mse must be a finite number; received None"),
]


@pytest.mark.parametrize("place", list(places(SOUND)), ids=str)
def test_a_field_of_another_type_is_named(place, tmp_path):
    card = json.loads(json.dumps(SOUND))
    part = card
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = True
    name = re.escape(".".join(map(str, place)))
    version = written(tmp_path / "1", card)
    if place == ("sha256",):  # which sealing has mended
        versions.card(version)
        return
    with pytest.raises(AEZooError, match=f"{name} must be .*; received True") as raised:
        versions.card(version)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("card", "message"), DAMAGED, ids=[message for _, message in DAMAGED])
def test_the_command_line_says_what_is_wrong_with_a_card(card, message, run, tmp_path):
    written(tmp_path / "m" / "1", card)
    for command in (
        ("card", "m"),
        ("check", "m"),
        ("score", "--model", "m", "x.npy"),
        ("card", "m", "--html", "c.html"),
    ):
        code, _, err = run(*command)
        assert code == 2
        assert message in err
        assert err.count("\n") == 1


def test_a_card_that_is_no_file(run, tmp_path):
    version = written(tmp_path / "m" / "1", SOUND)
    card = version / versions.EXTRA / versions.CARD
    for target in ("/dev/zero", card):
        card.unlink()
        card.symlink_to(target)
        code, _, err = run("card", "m")
        assert code == 2
        assert "has no card" in err
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert run("card", "loop")[0] == 2


def test_the_zoo_s_cards_are_read():
    for folder in versions.ZOO.iterdir():
        if folder.is_dir():
            assert versions.card(versions.newest(folder))["signatures"]


def test_names_beyond_a_server_s_numbers_are_no_versions(tmp_path):
    for name in ("1", "9" * 255, str(2**63), "007"):
        written(tmp_path / name, SOUND)
    assert versions.numbers(tmp_path) == [1]
    assert versions.next_number(tmp_path) == 8
    assert versions.newest(tmp_path).name == "1"
    written(tmp_path / str(2**63 - 1), SOUND)
    with pytest.raises(AEZooError, match="9223372036854775807, the largest"):
        versions.next_number(tmp_path)


@pytest.mark.parametrize("number", [0, -1, 2**63, 10**4000, 1.5, True, "1", None])
def test_a_version_that_no_server_reads(number):
    with pytest.raises(AEZooError, match="must be a whole number from 1 to 9223372036854775807") as raised:
        versions.checked_number(number)
    assert len(str(raised.value)) < 160


def test_a_configuration_of_another_kind(copy, rows, run):
    """Sealed, and an object, but not what the family takes."""
    import numpy as np

    np.save("rows.npy", 1000 + 50 * rows)
    card = versions.card(copy)
    for columns in (5, [1, 2]):
        config = {**card["config"], "schema": {**card["config"]["schema"], "columns": columns}}
        written(copy, {**card, "config": config})
        for command in (("score", "--out", "a.csv"), ("encode", "--out", "a.npy")):
            code, _, err = run(command[0], "--model", copy, "rows.npy", *command[1:])
            assert code == 2
            assert "columns must" in err
    for config in ({}, {**card["config"], "code": []}, {**card["config"], "schema": 3}, {"a": 1}):
        written(copy, {**card, "config": config})
        with pytest.raises(AEZooError):
            ae_zoo.load(copy)


def test_a_result_is_not_written_to_a_link_that_leads_nowhere(copy, rows, run, tmp_path):
    import numpy as np

    np.save("rows.npy", 1000 + 50 * rows)
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    code, _, err = run("score", "--model", copy, "rows.npy", "--out", "loop.csv")
    assert code == 2
    assert "loop.csv cannot be written" in err
