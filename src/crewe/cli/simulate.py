"""`crewe simulate`: atoms to an image, by convolution, multislice or a fitted emulator."""

import json
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from crewe.cli import options
from crewe.errors import PlanError

EXAMPLES = """Examples:

    crewe simulate particle.xyz --optics optics.yaml --model linear -o image.zarr

    crewe simulate gold.cif --optics optics.yaml --model multislice --zone-axis 110 -o image.tif

    crewe simulate particle.xyz --optics optics.yaml --model pt.emulator -o image.tif --errors
"""

SPECIMEN, IMAGE = "Specimen", "Image"
LINEAR, MULTISLICE, RUNNING = "Model linear", "Model multislice", options.RUNNING


def _option(group: str, *names: str, text: str, **more: Any) -> Any:
    return typer.Option(*names, help=text, rich_help_panel=group, **more)


File = Annotated[Path, typer.Argument(metavar="SPECIMEN", help="Atoms, as .cif or .xyz.")]
OpticsFile = Annotated[
    Path | None,
    _option(IMAGE, "--optics", text="YAML file of lens and detectors. An emulator brings its own."),
]
Model = Annotated[str, _option(IMAGE, text="linear, multislice or the file of an emulator.")]
Output = Annotated[
    Path, _option(RUNNING, "-o", "--output", text="File to write; its suffix is the format.")
]
PixelSize = Annotated[
    float | None,
    _option(IMAGE, "--pixel-size", text="Pixel size in Å. Default: the emulator's, or 0.1."),
]
Margin = Annotated[
    float | None, _option(IMAGE, text="Vacuum around a particle in Å. Default: its cell, or 2.")
]
Shape = Annotated[
    str | None, _option(IMAGE, text="ROWSxCOLUMNS. Default: what holds the specimen.")
]
Detector = Annotated[
    tuple[float, float] | None,
    _option(IMAGE, text="INNER and OUTER angle in mrad, in place of those of the optics."),
]
ZoneAxis = Annotated[
    str | None, _option(SPECIMEN, text="Crystal direction along the beam, as in 110 or 1,-1,0.")
]
Tilt = Annotated[
    tuple[float, float], _option(SPECIMEN, text="Angles in degrees about x, then about y.")
]
Repeat = Annotated[
    tuple[int, int, int], _option(SPECIMEN, text="Cells of a crystal along x, y and z.")
]
Sigma = Annotated[float, _option(LINEAR, text="Width σ of a Gaussian probe in Å.")]
Exponent = Annotated[float, _option(LINEAR, text="An atom weighs Z to this power.")]
FromOptics = Annotated[
    bool, _option(LINEAR, "--probe-from-optics", text="Take the optics' probe, not a Gaussian.")
]
Phonons = Annotated[
    int, _option(MULTISLICE, text="Configurations of frozen phonons to average.", min=1)
]
Vibration = Annotated[
    float, _option(MULTISLICE, text="Root mean square displacement along one axis in Å.", min=0)
]
Slice = Annotated[float, _option(MULTISLICE, "--slice", text="Thickest slice in Å.")]
Window = Annotated[
    float | None,
    _option(MULTISLICE, text="Simulate a square of so many Å around the probe. Default: all."),
]
Thickness = Annotated[
    list[str] | None,
    _option(MULTISLICE, text="Depths in Å with an image each, as in 20,40. Default: the exit."),
]
Seed = Annotated[int, _option(MULTISLICE, text="Seed of the displacements.", min=0)]
Device = Annotated[
    str, _option(MULTISLICE, text="cpu, gpu (needs CuPy), or auto: the GPU if CuPy sees one.")
]
Checkpoint = Annotated[
    Path | None,
    _option(MULTISLICE, text="Folder that keeps the configurations. Default: OUTPUT.part."),
]
Errors = Annotated[
    bool, _option(IMAGE, "--errors", text="Write standard errors beside, as NAME_error.")
]
Force = Annotated[
    bool, _option(RUNNING, "--force", text="Let an emulator answer where it should not.")
]
Picture = Annotated[Path | None, _option(RUNNING, text="Draw the image, in .png.")]
Json = Annotated[bool, _option(RUNNING, "--json", text="Print one JSON object on stdout.")]


