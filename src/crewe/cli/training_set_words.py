"""What the `training-set` commands say about a set, for people and as JSON."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from crewe.training_sets.check import CheckReport


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


def tell_report(report: "CheckReport", as_json: bool) -> None:
    """Say what a check found, one fault in a line, the verdict last."""
    import dataclasses
    import json

    if as_json:
        found = {**dataclasses.asdict(report), "path": report.path.as_posix()}
        found["sound"] = report.sound
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for damage in report.damage:
        place = "" if damage.block is None else f"block {damage.block}: "
        typer.echo(f"{place}{damage.what}")
    verdict = "sound" if report.sound else f"{len(report.damage)} faults"
    remade = f", {len(report.remade)} samples made again" if report.remade else ""
    typer.echo(
        f"{report.path}: {verdict}; {report.count} samples, {report.checked_files} files{remade}"
    )
