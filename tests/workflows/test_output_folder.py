import pytest

from crewe.errors import WriteError
from crewe.workflows.output_folder import check_folder, make_folder, remove_files


def test_a_check_leaves_no_trace(tmp_path):
    check_folder(tmp_path / "not" / "yet")
    check_folder(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["file", "file/below", "file/below/deep"])
def test_a_file_in_the_way_is_told(tmp_path, place):
    (tmp_path / "file").write_text("")
    for verb in (check_folder, make_folder):
        with pytest.raises(WriteError, match="-o"):
            verb(tmp_path / place)


def test_a_system_that_refuses_is_told(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    with pytest.raises(WriteError, match="Permission denied; choose another"):
        check_folder(tmp_path)


def test_only_files_and_stores_are_removed(tmp_path):
    kept = tmp_path / "a_trust.tif"
    store = tmp_path / "a.zarr" / "inner"
    for folder in (kept, store):
        make_folder(folder)
    (tmp_path / "a.npy").write_text("")
    remove_files([kept, store.parent, tmp_path / "a.npy", tmp_path / "absent"])
    assert list(tmp_path.iterdir()) == [kept]
