"""The options of `crewe quantify`: name, type and help of each, by group."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer


def _option(group: str, *names: str, text: str, **more: Any) -> Any:
    return typer.Option(*names, help=text, rich_help_panel=group, **more)


INPUT = "Input"
Images = Annotated[
    list[str] | None,
    typer.Argument(metavar="IMAGE", help="Image files; patterns such as '*.dm4' work."),
]
Sampling = Annotated[
    str | None,
    _option(INPUT, text="Pixel size in Å, or 'pixel' to work in pixels. Default: the file's own."),
]
Signal = Annotated[
    str | None,
    _option(INPUT, text="Name or number of a signal in a file of several; see crewe info."),
]
Frame = Annotated[str | None, _option(INPUT, text="Frame of a stack, from 0, or 'mean'.")]
PlanFile = Annotated[
    Path | None, _option(INPUT, "--plan", text="YAML file of settings; flags override it.")
]

SCALE = "Intensity: cross-sections in Å² need the detector, exact errors the dose"
Vacuum = Annotated[float | None, _option(SCALE, text="Image value without any electron.")]
Detector = Annotated[float | None, _option(SCALE, text="Image value with the whole beam.")]
DetectorMap = Annotated[
    Path | None, _option(SCALE, text="Detector map from which both values are taken.")
]
BeamCurrent = Annotated[float | None, _option(SCALE, text="Beam current in pA.")]
DwellTime = Annotated[float | None, _option(SCALE, text="Dwell time per pixel in µs.")]
ElectronsPerUnit = Annotated[
    float | None, _option(SCALE, text="Electrons in a pixel of value 1 (after the detector).")
]
Counts = Annotated[bool, _option(SCALE, "--counts", text="The image is in electrons already.")]

MODEL = "Columns: the defaults suit most images"
Restore = Annotated[
    str | None,
    _option(
        MODEL,
        text="Network that restores the image first, such as hrstem; the measured image is "
        "fitted as well.",
    ),
]
Find = Annotated[
    str | None,
    _option(
        MODEL,
        text="How columns are found: image, network (gaussian-mask), or the name of a network. "
        "Default: image.",
    ),
]
Spacing = Annotated[
    float | None,
    _option(MODEL, text="Smallest distance between columns in Å. Default: from the image."),
]
UnitCell = Annotated[
    Path | None,
    _option(MODEL, text="Projected unit cell (StatSTEM's text format) that names the columns."),
]
Sensitivity = Annotated[
    float | None, _option(MODEL, text="Above 1 finds fainter columns. Default: 1.")
]
Peak = Annotated[
    Literal["gaussian", "lorentzian"] | None,
    _option(MODEL, text="Shape of a column. Default: gaussian."),
]
Width = Annotated[
    Literal["auto", "common", "type", "column"] | None,
    _option(MODEL, text="Which columns share a width. Default: auto."),
]
Background = Annotated[
    Literal["auto", "constant", "plane", "local"] | None,
    _option(MODEL, text="Shape of the background. Default: auto."),
]
Noise = Annotated[
    Literal["auto", "uniform", "counts"] | None,
    _option(MODEL, text="Least squares or Poisson likelihood. Default: auto."),
]
Seed = Annotated[int | None, _option(MODEL, text="Seed of random numbers. Default: 0.")]

RUNNING = "Running"
Output = Annotated[
    Path | None,
    _option(
        RUNNING,
        "-o",
        "--output",
        text="Folder to write, or to hold one folder per image. Default: IMAGE_quantified.",
    ),
]
Workers = Annotated[
    int, _option(RUNNING, text="Local processes; 0 is this one.", min=0, show_default=False)
]
Scheduler = Annotated[
    str | None, _option(RUNNING, text="Address of a Dask cluster, as in tcp://host:8786.")
]
Overwrite = Annotated[bool, _option(RUNNING, "--overwrite", text="Replace existing results.")]
DryRun = Annotated[bool, _option(RUNNING, "--dry-run", text="Say what would be done, do nothing.")]
Json = Annotated[
    bool, _option(RUNNING, "--json", text="Print one JSON object per image on stdout.")
]
Quiet = Annotated[bool, _option(RUNNING, "-q", "--quiet", text="Only warnings and errors.")]
