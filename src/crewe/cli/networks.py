"""`crewe networks`: the trained networks that come with crewe, and what is known of each."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from crewe.cli import options

EXAMPLES = """Examples:

    crewe networks

    crewe networks show hrstem

    crewe networks export runs/mine -o mine.onnx
"""

HEAD: tuple[str, ...] = ("name", "task", "makes", "pixel size", "validation", "what for")

app = typer.Typer(
    help="List the trained networks and show their cards.", epilog=EXAMPLES, no_args_is_help=False
)

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="Name of a network, or the path of an ONNX file.")
]


@app.callback(invoke_without_command=True)
def networks(context: typer.Context, as_json: options.Json = False) -> int:
    """List the trained networks: name, task, pixel sizes, validation figures."""
    if context.invoked_subcommand is not None:
        return 0
    from crewe.networks.zoo import card_of, shipped_networks

    cards = [card_of(name) for name in shipped_networks()]
    if as_json:
        for card in cards:
            typer.echo(json.dumps(card.model_dump(mode="json"), ensure_ascii=False))
        return 0
    if not cards:
        typer.echo("no network comes with this installation: install crewe again")
        return 0
    rows = [HEAD, *(_row(card) for card in cards)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        typer.echo("  ".join([*cells, row[-1]]).rstrip())
    return 0


@app.command()
def show(name: Name, as_json: options.Json = False) -> int:
    """Print the card of a network: training, validation, where it fails."""
    from crewe.networks.zoo import card_of
    from crewe.recipes import to_yaml

    card = card_of(name)
    plain = json.dumps(card.model_dump(mode="json"), ensure_ascii=False)
    typer.echo(plain if as_json else to_yaml(card).rstrip())
    return 0


@app.command()
def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder that 'crewe train' wrote.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="File to write, in .onnx; its card beside it.")
    ],
    description: Annotated[str, typer.Option(help="What the network is for, one sentence.")] = "",
    fails: Annotated[
        list[str] | None, typer.Option(help="Where it fails, one sentence; may be repeated.")
    ] = None,
    samples: Annotated[
        int, typer.Option(help="Training samples that say what inputs look like.", min=10)
    ] = 500,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> int:
    r"""Make of a training run a network that 'crewe restore --model' takes.

    Needs torch and onnx: pip install 'crewe\[train,cpu]'.
    """
    from crewe.cli.progress import listener
    from crewe.workflows.export_network import export_network

    with listener(quiet) as observer:
        export_network(run, output, description, tuple(fails or ()), samples, overwrite, observer)
    return 0


def _row(card: Any) -> tuple[str, ...]:
    low, high = card.pixel_size_angstrom
    given = card.validation.input_psnr_db
    gain = f"{card.validation.psnr_db:.2f} dB" + ("" if given is None else f" from {given:.2f}")
    size = f"{low:.3g}–{high:.3g} Å"
    return card.name, card.task, card.target, size, gain, card.description
