import numpy as np
import pytest
import zarr

from crewe.errors import ReadError
from crewe.sources.array_file import open_array_file
from crewe.sources.plain_chunks import PlainChunks, is_plain

SHAPE = (7, 10, 6, 5)


@pytest.fixture
def patterns():
    return np.random.default_rng(0).integers(1, 2**12, SHAPE, dtype=np.uint16)


def stored(folder, patterns, chunks=(2, 3, 6, 5), **more):
    settings = {"compressors": None, "zarr_format": 3, **more}
    return zarr.create_array(folder / "a.zarr", data=patterns, chunks=chunks, **settings)


@pytest.mark.parametrize("chunks", [(1, 1, 6, 5), (1, 4, 6, 5), (2, 3, 6, 5), (7, 10, 6, 5)])
def test_regions_are_those_of_zarr(chunks, patterns, tmp_path):
    plain = PlainChunks(stored(tmp_path, patterns, chunks))
    high, wide = chunks[:2]
    for rows in (slice(0, high), slice(0, 7), slice(high * (6 // high), 7), slice(1, 5)):
        for columns in (slice(0, wide), slice(0, 10), slice(wide * (9 // wide), 10), slice(2, 7)):
            np.testing.assert_array_equal(plain[rows, columns], patterns[rows, columns])


def test_byte_orders_and_stacks(patterns, tmp_path):
    big = stored(tmp_path, patterns, serializer=zarr.codecs.BytesCodec(endian="big"))
    plain = PlainChunks(big)
    assert plain.dtype == ">u2"
    np.testing.assert_array_equal(plain[0:7, 0:10], patterns)
    stack = PlainChunks(
        zarr.create_array(tmp_path / "b.zarr", data=patterns[0], chunks=(4, 6, 5), compressors=None)
    )
    np.testing.assert_array_equal(stack[(slice(4, 10),)], patterns[0, 4:])


def test_chunks_that_were_never_written_are_zero(patterns, tmp_path):
    stored(tmp_path, patterns)
    (tmp_path / "a.zarr" / "c/0/1/0/0").unlink()
    source = open_array_file(tmp_path / "a.zarr")
    counts = np.zeros(source.scan.size)
    for batch in source.batches():
        counts[batch.positions] = batch.patterns.sum((1, 2))
    patterns[:2, 3:6] = 0
    np.testing.assert_array_equal(counts, patterns.sum((2, 3)).ravel())


@pytest.mark.parametrize("change", [lambda data: data[:-7], lambda data: data + b"x"])
def test_chunks_of_another_size_are_refused(change, patterns, tmp_path):
    stored(tmp_path, patterns)
    chunk = tmp_path / "a.zarr" / "c/1/0/0/0"
    chunk.write_bytes(change(chunk.read_bytes()))
    with pytest.raises(ReadError, match="cut off or has grown"):
        list(open_array_file(tmp_path / "a.zarr").batches())


@pytest.mark.parametrize(
    "settings",
    [
        {"compressors": "auto"},
        {"zarr_format": 2},
        {"chunks": (2, 3, 3, 5)},
        {"shards": (4, 6, 6, 5)},
        {"fill_value": 3},
    ],
)
def test_others_are_left_to_zarr(settings, patterns, tmp_path):
    array = stored(tmp_path, patterns, **settings)
    assert not is_plain(array)
    with open_array_file(tmp_path / "a.zarr") as source:
        total = sum(int(batch.patterns.sum()) for batch in source.batches())
    assert total == patterns.sum()


def test_what_a_recording_did_not_measure_is_left_out(patterns, tmp_path):
    group = zarr.create_group(tmp_path / "live.zarr")
    measured = np.random.default_rng(1).random(SHAPE[:2]) > 0.5
    for number in (0, 1):
        settings = {"data": patterns + number, "chunks": (2, 3, 6, 5), "compressors": None}
        group.create_array(f"scan_{number}", **settings)
        group.create_array(f"measured_{number}", data=measured ^ bool(number))
    for number in (0, 1):
        source = open_array_file(tmp_path / "live.zarr", dataset=f"scan_{number}")
        positions = np.concatenate([batch.positions for batch in source.batches()])
        expected = np.flatnonzero(measured ^ bool(number))
        assert sorted(positions.tolist()) == expected.tolist()
