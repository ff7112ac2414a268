"""`crewe info`: what a file holds, with axes and units."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crewe.cli.inputs import expand
from crewe.errors import CreweError

if TYPE_CHECKING:
    from crewe.io import SignalInfo

EXAMPLES = """Examples:

    crewe info gold.dm4

    crewe info spectrum_image.emd --json

    crewe info "series/*.dm4"
"""


def info(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Any files that crewe reads.")
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per file on stdout.")
    ] = False,
) -> int:
    """List the signals of files with their axes, units, sampling and size."""
    files = expand(paths)
    if len(files) == 1:
        _tell(files[0], as_json, headed=False)
        return 0
    failed = 0
    for path in files:
        try:
            _tell(path, as_json, headed=True)
        except CreweError as error:
            failed += 1
            typer.echo(f"crewe: {error}", err=True)
    return 1 if failed else 0


def _tell(path: Path, as_json: bool, headed: bool) -> None:
    """Print what one file holds, under its name where there are several."""
    import json

    from crewe.io import list_signals

    signals = list_signals(path)
    if as_json:
        found = [_as_object(signal) for signal in signals]
        answer = {"path": path.as_posix(), "signals": found}
        typer.echo(json.dumps(answer, ensure_ascii=False, allow_nan=False))
        return
    if headed:
        typer.echo(f"{path}")
    for signal in signals:
        name = f"  {signal.name}" if signal.name else ""
        typer.echo(f"signal {signal.index}{name}")
        typer.echo(f"    {_size(signal)}")
        for line in _axes(signal):
            typer.echo(f"    {line}")


def _size(signal: "SignalInfo") -> str:
    shape = " × ".join(str(size) for size in signal.shape)
    return f"{shape} of {signal.dtype}, {readable_bytes(signal.nbytes)}"


def _axes(signal: "SignalInfo") -> list[str]:
    axes = zip(signal.dims, signal.shape, signal.units, signal.sampling, strict=True)
    return [_axis(*axis) for axis in axes]


def _axis(dim: str, size: int, unit: str, step: float) -> str:
    if unit in ("px", "1"):
        return f"{dim:<8} {size:>6}   not calibrated"
    if step != step:
        return f"{dim:<8} {size:>6}   uneven steps, in {unit}"
    return f"{dim:<8} {size:>6}   {step:.6g} {unit} each, {size * step:.4g} {unit} in all"


def readable_bytes(number: float) -> str:
    """Write a number of bytes in the unit that keeps it short."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} TB"


def _as_object(signal: "SignalInfo") -> dict[str, Any]:
    import dataclasses
    import math

    listed = dataclasses.asdict(signal)
    listed["sampling"] = [step if math.isfinite(step) else None for step in signal.sampling]
    return listed
