import pytest

from crewe.errors import WriteError
from crewe.sources.timepix3.record import Record


def test_a_record_has_its_name_only_when_it_is_whole(tmp_path):
    path = tmp_path / "a.tpx3"
    record = Record(path)
    record.write(memoryview(b"some"))
    assert not path.exists()
    record.write(memoryview(b" bytes"))
    record.close()
    record.close()
    record.write(memoryview(b"late"))
    assert path.read_bytes() == b"some bytes"
    assert list(tmp_path.iterdir()) == [path]


def test_a_record_that_cannot_be_written_says_so(tmp_path):
    with pytest.raises(WriteError, match="cannot be written"):
        Record(tmp_path / "none" / "a.tpx3")
