"""From an image to its atomic columns: find them, fit them, say how well they are known."""

from crewe.atoms.atom_map import locate_columns
from crewe.atoms.by_network import AtomMap, find_columns_by_network, map_atoms
from crewe.atoms.find import find_columns
from crewe.atoms.fit import ColumnFit, fit_columns
from crewe.atoms.lattice.site_types import assign_sites
from crewe.atoms.metrics import (
    match_columns,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_confidence_interval,
    variance_confidence_interval,
)
from crewe.atoms.unit_cell import ProjectedCell, read_projected_cell

__all__ = [
    "AtomMap",
    "ColumnFit",
    "ProjectedCell",
    "assign_sites",
    "find_columns",
    "find_columns_by_network",
    "fit_columns",
    "locate_columns",
    "map_atoms",
    "match_columns",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_confidence_interval",
    "read_projected_cell",
    "variance_confidence_interval",
]
