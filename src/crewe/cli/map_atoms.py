"""`crewe map-atoms`: images to atom maps and the columns they mark, by a trained network."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crewe.cli import options
from crewe.cli.inputs import expand
from crewe.cli.words import number_or_word
from crewe.errors import PlanError

if TYPE_CHECKING:
    from crewe.workflows.map_atoms import MapAtomsPlan

EXAMPLES = """Examples:

    crewe map-atoms gold.dm4

    crewe map-atoms "series/*.tif" --sampling 0.12 -o maps

    crewe map-atoms gold.dm4 --model denoise

    crewe map-atoms gold.dm4 --no-fit
"""
NETWORK = "Network"

Model = Annotated[
    str,
    typer.Option(help="Shipped network of atom maps, or an ONNX file.", rich_help_panel=NETWORK),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        help="Value of a mask that marks a column. Default: half of Otsu's.",
        rich_help_panel=NETWORK,
    ),
]
NoFit = Annotated[
    bool,
    typer.Option("--no-fit", help="Positions of the map, not fitted.", rich_help_panel=NETWORK),
]
Sampling = Annotated[
    float | None,
    typer.Option(help="Pixel size in Å. Default: the file's own.", rich_help_panel=options.INPUT),
]
Folder = Annotated[
    Path,
    typer.Option(
        "-o",
        "--output",
        help="Folder of the files. Default: this one.",
        rich_help_panel=options.RUNNING,
        show_default=False,
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        help="CPU threads of the network. Default: all, shared by the workers.",
        min=1,
        rich_help_panel=options.RUNNING,
        show_default=False,
    ),
]


def map_atoms(
    context: typer.Context,
    images: options.Images = None,
    model: Model = "gaussian-mask",
    threshold: Threshold = None,
    no_fit: NoFit = False,
    sampling: Sampling = None,
    signal: options.Signal = None,
    frame: options.Frame = None,
    output: Folder = Path(),
    threads: Threads = None,
    workers: options.Workers = 0,
    overwrite: options.Overwrite = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Map the atoms of an image with a trained network and list its columns.

    Columns must be bright. Networks that make masks (gaussian-mask, circular-mask) mark
    columns, which are then fitted to the image as quantify does; the others make an image.
    Writes NAME_MODEL.tif, a picture NAME_MODEL.png, NAME_columns.csv and a note NAME_MODEL.yaml
    with all settings. A result that is there already is kept.
    """
    settings = {
        "model": model,
        "threshold": threshold,
        "fit": not no_fit,
        "sampling": sampling,
        "signal": number_or_word(signal),
        "frame": number_or_word(frame),
        "output": output,
        "threads": threads,
    }
    plans = _plans(images or [], settings)
    return _carry_out(plans, workers, overwrite, as_json, quiet, bool(context.obj))


def _plans(images: list[str], settings: dict) -> list["MapAtomsPlan"]:
    from pydantic import ValidationError

    from crewe.workflows.map_atoms import MapAtomsPlan, check_names

    paths = expand(images)
    if not paths:
        raise PlanError("no image given: name one or more, as in crewe map-atoms gold.dm4")
    try:
        plans = [MapAtomsPlan(image=path, **settings) for path in paths]
    except ValidationError as error:
        problem = error.errors()[0]
        raise PlanError(
            f"--{problem['loc'][0]}={problem['input']}: {problem['msg'].lower()}"
        ) from error
    check_names(plans)
    return plans


def _carry_out(
    plans: list["MapAtomsPlan"],
    workers: int,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
    debug: bool,
) -> int:
    from functools import partial

    from crewe.cli.outcomes import tell
    from crewe.cli.progress import listener
    from crewe.workflows.many import run_many
    from crewe.workflows.map_atoms import run_map_atoms
    from crewe.workflows.network_facts import threads_each

    each = threads_each(plans[0].threads, workers, len(plans))
    plans = [plan.model_copy(update={"threads": each}) for plan in plans]
    verb = partial(run_map_atoms, overwrite=overwrite)
    names = [str(plan.image) for plan in plans]
    with listener(quiet) as observer:
        outcomes = run_many(verb, plans, names, observer=observer, workers=workers)
        return tell(outcomes, [plan.output for plan in plans], observer, as_json, debug)
