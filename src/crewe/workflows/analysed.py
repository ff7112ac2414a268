"""What the fitted columns were asked, and what they answered."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from crewe.atoms.counting.results import AtomCounts
    from crewe.atoms.lattice.results import IndexedColumns
    from crewe.atoms.volume.results import VolumeModel

ADDED = {
    "count": "",
    "count_probability": "",
    "count_low": "",
    "count_high": "",
    "lattice": "",
    "site": "",
    "site_name": "",
    "cell_a": "",
    "cell_b": "",
    "expected_x": "Å",
    "expected_y": "Å",
    "displacement_x": "Å",
    "displacement_x_std": "Å",
    "displacement_y": "Å",
    "displacement_y_std": "Å",
}
"""Columns that analyses add to the table, and their units."""
OUTSIDE = "outside"
"""Flag of a column outside the region that was asked for."""


@dataclass(frozen=True)
class Analyses:
    """Answers of the columns in the region; None for what was not asked.

    Tables have the index of `columns`.
    """

    columns: "pd.DataFrame"
    """The table of the columns that were asked, with what the answers add to it."""
    counts: "AtomCounts | None" = None
    """Number of atoms in each of `columns`."""
    indexed: "IndexedColumns | None" = None
    """Place of each of `columns` in a lattice."""
    tables: "dict[str, pd.DataFrame]" = field(default_factory=dict)
    """Further tables by the name of their file: strain, shifts, tilts."""
    volume: "VolumeModel | None" = None
    """The model in three dimensions."""
    summary: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Each answer in numbers that can be written as JSON, with its warnings."""
