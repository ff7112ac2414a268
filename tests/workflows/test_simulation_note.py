import hashlib
import json

import pytest
from simulation_data import one_atom, plan

import crewe
from crewe.errors import ReadError
from crewe.workflows.simulation_note import file_facts, simulation_note, simulation_versions


def test_the_note_is_plain_and_names_files_by_their_contents(tmp_path):
    path = one_atom(tmp_path / "pt.xyz")
    note = simulation_note(plan(path), {"mean": 0.5, "seconds": 3.0})
    assert json.loads(json.dumps(note)) == note
    assert note["specimen_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert note["result"] == {"mean": 0.5}
    assert note["plan"]["specimen"] == "pt.xyz"
    assert "emulator_sha256" not in note


def test_an_emulator_is_named_by_its_contents_too(tmp_path):
    path = one_atom(tmp_path / "pt.xyz")
    model = tmp_path / "pt.emulator"
    model.write_bytes(b"something")
    found = file_facts(plan(path, model=str(model)))
    assert found["emulator_sha256"] == hashlib.sha256(b"something").hexdigest()
    model.unlink()
    with pytest.raises(ReadError, match="does not exist"):
        file_facts(plan(path, model=str(model)))


def test_versions_name_what_makes_the_numbers():
    found = simulation_versions()
    assert found["crewe"] == crewe.__version__
    assert {"numpy", "ase", "python"} <= set(found)
