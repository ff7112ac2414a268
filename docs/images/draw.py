"""Draws the README's picture from a real run: python docs/images/draw.py."""

import tempfile
from pathlib import Path

from PIL import Image

import crewe

HERE = Path(__file__).parent
EXAMPLE = HERE.parents[1] / "examples" / "BTO_crystal_1.dm4"

with tempfile.TemporaryDirectory() as folder:
    output = Path(folder) / "quantified"
    crewe.run(crewe.QuantifyPlan(image=EXAMPLE, output=output))
    figure = Image.open(output / "figure.png").convert("RGB")
    figure.thumbnail((1400, 1400))
    figure.quantize(128).save(HERE / "quantify.png", optimize=True)
