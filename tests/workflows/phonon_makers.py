"""What makes images in tests, importable by worker processes."""

import numpy as np

from crewe.errors import SpecimenError


def noise(seeds, progress):
    """An image of random numbers."""
    progress(1, 1)
    return np.random.default_rng(seeds).normal(size=(3, 4)).astype(np.float32)


def refused(progress):
    """No image."""
    raise SpecimenError("atoms that cannot be")


def broken(progress):
    """No image, and no reason."""
    raise ZeroDivisionError("by nothing")


def interrupted(progress):
    """Ctrl-C."""
    raise KeyboardInterrupt
