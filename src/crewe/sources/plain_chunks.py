"""Uncompressed zarr chunks, read as the plain files that they are."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import ReadError


class PlainChunks:
    """A zarr v3 array in a local folder whose chunks hold whole patterns and nothing is compressed.

    Each chunk is one read into place, several times as fast as through zarr and by many threads at
    once. A chunk that was never written holds zeros; one of another size raises ReadError.
    """

    def __init__(self, array: Any) -> None:
        self.shape = tuple(int(size) for size in array.shape)
        self.ndim, self.chunks = len(self.shape), tuple(int(size) for size in array.chunks)
        self.dtype = stored_type(array)
        self.attrs, self.metadata = array.attrs, array.metadata
        self._folder = Path(array.store.root) / array.path
        self._array = array

    def __getitem__(self, region: tuple[slice, ...]) -> NDArray[Any]:
        """Read a range of positions; whole chunks where the range ends with them."""
        scan, chunks = self.shape[:-2], self.chunks[:-2]
        parts = [slice(*part.indices(size)) for part, size in zip(region, scan, strict=False)]
        whole = len(region) == len(scan) and all(
            part.start % chunk == 0 and (part.stop % chunk == 0 or part.stop == size)
            for part, chunk, size in zip(parts, chunks, scan, strict=True)
        )
        if not whole:
            return np.asarray(self._array[tuple(region)])
        counts = [
            range(part.start // chunk, -(-part.stop // chunk))
            for part, chunk in zip(parts, chunks, strict=True)
        ]
        shape = [len(count) * chunk for count, chunk in zip(counts, chunks, strict=True)]
        block = np.empty((*shape, *self.shape[-2:]), self.dtype)
        for place in product(*counts):
            at = [index - count.start for index, count in zip(place, counts, strict=True)]
            self._read_into(block, at, place)
        return block[tuple(slice(part.stop - part.start) for part in parts)]

    def _read_into(self, block: NDArray[Any], at: list[int], place: tuple[int, ...]) -> None:
        chunks = self.chunks[:-2]
        inside = block[
            tuple(slice(one * size, (one + 1) * size) for one, size in zip(at, chunks, strict=True))
        ]
        file = self._folder / self.metadata.encode_chunk_key((*place, 0, 0))
        chunk = inside if inside.flags.c_contiguous else np.empty(inside.shape, self.dtype)
        try:
            with file.open("rb", buffering=0) as opened:
                # One byte more would be one too many.
                read = _filled(opened, chunk.view(np.uint8).reshape(-1).data)
                complete = read == chunk.nbytes and not opened.read(1)
        except FileNotFoundError:
            chunk[...], complete = 0, True
        if not complete:
            raise ReadError(f"{file}: a chunk of {chunk.nbytes:,} bytes was cut off or has grown")
        if chunk is not inside:
            inside[...] = chunk


def _filled(opened: Any, buffer: memoryview) -> int:
    done = 0
    while done < len(buffer) and (read := opened.readinto(buffer[done:])):
        done += read
    return done


def stored_type(array: Any) -> np.dtype[Any]:
    """Return the type as stored: the byte order of the chunks is that of their codec."""
    endian = getattr(getattr(array.serializer, "endian", None), "value", None)
    order = {"little": "<", "big": ">"}.get(str(endian), "=")
    return np.dtype(array.dtype).newbyteorder(order)


def is_plain(array: Any) -> bool:
    """Say whether a zarr array can be read so."""
    import zarr

    return (
        isinstance(array, zarr.Array)
        and array.metadata.zarr_format == 3
        and array.ndim in (3, 4)
        and isinstance(array.store, zarr.storage.LocalStore)
        and not array.compressors
        and not array.filters
        and array.shards is None
        and type(array.serializer).__name__ == "BytesCodec"
        and array.chunks[-2:] == array.shape[-2:]
        and not array.fill_value
        and array.dtype.kind in "biuf"
    )
