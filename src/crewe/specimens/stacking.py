"""Layers of one periodic block laid on one another, no two alike."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.random import Generator

from crewe.specimens.cloud import Array, Box


def stack_layers(
    block: Array, periods: Box, box: Box, layers: int, gap: float, rng: Generator
) -> Array:
    """Cover a box with layers of a block, each turned and shifted at random.

    `block` (n, 3) is periodic in a square cell with `periods` x = y and z; each layer is one
    period high and cut from it at a random height, upright or mirrored. Returns positions (m, 3).
    """
    # Room for the exact number is not known beforehand: the blocks that the rim cuts make it vary.
    blocks = box[0] * box[1] / periods[0] ** 2
    rim = (box[0] + box[1]) / periods[0] + 1
    room = int(len(block) * (blocks + 4 * rim)) + 16
    out, count = np.empty((layers * room, 3)), 0
    for layer in range(layers):
        angle, shift_z = rng.uniform(0, 2 * np.pi), rng.uniform(0, periods[2])
        shift = rng.uniform(0, periods[0], 2)
        mirror = -1.0 if rng.random() < 0.5 else 1.0
        bottom = layer * (periods[2] + gap)
        count += _cover(
            block, periods[0], periods[2], angle, shift, shift_z, mirror, bottom, box, out[count:]
        )
    return out[:count]


@njit(cache=True, nogil=True)
def _cover(
    block: Array,
    period: float,
    height: float,
    angle: float,
    shift: Array,
    shift_z: float,
    mirror: float,
    bottom: float,
    box: Box,
    out: Array,
) -> int:
    """Write one layer's atoms inside the box; their number."""
    c, s = np.cos(angle), np.sin(angle)
    width, depth, per_period, per_height = box[0], box[1], 1 / period, 1 / height
    # Steps along the block's columns; a slope of zero is replaced by one too small to matter.
    step_x, step_y = -s * period, c * period
    per_x = 1 / step_x if abs(step_x) > 1e-9 else 1e9
    per_y = 1 / step_y if abs(step_y) > 1e-9 else 1e9
    low = min(0.0, width * c, depth * s, width * c + depth * s)
    high = max(0.0, width * c, depth * s, width * c + depth * s)
    count = 0
    for n in range(len(block)):
        u, v = block[n, 0] + shift[0], block[n, 1] + shift[1]
        z = mirror * block[n, 2] + shift_z
        z = bottom + z - height * np.floor(z * per_height)
        if z >= box[2]:
            continue
        first = int(np.ceil((low - u) * per_period))
        for i in range(first, int(np.floor((high - u) * per_period)) + 1):
            x0, y0 = c * (u + i * period) - s * v, s * (u + i * period) + c * v
            t0, t1 = -x0 * per_x, (width - x0) * per_x
            t2, t3 = -y0 * per_y, (depth - y0) * per_y
            begin = int(np.ceil(max(min(t0, t1), min(t2, t3)) - 1e-9))
            end = int(np.floor(min(max(t0, t1), max(t2, t3)) + 1e-9))
            for j in range(begin, end + 1):
                x, y = x0 + j * step_x, y0 + j * step_y
                if x >= 0.0 and x < width and y >= 0.0 and y < depth:
                    out[count, 0], out[count, 1], out[count, 2] = x, y, z
                    count += 1
    return count
