"""`crewe convert`: any file that crewe reads into any that it writes."""

from pathlib import Path
from typing import Annotated, Any

import typer

from crewe.cli import options

EXAMPLES = """Examples:

    crewe convert gold.dm4 gold.tif

    crewe convert series.emd mean.hspy --signal HAADF --frame mean
"""


def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="File to read.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="File to write, by its suffix.")],
    signal: options.Signal = None,
    frame: options.Frame = None,
    overwrite: options.Overwrite = False,
) -> int:
    """Write one signal of a file in another format, its calibration included."""
    from crewe import io
    from crewe.cli.words import number_or_word

    where: dict[str, Any] = {"signal": number_or_word(signal), "frame": number_or_word(frame)}
    chosen = io.read(source, **where)
    io.write(target, chosen, overwrite=overwrite)
    return 0
