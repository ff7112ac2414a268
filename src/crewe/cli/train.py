"""`crewe train`: a network learns from samples that are made while it trains."""

from pathlib import Path
from typing import Annotated

import typer

from crewe.cli import options

EXAMPLES = """Examples:

    crewe train hrstem-small -o runs/small

    crewe train my_plan.yaml -o runs/mine --steps 2000

    crewe train runs/mine/plan.yaml -o runs/mine --resume
"""


def train(
    plan: Annotated[
        str, typer.Argument(metavar="PLAN", help="Name of a shipped plan or a YAML file.")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder of the run: weights, log, pictures.")
    ],
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on after the last checkpoint in the folder.")
    ] = False,
    steps: Annotated[
        int | None,
        typer.Option(help="Stop after this step of the plan. Default: its last.", min=1),
    ] = None,
    quiet: options.Quiet = False,
) -> int:
    r"""Train a network by a plan; Ctrl-C ends it with a checkpoint, --resume goes on.

    Needs torch: pip install 'crewe\[train]'.
    """
    from crewe.cli.progress import listener
    from crewe.networks.training_plan import load_plan
    from crewe.workflows.train import require_torch, run_training

    require_torch()
    read = load_plan(plan)
    with listener(quiet) as observer:
        run_training(read, output, resume=resume, steps=steps, observer=observer)
    return 0
