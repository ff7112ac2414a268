import numpy as np
import pytest

from crewe.errors import PlanError, ReadError, WriteError
from crewe.workflows.observer import Silent
from crewe.workflows.phonon_folder import PhononFolder, PhononTask

PLAN = {"seed": 3, "optics": {"beam_energy_kev": 200.0}, "shape": [4, 5]}
VERSIONS = {"crewe": "1"}


@pytest.fixture
def folder(tmp_path):
    made = PhononFolder(tmp_path / "kept")
    made.prepare(PLAN, VERSIONS)
    return made


def images(count, shape=(4, 5), seed=0):
    return np.random.default_rng(seed).normal(1, 0.1, (count, *shape)).astype(np.float32)


def test_what_is_stored_comes_back_bit_by_bit(folder):
    (image,) = images(1)
    assert not folder.has(2, 17)
    folder.store(2, 17, image)
    assert folder.has(2, 17)
    assert (folder.path / "02_17.npy").exists()
    np.testing.assert_array_equal(np.load(folder.path / "02_17.npy"), image)
    np.testing.assert_array_equal(folder.load(2, 17), image)


def test_mean_and_standard_error_are_those_of_all_at_once(folder):
    made = images(7)
    for number, image in enumerate(made):
        folder.store(0, number, image)
    mean, error = folder.mean(0, list(range(7)))
    wide = made.astype(np.float64)
    assert mean == pytest.approx(wide.mean(axis=0))
    assert error == pytest.approx(wide.std(axis=0, ddof=1) / np.sqrt(7))
    single, none = folder.mean(0, [3])
    np.testing.assert_array_equal(single, wide[3])
    assert none is None


def test_a_folder_of_the_same_plan_goes_on_and_of_another_is_refused(folder):
    assert folder.prepare({**PLAN, "shape": (4, 5)}, {"crewe": "2"}) == VERSIONS
    with pytest.raises(PlanError, match=r"seed differ .*seed is 3 there, 4 here"):
        folder.prepare({**PLAN, "seed": 4}, VERSIONS)
    with pytest.raises(PlanError, match="more"):
        folder.prepare({**PLAN, "more": 1}, VERSIONS)


def test_a_folder_is_removed_only_where_all_in_it_is_known(folder):
    for number, image in enumerate(images(3)):
        folder.store(0, number, image)
    assert not folder.remove(0, 2)
    assert folder.has(0, 0)
    (folder.path / "thesis.tex").write_text("mine")
    assert not folder.remove(0, 3)
    assert folder.has(0, 2)
    (folder.path / "thesis.tex").unlink()
    (folder.path / ".0123456789ab.part").write_bytes(b"half")
    assert folder.remove(0, 3)
    assert not folder.path.exists()
    assert not folder.remove(0, 3)


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(PlanError, match=r"holds thesis\.tex"):
        PhononFolder(tmp_path).prepare(PLAN, VERSIONS)
    assert (tmp_path / "thesis.tex").read_text() == "mine"
    other = tmp_path / "other"
    other.mkdir()
    (other / "plan.json").write_text("[1]")
    with pytest.raises(PlanError, match="no plan of phonon configurations"):
        PhononFolder(other).prepare(PLAN, VERSIONS)
    (other / "plan.json").write_text("{")
    with pytest.raises(PlanError, match="cannot be read"):
        PhononFolder(other).prepare(PLAN, VERSIONS)
    with pytest.raises(WriteError, match="cannot make"):
        PhononFolder(tmp_path / "thesis.tex" / "in").prepare(PLAN, VERSIONS)


def test_damaged_images_are_named(folder):
    folder.store(0, 0, images(1)[0])
    contents = folder.file(0, 0).read_bytes()
    folder.file(0, 1).write_bytes(contents[:-9])
    with pytest.raises(ReadError, match=r"00_01\.npy is damaged.*remove it"):
        folder.mean(0, [0, 1])
    folder.store(0, 2, np.full((4, 5), np.nan, np.float32))
    with pytest.raises(ReadError, match="finite"):
        folder.load(0, 2)
    folder.store(0, 3, images(1, (3, 3))[0])
    with pytest.raises(ReadError, match="has the shape"):
        folder.mean(0, [0, 3])


def test_a_task_makes_what_is_missing_only(folder):
    made = []

    def make(progress):
        progress(1, 2)
        made.append(1)
        return images(1)[0]

    class Listener(Silent):
        heard = ()

        def advanced(self, stage, fraction):
            self.heard += (fraction,)

    listener = Listener()
    for _ in range(2):
        PhononTask(folder, 1, 0, make).carry_out(listener)
    assert made == [1]
    assert listener.heard == (0.5,)
    assert sorted(path.name for path in folder.path.iterdir()) == ["01_00.npy", "plan.json"]
