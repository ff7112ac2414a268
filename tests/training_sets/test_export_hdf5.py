import resource

import h5py
import numpy as np
import pytest

from crewe.errors import WriteError
from crewe.training_sets.export import export_training_set
from crewe.training_sets.store import open_training_set


@pytest.fixture
def stored(made_set):
    return open_training_set(made_set)


def test_hdf5_holds_all_in_one_file(stored, tmp_path):
    heard = []
    export_training_set(stored, tmp_path / "out.h5", "hdf5", progress=heard.append)
    assert heard[-1] == 1
    with h5py.File(tmp_path / "out.h5") as file:
        assert file.attrs["seed"] == stored.description.seed
        for name in ("image", "mask", "clean", "fine"):
            np.testing.assert_array_equal(file[name][()], stored.arrays[name][:])
        np.testing.assert_array_equal(file["manifest/layers"][()], stored.manifest["layers"])
        assert file["positions/x"].attrs["units"] == "Å"
        assert file["manifest/material"].asstr()[3] == stored.facts(3)["material"]
        of_seven = file["positions/sample"][()] == 7
        np.testing.assert_array_equal(file["positions/y"][of_seven], stored.positions(7)["y"])


@pytest.mark.parametrize("limit", [100, 30_000, 90_000])
def test_a_disk_that_refuses_is_told_in_one_line(stored, tmp_path, limit, capfd):
    """At once, among the arrays, and late."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(WriteError, match=r"cannot write .*out\.h5: File too large$"):
            export_training_set(stored, tmp_path / "out.h5", "hdf5")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr().err == ""
