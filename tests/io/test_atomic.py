import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from crewe.errors import WriteError
from crewe.io import atomic_path, read, write
from crewe.testing.phantoms import asymmetric_phantom


def test_the_file_appears_when_the_block_ends(tmp_path):
    final = tmp_path / "a.txt"
    with atomic_path(final) as temporary:
        temporary.write_text("done")
        assert not final.exists()
        assert temporary.parent == final.parent
        assert temporary.suffix == final.suffix
    assert final.read_text() == "done"
    assert list(tmp_path.iterdir()) == [final]


def test_an_error_leaves_everything_as_it_was(tmp_path):
    final = tmp_path / "a.txt"
    final.write_text("old")

    def fail():
        with atomic_path(final, overwrite=True) as temporary:
            temporary.write_text("half")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        fail()
    assert final.read_text() == "old"
    assert list(tmp_path.iterdir()) == [final]


@pytest.mark.parametrize("suffix", [".tif", ".hspy", ".zarr", ".npz"])
def test_overwriting_must_be_asked_for(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    write(path, asymmetric_phantom((7, 11)))
    with pytest.raises(WriteError, match="overwrite=True"):
        write(path, asymmetric_phantom((9, 13)))
    assert read(path).shape == (7, 11)
    write(path, asymmetric_phantom((9, 13)), overwrite=True)
    assert read(path).shape == (9, 13)
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(WriteError, match="does not exist"):
        write(tmp_path / "no" / "a.tif", asymmetric_phantom((7, 11)))


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="needs a user whom permissions bind"
)
def test_an_unwritable_folder_is_named(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(WriteError, match="no permission"):
            write(tmp_path / "a.tif", asymmetric_phantom((7, 11)))
    finally:
        tmp_path.chmod(0o700)


def test_a_full_disk_is_a_write_error(tmp_path):
    def fail():
        with atomic_path(tmp_path / "a.tif"):
            raise OSError(28, "No space left on device")

    with pytest.raises(WriteError, match="No space left"):
        fail()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL does not exist")
def test_a_killed_program_leaves_no_half_file(tmp_path):
    program = textwrap.dedent(
        """
        import sys, time
        from pathlib import Path
        from crewe.io import atomic_path
        with atomic_path(Path(sys.argv[1]) / "result.tif") as temporary:
            with temporary.open("wb") as handle:
                while True:
                    handle.write(b"x" * 4096)
                    handle.flush()
                    time.sleep(0.001)
        """
    )
    process = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)])
    try:
        deadline = time.monotonic() + 20
        while not any(file.stat().st_size for file in tmp_path.iterdir()):
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not (tmp_path / "result.tif").exists()
    assert all(file.name.startswith(".") for file in tmp_path.iterdir())
