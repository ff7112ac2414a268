"""Moments made from given shifts, and phases whose gradient is known."""

import numpy as np

from crewe.stem4d.moments import MeasuredMoments, Moments

DETECTOR = (16, 12)
CENTRE = np.array([7.5, 5.5])


def moments_of(shift, counts=100.0, detector_shape=DETECTOR):
    """Moments whose centres of mass lie `shift` (2, rows, columns) from the detector's centre."""
    moments = Moments(shift.shape[1:], detector_shape)
    for batch in batches_of(shift, counts, detector_shape):
        moments.add(batch)
    return moments


def batches_of(shift, counts=100.0, detector_shape=DETECTOR, size=None, scan=0):
    """What Moments.measure would return, `size` positions at a time; all at once if None."""
    counts = np.broadcast_to(counts, shift.shape[1:]).ravel()
    centre = (np.array(detector_shape) - 1) / 2
    first = counts * (shift.reshape(2, -1) + centre[:, None])
    values = np.stack([counts, *first], axis=1)
    size = size or len(values)
    return [
        MeasuredMoments(np.arange(at, min(at + size, len(values))), values[at : at + size], scan, 0)
        for at in range(0, len(values), size)
    ]


def gaussian_phase(shape, step, centre, width, height=1.0):
    """A Gaussian phase (rows, columns) in rad and its gradient/2π (2, …): the shift in 1/Å."""
    y, x = (np.arange(n) * s - c for n, s, c in zip(shape, step, centre, strict=True))
    phase = height * np.exp(-(y[:, None] ** 2 + x**2) / (2 * width**2))
    gradient = np.stack([-y[:, None] / width**2 * phase, -x / width**2 * phase])
    return phase, gradient / (2 * np.pi)


def detector_axes(shift, rotation_degrees, mirrored):
    """Shifts (y, x) along scan axes as the detector sees them, (ky, kx): the inverse of com.py."""
    angle = np.radians(rotation_degrees)
    # The scan axis x, turned anticlockwise as displayed (y points down), lies along kx.
    kx = shift[1] * np.cos(angle) - shift[0] * np.sin(angle)
    ky = shift[1] * np.sin(angle) + shift[0] * np.cos(angle)
    return np.stack([-ky if mirrored else ky, kx])
