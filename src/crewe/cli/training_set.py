"""`crewe training-set`: labelled images by recipe, made, searched, looked at, exported, checked."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from crewe.cli import options
from crewe.cli.training_set_words import describe, tell_report, tell_report_as_json
from crewe.errors import PlanError

if TYPE_CHECKING:
    from crewe.training_sets.check import CheckReport

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Make labelled training sets from recipes; search, look at, export and check them.",
)

MAKE_EXAMPLES = """Examples:

    crewe training-set make atom-maps -n 1000 -o atoms.zarr --workers 4

    crewe training-set make my_recipe.yaml -n 500 -o mine.zarr --seed 7
"""
LIST_EXAMPLES = """Examples:

    crewe training-set list

    crewe training-set list atoms.zarr
"""
RECIPE_EXAMPLES = """Examples:

    crewe training-set recipe hrstem > mine.yaml
"""
FIND_EXAMPLES = """Examples:

    crewe training-set find atoms.zarr "element=Pt fov<50"

    crewe training-set find atoms.zarr "zone=[110] dose>=1000" --csv > chosen.csv
"""
PREVIEW_EXAMPLES = """Examples:

    crewe training-set preview atoms.zarr -o sheet.png

    crewe training-set preview my_recipe.yaml -o sheet.png -n 6 --seed 3
"""
EXPORT_EXAMPLES = """Examples:

    crewe training-set export atoms.zarr -o atoms --format tif

    crewe training-set export atoms.zarr -o platinum.h5 --format hdf5 --query "element=Pt"
"""
CHECK_EXAMPLES = """Examples:

    crewe training-set check atoms.zarr

    crewe training-set check atoms.zarr --remake 20 --mend
