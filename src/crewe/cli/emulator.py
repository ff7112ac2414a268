"""`crewe emulator`: fit, test and look at emulators of multislice images."""

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crewe.cli import emulator_options as given
from crewe.cli import options
from crewe.cli.emulator_words import described_lines, fit_lines, verdict_lines
from crewe.errors import CreweError, PlanError

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


@app.command(epilog=FIT_EXAMPLES)
def fit(
    pairs: given.Pairs,
    output: given.Output = None,
    features: given.Features = "neighbourhood",
    size: given.Size = None,
    degree: given.Degree = None,
    log: given.Log = True,
    interactions: given.Interactions = True,
    kind: given.Kind = None,
    ridge: given.Ridge = None,
    register: given.Register = True,
    convolution: given.Described = None,
    element: given.Element = None,
    by: given.By = "image",
    folds: given.Folds = 2,
    repeats: given.Repeats = 2,
    seed: given.Seed = 0,
    fit_probe: given.FitProbe = False,
    select: given.Select = False,
    largest_terms: given.LargestTerms = 400,
    scan: given.Scan = None,
    leave_out: given.LeaveOut = False,
    report: given.Report = None,
    overwrite: options.Overwrite = False,
    as_json: given.Json = False,
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
        "fit_probe": fit_probe,
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
        typer.Option(help="YAML file of the lens and detector that are meant."),
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
    another lens or detector, surroundings of pixels that it has never seen. Exit code 2 when the
    emulator or an input cannot be used. Pairs are scored, too.
    """
    from crewe.simulation.emulator.store import load_emulator
    from crewe.workflows.emulator_check import described
    from crewe.workflows.emulator_fit_tables import plain

    with _unusable():
        loaded = load_emulator(emulator)
    if not inputs:
        if optics is not None or pixel_size is not None:
            raise PlanError("--optics and --pixel-size are compared with an INPUT: give one")
        facts = described(loaded, emulator)
        said = json.dumps(plain(facts), ensure_ascii=False, allow_nan=False)
        typer.echo(said if as_json else "\n".join(described_lines(facts)))
        return 0
    lens = _microscope(optics)
    with _unusable():
        verdicts = list(_verdicts(loaded, inputs, lens, pixel_size, quiet))
    for verdict in verdicts:
        said = json.dumps(plain(dataclasses.asdict(verdict)), ensure_ascii=False, allow_nan=False)
        typer.echo(said if as_json else "\n".join(verdict_lines(verdict)))
    return 0 if all(verdict.inside for verdict in verdicts) else 1


@contextmanager
def _unusable() -> Iterator[None]:
    """Turn what cannot be read into a wrong use: exit code 1 says that an input is outside."""
    try:
        yield
    except CreweError as error:
        raise PlanError(str(error)) from error


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
