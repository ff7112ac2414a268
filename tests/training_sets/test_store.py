import pickle
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pandas as pd
import pytest
import zarr
from blob_sets import COUNT, SEED, assert_same_sample, blobs

from crewe.errors import ReadError
from crewe.training_sets.making import make_sample
from crewe.training_sets.store import open_training_set


def test_every_sample_is_what_the_maker_makes(made_set):
    stored = open_training_set(made_set)
    assert len(stored) == COUNT
    for index, sample in enumerate(stored):
        assert_same_sample(sample, make_sample(blobs.BlobMaker(), SEED, index))


def test_zarr_and_pandas_read_the_set_without_crewe(made_set):
    stored = open_training_set(made_set)
    group = zarr.open_group(made_set, mode="r")
    assert dict(group.members()).keys() == {"image", "mask", "clean", "fine"}
    for name, array in stored.arrays.items():
        assert array.shape == (COUNT, *stored.array(name, 0).shape)
        np.testing.assert_array_equal(array[60:], [stored.array(name, i) for i in range(60, COUNT)])
    assert group.attrs["seed"] == SEED
    assert group.attrs["recipe"] == blobs.BlobMaker().text
    assert group.attrs["versions"]["numpy"] == np.__version__
    atoms = pd.read_parquet(made_set / "tables" / "positions")
    manifest = pd.read_parquet(made_set / "manifest.parquet")
    assert list(manifest["index"]) == list(range(COUNT))
    pd.testing.assert_frame_equal(
        atoms[atoms["sample"] == 7].drop(columns="sample").reset_index(drop=True),
        stored.positions(7),
    )


def test_a_sample_without_atoms_has_a_table_without_rows(made_set):
    stored = open_training_set(made_set)
    assert len(stored.positions(13)) == 0
    assert list(stored.positions(13).columns) == ["x", "y", "element"]
    assert len(stored.positions(14)) > 0


def test_numbers_count_from_either_end_and_slices_are_lists(made_set):
    stored = open_training_set(made_set)
    assert_same_sample(stored[-1], stored[COUNT - 1])
    assert [s.facts for s in stored[3:9:2]] == [stored.facts(i) for i in (3, 5, 7)]
    for index in (COUNT, -COUNT - 1):
        with pytest.raises(IndexError, match=str(COUNT)):
            stored[index]


def test_it_travels_to_other_processes(made_set):
    stored = open_training_set(made_set)
    _ = stored[0], stored.arrays, stored.manifest
    assert len(pickle.dumps(stored)) < 5000
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        for index, sample in zip((2, 40), pool.map(stored.__getitem__, (2, 40)), strict=True):
            assert_same_sample(sample, stored[index])


def test_torch_can_load_it(made_set):
    data = pytest.importorskip("torch.utils.data")
    pairs = open_training_set(made_set).only("clean", "mask")
    batches = list(data.DataLoader(pairs, batch_size=32, num_workers=2))
    assert [len(batch["clean"]) for batch in batches] == [32, 32, 6]


def test_chosen_arrays_come_as_a_dict(made_set):
    stored = open_training_set(made_set)
    pairs = stored.only("clean", "mask")
    assert len(pairs) == COUNT
    assert set(pairs[4]) == {"clean", "mask"}
    np.testing.assert_array_equal(pairs[4]["clean"], stored[4].arrays["clean"])
    with pytest.raises(ReadError, match="no array 'fin': it has image"):
        stored.only("fin")


def test_random_access_takes_a_few_milliseconds(made_set):
    stored = open_training_set(made_set)
    _ = stored[0]
    seconds = []
    for index in np.random.default_rng(0).permutation(COUNT)[:30]:
        begin = time.perf_counter()
        _ = stored[index]
        seconds.append(time.perf_counter() - begin)
    assert np.median(seconds) < 0.01


def test_what_is_no_training_set_is_refused(tmp_path, copied_set):
    with pytest.raises(ReadError, match="does not exist"):
        open_training_set(tmp_path / "none.zarr")
    zarr.create_group(tmp_path / "other.zarr")
    with pytest.raises(ReadError, match="no training set of crewe"):
        open_training_set(tmp_path / "other.zarr")
    (copied_set / "zarr.json").write_text("{")
    with pytest.raises(ReadError, match="damaged"):
        open_training_set(copied_set)


def test_damage_is_named_when_it_is_met(copied_set):
    shard = copied_set / "clean" / "c" / "1" / "0" / "0"
    content = bytearray(shard.read_bytes())
    content[:200] = bytes(200)
    shard.write_bytes(content)
    stored = open_training_set(copied_set)
    with pytest.raises(ReadError, match=r"sample 32 is damaged.*--mend"):
        stored[32]
    (copied_set / "manifest.parquet").unlink()
    with pytest.raises(ReadError, match="manifest"):
        stored[0]
