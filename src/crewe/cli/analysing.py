"""Ask one or many results of `crewe quantify` more, and tell how it went."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer


def settings_given(**options: Any) -> dict[str, Any]:
    """Leave out the options that were not given."""
    return {name: value for name, value in options.items() if value not in (None, [], ())}


def analyse_folders(
    folders: Sequence[Path],
    parts: Mapping[str, Any],
    dry_run: bool,
    as_json: bool,
    quiet: bool,
    debug: bool,
) -> int:
    """Carry out parts of a plan on each folder and return the exit code.

    A single folder that is no result, or options that contradict what it holds, are wrong use;
    of several folders each fails by itself.
    """
    from functools import partial

    from crewe.cli.outcomes import tell
    from crewe.cli.progress import listener
    from crewe.workflows.analyse_stored import analyse_and_finish, extended
    from crewe.workflows.many import run_many
    from crewe.workflows.stored_result import plan_of

    if dry_run or len(folders) == 1:
        plans = [extended(plan_of(folder), parts) for folder in folders]
        if dry_run:
            return _show(folders, plans, as_json)
    verb = partial(analyse_and_finish, parts=parts)
    names = [str(folder) for folder in folders]
    with listener(quiet) as observer:
        outcomes = run_many(verb, folders, names, observer=observer)
        return tell(outcomes, list(folders), observer, as_json, debug)


def _show(folders: Sequence[Path], plans: Sequence[Any], as_json: bool) -> int:
    """Print each plan and, as YAML comments, what the folder would hold."""
    from crewe.workflows.plan_file import to_yaml
    from crewe.workflows.result_folder import files_of

    for folder, plan in zip(folders, plans, strict=True):
        if as_json:
            files = [str(folder / name) for name in files_of(plan)]
            shown = {"plan": plan.model_dump(mode="json"), "would_write": files}
            typer.echo(json.dumps(shown, ensure_ascii=False))
            continue
        typer.echo(f"---\n{to_yaml(plan, Path())}# {folder} would hold:")
        for name, meaning in files_of(plan).items():
            typer.echo(f"#   {name:<20} {meaning}")
    return 0
