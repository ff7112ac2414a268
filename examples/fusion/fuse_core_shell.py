"""Fuse noisy element maps with a HAADF image, and compare them with what is known to be true.

    python examples/fusion/fuse_core_shell.py [--picture fused.png]

The maps of this folder hold a few X-rays per pixel of a particle whose core is CoS and whose shell
is CoO (`make_core_shell.py`). They are fused with all settings left to the data, beside them each
map is smoothed by the Gaussian that is best for it, which takes the truth to know.
"""

import argparse
from pathlib import Path

import numpy as np
from make_core_shell import measurement
from scipy.ndimage import gaussian_filter

import crewe
from crewe.chemistry import atomic_fractions, repeated_error

FOLDER = Path(__file__).parent
ELEMENTS = ("Co", "S", "O")
WIDTHS_PX = np.geomspace(0.5, 8, 25)


def relative_error(maps, truth):
    """Length of the error over length of the truth, mean over elements."""
    off = np.linalg.norm(maps - truth, axis=(1, 2))
    return float(np.mean(off / np.linalg.norm(truth, axis=(1, 2))))


def best_gaussian(maps, truth):
    """Each map smoothed by the width that brings it nearest to the truth."""
    smoothed = [[gaussian_filter(plane, width) for width in WIDTHS_PX] for plane in maps]
    return np.stack(
        [
            min(every, key=lambda plane: np.linalg.norm(plane - true))
            for every, true in zip(smoothed, truth, strict=True)
        ]
    )


def main(arguments=None):
    """Fuse, say how far off each method is, and draw on request."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--picture", type=Path, help="PNG of the maps before and after")
    given = parser.parse_args(arguments)

    haadf = crewe.read(FOLDER / "haadf.tif")
    maps = {element: crewe.read(FOLDER / f"{element.lower()}.tif") for element in ELEMENTS}
    fused = crewe.fuse(haadf, maps)
    errors = repeated_error(fused, repeats=8, seed=0)

    truth = measurement().truth.values
    raw, ours = fused.raw.values.astype(float), fused.maps.values
    print(f"{raw.sum() / raw[0].size:.2f} X-rays per pixel; relative error of the maps:")
    print(f"  measured       {relative_error(raw, truth):.3f}")
    print(f"  best Gaussian  {relative_error(best_gaussian(raw, truth), truth):.3f}")
    print(f"  fused          {relative_error(ours, truth):.3f}  ({fused.prior})")
    here = truth > 0.05 * truth.max()
    ratio = np.sqrt(np.mean((ours - truth)[here] ** 2) / np.mean(errors.values[here] ** 2))
    print(f"error of the fused maps over their standard error: {ratio:.2f}")
    core = np.hypot(*(np.indices(haadf.shape) - 47.5)) < 15
    fractions = atomic_fractions(fused).values[:, core].mean(axis=1)
    actual = (truth / np.maximum(truth.sum(axis=0), 1e-9))[:, core].mean(axis=1)
    for element, found, true in zip(ELEMENTS, fractions, actual, strict=True):
        print(f"  {element} in the middle: {100 * found:.1f} %, in truth {100 * true:.1f} %")
    if given.picture is not None:
        from crewe.plots.fusion import maps_figure
        from crewe.plots.save import save_png

        save_png(maps_figure(haadf, fused.raw, fused.maps), given.picture, 200)


if __name__ == "__main__":
    main()
