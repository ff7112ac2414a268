"""`crewe emulator pairs`: matched images to fit an emulator to, made from a plan."""

import json
from pathlib import Path
from typing import Annotated

import typer

from crewe.cli import options

EXAMPLES = """Examples:

    crewe emulator pairs pt561.yaml -o pt561.npz --workers 4

    crewe emulator pairs pt561.yaml -o so_far.npz --checkpoint pt561.npz.part --as-is
"""

PlanFile = Annotated[
    Path, typer.Argument(metavar="PLAN.yaml", help="Particles, optics, detector, settings.")
]
Output = Annotated[Path, typer.Option("-o", "--output", help="File to write, in .npz.")]
Checkpoint = Annotated[
    Path | None,
    typer.Option(help="Folder that keeps single configurations. Default: OUTPUT.part."),
]
TakeOver = Annotated[
    Path | None,
    typer.Option(help="Folder of images PARTICLE_CONFIGURATION.npy made elsewhere from this plan."),
]
Device = Annotated[
    str, typer.Option(help="cpu, gpu (needs CuPy), or auto: the GPU if CuPy sees one.")
]
AsIs = Annotated[bool, typer.Option("--as-is", help="Simulate nothing more: write what is there.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


def add_pairs_command(app: typer.Typer) -> None:
    """Add the command to the group `crewe emulator`."""
    app.command("pairs", epilog=EXAMPLES)(pairs)


def pairs(
    plan: PlanFile,
    output: Output,
    checkpoint: Checkpoint = None,
    take_over: TakeOver = None,
    as_is: AsIs = False,
    workers: options.Workers = 0,
    device: Device = "auto",
    overwrite: options.Overwrite = False,
    as_json: Json = False,
    quiet: options.Quiet = False,
) -> int:
    r"""Simulate convolution and multislice images of nanoparticles; run again, it goes on.

    Writes linear_NN and multislice_NN, the mean over frozen phonons, with its standard error
    phonon_error_NN, atoms as numbers_NN and positions_NN, and the plan. Single configurations stay
    in the checkpoint folder, so that more can be added.

    Needs abTEM: pip install 'crewe\[multislice]'.
    """
    from crewe.cli.progress import listener
    from crewe.workflows.pair_set import run_pair_set
    from crewe.workflows.pair_set_plan import load_pair_set_plan

    loaded = load_pair_set_plan(plan)
    with listener(quiet) as observer:
        summary = run_pair_set(
            loaded,
            output,
            observer,
            checkpoint=checkpoint,
            take_over=take_over,
            as_is=as_is,
            workers=workers,
            device=device,
            overwrite=overwrite,
        )
    if as_json:
        said = {"output": output.as_posix(), **summary}
        typer.echo(json.dumps(said, ensure_ascii=False, allow_nan=False))
    return 0
