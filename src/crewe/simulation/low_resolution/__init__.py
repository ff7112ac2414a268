"""Low-resolution ideal images: particles, grains, bands, boxes and cracks laid over each other."""

from crewe.simulation.low_resolution.random_image import LowResolution, low_resolution_image

__all__ = ["LowResolution", "low_resolution_image"]
