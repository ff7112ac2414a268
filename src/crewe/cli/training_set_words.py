"""What the `training-set` commands say about a set, for people and as JSON."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from crewe.training_sets.check import CheckReport
    from crewe.training_sets.reproduction import NotReproduced


def describe(path: Path, as_json: bool) -> None:
    """Say what a set holds: its recipe, arrays, tables and facts."""
    import dataclasses
    import json

    from crewe.training_sets.store import open_training_set

    training_set = open_training_set(path)
    told: dict[str, Any] = dataclasses.asdict(training_set.description)
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    typer.echo(f"{told['count']} samples of {told['name']}, seed {told['seed']}")
    for layout in training_set.description.layout:
        shape = " × ".join(map(str, layout.shape))
        typer.echo(f"  {layout.name}  {shape} {layout.dtype}: {layout.description}")
    for name, columns in told["tables"].items():
        typer.echo(f"  table {name}: {', '.join(columns)}")
    typer.echo(f"  facts: {', '.join(training_set.facts(0))}")


def tell_report(report: "CheckReport") -> None:
    """Say what a check found, one fault in a line, the verdict last."""
    for damage in report.damage:
        typer.echo(damage.what)
    for unlike in report.not_reproduced:
        typer.echo(f"crewe: warning: {not_reproduced(unlike)}", err=True)
    remade = f", {len(report.remade)} samples made again" if report.remade else ""
    typer.echo(
        f"{report.path}: {verdict(report)}; {report.count} samples, "
        f"{report.checked_files} files{remade}"
    )


def tell_report_as_json(report: "CheckReport", mended: Sequence[int]) -> None:
    """Print what a check found, after some blocks were mended, as one JSON object."""
    import dataclasses
    import json

    found = {**dataclasses.asdict(report), "path": report.path.as_posix()}
    found |= {"sound": report.sound, "verdict": verdict(report), "mended_blocks": list(mended)}
    typer.echo(json.dumps(found, ensure_ascii=False))


def verdict(report: "CheckReport") -> str:
    """Return in a few words how a set is."""
    if report.damage:
        return "1 fault" if len(report.damage) == 1 else f"{len(report.damage)} faults"
    if not report.not_reproduced:
        return "sound"
    number = len(report.not_reproduced)
    return f"sound as stored, {number} sample{'s' * (number > 1)} not reproduced here"


def not_reproduced(unlike: "NotReproduced") -> str:
    """Say in one line how a sample differs, with which versions it was made and what is here."""
    made = ", ".join(f"{name} {version}" for name, version in unlike.made_with.items())
    changed = ", ".join(
        f"{name} {version}"
        for name, version in unlike.installed.items()
        if version != unlike.made_with[name]
    )
    here = f"installed here: {changed}" if changed else "the same versions are installed here"
    return (
        f"sample {unlike.sample} (block {unlike.block}) is not reproduced here: "
        f"{'; '.join(unlike.unlike)}. Its files are what was written. Made with "
        f"{made or 'unknown versions'}; {here}"
        + ("" if changed else ": another processor may be the reason")
    )
