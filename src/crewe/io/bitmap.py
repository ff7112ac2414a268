"""PNG and JPEG pictures: grey ones are images, coloured ones are not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from crewe.axes import Axis, calibrated_array
from crewe.errors import ReadError

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

LARGEST_PIXELS = 2**28


def open_bitmap(path: Path) -> list[xr.DataArray]:
    """Open a picture as one uncalibrated array, (y, x) when grey and (y, x, channel) otherwise.

    8- and 16-bit counts stay as they are; an opacity channel is dropped.
    """
    import numpy as np
    from PIL import Image

    with Image.open(path, formats=("PNG", "JPEG")) as picture:
        if picture.width * picture.height > LARGEST_PIXELS:
            raise ReadError(f"{path.name}: claims {picture.width} × {picture.height} px: damaged")
        if picture.mode in ("P", "LA", "PA", "CMYK", "YCbCr", "1"):
            grey = picture.mode in ("LA", "1")
            data = np.asarray(picture.convert("L" if grey else "RGB"))
        else:
            data = np.asarray(picture)
        text = {key: value for key, value in picture.info.items() if isinstance(value, str)}
    if data.ndim == 3:
        data = data[..., :3]
    axes = [Axis(name) for name in ("y", "x", "channel")[: data.ndim]]
    return [calibrated_array(data, axes, name=None, attrs={"metadata": text} if text else {})]


def grey_image(data: np.ndarray) -> np.ndarray | None:
    """Return the one channel of a picture whose channels are all equal, else None."""
    import numpy as np

    first = data[..., 0]
    same = all(np.array_equal(first, data[..., i]) for i in range(1, data.shape[-1]))
    return first if same else None
