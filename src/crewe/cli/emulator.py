"""`crewe emulator`: fit, test and look at emulators of multislice images."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from crewe.cli import options
from crewe.cli.emulator_words import fit_lines

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Fit emulators that make multislice images in milliseconds; test and check them.",
)

FIT_EXAMPLES = """Examples:

    crewe emulator fit pairs.npz -o pt.emulator

    crewe emulator fit pairs.npz --features smoothed -o pt.emulator --report report

    crewe emulator fit pairs.npz --size 3 --degree 3 --no-log --by block --json
"""

MODEL, TEST, RUNNING = "Polynomial", "Cross-validation", options.RUNNING


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
    float | None, _option(MODEL, text="Penalty on the coefficients. Default: 1e-12.", min=0)
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


@app.command(epilog=FIT_EXAMPLES)
def fit(
    pairs: Pairs,
    output: Output = None,
    features: Features = "neighbourhood",
    size: Size = None,
    degree: Degree = None,
    log: Log = True,
    interactions: Interactions = True,
    kind: Kind = None,
    ridge: Ridge = None,
    register: Register = True,
    convolution: Described = None,
    element: Element = None,
    by: By = "image",
    folds: Folds = 2,
    repeats: Repeats = 2,
    seed: Seed = 0,
    report: Report = None,
    overwrite: options.Overwrite = False,
    as_json: Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Fit a polynomial that turns convolution images into multislice images, and test it.

    PAIRS holds arrays linear_00 and multislice_00 and so on, each (y, x), or two stacks linear and
    multislice (n, y, x). Every figure is measured on images that the fit had not seen.
    """
    from crewe.cli.progress import listener
    from crewe.workflows.emulator_fit import run_emulator_fit
    from crewe.workflows.emulator_plan import emulator_fit_plan

    settings: dict[str, Any] = {
        "pairs": pairs,
        "output": output,
        "report": report,
        "features": features,
        "size": size,
        "degree": degree,
        "log": log,
        "interactions": interactions,
        "kinds": tuple(kind) if kind else None,
        "register_images": register,
        "by": by,
        "folds": folds,
        "repeats": repeats,
        "seed": seed,
        "convolution": convolution,
        "elements": tuple(element or ()),
    }
    if ridge is not None:
        settings["ridge"] = ridge
    plan = emulator_fit_plan(settings)
    with listener(quiet) as observer:
        result = run_emulator_fit(plan, observer, overwrite=overwrite)
    if as_json:
        typer.echo(json.dumps(result.summary, ensure_ascii=False, allow_nan=False))
    else:
        typer.echo("\n".join(fit_lines(result.summary)))
    return 0
