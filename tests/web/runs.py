"""A run that pages can be tested with, and what pages do with its messages."""

import json
import struct
import threading

import numpy as np

from crewe.axes import calibrated_image
from crewe.errors import PlanError


class Run:
    """Two images that grow brighter with each batch, and one knob."""

    def __init__(self, shape=(8, 9)):
        self.shape = shape
        self.batches = 0
        self.made = 0
        self.kernel_size = 61
        self.stopped = threading.Event()

    @property
    def version(self):
        return self.batches

    def images(self):
        self.made += 1
        image = np.arange(np.prod(self.shape), dtype=float).reshape(self.shape) + self.batches
        return {name: calibrated_image(image, 0.1) for name in ("ricom", "adf")}

    def pattern(self):
        return None

    def report(self):
        return {"name": "a run", "state": "running", "settings": {"kernel_size": self.kernel_size}}

    def change(self, wanted):
        if set(wanted) != {"kernel_size"}:
            raise PlanError(f"not changed: {sorted(wanted)} unknown")
        self.kernel_size = wanted["kernel_size"]

    def stop(self):
        self.stopped.set()


def parts(said):
    """Read a message as the page does."""
    (length,) = struct.unpack_from("<I", said)
    head = json.loads(said[4 : 4 + length])
    at, images = 4 + length, {}
    for one in head["images"]:
        size = one["rows"] * one["columns"]
        levels = np.frombuffer(said, "<u2", size, at).reshape(one["rows"], one["columns"])
        images[one["name"]] = levels
        at += 2 * size
    assert at == len(said)
    return head, images
