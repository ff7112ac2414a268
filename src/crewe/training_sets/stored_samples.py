"""The samples of a finished training set over and over, mirrored anew each time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml
from numpy.typing import NDArray

from crewe.recipes import RecipePart
from crewe.recipes.seeds import child_generator
from crewe.training_sets.recipe import recipe_from_text
from crewe.training_sets.sample import ArrayLayout, Sample, SampleMaker
from crewe.training_sets.store import TrainingSet, open_training_set


class StoredSamples(RecipePart):
    """A maker that reads instead of making: ten times faster where samples are costly.

    Sample i is number i modulo the size of the set. In the first round it is as stored; in later
    ones its arrays are mirrored along x, y or both, all alike, by chance from the seed; they are
    not turned, as scan lines run along x. Tables and facts stay those of the stored sample. `path`
    is the set's folder.
    """

    task: Literal["stored"] = "stored"
    path: str

    @cached_property
    def _set(self) -> TrainingSet:
        return open_training_set(self.path)

    @cached_property
    def original(self) -> SampleMaker:
        """What made the set."""
        return recipe_from_text(self._set.description.recipe)

    @property
    def name(self) -> str:
        """The name of the recipe that made the set."""
        return self.original.name

    @property
    def text(self) -> str:
        """What `recipe_from_text` reads again."""
        return str(yaml.safe_dump({"task": "stored", "path": str(Path(self.path).absolute())}))

    @property
    def seed(self) -> int:
        """The seed of the set."""
        return self._set.description.seed

    def layout(self) -> tuple[ArrayLayout, ...]:
        """Return the arrays of every sample."""
        return self._set.description.layout

    def table_columns(self) -> Mapping[str, Mapping[str, str]]:
        """Return the tables of every sample: for each the types of its columns."""
        return self._set.description.tables

    def sample(self, seed: int, index: int) -> Sample:
        """Read sample `index` of the endless series. Raises ReadError for a damaged set."""
        turn, number = divmod(index, len(self._set))
        stored = self._set[number]
        if turn == 0:
            return stored
        rng = child_generator(seed, index)
        steps = rng.choice([1, -1], 2)
        arrays = {name: _mirrored(one, *steps) for name, one in stored.arrays.items()}
        return replace(stored, arrays=arrays)


def _mirrored(array: NDArray[Any], y_step: int, x_step: int) -> NDArray[Any]:
    return np.ascontiguousarray(array[..., ::y_step, ::x_step])
