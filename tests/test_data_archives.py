"""Damaged and hostile `.npy` and `.npz` files: one sentence, and no memory for what they only claim."""

import io
import tracemalloc
import zipfile

import numpy as np
import pytest

import ae_zoo
from ae_zoo import data
from ae_zoo._support import archives
from ae_zoo.errors import AEZooError

ROWS = np.random.default_rng(0).random((50, 4), "float32")
METHODS = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def header(shape, version=1):
    file = io.BytesIO()
    write = np.lib.format.write_array_header_1_0 if version == 1 else np.lib.format.write_array_header_2_0
    write(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return file.getvalue() + ROWS.tobytes()


def archive(path, members, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as file:
        for name, content in members:
            file.writestr(name, content)


def damaged(path, place, content):
    raw = bytearray(path.read_bytes())
    raw[place : place + len(content)] = content
    path.write_bytes(raw)


def refused(path, message):
    """Reads a file as a whole and in pieces, and as the other parts of the package read arrays."""
    tracemalloc.start()
    try:
        reads = [data.read, lambda path: list(data.pieces(path))]
        for read in reads + [archives.read_arrays] * (path.suffix == ".npz"):
            with pytest.raises(AEZooError, match=message) as error:
                read(path)
            assert str(path) in str(error.value)
            assert "\n" not in str(error.value)
            assert len(str(error.value)) < 500
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("method", METHODS)
def test_archives_of_any_packing_are_read_and_their_damage_is_found(method, tmp_path):
    path = tmp_path / "a.npz"
    archive(path, [("x.npy", npy(ROWS))], method)
    assert np.array_equal(data.read(path).x, ROWS)
    damaged(path, 300, b"\0\1\2\3" * 20)
    refused(path, "damaged, or no .npz file of plain arrays")


def test_archives_of_another_making_get_one_sentence(tmp_path):
    path = tmp_path / "a.npz"
    archive(path, [("x.npy", npy(ROWS))])
    whole = path.read_bytes()
    central = whole.rindex(b"PK\1\2")
    for place in (6, central + 8):  # the flag that says "encrypted"
        damaged(path, place, b"\1")
    refused(path, "encrypted")
    path.write_bytes(whole)
    for place in (8, central + 10):  # the packing
        damaged(path, place, b"\x63")
    refused(path, "compression method is not supported")
    path.write_bytes(whole[: len(whole) // 2])
    refused(path, "not a zip file")
    archive(path, [("x.npy", npy(ROWS)), ("notes.txt", b"no array at all")])
    refused(path, "magic string")
    archive(path, [("x.npy", npy(ROWS)[:-8])])
    refused(path, "header claims 800 bytes of numbers, and it holds 792")
    archive(path, [("x.npy", npy(ROWS) + b"more")])
    refused(path, "bytes behind its end")
    archive(path, [])
    with pytest.raises(AEZooError, match="it holds none"):
        data.read(path)


@pytest.mark.parametrize("names", [("x.npy", "x.npy"), ("x.npy", "x")])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_arrays_of_one_name_are_refused(names, tmp_path):
    archive(tmp_path / "a.npz", [(name, npy(ROWS)) for name in names])
    refused(tmp_path / "a.npz", "two arrays with the name 'x'")


@pytest.mark.parametrize("shape", [(2**40, 4), (2**62, 2**62), (51, 4)])
@pytest.mark.parametrize("version", [1, 2])
def test_headers_that_claim_more_than_there_is_are_refused(shape, version, tmp_path):
    (tmp_path / "a.npy").write_bytes(header(shape, version))
    refused(tmp_path / "a.npy", "its header claims .* bytes of numbers, and it holds 800")
    archive(tmp_path / "a.npz", [("x.npy", header(shape, version))])
    refused(tmp_path / "a.npz", "its header claims .* bytes of numbers, and it holds 800")


def test_bombs_are_not_unpacked(tmp_path):
    path = tmp_path / "a.npz"
    archive(path, [("x.npy", npy(ROWS))])
    central = path.read_bytes().rindex(b"PK\1\2")
    damaged(path, central + 24, (2**31).to_bytes(4, "little"))  # a size that is only claimed
    refused(path, "would unpack to 2,147,483,648; .*np.savez")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file, file.open("x.npy", "w") as member:
        member.write(header((2**17, 600))[: -ROWS.nbytes])
        for _ in range(300):
            member.write(bytes(2**20))
    refused(path, "would unpack to 314,.*np.savez")


@pytest.mark.filterwarnings("ignore:Stored array in format 3.0")
def test_objects_and_records_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[{}]]), allow_pickle=True)
    refused(tmp_path / "a.npy", "it holds Python objects")
    np.savez(tmp_path / "a.npz", x=np.array([[{}]]))
    refused(tmp_path / "a.npz", "it holds Python objects")
    np.save(tmp_path / "a.npy", np.zeros((3, 2), [("\u03b1", "f4")]))
    refused(tmp_path / "a.npy", "it holds records")
    np.save(tmp_path / "a.npy", np.zeros((3, 0), "f4"))
    refused(tmp_path / "a.npy", "at least one feature")
    np.save(tmp_path / "a.npy", np.zeros((0, 3), "f4"))
    refused(tmp_path / "a.npy", "has no rows")


def test_what_is_read_is_no_longer_tied_to_the_file(tmp_path):
    np.save(tmp_path / "a.npy", ROWS)
    x = data.read(tmp_path / "a.npy").x
    with (tmp_path / "a.npy").open("r+b") as file:
        file.write(bytes(128 + ROWS.nbytes))
    assert np.array_equal(x, ROWS)


def test_a_file_that_is_not_there_is_not_called_damaged(tmp_path):
    for load in (archives.read_arrays, data.read, ae_zoo.PCA.load):
        with pytest.raises(FileNotFoundError, match="There is no file"):
            load(tmp_path / "none.npz")