"""

Set = Annotated[Path, typer.Argument(metavar="SET.zarr", help="A training set.")]
Seed = Annotated[int, typer.Option(help="Seed: the same one makes the same samples.", min=0)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
LARGEST_PREVIEW = 50


@app.command(epilog=MAKE_EXAMPLES)
def make(
    recipe: Annotated[
        str, typer.Argument(metavar="RECIPE", help="Name of a shipped recipe or a YAML file.")
    ],
    count: Annotated[int, typer.Option("-n", "--count", help="Number of samples.", min=1)],
    output: Annotated[Path, typer.Option("-o", "--output", help="Set to write, in .zarr.")],
    seed: Seed = 0,
    workers: options.Workers = 0,
    scheduler: options.Scheduler = None,
    quiet: options.Quiet = False,
) -> int:
    """Make a training set; run again, it goes on where it was interrupted.

    A larger -n makes a set grow. The samples depend on recipe and seed, not on the workers.
    """
    from crewe.cli.progress import listener
    from crewe.training_sets.recipe import load_recipe
    from crewe.workflows.training_set import TrainingSetPlan, make_training_set

    plan = TrainingSetPlan(load_recipe(recipe), count, output, seed)
    with listener(quiet) as observer:
        make_training_set(plan, observer=observer, workers=workers, scheduler=scheduler)
    return 0


@app.command("list", epilog=LIST_EXAMPLES)
def list_(
    path: Annotated[
        Path | None, typer.Argument(metavar="[SET.zarr]", help="A set to describe.")
    ] = None,
    as_json: Json = False,
) -> int:
    """List the shipped recipes, or what a training set holds."""
    import json

    if path is not None:
        describe(path, as_json)
        return 0
    from crewe.training_sets.recipe import shipped_recipes

    recipes = shipped_recipes()
    if as_json:
        typer.echo(json.dumps(dict(recipes), ensure_ascii=False))
        return 0
    longest = max(map(len, recipes), default=0)
    for name, description in recipes.items():
        typer.echo(f"{name:<{longest}}  {description}")
    return 0


@app.command(epilog=RECIPE_EXAMPLES)
def recipe(
    name: Annotated[
        str, typer.Argument(metavar="RECIPE", help="Name of a shipped recipe or a YAML file.")
    ],
) -> int:
    """Print a recipe whole, every default spelled out: a start for one of your own."""
    from crewe.training_sets.recipe import load_recipe

    typer.echo(load_recipe(name).text, nl=False)
    return 0


@app.command(epilog=FIND_EXAMPLES)
def find(
    path: Set,
    query: Annotated[str, typer.Argument(help="Terms such as element=Pt fov<50.")],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per sample on stdout.")
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV on stdout.")] = False,
) -> int:
    """List the samples that show what a query asks for.

    All terms must hold. Keys: every fact that list SET.zarr names, and short for them, where the
    set has them, element, material, zone, morphology, fov and pixel in Å, dose in e/Å².
    Compare by = != < <= > >= or ~ (contains).
    --json and --csv give every column, the table for people the main ones.
    """
    import json

    from crewe.training_sets.catalogue import find_samples, main_columns
    from crewe.training_sets.store import open_training_set

    if as_json and as_csv:
        raise PlanError("choose either --json or --csv, not both")
    rows = find_samples(open_training_set(path).manifest, query)
    if as_json:
        for row in rows.to_dict("records"):
            typer.echo(json.dumps(row, ensure_ascii=False))
    elif as_csv:
        typer.echo(rows.to_csv(index=False), nl=False)
    else:
        if len(rows):
            shown = rows[main_columns(rows, query)]
            typer.echo(shown.to_string(index=False, float_format="%.5g"))
        typer.echo(f"{len(rows)} samples", err=True)
    return 0


@app.command(epilog=PREVIEW_EXAMPLES)
def preview(
    source: Annotated[str, typer.Argument(metavar="SET_OR_RECIPE", help="A set or a recipe.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="PNG to write.")],
    count: Annotated[
        int, typer.Option("-n", "--count", help="Number of samples.", min=1, max=LARGEST_PREVIEW)
    ] = 4,
    query: Annotated[str, typer.Option("--query", help="Samples of a set, as find takes it.")] = "",
    seed: Seed = 0,
    overwrite: options.Overwrite = False,
) -> int:
    """Draw the first samples of a set or of a recipe, all their images side by side.

    Each image has its own greys; pixels stay squares of whole screen pixels.
    """
    from crewe.training_sets.recipe import load_recipe
    from crewe.workflows.preview import samples_of_recipe, samples_of_set, write_preview

    if output.suffix.lower() != ".png":
        raise PlanError(f"{output}: a preview is a PNG, give a name in .png")
    in_set = source.endswith(".zarr") or (Path(source) / "zarr.json").exists()
    if query and not in_set:
        raise PlanError("--query chooses samples of a set: a recipe has none yet")
    if in_set:
        samples = samples_of_set(Path(source), count, query)
    else:
        samples = samples_of_recipe(load_recipe(source), seed, count)
    write_preview(samples, output, overwrite)
    return 0


@app.command(epilog=EXPORT_EXAMPLES)
def export(
    path: Set,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder or HDF5 file to write.")],
    form: Annotated[
        Literal["tif", "npz", "hdf5"], typer.Option("--format", help="What to write.")
    ] = "tif",
    query: Annotated[str, typer.Option("--query", help="Only these samples; see find.")] = "",
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> int:
    """Write samples as calibrated TIFF, NumPy or HDF5 files with tables beside them."""
    from crewe.cli.progress import listener
    from crewe.training_sets.export import export_training_set
    from crewe.training_sets.store import open_training_set

    with listener(quiet) as observer:
        observer.started(str(path))
        observer.stage_started("export")
        number = export_training_set(
            open_training_set(path),
            output,
            form,
            query,
            overwrite=overwrite,
            progress=lambda fraction: observer.advanced("export", fraction),
        )
        observer.finished(f"{number} samples in {output}")
    return 0


@app.command(epilog=CHECK_EXAMPLES)
def check(
    path: Set,
    remake: Annotated[
        int, typer.Option(help="Samples to make again and compare bit for bit.", min=0)
    ] = 3,
    mend: Annotated[bool, typer.Option("--mend", help="Make damaged blocks again.")] = False,
    as_json: Json = False,
    workers: options.Workers = 0,
    quiet: options.Quiet = False,
) -> int:
    """Check that a set is whole, undamaged and what its recipe makes.

    Exit code 1 when something is wrong, 0 when it is sound or has been mended. A sample whose
    checksums hold and that comes out otherwise here is told as a warning: other library versions
    or another processor change last bits, and nothing is to be mended.
    """
    from crewe.training_sets.check import check_training_set

    report = check_training_set(path, remake)
    mended: tuple[int, ...] = ()
    if mend and not report.sound:
        if not as_json:
            tell_report(report)
        mended = report.blocks_to_mend
        _mend(report, workers, quiet)
        # Other samples are drawn: those that were compared just now are known.
        report = check_training_set(path, remake, seed=1)
    if as_json:
        tell_report_as_json(report, mended)
        return 0 if report.sound else 1
    tell_report(report)
    if not report.sound and not mend:
        typer.echo("crewe training-set check --mend makes the damaged parts again", err=True)
    return 0 if report.sound else 1


def _mend(report: "CheckReport", workers: int, quiet: bool) -> None:
    """Make the damaged blocks of a set again from the recipe that it holds."""
    from crewe.cli.progress import listener
    from crewe.workflows.training_set import mend_training_set

    with listener(quiet) as observer:
        mend_training_set(report, observer=observer, workers=workers)
