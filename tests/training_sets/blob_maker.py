"""A small recipe for tests: blobs at random places, a mask of them and a noisy image."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from crewe.errors import SpecimenError
from crewe.recipes import child_generator
from crewe.training_sets.sample import ArrayLayout, Sample

MATERIALS = {"SrTiO3": "O,Sr,Ti", "Pt": "Pt", "PtFe": "Fe,Pt"}

DEFAULTS = {"size": 24, "fails": -1, "hoards": -1, "forgets": -1, "dies": -1}
"""The last four are numbers of samples that go wrong."""


@dataclass(frozen=True)
class BlobMaker:
    text: str = "size: 24"

    @property
    def settings(self):
        return {**DEFAULTS, **yaml.safe_load(self.text)}

    @property
    def name(self):
        return "blobs"

    def layout(self):
        size = self.settings["size"]
        return (
            ArrayLayout("image", (size, size), "uint16", "Counts."),
            ArrayLayout("mask", (size, size), "uint8", "1 on a blob."),
            ArrayLayout("clean", (size, size), "float32", "Expected counts."),
            ArrayLayout("fine", (2 * size, 2 * size), "float32", "The same on half the pixel."),
        )

    def table_columns(self):
        return {"positions": {"x": "float64", "y": "float64", "element": "str"}}

    def sample(self, seed, index):
        if index == self.settings["fails"]:
            raise SpecimenError("no such crystal: give another")
        if index == self.settings["hoards"]:
            np.empty(2**56, np.float64)
        if index == self.settings["forgets"]:
            {}["size"]
        if index == self.settings["dies"] and "DEADLY" in os.environ:
            flag = Path(os.environ["DEADLY"])
            if not flag.exists():
                flag.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        rng = child_generator(seed, index)
        size, pixel = self.settings["size"], float(rng.choice([0.1, 0.2, 0.4]))
        # Sample 3 of every ten shows nothing: a table without rows.
        places = rng.uniform(0, size, (0 if index % 10 == 3 else rng.integers(1, 6), 2))
        clean, fine = _blobs(size, places), _blobs(2 * size, 2 * places)
        material = str(rng.choice(list(MATERIALS)))
        return Sample(
            {
                "image": rng.poisson(clean).astype(np.uint16),
                "mask": (clean > 60).astype(np.uint8),
                "clean": clean,
                "fine": fine,
            },
            {
                "material": material,
                "elements": MATERIALS[material],
                "zone_axis": str(rng.choice(["[001]", "[110]"])),
                "field_of_view_angstrom": size * pixel,
                "pixel_size_angstrom": pixel,
                "dose_e_per_angstrom2": float(rng.uniform(100, 1000)),
                "tilted": bool(rng.random() < 0.5),
                "layers": int(rng.integers(1, 9)),
            },
            {
                "positions": {
                    "x": places[:, 1] * pixel,
                    "y": places[:, 0] * pixel,
                    "element": np.array(["Pt"] * len(places), dtype=object),
                }
            },
        )


def _blobs(size, places):
    y, x = np.mgrid[:size, :size]
    image = np.full((size, size), 20.0)
    for cy, cx in places:
        image += 100 * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * (size / 12) ** 2))
    return image.astype(np.float32)


def recall(text):
    """Read the recipe in a worker process."""
    return BlobMaker(text)
