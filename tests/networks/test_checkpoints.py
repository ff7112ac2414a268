import pickle

import pytest

from crewe.errors import ReadError, WriteError

torch = pytest.importorskip("torch")

from crewe.networks.checkpoints import read_checkpoint, write_checkpoint  # noqa: E402


class Evil:
    """Says so when somebody runs it."""

    def __reduce__(self):
        return print, ("ran",)


@pytest.fixture
def contents():
    weight = torch.arange(6, dtype=torch.float32).reshape(2, 3) / 7
    return {"step": 12, "best": {"psnr_db": 31.25}, "weights": {"a": weight}, "plan": "name: µ"}


def test_what_is_written_is_read(tmp_path, contents):
    write_checkpoint(tmp_path / "a.pt", contents)
    found = read_checkpoint(tmp_path / "a.pt")
    assert torch.equal(found["weights"]["a"], contents["weights"]["a"])
    assert (found["step"], found["best"], found["plan"]) == (12, {"psnr_db": 31.25}, "name: µ")
    write_checkpoint(tmp_path / "a.pt", {**contents, "step": 13})
    assert read_checkpoint(tmp_path / "a.pt")["step"] == 13
    assert [path.name for path in tmp_path.iterdir()] == ["a.pt"]


def test_a_write_that_fails_keeps_the_checkpoint_before_it(tmp_path, contents):
    write_checkpoint(tmp_path / "a.pt", contents)
    with pytest.raises(TypeError):
        write_checkpoint(tmp_path / "a.pt", {"step": (one for one in [1])})
    assert read_checkpoint(tmp_path / "a.pt")["step"] == 12
    assert [path.name for path in tmp_path.iterdir()] == ["a.pt"]
    with pytest.raises(WriteError, match="does not exist"):
        write_checkpoint(tmp_path / "none" / "a.pt", contents)


def test_code_in_a_checkpoint_is_not_run(tmp_path, capsys):
    torch.save({"step": Evil()}, tmp_path / "a.pt")
    (tmp_path / "b.pt").write_bytes(pickle.dumps(Evil()))
    for name in ("a.pt", "b.pt"):
        with pytest.raises(ReadError, match="cannot be read as a checkpoint"):
            read_checkpoint(tmp_path / name)
    assert "ran" not in capsys.readouterr().out


@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.99])
def test_a_damaged_file_is_told(tmp_path, contents, keep):
    path = tmp_path / "a.pt"
    write_checkpoint(path, contents)
    whole = path.read_bytes()
    path.write_bytes(whole[: keep if isinstance(keep, int) else int(keep * len(whole))])
    with pytest.raises(ReadError, match=r"a\.pt cannot be read as a checkpoint"):
        read_checkpoint(path)


def test_other_files_are_no_checkpoints(tmp_path, contents):
    with pytest.raises(ReadError, match="does not exist"):
        read_checkpoint(tmp_path / "a.pt")
    torch.save({"weights": 1}, tmp_path / "b.pt")
    with pytest.raises(ReadError, match="is no training checkpoint"):
        read_checkpoint(tmp_path / "b.pt")
    write_checkpoint(tmp_path / "c.pt", {**contents, "format_version": 9})
    with pytest.raises(ReadError, match="use a newer crewe"):
        read_checkpoint(tmp_path / "c.pt")
