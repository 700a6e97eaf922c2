"""Files are whole or not there, and the command line says what went wrong: one sentence, one exit code."""

import errno
import fcntl
import os
import pathlib
import resource
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest

import ae_zoo
from ae_zoo import cli
from ae_zoo._support import files
from ae_zoo.data import write, writer
from ae_zoo.errors import AEZooError, UnwritableError

ROOT = pathlib.Path(__file__).parents[1]


@pytest.fixture
def target(tmp_path):
    """A file with something in it, alone in its folder."""
    path = tmp_path / "m.txt"
    path.write_text("old")
    return path


@pytest.fixture
def model():
    return ae_zoo.build("undercomplete", input_shape=8, code=2, hidden=[4], seed=1)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def fill(path, disk=None, then=lambda: None):
    """Writes a file, on a disk of its own if one is named, and does something before it is whole."""
    with files.whole(path) as sibling:
        if disk is not None:
            sibling.symlink_to(disk)
        sibling.write_text("new text")
        then()


def leftover(folder, name):
    """What a killed process leaves: a hidden folder that nobody holds."""
    left = folder / (files.HIDDEN + name)
    left.mkdir()
    (left / "m.txt").write_text("half")
    return left


# Whole or not there


def test_a_file_is_replaced_when_the_block_ends_and_stays_when_it_fails(target):
    with files.whole(target) as sibling:
        sibling.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    with pytest.raises(ZeroDivisionError):
        fill(target, then=lambda: 1 / 0)
    assert target.read_text() == "new"
    assert names(target.parent) == ["m.txt"]


