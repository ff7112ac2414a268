"""Small 4D-STEM sets whose images are known, and plans for them."""

import numpy as np

from crewe.workflows.phase_plan import phase_plan

RADIUS = 6.0
CENTRE = (11.5, 12.0)
TICKS_PER_US = 3840


def phantom(rotation=0.0, mirrored=False, scan_shape=(30, 34), electrons=2000, seed=1):
    """Disks (24 × 26) shifted by the gradient of a few blobs, as a turned detector sees it."""
    rng = np.random.default_rng(seed)
    y, x = np.indices(scan_shape)
    shift = np.zeros((2, *scan_shape))
    for at_y, at_x in rng.uniform(4, 28, (14, 2)):
        bell = np.exp(-((y - at_y) ** 2 + (x - at_x) ** 2) / (2 * 1.8**2))
        shift -= 2.2 * np.stack([(y - at_y) * bell, (x - at_x) * bell]) / 1.8
    angle = np.deg2rad(rotation)
    # The inverse of what turns detector axes into scan axes.
    ky = shift[0] * np.cos(angle) + shift[1] * np.sin(angle)
    kx = -shift[0] * np.sin(angle) + shift[1] * np.cos(angle)
    ky = -ky if mirrored else ky
    rows, columns = np.mgrid[:24, :26]
    distance = np.hypot(
        rows - CENTRE[0] - ky[..., None, None], columns - CENTRE[1] - kx[..., None, None]
    )
    disks = np.clip(RADIUS + 0.5 - distance, 0, 1) + 0.01
    disks *= electrons / disks.sum((2, 3), keepdims=True)
    return rng.poisson(disks).astype(np.uint16)


def plan_of(data, **settings):
    given = {"rotation_degrees": 0.0, "threads": 1, "output": data.parent / "out", **settings}
    return phase_plan({"data": data, **given})


def as_electrons(patterns):
    """Time in ticks, counted from the first position at 1 µs each, and pixel of each electron."""
    rng, patterns = np.random.default_rng(5), patterns.astype(np.int64)
    rows, columns = patterns.shape[:2]
    positions = np.repeat(np.arange(rows * columns), patterns.sum((2, 3)).ravel())
    flat = patterns.reshape(rows * columns, -1)
    pixels = np.concatenate([np.repeat(np.arange(flat.shape[1]), one) for one in flat])
    ky, kx = np.divmod(pixels, patterns.shape[3])
    within = rng.integers(TICKS_PER_US // 10, TICKS_PER_US // 10 * 9, len(positions))
    times = positions * TICKS_PER_US + within
    order = np.argsort(times)
    return times[order], (256 * ky + kx)[order].astype(np.uint32)
