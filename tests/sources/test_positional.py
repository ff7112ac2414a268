import threading

import numpy as np
import pytest

from crewe.errors import ReadError
from crewe.sources import positional
from crewe.sources.positional import PositionalFile


@pytest.fixture(params=["at a place", "by seeking"])
def file(request, tmp_path, monkeypatch):
    if request.param == "by seeking":
        monkeypatch.delattr(positional.os, "preadv", raising=False)
    (tmp_path / "a").write_bytes(np.arange(256, dtype=np.uint8).tobytes() * 64)
    opened = PositionalFile(tmp_path / "a")
    yield opened
    opened.close()


def test_threads_read_at_places_of_their_own(file):
    wrong = []

    def read(start):
        for offset in range(start, 16384 - 300, 611):
            if file.read(offset, 300) != bytes((offset + i) % 256 for i in range(300)):
                wrong.append(offset)

    threads = [threading.Thread(target=read, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert file.size() == 16384


def test_the_end_of_the_file_shortens_what_is_read(file):
    buffer = np.full(100, 7, np.uint8)
    assert file.read_into(buffer, 16384 - 3) == 3
    assert buffer[:4].tolist() == [253, 254, 255, 7]
    assert file.read(20_000, 5) == b""


def test_nothing_is_read_after_closing(file):
    file.close()
    file.close()
    with pytest.raises(ReadError, match="was closed"):
        file.read(0, 1)


def test_a_read_under_way_keeps_the_file_open(file, monkeypatch):
    inside, go_on = threading.Event(), threading.Event()
    fill = file._fill

    def slow(buffer, offset):
        inside.set()
        go_on.wait(5)
        return fill(buffer, offset)

    monkeypatch.setattr(file, "_fill", slow)
    got = []
    reader = threading.Thread(target=lambda: got.append(file.read(5, 2)))
    reader.start()
    inside.wait(5)
    file.close()
    go_on.set()
    reader.join()
    assert got == [bytes([5, 6])]
    assert file._file.closed


def test_what_cannot_be_opened_or_read(tmp_path):
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(ReadError, match="cannot be opened"):
            PositionalFile(path)
