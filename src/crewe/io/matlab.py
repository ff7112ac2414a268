"""MATLAB files: StatSTEM's input and any other numeric matrix."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crewe.axes import calibrated_image
from crewe.errors import ReadError

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr


def open_matlab(path: Path) -> list[xr.DataArray]:
    """Open the matrices of a .mat file of version 5 to 7.2, StatSTEM's image first."""
    from crewe.io.matlab5 import read_variables

    return _images(path, dict(_matrices(read_variables(path.read_bytes()), "")))


def open_matlab73(path: Path) -> list[xr.DataArray]:
    """Open the matrices of a .mat file of version 7.3, which is HDF5 with axes reversed."""
    import h5py
    import numpy as np

    from crewe.io.guard import DEFLATE_RATIO, check_claim

    matrices: dict[str, np.ndarray] = {}

    def visit(name: str, node: Any) -> None:
        numeric = isinstance(node, h5py.Dataset) and node.dtype.kind in "biufc"
        if numeric and not name.startswith("#refs#") and node.ndim == 2:
            check_claim(path, node.nbytes, DEFLATE_RATIO)
            matrices[name.replace("/", ".")] = np.asarray(node[()]).T

    with h5py.File(path, "r") as file:
        file.visititems(visit)
    return _images(path, {name: np.squeeze(matrix) for name, matrix in matrices.items()})


def _matrices(fields: dict[str, Any], prefix: str) -> Iterator[tuple[str, np.ndarray]]:
    """Walk structs and list what is numeric, scalars included."""
    for name, value in fields.items():
        if isinstance(value, dict):
            yield from _matrices(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value.squeeze()


def _images(path: Path, matrices: dict[str, np.ndarray]) -> list[xr.DataArray]:
    """Make images of the matrices; those of the size of `input.obs` share its pixel size."""
    import numpy as np

    observed = matrices.get("input.obs")
    pixel = float(np.ravel(matrices.get("input.dx", np.array(0.0)))[:1].sum())
    images = []
    for name, matrix in matrices.items():
        if matrix.ndim != 2 or min(matrix.shape) < 2:
            continue
        same_grid = observed is not None and matrix.shape == observed.shape
        calibrated = same_grid and np.isfinite(pixel) and pixel > 0
        unit = "Å" if calibrated else "px"
        images.append(calibrated_image(matrix, pixel if calibrated else 1.0, unit, name=name))
    if not images:
        raise ReadError(f"{path.name}: this MATLAB file holds no numeric matrix")
    return sorted(images, key=lambda image: image.name != "input.obs")
