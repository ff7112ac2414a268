"""From an image to its atomic columns, and from these to atoms counted, strain and a 3D model."""

from crewe.atoms.atom_map import locate_columns
from crewe.atoms.by_network import AtomMap, find_columns_by_network, map_atoms
from crewe.atoms.counting.count import count_atoms
from crewe.atoms.counting.results import AtomCounts
from crewe.atoms.counting.time_series import SeriesCounts, count_series
from crewe.atoms.find import find_columns
from crewe.atoms.fit import ColumnFit, fit_columns
from crewe.atoms.lattice.burgers import BurgersCircuit, burgers_vector
from crewe.atoms.lattice.dislocations import dislocations
from crewe.atoms.lattice.indexing import index_columns
from crewe.atoms.lattice.project import project_cell, read_cell
from crewe.atoms.lattice.results import FittedLattice, IndexedColumns
from crewe.atoms.lattice.shifts import site_shifts
from crewe.atoms.lattice.site_types import assign_sites
from crewe.atoms.lattice.strain import strain_map
from crewe.atoms.lattice.tilt import octahedral_tilt
from crewe.atoms.metrics import (
    match_columns,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_confidence_interval,
    variance_confidence_interval,
)
from crewe.atoms.regions import Region
from crewe.atoms.remove_background import remove_background
from crewe.atoms.unit_cell import ProjectedCell, read_projected_cell
from crewe.atoms.volume import VolumeModel, build_volume, coordination_numbers
from crewe.atoms.weak_columns import WeakColumns, find_weak_columns

__all__ = [
    "AtomCounts",
    "AtomMap",
    "BurgersCircuit",
    "ColumnFit",
    "FittedLattice",
    "IndexedColumns",
    "ProjectedCell",
    "Region",
    "SeriesCounts",
    "VolumeModel",
    "WeakColumns",
    "assign_sites",
    "build_volume",
    "burgers_vector",
    "coordination_numbers",
    "count_atoms",
    "count_series",
    "dislocations",
    "find_columns",
    "find_columns_by_network",
    "find_weak_columns",
    "fit_columns",
    "index_columns",
    "locate_columns",
    "map_atoms",
    "match_columns",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_confidence_interval",
    "octahedral_tilt",
    "project_cell",
    "read_cell",
    "read_projected_cell",
    "remove_background",
    "site_shifts",
    "strain_map",
    "variance_confidence_interval",
]
