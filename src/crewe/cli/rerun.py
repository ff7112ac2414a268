"""`crewe rerun`: repeat a result and say whether it comes out the same."""

from pathlib import Path
from typing import Annotated

import typer

from crewe.cli import options

EXAMPLES = """Examples:

    crewe rerun gold_quantified

    crewe rerun gold_quantified -o gold_again

    crewe rerun gold_quantified --image moved/gold.dm4
"""


def rerun(
    folder: Annotated[
        Path, typer.Argument(metavar="OUT", help="Folder that crewe quantify wrote.")
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Keep the new result in this folder.")
    ] = None,
    image: Annotated[
        Path | None, typer.Option(help="Where the image is now, if it has moved.")
    ] = None,
    overwrite: options.Overwrite = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Repeat a result from its plan and compare the two tables of columns.

    The image must be the file it was (its checksum is verified). Exit code 0 when
    the numbers are equal, 1 when they differ.
    """
    import json
    import math

    from crewe.cli.progress import listener
    from crewe.workflows.repeat import rerun as repeat

    with listener(quiet) as observer:
        found = repeat(folder, observer, output=output, image=image, overwrite=overwrite)
        if as_json:
            largest = found.largest_difference
            answer = {
                "folder": str(folder),
                "equal": found.equal,
                "identical": found.identical,
                "largest_difference_in_standard_errors": largest
                if math.isfinite(largest)
                else None,
                "text": found.text,
            }
            typer.echo(json.dumps(answer, ensure_ascii=False))
        else:
            observer.say(f"{folder}: {found.text}")
    return 0 if found.equal else 1