def test_a_link_stays_and_its_file_is_replaced(target, tmp_path):
    (tmp_path / "links").mkdir()
    link = tmp_path / "links" / "m.keras"
    link.symlink_to("../m.txt")
    with files.whole(link) as sibling:
        assert sibling.suffix == ".keras"  # the format is the given name's
        sibling.write_text("new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert names(tmp_path / "links") == ["m.keras"]


@pytest.mark.parametrize("where", ["folder", "link to a folder", "device", "below a file", "no access"])
def test_what_cannot_be_written_is_refused_before_any_work(where, target, tmp_path, monkeypatch):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    (tmp_path / "device").symlink_to("/dev/null")  # which root would replace by a file
    path, said = {
        "folder": (tmp_path / "folder", "is a folder; give the name of a file"),
        "link to a folder": (tmp_path / "link", "is a folder; give the name of a file"),
        "device": (tmp_path / "device", "is not a regular file"),
        "below a file": (target / "new.txt", "cannot be written: Not a directory."),
        "no access": (tmp_path / "new" / "m.txt", f"the folder {tmp_path} is not writable for this user."),
    }[where]
    if where == "no access":  # root may write everywhere
        monkeypatch.setattr(os, "access", lambda folder, how: False)
    before = names(tmp_path)
    for refused in (files.writable, lambda path: files.whole(path).__enter__()):
        with pytest.raises(UnwritableError, match=said) as caught:
            refused(path)
        assert str(path) in str(caught.value)
    assert names(tmp_path) == before


def test_a_full_disk_is_one_sentence_that_names_the_file(target):
    with pytest.raises(UnwritableError) as caught:
        fill(target, disk="/dev/full")
    assert str(caught.value) == f"{target} cannot be written: No space left on device."
    assert isinstance(caught.value, OSError)  # as `except OSError` expects elsewhere
    assert target.read_text() == "old"
    assert names(target.parent) == ["m.txt"]


def test_a_file_within_a_file_is_named_by_the_outer_one(target):
    with pytest.raises(UnwritableError) as caught, files.whole(target) as outer:
        fill(outer, disk="/dev/full")
    assert str(caught.value) == f"{target} cannot be written: No space left on device."


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied", "rows.csv"), OSError(errno.EIO, "I/O")])
def test_an_error_of_another_file_is_left_alone(error, target):
    with pytest.raises(OSError, match=error.strerror) as caught, files.whole(target):
        raise error
    assert caught.value is error


def write_rows(path):
    with writer(path) as add:
        for _ in range(4):
            add({"error": np.random.default_rng(0).random(10_000)})


WRITERS = {
    "a.npy": write_rows,
    "a.csv": write_rows,
    "a.parquet": write_rows,
    "b.npy": lambda path: write(path, np.ones((10_000, 1)), ["a"]),
    "b.csv": lambda path: write(path, np.ones((10_000, 1)), ["a"]),
    "pca.npz": lambda path: ae_zoo.PCA(2).fit(np.random.default_rng(0).random((9, 2000))).save(path),
    "detector.zip": lambda path: ae_zoo.Detector(wide()).save(path),
    "model.keras": lambda path: wide().save(path),
}


def wide():
    return ae_zoo.build("undercomplete", input_shape=900, code=2, hidden=[16], seed=1)


@pytest.mark.parametrize("name", WRITERS)
def test_each_writer_says_that_there_is_no_room(name, tmp_path):
    """The size of files is limited, which meets every library that writes as a full disk does."""
    path = tmp_path / name
    path.write_text("old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(UnwritableError) as caught:
            WRITERS[name](path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert str(caught.value).startswith(f"{path} cannot be written: ")
    assert len(str(caught.value).splitlines()) == 1
    assert path.read_text() == "old"
    assert names(tmp_path) == [name]


def test_a_model_is_saved_only_as_what_load_reads(model, tmp_path):
    for name in ("m.h5", "m", "m.weights.h5"):
        with pytest.raises(AEZooError, match=r"must end in \.keras"):
            model.save(tmp_path / name)
    (tmp_path / "folder.keras").mkdir()
    with pytest.raises(UnwritableError, match="is a folder"):
        model.save(tmp_path / "folder.keras")
    assert names(tmp_path) == ["folder.keras"]


def test_a_checkpoint_that_cannot_be_written_is_refused_before_the_training(model, tmp_path, x):
    with pytest.raises(UnwritableError, match="is a folder"):
        ae_zoo.fit(model, x, epochs=1, checkpoint=tmp_path, verbose=0)
    assert model.optimizer.iterations == 0


# What killed processes leave


def test_what_a_dead_process_left_is_removed_by_the_next_one(target):
    leftover(target.parent, files._system() + "dead")
    with files.whole(target) as sibling:
        sibling.write_text("new")
    assert names(target.parent) == ["m.txt"]


def test_what_a_live_process_writes_is_kept(target):
    with files.whole(target) as sibling:
        sibling.write_text("slow")
        os.utime(sibling.parent, (0, 0))
        os.utime(sibling, (0, 0))  # a write may take more than a day
        with files.whole(target) as other:
            other.write_text("quick")
        assert target.read_text() == "quick"
    assert target.read_text() == "slow"
    assert names(target.parent) == ["m.txt"]


@pytest.mark.parametrize("why", ["another machine", "no locks"])
def test_where_the_lock_tells_nothing_age_does(why, target, monkeypatch):
    if why == "no locks":

        def refused(descriptor, how):
            raise OSError(errno.ENOLCK, "No locks available")

        monkeypatch.setattr(fcntl, "flock", refused)
    mark = {"another machine": "0badcafe-", "no locks": files._system()}[why]
    young, old, growing = (leftover(target.parent, mark + name) for name in ("young", "old", "growing"))
    for path in (old, old / "m.txt", growing):
        os.utime(path, (0, 0))
    with files.whole(target) as sibling:
        sibling.write_text("new")
    assert names(target.parent) == sorted([young.name, growing.name, "m.txt"])


def test_a_folder_that_is_swept_before_it_is_locked_is_made_again(target, monkeypatch):
    opened, swept = files._opened, []

    def late(folder):
        if not swept:
            swept.append(folder)
            files._sweep(folder.parent)
        return opened(folder)

    monkeypatch.setattr(files, "_opened", late)
    with files.whole(target) as sibling:
        sibling.write_text("new")
        assert sibling.parent != swept[0]
    assert target.read_text() == "new"
    assert names(target.parent) == ["m.txt"]


def test_a_folder_that_another_process_sweeps_is_waited_for_and_made_again(target, monkeypatch):
    """The sweeper has the lock already when the owner asks for it."""
    locked = files._locked
    calls = []

    def sweeper_first(descriptor, how):
        made = pathlib.Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        calls.append(made)
        if len(calls) == 1:
            for path in (made, *made.iterdir()):
                os.rmdir(path)
        return locked(descriptor, how)

    monkeypatch.setattr(files, "_locked", sweeper_first)
    with files.whole(target) as sibling:
        sibling.write_text("new")
        assert sibling.parent == calls[1] != calls[0]
    assert target.read_text() == "new"


def test_processes_that_write_at_once_do_not_sweep_each_other(target):
    code = f"""
        from ae_zoo._support import files
        for _ in range(300):
            with files.whole({str(target)!r}) as sibling:
                sibling.write_text("x" * 10_000)
    """
    writers = [subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT) for _ in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert target.read_text() == "x" * 10_000
    assert names(target.parent) == ["m.txt"]


# Real processes that are killed

KILLED_AT = {
    "in the middle of the zip": "zipfile.ZipFile, 'close'",
    "just before it is renamed": "pathlib.Path, 'replace'",
}


def killed(folder, at, how, body):
    """Runs Python code that sends itself a signal where it first calls a method after `ready`."""
    code = f"""
        import os, pathlib, signal, sys, zipfile
        import ae_zoo, ae_zoo.cli

        def ready():
            owner, name = {at}
            method = getattr(owner, name)

            def call(self, *args):
                if isinstance(self, pathlib.Path) or getattr(self, "mode", "") == "w":
                    os.kill(os.getpid(), signal.{how})
                return method(self, *args)

            setattr(owner, name, call)
    """
    code = textwrap.dedent(code) + textwrap.dedent(body)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize("at", KILLED_AT)
def test_a_kill_in_the_middle_of_save_leaves_the_old_model(at, model, tmp_path, x):
    model.save(tmp_path / "m.keras")
    body = """
        model = ae_zoo.build("sparse", input_shape=8, code=3, seed=2)
        ready()
        model.save("m.keras")
    """
    assert killed(tmp_path, KILLED_AT[at], "SIGKILL", body).returncode == -signal.SIGKILL
    assert len(names(tmp_path)) == 2  # the leftover, and
    assert np.array_equal(ae_zoo.load(tmp_path / "m.keras").encode(x), model.encode(x))
    model.save(tmp_path / "m.keras")
    assert names(tmp_path) == ["m.keras"]


@pytest.mark.slow
@pytest.mark.parametrize(("how", "code"), [("SIGKILL", -9), ("SIGTERM", 143), ("SIGINT", 130)])
def test_a_score_that_is_ended_leaves_the_old_file(how, code, x, run, tmp_path):
    ae_zoo.Detector(ae_zoo.PCA(2).fit(x)).calibrate(x, 0.1).save(tmp_path / "d.zip")
    np.save(tmp_path / "rows.npy", x)
    (tmp_path / "e.npy").write_text("old")
    args = ["score", "--model", "d.zip", "rows.npy", "--out", "e.npy"]
    body = f"""
        ready()
        sys.argv = ["ae-zoo", *{args}]
        ae_zoo.cli.main()
    """
    done = killed(tmp_path, "pathlib.Path, 'replace'", how, body)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert (tmp_path / "e.npy").read_text() == "old"
    assert len(names(tmp_path)) == (4 if how == "SIGKILL" else 3)
    assert run(*args)[0] == 0
    assert names(tmp_path) == ["d.zip", "e.npy", "rows.npy"]


# The command line


def ends_with(monkeypatch, error):
    """Lets `ae-zoo families` end with an error."""

    def callback(**_):
        raise error

    monkeypatch.setattr(cli.cli.commands["families"], "callback", callback)


@pytest.mark.parametrize(
    ("error", "said", "code"),
    [
        (AEZooError("Give more rows."), "Error: Give more rows.\n", 2),
        (UnwritableError("m.keras is a folder."), "Error: m.keras is a folder.\n", 2),
        (PermissionError(13, "Permission denied", "rows.csv"), "Error: rows.csv: Permission denied.\n", 2),
        (OSError(28, "No space left on device"), "Error: No space left on device.\n", 2),
        (KeyError("a"), "This is a bug in ae_zoo: KeyError: 'a'; run again with --debug to see where, and report it.\n", 1),
        (ValueError("a\nb"), "This is a bug in ae_zoo: ValueError: a; run again with --debug to see where, and report it.\n",
         1),
    ],
)  # fmt: skip
def test_an_error_is_one_sentence_and_its_exit_code(error, said, code, run, monkeypatch):
    ends_with(monkeypatch, error)
    assert run("families") == (code, "", said)
    for args in (["--debug", "families"], ["families", "--debug"]):
        found, _, err = run(*args)
        assert found == code
        assert err.startswith("Traceback")
        assert err.endswith(said)


@pytest.mark.parametrize(
    ("number", "code", "said"), [(signal.SIGTERM, 143, "Terminated."), (signal.SIGINT, 130, "Interrupted.")]
)
def test_a_signal_removes_what_is_half_written(number, code, said, run, target, monkeypatch):
    def callback(**_):
        with files.whole(target) as sibling:
            sibling.write_text("half")
            os.kill(os.getpid(), number)

    monkeypatch.setattr(cli.cli.commands["families"], "callback", callback)
    before = signal.getsignal(signal.SIGTERM)
    found, _, err = run("families")
    assert (found, err.strip()) == (code, said)
    assert signal.getsignal(signal.SIGTERM) is before
    assert target.read_text() == "old"
    assert names(target.parent) == ["m.txt"]


def test_an_output_that_cannot_be_is_refused_before_the_training(run, tmp_path, x, monkeypatch):
    pd.DataFrame(x).to_csv(tmp_path / "rows.csv", index=False)
    (tmp_path / "folder.keras").mkdir()
    monkeypatch.setattr(ae_zoo, "fit", lambda *args, **kwargs: pytest.fail("was trained"))
    args = ("train", "sparse", "--data", "rows.csv", "--out")
    assert run(*args, "folder.keras") == (2, "", "Error: folder.keras is a folder; give the name of a file.\n")
    code, _, err = run(*args, "rows.csv/m.keras")
    assert (code, err) == (2, "Error: rows.csv/m.keras cannot be written: Not a directory.\n")
