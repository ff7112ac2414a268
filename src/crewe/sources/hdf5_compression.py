"""Pixels that only a plug-in of HDF5 can unpack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crewe.errors import ReadError


def check_compression(data: Any, path: Path) -> None:
    """Refuse pixels compressed by a plug-in that is not installed, before any is read."""
    import h5py

    if not isinstance(data, h5py.Dataset):
        return
    settings = data.id.get_create_plist()
    filters = [settings.get_filter(place) for place in range(settings.get_nfilters())]
    for number, *_, title in filters:
        if not h5py.h5z.filter_avail(number) and not _plugin_brings(number):
            kind = title.split(b";")[0].decode("ascii", "replace") or f"filter {number}"
            raise ReadError(
                f"{path.name}: {data.name} is compressed by {kind}, which h5py does not know: "
                "install hdf5plugin"
            )


def _plugin_brings(number: int) -> bool:
    import h5py

    try:
        import hdf5plugin  # type: ignore[import-not-found] # noqa: F401
    except ImportError:
        return False
    return bool(h5py.h5z.filter_avail(number))
