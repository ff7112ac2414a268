"""`crewe fuse`: element maps and a HAADF image to better element maps, with error bars."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from crewe.cli import fuse_words, options
from crewe.cli.words import number_or_word
from crewe.errors import PlanError

EXAMPLES = """Examples:

    crewe fuse haadf.dm4 --map Co=co.tif --map S=s.tif -o fused

    crewe fuse set.emd --element Co,O -o fused

    crewe fuse tilts.tif --map Fe=fe.tif --map Pt=pt.tif --standard-error hessian --format zarr

    crewe fuse --plan plan.yaml --strength 2
"""


def option(group: str, *names: str, text: str, **more: Any) -> Any:
    """Describe an option of a group in the help."""
    return typer.Option(*names, help=text, rich_help_panel=group, **more)


INPUT, METHOD, ERRORS = "Input", "Method: the counts choose", "Errors and fractions"
RUNNING = "Running"

Haadf = Annotated[
    Path | None,
    typer.Argument(metavar="HAADF", help="HAADF image or stack, or a file of image and maps."),
]
Maps = Annotated[
    list[str] | None,
    option(INPUT, "--map", text="Map of an element as ELEMENT=FILE; one --map for each."),
]
Elements = Annotated[
    list[str] | None,
    option(INPUT, "--element", text="Elements to take from a file of image and maps or spectra."),
]
Lines = Annotated[
    list[str] | None,
    option(INPUT, "--line", text="X-ray line or edge of an element in spectra, as in Pt=La."),
]
Source = Annotated[
    Literal["auto", "spectra", "maps"] | None,
    option(INPUT, text="What is taken of a file that holds both. Default: counts of spectra."),
]
Technique = Annotated[
    Literal["edx", "eels"] | None,
    option(INPUT, text="What the spectra are. Default: as the file says."),
]
Align = Annotated[
    bool | None,
    option(INPUT, "--align/--no-align", text="Shift HAADF onto the maps. Default: where clear."),
]
PlanFile = Annotated[
    Path | None, option(INPUT, "--plan", text="YAML file of settings; flags override it.")
]
Prior = Annotated[
    str | None,
    option(
        METHOD,
        text="What is smooth: composition, columns (that of each atomic column), spectra (the "
        "amounts, without HAADF) or amounts (as published). Default: auto, of the first three.",
    ),
]
Strength = Annotated[float | None, option(METHOD, text="How much it is smoothed, about 1 to 10.")]
Gamma = Annotated[
    float | None, option(METHOD, text="Exponent of the atomic number in HAADF, 1.4 to 2.")
]
Smoothing = Annotated[
    float | None,
    option(METHOD, "--guide-smoothing", text="Sigma in pixels by which HAADF is smoothed."),
]
Likelihood = Annotated[
    str | None,
    option(METHOD, text="poisson for counts, least_squares for the rest. Default: auto."),
]
StandardError = Annotated[
    Literal["repeats", "hessian", "none"] | None,
    option(ERRORS, text="From fits to noise drawn anew (default), from the curvature, or none."),
]
Repeats = Annotated[
    int | None, option(ERRORS, text="How often noise is drawn anew. Default: 8.", min=3)
]
Sensitivity = Annotated[
    list[str] | None,
    option(
        ERRORS,
        "--sensitivity",
        text="What an atom adds to its map, as in Co=1.2 (1/k of Cliff and Lorimer), for atomic "
        "fractions. Default: 1 for each.",
    ),
]
Seed = Annotated[int | None, option(ERRORS, text="Seed of random numbers. Default: 0.", min=0)]
Output = Annotated[
    Path | None, option(RUNNING, "-o", "--output", text="Folder to write. Default: HAADF_fused.")
]
Format = Annotated[
    str | None, option(RUNNING, text="Maps as tif (default), hspy, h5, zarr, npz or npy.")
]
Tile = Annotated[
    int | None,
    option(RUNNING, "--tile", text="Longest side of a tile in pixels. Default: 1024."),
]


def fuse(
    context: typer.Context,
    haadf: Haadf = None,
    maps: Maps = None,
    element: Elements = None,
    signal: options.Signal = None,
    line: Lines = None,
    source: Source = None,
    technique: Technique = None,
    align: Align = None,
    plan: PlanFile = None,
    prior: Prior = None,
    strength: Strength = None,
    gamma: Gamma = None,
    guide_smoothing: Smoothing = None,
    likelihood: Likelihood = None,
    standard_error: StandardError = None,
    repeats: Repeats = None,
    sensitivity: Sensitivity = None,
    seed: Seed = None,
    output: Output = None,
    format: Format = None,
    tile: Tile = None,
    overwrite: options.Overwrite = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Fuse noisy element maps with a simultaneous HAADF image into better maps.

    Writes OUT/Co.tif and so on, on the scale of the input, OUT/Co_standard_error.tif, a report
    with pictures, and OUT/fusion.yaml with all settings. Nothing has to be tuned: the counts are
    split into halves, and what predicts one half from the other best is taken. Stacks are fused
    frame by frame, large images in tiles; interrupted ones go on where they were.
    """
    given: dict[str, Any] = {
        "haadf": haadf,
        "maps": fuse_words.element_maps(maps),
        "elements": fuse_words.elements(element),
        "signal": number_or_word(signal),
        "lines": fuse_words.by_element(line, "--line", "Pt=La"),
        "source": source,
        "technique": technique,
        "align": align,
        "prior": prior,
        "strength": strength,
        "gamma": gamma,
        "guide_smoothing_px": guide_smoothing,
        "likelihood": likelihood,
        "standard_error": standard_error,
        "repeats": repeats,
        "sensitivity": fuse_words.by_element(sensitivity, "--sensitivity", "Co=1.2"),
        "seed": seed,
        "output": output,
        "format": None if format is None else format.removeprefix("."),
        "tile_px": tile,
    }
    settings = _settings(given, plan)
    return _carry_out(settings, overwrite, as_json, quiet, bool(context.obj))


def _settings(given: dict[str, Any], plan: Path | None) -> dict[str, Any]:
    """Join what a plan file says and what was given, which counts more."""
    from crewe.workflows.fuse_plan import read_fuse_settings

    stored = {} if plan is None else read_fuse_settings(plan)
    settings = stored | {key: value for key, value in given.items() if value not in (None, {}, [])}
    if "haadf" not in settings:
        raise PlanError("no HAADF image given: name it, as in crewe fuse haadf.dm4 --map Co=co.tif")
    settings.setdefault("output", Path(f"{Path(settings['haadf']).stem}_fused"))
    return settings


def _carry_out(
    settings: dict[str, Any], overwrite: bool, as_json: bool, quiet: bool, debug: bool
) -> int:
    from functools import partial

    from crewe.cli.outcomes import tell
    from crewe.cli.progress import listener
    from crewe.workflows.fuse import fuse_unless_finished
    from crewe.workflows.fuse_plan import fuse_plan
    from crewe.workflows.many import run_many

    plan = fuse_plan(settings)
    verb = partial(fuse_unless_finished, overwrite=overwrite)
    with listener(quiet) as observer:
        outcomes = run_many(verb, [plan], [str(plan.haadf)], observer=observer)
        return tell(outcomes, [plan.output], observer, as_json, debug)
