"""The arrays and the table of every atom-map sample: names, sizes, types and what they hold."""

from __future__ import annotations

from crewe.training_sets.sample import ArrayLayout

_ELECTRONS = "electrons per pixel"
ARRAYS = (
    ("image", 1, "uint16", "Counted electrons per pixel, with background, noise and scan noise."),
    ("circular_mask", 1, "uint8", "1 within half the probe's FWHM of a visible column."),
    ("small_circular_mask", 1, "uint8", "1 within a quarter of the probe's FWHM of a column."),
    ("gaussian_mask", 1, "float32", "Gaussian of height 1 at each visible column."),
    ("no_noise", 1, "float32", f"Expected {_ELECTRONS}, background included, unjittered."),
    ("no_background", 1, "uint16", "The electrons of the image that the specimen scattered."),
    ("clean", 1, "float32", f"Expected {_ELECTRONS} from the specimen, unjittered."),
    ("super_resolution", 1, "float32", f"Clean with a narrow Gaussian as probe; {_ELECTRONS}."),
    (
        "up_interpolation_2x",
        2,
        "float32",
        f"No noise on pixels half as wide; {_ELECTRONS} of the image.",
    ),
    (
        "up_interpolation_2x_no_background",
        2,
        "float32",
        f"Clean on pixels half as wide; {_ELECTRONS} of the image.",
    ),
)
POSITIONS = {
    "x": "float64",
    "y": "float64",
    "electrons": "float64",
    "atoms": "int32",
    "heaviest": "uint8",
    "visible": "bool",
}
"""Table of all columns: x and y in Å from the centre of pixel (0, 0)."""


def layout(size: int) -> tuple[ArrayLayout, ...]:
    """Return the image and nine labels of size × size pixels, two of them twice as fine."""
    return tuple(
        ArrayLayout(name, (factor * size, factor * size), dtype, description)
        for name, factor, dtype, description in ARRAYS
    )
