import pytest

from crewe.errors import WriteError
from crewe.workflows.result_folder import FILES, new_folder


def test_a_folder_appears_whole(tmp_path):
    with new_folder(tmp_path / "deep" / "out") as folder:
        (folder / "columns.csv").write_text("x")
        assert not (tmp_path / "deep" / "out").exists()
    assert (tmp_path / "deep" / "out" / "columns.csv").read_text() == "x"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_a_failure_leaves_what_was_there(tmp_path, failure):
    output = tmp_path / "out"
    with new_folder(output) as folder:
        (folder / "columns.csv").write_text("first")
    with pytest.raises(failure):
        _write_half(output, failure)
    assert (output / "columns.csv").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def _write_half(output, failure):
    with new_folder(output, overwrite=True) as folder:
        (folder / "columns.csv").write_text("second")
        raise failure


def test_overwrite_replaces_the_whole_result(tmp_path):
    output = tmp_path / "out"
    for name in ("columns.csv", "figure.png"):
        with new_folder(output, overwrite=True) as folder:
            (folder / name).write_text("")
    assert [path.name for path in output.iterdir()] == ["figure.png"]


def test_results_are_kept_and_empty_folders_are_taken(tmp_path):
    output = tmp_path / "out"
    output.mkdir()
    with new_folder(output) as folder:
        (folder / next(iter(FILES))).write_text("")
    with pytest.raises(WriteError, match="--overwrite"), new_folder(output):
        pass