def simulate(
    specimen: File,
    output: Output,
    optics: OpticsFile = None,
    model: Model = "linear",
    pixel_size: PixelSize = None,
    margin: Margin = None,
    shape: Shape = None,
    detector: Detector = None,
    errors: Errors = False,
    zone_axis: ZoneAxis = None,
    tilt: Tilt = (0.0, 0.0),
    repeat: Repeat = (1, 1, 1),
    sigma: Sigma = 0.38,
    exponent: Exponent = 1.7,
    probe_from_optics: FromOptics = False,
    phonons: Phonons = 1,
    vibration: Vibration = 0.0,
    slice_: Slice = 2.0,
    window: Window = None,
    thickness: Thickness = None,
    seed: Seed = 0,
    device: Device = "auto",
    checkpoint: Checkpoint = None,
    picture: Picture = None,
    force: Force = False,
    workers: options.Workers = 0,
    overwrite: options.Overwrite = False,
    as_json: Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Simulate the STEM image of a specimen, in fractions of the beam.

    Model linear is a convolution with the probe, scaled by cross-sections (milliseconds).
    Multislice is exact but for its settings (minutes to hours; run again, it goes on where
    it was interrupted). An emulator has multislice's accuracy in milliseconds for specimens
    like those it was fitted to, and refuses others. The image carries all settings,
    versions and checksums.
    """
    from crewe.cli.progress import listener
    from crewe.workflows.simulate import run_simulation
    from crewe.workflows.simulate_plan import simulation_plan
    from crewe.workflows.simulation_optics import load_microscope, ring_from

    settings: dict[str, Any] = {
        "specimen": specimen,
        "output": output,
        "model": model,
        "pixel_size_angstrom": pixel_size,
        "margin_angstrom": margin,
        "shape": None if shape is None else image_shape(shape),
        "zone_axis": None if zone_axis is None else miller_indices(zone_axis),
        "tilt_deg": tilt,
        "repeat": repeat,
        "probe_sigma_angstrom": None if probe_from_optics else sigma,
        "exponent": exponent,
        "phonons": phonons,
        "vibration_angstrom": vibration,
        "slice_angstrom": slice_,
        "window_angstrom": window,
        "thicknesses_angstrom": lengths(thickness or []) or None,
        "seed": seed,
        "device": device,
        "errors": errors,
        "force": force,
    }
    if optics is not None:
        microscope = load_microscope(optics)
        settings |= {"optics": microscope.optics, "detectors": microscope.detectors}
    if detector is not None:
        settings["detectors"] = {"ring": ring_from(detector, "--detector")}
    plan = simulation_plan(settings)
    with listener(quiet) as observer:
        result = run_simulation(
            plan,
            observer,
            overwrite=overwrite,
            checkpoint=checkpoint,
            workers=workers,
            picture=picture,
        )
    if as_json:
        said = {"specimen": str(specimen), "output": output.as_posix(), **result.summary}
        typer.echo(json.dumps(said, ensure_ascii=False, allow_nan=False))
    return 0


def image_shape(text: str) -> tuple[int, int]:
    """Read rows and columns, as in 256x128. Raises PlanError."""
    found = re.fullmatch(r"\s*(\d+)\s*[x×,]\s*(\d+)\s*", text.lower())
    if found is None:
        raise PlanError(f"--shape {text}: give rows and columns, as in 256x256")
    return int(found[1]), int(found[2])


def miller_indices(text: str) -> tuple[int, int, int]:
    """Read three indices, as in 110, 1-10, 1,-1,0 or [1 1 0]. Raises PlanError."""
    inner = text.strip().strip("[]()")
    separated = re.fullmatch(r"\s*(-?\d+)[\s,]+(-?\d+)[\s,]+(-?\d+)\s*", inner)
    found = separated or re.fullmatch(r"(-?\d)(-?\d)(-?\d)", inner)
    if found is None:
        raise PlanError(f"--zone-axis {text}: give three indices, as in 110 or 1,-1,0")
    u, v, w = (int(part) for part in found.groups())
    if u == v == w == 0:
        raise PlanError(f"--zone-axis {text} is no direction")
    return u, v, w


def lengths(given: list[str]) -> tuple[float, ...]:
    """Read lengths in Å, separated by commas or repeated. Raises PlanError."""
    try:
        return tuple(float(part) for text in given for part in text.split(",") if part.strip())
    except ValueError as error:
        raise PlanError(f"--thickness {','.join(given)}: give depths in Å, as in 20,40") from error
