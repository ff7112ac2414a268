"""Small files of a core and its shell, as `crewe fuse` takes them."""

import numpy as np

from crewe import io
from crewe.axes import Axis, calibrated_array
from crewe.testing.core_shell import core_shell, measure

ELEMENTS = ("Co", "S", "O")
QUICK = {"prior": "composition", "strength": 3.0, "gamma": 1.7, "guide_smoothing_px": 0.5}
"""Settings that leave nothing to choose."""


def measured(pixels=48, seed=0, snr=4.0):
    """One measurement with counts as their unit."""
    made = measure(core_shell(pixels=pixels), 20, snr, np.random.default_rng(seed))
    for array in (made.maps, made.truth):
        array.attrs["units"] = "counts"
    return made


def write_field(folder, made, suffix="tif"):
    """Write HAADF and maps of one measurement; the settings of a plan that names them."""
    folder.mkdir(parents=True, exist_ok=True)
    haadf = folder / f"haadf.{suffix}"
    io.write(haadf, made.haadf.astype(np.float32), overwrite=True)
    maps = {}
    for element in ELEMENTS:
        maps[element] = folder / f"map_{element}.{suffix}"
        one = made.maps.sel(element=element, drop=True).astype(np.uint16)
        io.write(maps[element], one, overwrite=True)
    return {"haadf": haadf, "maps": maps, "output": folder / "fused"}


def stack_of(images):
    """Put images (y, x) of one grid after each other, (z, y, x)."""
    step = float(images[0]["x"][1] - images[0]["x"][0])
    axes = (Axis("z", 1.0, 0.0, None), Axis("y", step, 0, "Å"), Axis("x", step, 0, "Å"))
    values = np.stack([image.values for image in images])
    return calibrated_array(values, axes, attrs=dict(images[0].attrs))


def write_stack(folder, fields):
    """Write HAADF and maps of several measurements as stacks; the settings of a plan."""
    folder.mkdir(parents=True, exist_ok=True)
    haadf = stack_of([field.haadf.astype(np.float32) for field in fields])
    io.write(folder / "haadf.tif", haadf, overwrite=True)
    maps = {}
    for element in ELEMENTS:
        maps[element] = folder / f"map_{element}.tif"
        planes = [field.maps.sel(element=element, drop=True) for field in fields]
        io.write(maps[element], stack_of(planes).astype(np.uint16), overwrite=True)
    return {"haadf": folder / "haadf.tif", "maps": maps, "output": folder / "fused"}
