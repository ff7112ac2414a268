"""Whether a sample of a stored set comes out bit for bit when its recipe makes it again, here."""

from __future__ import annotations

import importlib.metadata
import platform
from dataclasses import dataclass
from typing import Any

import numpy as np

import crewe
from crewe.errors import CreweError
from crewe.training_sets.blocks import read_record
from crewe.training_sets.folder import SetDescription
from crewe.training_sets.making import Recall, make_sample, recalled
from crewe.training_sets.sample import Sample
from crewe.training_sets.store import TrainingSet


@dataclass(frozen=True)
class NotReproduced:
    """A sample whose files hold what was written, and which comes out otherwise here and now."""

    sample: int
    block: int
    unlike: tuple[str, ...]
    """What differs and by how much, or why the sample cannot be made here."""
    made_with: dict[str, str]
    """Versions in the block's own record."""
    installed: dict[str, str]
    """Versions of the same libraries here."""


def compare_again(
    reader: TrainingSet, index: int, recall: Recall, listed: bool = True
) -> list[NotReproduced]:
    """Make a sample again and return how it differs from the stored one, nothing if it does not.

    `listed` says whether the manifest can be trusted, so that the facts are compared too.
    Raises ReadError when the stored sample cannot be read.
    """
    description = reader.description
    arrays = {layout.name: reader.array(layout.name, index) for layout in description.layout}
    tables = {name: _columns(reader, name, index) for name in description.tables}
    facts = reader.facts(index) if listed else {}
    try:
        again = make_sample(recalled(recall, description.recipe), description.seed, index)
    except CreweError as error:
        unlike = [f"it cannot be made: {error}"]
    else:
        kept = Sample(arrays, facts if listed else again.facts, tables)
        unlike = differences(again, kept)
    return [_not_reproduced(reader, index, unlike)] if unlike else []


def differences(made: Sample, stored: Sample) -> list[str]:
    """Name every array, fact and column of a table that differs, arrays with the share of it."""
    unlike = [
        f"array {name} in {_share(array, stored.arrays.get(name)):.2g} of its values"
        for name, array in made.arrays.items()
        if _differ(array, stored.arrays.get(name))
    ]
    unlike += [
        f"fact {key}"
        for key in dict.fromkeys([*made.facts, *stored.facts])
        if _differ(made.facts.get(key), stored.facts.get(key))
    ]
    unlike += [
        f"table {name}, column {column}"
        for name, table in made.tables.items()
        for column in table
        if _differ(table[column], stored.tables.get(name, {}).get(column))
    ]
    return unlike


def _share(made: Any, stored: Any) -> float:
    return float(np.mean(made != stored)) if np.shape(made) == np.shape(stored) else 1.0


def _differ(made: Any, stored: Any) -> bool:
    first, second = np.asarray(made), np.asarray(stored)
    if first.dtype.kind == "f" and second.dtype.kind == "f":
        return not np.array_equal(first, second, equal_nan=True)
    return not np.array_equal(first, second)


def _columns(reader: TrainingSet, table: str, index: int) -> dict[str, Any]:
    return {str(name): values.to_numpy() for name, values in reader.table(table, index).items()}


def _not_reproduced(reader: TrainingSet, index: int, unlike: list[str]) -> NotReproduced:
    description = reader.description
    block = index // description.block_size
    versions = _made_with(reader, description, block)
    return NotReproduced(index, block, tuple(unlike), versions, _installed(versions))


def _made_with(reader: TrainingSet, description: SetDescription, block: int) -> dict[str, str]:
    record = read_record(reader.path, description, block)
    return description.versions if record is None else record.versions


def _installed(names: dict[str, str]) -> dict[str, str]:
    """Return the versions that are here of what made a block."""
    own = {"crewe": crewe.__version__, "python": platform.python_version()}
    return {name: own.get(name) or _version(name) for name in names}


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "none"
