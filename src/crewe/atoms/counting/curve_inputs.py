"""From settings and a table to the family of curves and the data that counting works on."""

import numpy as np
import pandas as pd
import xarray as xr

from crewe.atoms.counting.checks import Countable, library_values
from crewe.atoms.counting.comb import CrossSections, cross_sections
from crewe.atoms.counting.thickness_curve import (
    COUNTING_WIDTH,
    ROUGH,
    SMOOTH_PART,
    WIDTH,
    Family,
    extended_shape,
    free_family,
    library_family,
)
from crewe.atoms.stamps import Array
from crewe.errors import PlanError

WIDTHS = ("common", "dose", "measured")
SCALE_STD = 0.1
# More columns than this are gathered in bins of a sixteenth of the smallest step.
UNBINNED = 1500
BINS_PER_STEP = 16


def assumptions(columns: int, with_library: bool) -> list[Array]:
    """How much a smooth distribution of thickness is worth, in columns: rough, and smooth.

    Without a library the data would choose between these with confidence, and wrongly: what
    columns of one count have in common, such as a facet, passes for steps of a much finer curve.
    """
    smooth = SMOOTH_PART * columns
    if with_library:
        return [np.array([ROUGH[-1], smooth])]
    return [ROUGH, np.array([smooth])]


def check_settings(
    library: xr.DataArray | None,
    scale_std: float | None,
    single_atom_scs: float | None,
    width: str,
    electrons_per_unit: float | None,
) -> None:
    """Raise PlanError for settings that contradict each other."""
    if width not in WIDTHS:
        raise PlanError(f"width is one of {', '.join(WIDTHS)}; given was {width!r}")
    if electrons_per_unit is not None and width != "dose":
        raise PlanError(f"electrons_per_unit goes with width='dose', given was width={width!r}")
    if library is not None and single_atom_scs is not None:
        raise PlanError("give a library or single_atom_scs, not both: each sets the scale")
    if scale_std is None:
        return
    if not 0 <= scale_std < 1:
        raise PlanError(f"scale_std is a relative error from 0 to 1; given was {scale_std}")
    if library is None and (single_atom_scs is None or scale_std == 0):
        raise PlanError(
            "scale_std says how well the scale of a library or of single_atom_scs is known: give "
            "one of them (0 goes with a library only)"
        )


def own_variances(columns: pd.DataFrame, usable: Countable, width: str) -> Array:
    """Variance (n,) of each usable column by itself, beside that of all."""
    if width != "measured":
        return np.zeros(len(usable.scs))
    if "scs_std" not in columns:
        raise PlanError(
            "width='measured' needs a column 'scs_std', the standard error of each scs; take "
            "width='common'"
        )
    std = columns["scs_std"].to_numpy(dtype=float, na_value=np.nan)[usable.rows]
    # A column without an error of its own is as uncertain as the others are.
    std = np.where(np.isfinite(std), std, np.nanmedian(std) if np.isfinite(std).any() else 0.0)
    return np.square(std)


def family_of(
    usable: Countable,
    reference: float,
    library: xr.DataArray | None,
    scale_std: float | None,
    single_atom_scs: float | None,
    least_count: int | None,
    most: int,
) -> Family:
    """The curves that are held possible before the data are seen."""
    anchored = least_count is not None
    least = 1 if least_count is None else least_count
    spread = SCALE_STD if scale_std is None else scale_std
    if library is not None:
        atoms, values = library_values(library, usable.scs, usable.unit)
        shape = extended_shape(atoms, values, most) / reference
        return library_family(shape, least, anchored, spread)
    family = free_family(most, least, anchored)
    if single_atom_scs is None:
        return family
    return family._replace(first_atom=single_atom_scs / reference, first_atom_std=spread)


def with_width(
    family: Family, width: str, electrons_per_unit: float | None, reference: float
) -> Family:
    """Return the family with the model of the width."""
    if width == "common":
        return family
    breadth = family.breadth.copy()
    # What is left beside the electrons or the errors of the fit may be little.
    breadth[WIDTH] = 1.5
    if width == "measured":
        return family._replace(breadth=breadth)
    if electrons_per_unit is None:
        breadth[COUNTING_WIDTH] = 1.5
        return family._replace(breadth=breadth, per_beam=-1.0)
    return family._replace(breadth=breadth, per_beam=1 / (electrons_per_unit * reference))


def gathered(values: Array, own: Array, family: Family) -> CrossSections:
    """Sort the cross-sections; gather very many of them in bins much finer than a step."""
    order = np.argsort(values)
    values, own = values[order], own[order]
    if len(values) <= UNBINNED:
        return cross_sections(values, np.ones(len(values)), own, family.anchored)
    bins = np.floor(values * (len(family.shape) - 1) * BINS_PER_STEP).astype(int)
    _, which = np.unique(bins, return_inverse=True)
    weights = np.bincount(which).astype(float)
    means = np.bincount(which, values) / weights
    own = np.bincount(which, own) / weights
    return cross_sections(means, weights, own, family.anchored)
