import pytest

from crewe.errors import PlanError, ReadError
from crewe.workflows.observer import Recorder
from crewe.workflows.repeat_request import (
    Request,
    entry_of,
    find_beside,
    input_of,
    noted_path,
    read_note,
    tell_versions,
)


@pytest.fixture
def note(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "phase.yaml"


@pytest.mark.parametrize("text", ["", "[1, 2]", "a: [", "\x00", "just words"])
def test_damaged_notes(text, note):
    note.write_text(text)
    with pytest.raises(PlanError, match=r"phase.yaml is damaged"):
        read_note(note)


def test_notes_that_cannot_be_read(note):
    note.write_bytes(b"\xff\xfe\xfa")
    for path in (note, note.with_name("gone.yaml")):
        with pytest.raises(PlanError, match="cannot be read"):
            read_note(path)


def test_entries_of_a_wrong_kind_are_named(note):
    assert entry_of({"plan": {"kernel": 3}}, "plan", dict, note) == {"kernel": 3}
    for damaged in ({}, {"plan": None}, {"plan": [1]}):
        with pytest.raises(PlanError, match="says no 'plan'"):
            entry_of(damaged, "plan", dict, note)


def test_noted_paths_are_words_or_nothing():
    assert noted_path({"paths": {"data": "../a.mib"}}, "data") == "../a.mib"
    for older in ({}, {"paths": None}, {"paths": {}}, {"paths": {"data": 3}}):
        assert noted_path(older, "data") is None


def test_the_noted_place_goes_before_those_around_the_note(note, tmp_path):
    (tmp_path / "far").mkdir()
    for folder in (tmp_path, note.parent, tmp_path / "far"):
        (folder / "a.mib").touch()
    assert find_beside(note, "a.mib", "../far/a.mib", "") == tmp_path / "far" / "a.mib"
    assert find_beside(note, "a.mib", "../gone/a.mib", "") == note.parent / "a.mib"
    (note.parent / "a.mib").unlink()
    assert find_beside(note, "a.mib", None, "") == tmp_path / "a.mib"


def test_an_input_that_is_nowhere(note, tmp_path):
    with pytest.raises(ReadError, match=r"looked for .*far.*with --image") as caught:
        input_of(Request(note), "a.mib", "../far/a.mib")
    assert str(caught.value).count("a.mib") == 4
    (tmp_path / "a.mib").touch()
    with pytest.raises(ReadError, match=r"b.mib is not there: say where a.mib is"):
        input_of(Request(note, image=tmp_path / "b.mib"), "a.mib", None)


def test_only_other_versions_are_told():
    heard = Recorder()
    tell_versions({"numpy": "1.0", "scipy": "1.2"}, {"numpy": "2.0", "scipy": "1.2"}, heard)
    tell_versions({}, {"numpy": "2.0"}, heard)
    tell_versions("damaged", {"numpy": "2.0"}, heard)
    assert heard.heard == [("warning", "numpy 2.0 is in use; the result was made with 1.0")]
