"""One small measurement, as frames, in pieces, shuffled, and as single electrons."""

import numpy as np

from crewe.sources import Events, Frames


def counts(scan_shape=(5, 7), detector_shape=(8, 10), mean=0.3, seed=1):
    """Patterns (rows, columns, ky, kx) of Poisson counts, some of them empty."""
    drawn = np.random.default_rng(seed).poisson(mean, (*scan_shape, *detector_shape))
    return drawn.astype(np.uint16)


def as_frames(patterns, size=4, scan=0):
    flat = patterns.reshape(-1, *patterns.shape[2:])
    return [
        Frames(np.arange(at, min(at + size, len(flat))), flat[at : at + size], scan)
        for at in range(0, len(flat), size)
    ]


def stored_upside_down(patterns):
    """Frames whose memory holds the last row first, as files of some detectors do."""
    stored = np.ascontiguousarray(patterns[:, :, ::-1])[:, :, ::-1]
    return as_frames(stored)


def as_events(patterns, size=50, scan=0):
    flat = patterns.reshape(-1, patterns.shape[2] * patterns.shape[3])
    position, pixel = np.nonzero(flat)
    times = flat[position, pixel]
    position, pixel = np.repeat(position, times), np.repeat(pixel, times).astype(np.uint32)
    shape = patterns.shape[2:]
    batches = [
        Events(position[at : at + size], pixel[at : at + size], shape, scan, int(position[at]))
        for at in range(0, len(position), size)
    ]
    end = Events(np.zeros(0, np.int64), np.zeros(0, np.uint32), shape, scan, len(flat))
    return [*batches, end]


def shuffled(batches, seed=3):
    order = np.random.default_rng(seed).permutation(len(batches))
    return [batches[index] for index in order]
