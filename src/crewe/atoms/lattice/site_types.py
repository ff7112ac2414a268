"""Types of columns from a projected unit cell laid over the image."""

import numpy as np
import pandas as pd

from crewe.atoms.lattice.indexing import index_columns
from crewe.atoms.unit_cell import ProjectedCell


def assign_sites(columns: pd.DataFrame, cell: ProjectedCell) -> pd.DataFrame:
    """The table with `type` and `site_name` from the cell; `type` −1 where no site is near.

    `columns` has `x`, `y` in Å, and `height` or `scs` to tell heavy sites from light ones where
    geometry leaves a choice. Types count the names of the cell in their order. The cell is laid
    as `index_columns` says, so that strain, drift and scan distortions do not matter.

    Raises PlanError when the cell does not fit, and says what the image has.
    """
    site = index_columns(columns, cell).columns["site"].to_numpy()
    kinds = {name: number for number, name in enumerate(dict.fromkeys(cell.names))}
    assigned = columns.copy()
    assigned.attrs = dict(columns.attrs)
    # the last entry stands for site −1
    assigned["type"] = np.array([*(kinds[name] for name in cell.names), -1])[site]
    assigned["site_name"] = np.array([*cell.names, ""], dtype=object)[site]
    return assigned
