"""The options of `crewe emulator fit`: name, type and help of each, by group."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from crewe.cli import options

MODEL, TEST, MORE = "Polynomial", "Cross-validation", "More to find out; takes longer"
RUNNING = options.RUNNING


def _option(group: str, *names: str, text: str, **more: Any) -> Any:
    return typer.Option(*names, help=text, rich_help_panel=group, **more)


Json = Annotated[bool, _option(RUNNING, "--json", text="Print one JSON object on stdout.")]
Pairs = Annotated[
    Path, typer.Argument(metavar="PAIRS", help="npz file or zarr folder of image pairs.")
]
Output = Annotated[
    Path | None,
    _option(RUNNING, "-o", "--output", text="File to write, in .emulator. Default: test only."),
]
Report = Annotated[Path | None, _option(RUNNING, text="Folder for a report with pictures.")]
Features = Annotated[
    Literal["neighbourhood", "smoothed"],
    _option(MODEL, text="Pixels of a square grid, or rotation-invariant smoothed ones."),
]
Size = Annotated[
    int | None, _option(MODEL, text="Side of the grid in pixels, odd. Default: 5.", min=1)
]
Degree = Annotated[
    int | None,
    _option(MODEL, text="Highest power. Default: 2, with smoothed features 3.", min=1),
]
Log = Annotated[bool, _option(MODEL, text="With the logarithm of the pixel itself (grid).")]
Interactions = Annotated[bool, _option(MODEL, text="With products of different features.")]
Kind = Annotated[
    list[str] | None,
    _option(MODEL, text="Smoothed feature such as 'smooth 2'; repeat it. Default: eleven."),
]
Ridge = Annotated[
    float | None, _option(MODEL, text="Penalty on the coefficients. Default: 1e-11.", min=0)
]
Register = Annotated[bool, _option(MODEL, text="Fit a shift between the images of the pairs.")]
Described = Annotated[
    Path | None,
    _option(MODEL, text="YAML file: how the convolution images were made. Default: as PAIRS say."),
]
Element = Annotated[
    list[str] | None,
    _option(MODEL, text="Element of the specimens, where PAIRS hold no atoms; repeat it."),
]
By = Annotated[
    Literal["image", "block", "pixel"],
    _option(TEST, text="What is left out of a fit and predicted."),
]
Folds = Annotated[int, _option(TEST, text="Parts that the pairs are divided into.", min=2)]
Repeats = Annotated[int, _option(TEST, text="How often they are divided anew.", min=1)]
Seed = Annotated[int, _option(TEST, text="Seed of the division.", min=0)]
FitProbe = Annotated[
    bool,
    _option(
        MORE,
        "--fit-probe",
        text="Fit the exponent of Z and the probe of the convolution images, from the atoms.",
    ),
]
Select = Annotated[
    bool,
    _option(
        MORE,
        "--select",
        text="Try sizes and degrees; take the smallest that is as good as the best.",
    ),
]
LargestTerms = Annotated[
    int, _option(MORE, text="Terms of the largest polynomial that --select tries.", min=2)
]
Scan = Annotated[
    Path | None,
    _option(MORE, text="File of what --select has tried: it goes on where it was stopped."),
]
LeaveOut = Annotated[
    bool,
    _option(MORE, "--leave-out", text="Measure the error with fewer training images."),
]
