"""`crewe emulator`: fit, test and look at emulators of multislice images."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from crewe.cli import options
from crewe.cli.emulator_words import described_lines, fit_lines, verdict_lines
from crewe.errors import PlanError

if TYPE_CHECKING:
    from crewe.simulation.emulator.model import Emulator
    from crewe.workflows.emulator_check import Verdict

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Fit emulators that make multislice images in milliseconds; test and check them.",
)

FIT_EXAMPLES = """Examples:

    crewe emulator fit pairs.npz -o pt.emulator

    crewe emulator fit pairs.npz --features smoothed -o pt.emulator --report report

    crewe emulator fit pairs.npz --size 3 --degree 3 --no-log --by block --json

    crewe emulator fit pairs.npz --select --scan tried.jsonl --leave-out
"""

CHECK_EXAMPLES = """Examples:

    crewe emulator check pt.emulator

    crewe emulator check pt.emulator particle.xyz --optics optics.yaml

    crewe emulator check pt.emulator more_pairs.npz linear.tif --json
"""

MODEL, TEST, MORE = "Polynomial", "Cross-validation", "More to find out; takes longer"
RUNNING = options.RUNNING


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
Select = Annotated[
    bool,
    _option(
        MORE,
        "--select",
        text="Try sizes and degrees; take the smallest that is as good as the best.",
    ),
]
LargestTerms = Annotated[
    int, _option(MORE, text="Terms of the largest polynomial that --select tries.", min=2)
]
Scan = Annotated[
    Path | None,
    _option(MORE, text="File of what --select has tried: it goes on where it was stopped."),
]
LeaveOut = Annotated[
    bool,
    _option(MORE, "--leave-out", text="Measure the error with fewer training images."),
]


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
    select: Select = False,
    largest_terms: LargestTerms = 400,
    scan: Scan = None,
    leave_out: LeaveOut = False,
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
        "select": select,
        "largest_terms": largest_terms,
        "scan": scan,
        "leave_out": leave_out,
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


@app.command(epilog=CHECK_EXAMPLES)
def check(
    emulator: Annotated[Path, typer.Argument(metavar="EMULATOR", help="File that fit wrote.")],
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[INPUT]...", help="Convolution images, .cif or .xyz, or pairs."),
    ] = None,
    optics: Annotated[
        Path | None,
        typer.Option(help="YAML file of the lens and detector meant for a specimen."),
    ] = None,
    pixel_size: Annotated[
        float | None, typer.Option(help="Pixel size in Å that is meant.", min=0)
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per input on stdout.")
    ] = False,
    quiet: options.Quiet = False,
) -> int:
    """Show what an emulator is, and whether it may be asked about images and specimens.

    Exit code 1 when an input lies outside what the emulator learned from: another element, thicker,
    another lens or detector, surroundings of pixels that it has never seen. Pairs are scored, too.
    """
    from crewe.simulation.emulator.store import load_emulator
    from crewe.workflows.emulator_check import described

    loaded = load_emulator(emulator)
    if not inputs:
        facts = described(loaded, emulator)
        plain = json.dumps(facts, ensure_ascii=False, allow_nan=False)
        typer.echo(plain if as_json else "\n".join(described_lines(facts)))
        return 0
    lens = _microscope(optics)
    verdicts = list(_verdicts(loaded, inputs, lens, pixel_size, quiet))
    for verdict in verdicts:
        plain = json.dumps(dataclasses.asdict(verdict), ensure_ascii=False)
        typer.echo(plain if as_json else "\n".join(verdict_lines(verdict)))
    return 0 if all(verdict.inside for verdict in verdicts) else 1


def _microscope(path: Path | None) -> dict[str, Any]:
    """Lens and, where there is one, detector of a file. Raises PlanError for several detectors."""
    if path is None:
        return {}
    from crewe.workflows.simulation_optics import load_microscope

    found = load_microscope(path)
    if len(found.detectors) > 1:
        raise PlanError(
            f"{path} holds {len(found.detectors)} detectors, an emulator knows one: leave one"
        )
    return {"optics": found.optics, "detector": next(iter(found.detectors.values()), None)}


def _verdicts(
    emulator: "Emulator",
    inputs: list[Path],
    lens: dict[str, Any],
    pixel_size: float | None,
    quiet: bool,
) -> Iterator["Verdict"]:
    from crewe.cli.progress import listener
    from crewe.workflows.emulator_check import check_input

    with listener(quiet) as observer:
        for path in inputs:
            yield check_input(
                emulator, path, **lens, pixel_size_angstrom=pixel_size, observer=observer
            )
