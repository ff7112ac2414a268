"""A picture of some samples of a training set or of a recipe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from crewe.errors import PlanError
from crewe.io.atomic import atomic_path

if TYPE_CHECKING:
    from crewe.plots.contact_sheet import SheetRow
    from crewe.training_sets.sample import Fact, Sample, SampleMaker

UNITS = {"_e_per_angstrom2": " e/Å²", "_per_angstrom": " /Å", "_angstrom": " Å", "_mrad": " mrad"}


def write_preview(
    samples: Iterable[tuple[int, Sample]], path: Path, overwrite: bool = False
) -> None:
    """Write a contact sheet of numbered samples as PNG, all their images side by side.

    Raises WriteError and ImageError.
    """
    from crewe.plots.contact_sheet import contact_sheet, sheet_png

    rows = [_row(index, sample) for index, sample in samples]
    with atomic_path(path, overwrite) as temporary:
        temporary.write_bytes(sheet_png(contact_sheet(rows)))


def samples_of_set(path: Path, count: int, query: str = "") -> Iterator[tuple[int, Sample]]:
    """Yield the first samples of a set that a query chooses. Raises PlanError when none does."""
    from crewe.training_sets.catalogue import find_samples
    from crewe.training_sets.store import open_training_set

    training_set = open_training_set(path)
    rows = find_samples(training_set.manifest, query)
    if rows.empty:
        raise PlanError(f"no sample fits {query!r}: nothing to draw")
    for index in rows["index"][:count]:
        yield int(index), training_set[int(index)]


def samples_of_recipe(maker: SampleMaker, seed: int, count: int) -> Iterator[tuple[int, Sample]]:
    """Make the first samples of a recipe."""
    from crewe.training_sets.streaming import stream

    return enumerate(islice(stream(maker, seed), count))


def _row(index: int, sample: Sample) -> SheetRow:
    from crewe.plots.contact_sheet import CaptionedImage, SheetRow
    from crewe.training_sets.export import pixel_size

    images = [
        CaptionedImage(array, _words(name), pixel_size(sample, array))
        for name, array in sample.arrays.items()
        if array.ndim == 2
    ]
    facts = ", ".join(readable_fact(key, value) for key, value in sample.facts.items())
    return SheetRow(images, f"{index}  {facts}")


def readable_fact(key: str, value: Fact) -> str:
    """Write a fact with its unit behind the number instead of in its name."""
    number = isinstance(value, float | int) and not isinstance(value, bool)
    shown = f"{value:.4g}" if number else str(value)
    for suffix, unit in UNITS.items():
        if key.endswith(suffix):
            return f"{_words(key.removesuffix(suffix))} {shown}{unit}"
    return f"{_words(key)} {shown}"


def _words(name: str) -> str:
    return name.replace("_", " ")
