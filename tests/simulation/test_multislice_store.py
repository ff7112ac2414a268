import json

import numpy as np
import pytest
from ase import Atoms

from crewe.errors import WriteError
from crewe.physics.optics import Optics
from crewe.simulation.field import Field
from crewe.simulation.multislice import AnnularDetector, MultisliceSettings
from crewe.simulation.multislice_run import prepare
from crewe.simulation.multislice_store import DESCRIPTION, SampleFolder, describe

pytest.importorskip("abtem")

ATOMS = Atoms([14], [(3.0, 3.0, 1.0)], cell=(6, 6, 2), pbc=False)


def run(x=3.0, **settings):
    atoms = ATOMS.copy()
    atoms.positions[0, 0] = x
    field = Field((2.5, 2.5), (3, 4), False)
    chosen = MultisliceSettings(**settings)
    return prepare(atoms, Optics(300, 21.1), [AnnularDetector(40, 80)], 0.3, chosen, field=field)


def test_samples_come_back_as_they_were(tmp_path):
    folder = SampleFolder(tmp_path / "a" / "b", run(), (1, 2))
    assert folder.load(3) is None
    samples = np.random.default_rng(0).random(run().sample_shape)
    folder.save(3, samples)
    again = SampleFolder(tmp_path / "a" / "b", run(), (1, 2))
    assert np.array_equal(again.load(3), samples)
    names = {path.name for path in (tmp_path / "a" / "b").iterdir()}
    assert names == {DESCRIPTION, "configuration-0003.npy"}


def test_what_changes_no_result_may_change(tmp_path):
    SampleFolder(tmp_path, run(), (1,))
    SampleFolder(tmp_path, run(configurations=7, memory_mb=50.0, device="cpu"), (1,))


@pytest.mark.parametrize(
    ("other", "seed", "word"),
    [
        ({"vibration_angstrom": 0.1}, (1,), "settings"),
        ({"x": 3.1}, (1,), "atoms"),
        ({"slice_thickness_angstrom": 0.9}, (1,), "settings, grid, planes"),
        ({}, (1, 0), "seed"),
    ],
)
def test_another_simulation_is_named_by_what_differs(tmp_path, other, seed, word):
    SampleFolder(tmp_path, run(), (1,))
    with pytest.raises(WriteError, match=f"it differs in {word}: give another folder"):
        SampleFolder(tmp_path, run(**other), seed)


def test_a_folder_that_tells_nothing_is_refused(tmp_path):
    (tmp_path / DESCRIPTION).write_text("[]", "utf-8")
    with pytest.raises(WriteError, match="another simulation"):
        SampleFolder(tmp_path, run(), (1,))


def test_the_description_is_plain_and_complete():
    told = describe(run(), (561, 3, 1))
    assert json.loads(json.dumps(told)) == told
    assert told["seed"] == [561, 3, 1]
    assert told["settings"]["fidelity"] == "fine"
    assert len(told["atoms"]) == 64
    assert {axis["periodic"] for axis in told["places"]} == {False}
