"""Filters images with BM3D as its authors publish it; runs in an environment of its own.

    python bm3d_images.py EVENED.npz FOLDER [COUNT]

EVENED.npz holds `images` (n, y, x) whose noise is even and `noise_powers`, the expected power
|fft2|²/pixels of the noise of each. FOLDER gets 000.npy and so on, those that are there already
are left alone.
"""

import sys
from pathlib import Path

import numpy as np

# bm4d 4.2.5, which does the work, still calls it by the name that numpy 2.4 dropped.
vars(np)["trapz"] = np.trapezoid

import bm3d  # noqa: E402


def main(evened_path, folder, count=None):
    with np.load(evened_path) as stored:
        images, powers = stored["images"], stored["noise_powers"]
    Path(folder).mkdir(parents=True, exist_ok=True)
    for index in range(int(count) if count else len(images)):
        path = Path(folder) / f"{index:03d}.npy"
        if path.exists():
            continue
        image = images[index].astype(np.float64)
        keep(path, bm3d.bm3d(image, image.size * powers[index].astype(np.float64)))


def keep(path, image):
    """Write in one step, so that a killed run leaves no half of a file."""
    unfinished = path.with_suffix(".unfinished.npy")
    np.save(unfinished, np.ascontiguousarray(image, np.float32))
    unfinished.replace(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
