"""`crewe restore`: degraded images to restored ones, with a map of how far to trust them."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crewe.cli import options
from crewe.cli.inputs import expand
from crewe.cli.words import number_or_word
from crewe.errors import PlanError

if TYPE_CHECKING:
    from crewe.workflows.restore import RestorePlan

EXAMPLES = """Examples:

    crewe restore gold.dm4

    crewe restore "series/*.tif" --pixel-size 0.12 --model hrstem -o restored

    crewe restore stack.emd --frame 3 --format hspy -o restored

    crewe restore gold.png --pixel-size 0.094 --model my_network.onnx
"""

PixelSize = Annotated[
    float | None,
    typer.Option("--pixel-size", "--sampling", help="Pixel size in Å. Default: the file's own."),
]
Model = Annotated[str, typer.Option(help="Name of a network, see crewe networks, or an ONNX file.")]
Folder = Annotated[Path, typer.Option("-o", "--output", help="Folder to write to.")]
Format = Annotated[
    str, typer.Option(help="Format of the results: tif, hspy, h5, zarr, npz or npy.")
]
Trust = Annotated[bool, typer.Option(help="Make the trust map, which takes as long as restoring.")]
Tile = Annotated[
    int, typer.Option("--tile", help="Longest side of a tile in pixels; less needs less memory.")
]
Threads = Annotated[int | None, typer.Option(help="CPU threads. Default: all.", min=1)]


def restore(
    context: typer.Context,
    images: options.Images = None,
    output: Folder = Path(),
    model: Model = "hrstem",
    pixel_size: PixelSize = None,
    signal: options.Signal = None,
    frame: options.Frame = None,
    format: Format = "tif",
    trust: Trust = True,
    tile: Tile = 1024,
    threads: Threads = None,
    seed: options.Seed = None,
    workers: options.Workers = 0,
    overwrite: options.Overwrite = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    r"""Restore noisy and distorted images with a network, and map how far to trust the result.

    Writes NAME_restored and NAME_trust with the calibration of the file, a picture of both
    and a note with all settings. Stacks are restored frame by frame. Intensities keep their
    unit and mean. Trust is 1 where the data support what is shown, 0.5 where they cannot
    tell and 0 where they contradict it. A result that is there already is kept.

    Needs onnxruntime: pip install 'crewe\[cpu]'.
    """
    settings: dict[str, Any] = {
        "output": output,
        "model": model,
        "pixel_size_angstrom": pixel_size,
        "signal": number_or_word(signal),
        "frame": number_or_word(frame),
        "format": format.removeprefix("."),
        "trust": trust,
        "tile_px": tile,
        "threads": threads,
        "seed": 0 if seed is None else seed,
    }
    plans = plans_from(images or [], settings)
    return _carry_out(plans, workers, overwrite, as_json, quiet, bool(context.obj))


def plans_from(images: Sequence[str], settings: dict[str, Any]) -> list["RestorePlan"]:
    """Return one plan per image. Raises PlanError for no image and for two of one name."""
    from crewe.workflows.restore import restore_plan

    paths = expand(images)
    if not paths:
        raise PlanError("no image given: name one or more, as in crewe restore gold.dm4")
    stem, times = Counter(path.stem for path in paths).most_common(1)[0]
    if times > 1:
        raise PlanError(
            f"{times} of the images would be written to {stem}_restored: "
            "run those of the same name one by one, each with its own -o"
        )
    return [restore_plan({**settings, "image": path}) for path in paths]


def _carry_out(
    plans: Sequence["RestorePlan"],
    workers: int,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
    debug: bool,
) -> int:
    from functools import partial

    from crewe.cli.outcomes import tell
    from crewe.cli.progress import listener
    from crewe.networks.zoo import open_network
    from crewe.workflows.many import run_many
    from crewe.workflows.network_facts import threads_each
    from crewe.workflows.restore import restore_unless_finished

    # A wrong model, or no onnxruntime, is one mistake of the command, not one of each image.
    _ = open_network(plans[0].model, plans[0].threads).network
    threads = threads_each(plans[0].threads, workers, len(plans))
    plans = [plan.model_copy(update={"threads": threads}) for plan in plans]
    verb = partial(restore_unless_finished, overwrite=overwrite)
    names = [str(plan.image) for plan in plans]
    with listener(quiet) as observer:
        outcomes = run_many(verb, plans, names, observer=observer, workers=workers)
        return tell(outcomes, [plan.path("restored") for plan in plans], observer, as_json, debug)
