import json

import numpy as np
import pytest
import zarr

from crewe.errors import ImageError, ReadError, WriteError
from crewe.simulation.emulator.pairs import Pair, read_pairs, write_pairs


def images(seed, shape=(20, 24)):
    rng = np.random.default_rng(seed)
    return rng.random(shape, dtype=np.float32), rng.random(shape, dtype=np.float32)


def pair(seed, **more):
    return Pair(f"{seed:02d}", *images(seed), **more)


def test_pairs_come_back_as_they_were_written(tmp_path):
    atoms = {"numbers": np.array([78, 42]), "positions": np.array([[1.0, 2, 3], [4, 5, 6]])}
    given = [pair(0, **atoms, phonon_error=images(7)[0]), pair(1)]
    path = write_pairs(tmp_path / "pairs.npz", given, {"units": "fraction of beam"})
    found = read_pairs(path)
    assert [one.name for one in found] == ["00", "01"]
    assert found.about == {"units": "fraction of beam"}
    assert np.array_equal(found[0].linear, given[0].linear)
    assert np.array_equal(found[1].multislice, given[1].multislice)
    assert np.array_equal(found[0].positions, atoms["positions"])
    assert found[1].numbers is None
    assert found[1].phonon_error is None
    with pytest.raises(WriteError):
        write_pairs(path, given, {})


def test_stacks_and_zarr_folders_are_pairs_too(tmp_path):
    linear, multislice = (np.stack([images(n)[k] for n in range(3)]) for k in range(2))
    np.savez(tmp_path / "stacks.npz", linear=linear, multislice=multislice)
    group = zarr.open_group(tmp_path / "pairs.zarr", mode="w")
    group["linear"], group["multislice"] = linear, multislice
    group.attrs["about"] = json.dumps({"origin": "test"})
    for path in (tmp_path / "stacks.npz", tmp_path / "pairs.zarr"):
        found = read_pairs(path)
        assert len(found) == 3
        assert np.array_equal(found[2].linear, linear[2])
        assert len(found[1:]) == 2
    assert found.about == {"origin": "test"}


def test_numbered_arrays_of_different_sizes_are_read_one_by_one(tmp_path):
    arrays = {}
    for n, shape in enumerate([(20, 30), (40, 25)]):
        arrays[f"linear_{n}"], arrays[f"multislice_{n}"] = images(n, shape)
    np.savez(tmp_path / "pairs.npz", **arrays)
    assert [one.linear.shape for one in read_pairs(tmp_path / "pairs.npz")] == [(20, 30), (40, 25)]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"image": np.ones((20, 20))}, "pairs are arrays linear_00"),
        ({"linear_00": np.ones((20, 20))}, "no multislice_00"),
        ({"linear": np.ones((2, 20, 20)), "multislice": np.ones((3, 20, 20))}, "2 convolution"),
        ({"linear_00": np.eye(20), "multislice_00": np.eye(20), "about": np.array("{")}, "JSON"),
    ],
)
def test_what_holds_no_pairs_is_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "pairs.npz", **arrays)
    with pytest.raises(ReadError, match=message):
        read_pairs(tmp_path / "pairs.npz")


def test_damaged_and_foreign_files_are_refused(tmp_path):
    whole = write_pairs(tmp_path / "pairs.npz", [pair(0)], {}).read_bytes()
    for name, content in (("cut.npz", whole[: len(whole) // 2]), ("text.npz", b"no archive")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ReadError, match=name):
            read_pairs(tmp_path / name)
    np.savez(tmp_path / "pickled.npz", linear_00=np.array([{}]), multislice_00=np.array([{}]))
    with pytest.raises(ReadError):
        list(read_pairs(tmp_path / "pickled.npz"))
    with pytest.raises(ReadError, match="no such file"):
        read_pairs(tmp_path / "none.npz")


@pytest.mark.parametrize(
    ("linear", "multislice", "message"),
    [
        (np.eye(20), np.eye(21), "one size"),
        (np.eye(8), np.eye(8), "16 px"),
        (np.zeros((20, 20)), np.eye(20), "empty"),
        (np.eye(20), np.full((20, 20), np.nan), "multislice image holds NaN"),
    ],
)
def test_images_that_are_no_pair_are_refused(linear, multislice, message):
    with pytest.raises(ImageError, match=message):
        Pair("0", linear.astype(np.float32), multislice.astype(np.float32))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"phonon_error": np.ones((3, 3), np.float32)}, "phonon errors"),
        ({"numbers": np.array([78, 78])}, "or neither"),
        ({"numbers": np.array([78, 78]), "positions": np.zeros((3, 3))}, "or neither"),
        ({"numbers": np.array([[78, 78]]), "positions": np.zeros((2, 3))}, "or neither"),
        ({"numbers": np.array([999]), "positions": np.zeros((1, 3))}, "1 to 103"),
        ({"numbers": np.array([78]), "positions": np.full((1, 3), np.nan)}, "NaN"),
    ],
)
def test_what_comes_beside_the_images_must_fit_them(more, message):
    with pytest.raises(ImageError, match=message):
        pair(0, **more)


def test_complex_images_are_refused_instead_of_losing_a_part(tmp_path):
    linear, multislice = images(0)
    np.savez(tmp_path / "pairs.npz", linear_0=linear * 1j, multislice_0=multislice)
    with pytest.raises(ReadError, match="not real numbers"):
        read_pairs(tmp_path / "pairs.npz")[0]
