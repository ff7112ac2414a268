"""What a training set is made of, whichever recipe makes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Fact = str | int | float | bool


@dataclass(frozen=True)
class ArrayLayout:
    """One array that every sample of a set holds."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    description: str
    """One sentence with the unit of the values."""


@dataclass(frozen=True)
class Sample:
    """One labelled sample."""

    arrays: dict[str, NDArray[np.generic]]
    """By name, with the shapes and types of the layout."""
    facts: dict[str, Fact]
    """What the sample shows and how it was made; one row of the manifest. The same keys in every
    sample of a recipe; a unit stands in the key (`dose_e_per_angstrom2`)."""
    tables: dict[str, dict[str, NDArray[np.generic]]] = field(default_factory=dict)
    """Tables with as many rows as the sample has things, by name: their columns."""


class SampleMaker(Protocol):
    """A recipe that has been read: all that it takes to make any sample of the set."""

    @property
    def name(self) -> str:
        """A short name for people."""

    @property
    def text(self) -> str:
        """The recipe as a self-contained YAML text; `recipe_from_text(text)` makes it again."""

    def layout(self) -> tuple[ArrayLayout, ...]:
        """Return the arrays of every sample."""

    def table_columns(self) -> Mapping[str, Mapping[str, str]]:
        """Return the tables of every sample: for each the types of its columns."""

    def sample(self, seed: int, index: int) -> Sample:
        """Make sample `index` of the set with this seed, without any other sample."""
