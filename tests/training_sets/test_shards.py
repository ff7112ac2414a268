import numpy as np
import pytest
import zarr

from crewe.errors import ReadError
from crewe.training_sets.codecs import compressed, zarr_codec
from crewe.training_sets.shards import crc32c, read_chunk, shard


def test_crc32c_of_the_standards_examples():
    # RFC 3720, appendix B.4.
    assert crc32c(b"\x00" * 32) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_a_shard_is_byte_for_byte_what_zarr_writes(tmp_path, dtype):
    values = np.random.default_rng(1).integers(1, 200, (4, 9, 7)).astype(dtype)
    array = zarr.create_array(
        tmp_path / "a.zarr",
        shape=values.shape,
        chunks=(1, 9, 7),
        shards=(4, 9, 7),
        dtype=dtype,
        compressors=[zarr_codec(dtype)],
    )
    array[:] = values
    ours = shard([compressed(value) for value in values], 4)
    theirs = (tmp_path / "a.zarr" / "c" / "0" / "0" / "0").read_bytes()
    assert ours == theirs
    (tmp_path / "a.zarr" / "c" / "0" / "0" / "0").write_bytes(ours)
    np.testing.assert_array_equal(array[:], values)


def test_each_chunk_is_found_and_missing_ones_are_named(tmp_path):
    path = tmp_path / "shard"
    chunks = [b"first", b"", b"third"]
    path.write_bytes(shard(chunks, 5))
    assert [read_chunk(path, slot, 5) for slot in range(3)] == chunks
    with pytest.raises(ReadError, match="never written"):
        read_chunk(path, 3, 5)


def test_every_cut_and_every_changed_byte_of_the_index_is_noticed(tmp_path):
    path = tmp_path / "shard"
    whole = shard([b"abc", b"defg"], 2)
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ReadError, match="damaged"):
            read_chunk(path, 0, 2)
    for place in range(7, len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 0x10
        path.write_bytes(changed)
        with pytest.raises(ReadError, match="damaged"):
            read_chunk(path, 0, 2)
    with pytest.raises(ReadError, match="cannot be read"):
        read_chunk(tmp_path / "none", 0, 2)
