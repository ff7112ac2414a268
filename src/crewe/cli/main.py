"""The `crewe` command and what its errors look like.

Exit codes: 0 all went well, 1 an input failed, a result differs or the output could
not be written, 2 the command itself was wrong, 130 interrupted. Heavy libraries are
imported inside the commands, so that `crewe --help` is quick.
"""

import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any

import typer

import crewe
from crewe.cli import (
    convert,
    count,
    emulator,
    fuse,
    info,
    live,
    map_atoms,
    networks,
    pair_set,
    phase,
    quantify,
    rerun,
    restore,
    simulate,
    strain,
    train,
    training_set,
    volume,
)
from crewe.errors import CreweError, PlanError

FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130
FULL = (errno.ENOSPC, errno.EDQUOT)

# Typer's own copy of click moves between versions; the exception it exports does not.
UsageError: type[Any] = typer.BadParameter.__mro__[1]

app = typer.Typer(
    name="crewe",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for panel, command, examples in (
    ("Measure", quantify.quantify, quantify.EXAMPLES),
    ("Measure", count.count, count.EXAMPLES),
    ("Measure", strain.strain, strain.EXAMPLES),
    ("Measure", volume.volume, volume.EXAMPLES),
    ("Measure", map_atoms.map_atoms, map_atoms.EXAMPLES),
    ("Measure", restore.restore, restore.EXAMPLES),
    ("Measure", fuse.fuse, fuse.EXAMPLES),
    ("Measure", phase.phase, phase.EXAMPLES),
    ("Measure", live.live, live.EXAMPLES),
    ("Measure", rerun.rerun, rerun.EXAMPLES),
    ("Files", info.info, info.EXAMPLES),
    ("Files", convert.convert, convert.EXAMPLES),
):
    app.command(rich_help_panel=panel, epilog=examples)(command)
app.command(rich_help_panel="Simulate", epilog=simulate.EXAMPLES)(simulate.simulate)
app.command(rich_help_panel="Train networks", epilog=train.EXAMPLES)(train.train)
pair_set.add_pairs_command(emulator.app)
app.add_typer(emulator.app, name="emulator", rich_help_panel="Simulate")
app.add_typer(networks.app, name="networks", rich_help_panel="Train networks")
app.add_typer(training_set.app, name="training-set", rich_help_panel="Train networks")


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"crewe {crewe.__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_say_version, is_eager=True, help="Say the version."),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error (for bug reports).")
    ] = False,
) -> None:
    """Turn electron-microscope images into tables of atomic columns with error bars.

    Start with: [bold]crewe quantify IMAGE[/bold]
    """
    context.obj = debug


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code; errors become one line on stderr."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    # Accepted anywhere in the line: one adds it to a command that has just failed.
    rest = [word for word in given if word != "--debug"]
    try:
        code = app(["--debug", *rest] if debug else rest, "crewe", standalone_mode=False)
        # What is still to be written may fail too, and would do so after the last except.
        sys.stdout.flush()
    except UsageError as error:
        return _complain(
            f"{error.format_message()} 'crewe --help' and 'crewe COMMAND --help' explain.",
            WRONG_USE,
        )
    except CreweError as error:
        if debug:
            raise
        said = str(error).replace("pass overwrite=True", "add --overwrite")
        return _complain(said, WRONG_USE if isinstance(error, PlanError) else FAILED)
    except (KeyboardInterrupt, typer.Abort):
        return _complain("interrupted; nothing half-written is left behind", INTERRUPTED)
    except BrokenPipeError:
        # Whoever reads the output has seen enough, as `head` has.
        _let_go_of_stdout()
        return FAILED
    except Exception as error:
        if isinstance(error, OSError) and error.errno in FULL:
            _let_go_of_stdout()
            place = error.filename or "the output"
            return _complain(f"cannot write {place}: {error.strerror}; make room", FAILED)
        if debug:
            raise
        kind = type(error).__name__
        said = f"unexpected {kind}: {error}. Please report it; --debug shows where"
        return _complain(said, FAILED)
    return int(code or 0)


def _let_go_of_stdout() -> None:
    """Point stdout to nowhere, or Python complains at its end of what it could not write."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _complain(text: str, code: int) -> int:
    one_line = " ".join(text.split())
    typer.echo(f"crewe: {one_line}", err=True)
    return code
