import hashlib

import numpy as np
import pytest

from crewe.errors import ReadError
from crewe.workflows.fingerprint import END_BYTES, fingerprint


def test_small_files_are_known_by_every_byte(tmp_path):
    path = tmp_path / "a.bin"
    seen = set()
    for text in (b"abc", b"abd", b"abcd"):
        path.write_bytes(text)
        found = fingerprint(path)
        assert found["bytes"] == len(text)
        seen.add(found["sha256_of_ends"])
    assert len(seen) == 3
    expected = hashlib.sha256(b". 4\nabcd").hexdigest()
    assert found["sha256_of_ends"] == expected


def test_large_files_by_size_and_ends(tmp_path):
    data = np.zeros(2 * END_BYTES + 5, np.uint8)

    def print_of(place, value=1):
        changed = data.copy()
        if place is not None:
            changed[place] = value
        (tmp_path / "a").write_bytes(changed.tobytes())
        return fingerprint(tmp_path / "a")

    same = print_of(None)
    assert print_of(0) != same
    assert print_of(-1) != same
    assert print_of(END_BYTES + 2) == same


def test_folders_by_their_files(tmp_path):
    folder = tmp_path / "a.zarr"
    (folder / "c").mkdir(parents=True)
    (folder / "zarr.json").write_text("{}")
    (folder / "c" / "0").write_bytes(b"12")
    first = fingerprint(folder)
    assert first["bytes"] == 4
    (folder / "c" / "1").write_bytes(b"34")
    assert fingerprint(folder) != first
    with pytest.raises(ReadError, match="cannot be read"):
        fingerprint(tmp_path / "gone")
