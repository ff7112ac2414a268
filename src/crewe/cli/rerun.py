"""`crewe rerun`: repeat a result and say whether it comes out the same."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crewe.cli import options

if TYPE_CHECKING:
    from crewe.workflows import Comparison

EXAMPLES = """Examples:

    crewe rerun gold_quantified

    crewe rerun gold_quantified -o gold_again --image moved/gold.dm4

    crewe rerun scan_phase --data /archive/scan.mib

    crewe rerun restored/gold_restored.yaml
"""


def rerun(
    result: Annotated[
        Path,
        typer.Argument(
            metavar="RESULT",
            help="Folder of crewe quantify, crewe phase or crewe fuse, or NAME_restored.yaml of "
            "crewe restore.",
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Keep the new result in this folder.")
    ] = None,
    image: Annotated[
        Path | None,
        typer.Option("--image", "--data", help="Where the image or data are now, if moved."),
    ] = None,
    overwrite: options.Overwrite = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Repeat a result from its settings and compare it with the stored one.

    The input must be the file it was (its checksum is verified). Tables are
    compared in standard errors, images in standard deviations of the image.
    Exit code 0 when the numbers are equal, bit for bit or to rounding, 1 when
    they differ. Without -o nothing is written.
    """
    from crewe.cli.progress import listener
    from crewe.workflows.repeat import rerun as repeat

    with listener(quiet) as observer:
        found = repeat(result, observer, output=output, image=image, overwrite=overwrite)
        if as_json:
            answer = {"folder": str(result), **as_object(found)}
            typer.echo(json.dumps(answer, ensure_ascii=False))
        else:
            observer.say(f"{result}: {found.text}")
    return 0 if found.equal else 1


def as_object(found: "Comparison") -> dict[str, Any]:
    """Return a comparison as JSON knows it: no number for what is not finite."""
    unit = found.unit.replace(" ", "_")
    plain: dict[str, Any] = {
        "equal": found.equal,
        "identical": found.identical,
        f"largest_difference_in_{unit}": _finite(found.largest_difference),
        "text": found.text,
    }
    if found.of_each:
        plain["images"] = {name: _finite(value) for name, value in found.of_each.items()}
    return plain


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
