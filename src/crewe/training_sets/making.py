"""One sample as everybody gets it: made, held against its layout, and rounded as stored.

Stream, store, preview and check all come here, so that sample i is the same in all of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import CreweError, PlanError, RecipeError
from crewe.training_sets.codecs import rounded
from crewe.training_sets.sample import ArrayLayout, Fact, Sample, SampleMaker

Recall = Callable[[str], SampleMaker]
"""Turns the text of a recipe into its maker again; a function that a worker can import."""


def maker_of(text: str) -> SampleMaker:
    """Read a recipe of this package."""
    from crewe.training_sets.recipe import recipe_from_text

    return recipe_from_text(text)


@lru_cache(maxsize=4)
def recalled(recall: Recall, text: str) -> SampleMaker:
    """Return the maker of a recipe's text, read once in each process."""
    return recall(text)


def make_sample(maker: SampleMaker, seed: int, index: int) -> Sample:
    """Make sample `index` of the set with this seed, as the store holds it.

    Raises what the maker raises, with the sample named, PlanError for one that does not fit
    into memory, and RecipeError for one that does not keep to the layout or holds NaN.
    """
    try:
        sample = maker.sample(seed, index)
    except CreweError as error:
        raise type(error)(_named(str(error), seed, index)) from error
    except MemoryError as error:
        raise PlanError(
            f"sample {index} of seed {seed} needs more memory than there is ({error}): make the "
            "images or the specimens of the recipe smaller, or use fewer workers"
        ) from error
    place = f"{maker.name}: sample {index} of seed {seed}"
    arrays = {layout.name: _array(sample, layout, place) for layout in maker.layout()}
    unforeseen = set(sample.arrays) - set(arrays)
    if unforeseen:
        raise RecipeError(f"{place} has arrays that its layout lacks: {sorted(unforeseen)}")
    tables = {
        name: _table(sample, name, columns, place)
        for name, columns in maker.table_columns().items()
    }
    return Sample(arrays, {key: _plain(value) for key, value in sample.facts.items()}, tables)


def _named(said: str, seed: int, index: int) -> str:
    """Put the number of the sample before a message that does not say it itself."""
    if re.search(rf"\bsample {index}\b", said):
        return f"seed {seed}: {said}"
    return f"sample {index} of seed {seed}: {said}"


def _array(sample: Sample, layout: ArrayLayout, place: str) -> NDArray[Any]:
    array = sample.arrays.get(layout.name)
    if array is None:
        raise RecipeError(f"{place} lacks the array {layout.name!r} of its layout")
    if array.shape != layout.shape or array.dtype != np.dtype(layout.dtype):
        raise RecipeError(
            f"{place}: {layout.name!r} is {array.dtype} of shape {array.shape}, its layout says "
            f"{layout.dtype} of shape {layout.shape}"
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise RecipeError(f"{place}: {layout.name!r} holds NaN or infinity")
    return rounded(array)


def _table(
    sample: Sample, name: str, columns: Mapping[str, str], place: str
) -> dict[str, NDArray[Any]]:
    table = sample.tables.get(name)
    if table is None or set(table) != set(columns):
        found = "none" if table is None else sorted(table)
        raise RecipeError(f"{place}: table {name!r} has {found}, not {sorted(columns)}")
    if len({len(values) for values in table.values()}) > 1:
        raise RecipeError(f"{place}: the columns of table {name!r} differ in length")
    return {
        column: np.asarray(table[column], object if kind == "str" else kind)
        for column, kind in columns.items()
    }


def _plain(value: Any) -> Fact:
    """Return a number of numpy's as one of Python's."""
    return value.item() if isinstance(value, np.generic) else value
