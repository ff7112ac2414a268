"""Count atoms with a mixture whose means lie on a smooth thickness curve."""

from collections.abc import Callable
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr

from crewe.atoms.counting.anchoring import better_scale, shifted
from crewe.atoms.counting.checks import check_positive, check_range, countable
from crewe.atoms.counting.curve_counts import CountedCurves, count_on_curves
from crewe.atoms.counting.curve_inputs import (
    assumptions,
    check_settings,
    family_of,
    gathered,
    own_variances,
    with_width,
)
from crewe.atoms.counting.curve_posterior import sample_curves
from crewe.atoms.counting.curve_samples import side_by_side, together
from crewe.atoms.counting.curve_search import find_summits
from crewe.atoms.counting.curve_summary import CurveRun, summarise
from crewe.atoms.counting.outcome import spread_out
from crewe.atoms.counting.results import AtomCounts
from crewe.atoms.counting.thickness_curve import straight_family
from crewe.atoms.stamps import Array

Observer = Callable[[str, float], None]
Width = Literal["common", "dose", "measured"]

REFERENCE = 0.98
"""Part of the columns below the reference cross-section."""


def count_by_curve(
    columns: pd.DataFrame,
    *,
    library: xr.DataArray | None = None,
    scale_std: float | None = None,
    single_atom_scs: float | None = None,
    least_count: int | None = None,
    most_count: int = 60,
    width: Width = "common",
    electrons_per_unit: float | None = None,
    seed: int = 0,
    progress: Observer | None = None,
) -> AtomCounts:
    """Number of atoms in each column, as far as its scattering cross-section (SCS) tells.

    `columns` (N rows) has `scs` and, for width "measured", `scs_std`. The mean SCS of g atoms lies
    on a smooth curve (see `thickness_curve`); every curve that the data allow is drawn with its
    probability, and the posterior over counts is the mean over all of them. What the data cannot
    decide therefore has a low `count_probability`, and `summary["decided"]` is False where its
    mean is below a half.

    - `library`, SCS over "atoms" in the unit of the table, gives the shape of the curve, and its
      scale with a relative standard error `scale_std` (0.1; 0 takes it as it is).
    - Without one, `single_atom_scs` does so for the SCS of one atom.
    - `least_count`: the thinnest columns have so many atoms. Without it, a library or the SCS of an
      atom nothing tells 4 … 17 atoms from 5 … 18, so that counts are never decided.
    - `most_count`: no column has more.
    - `width` of the distribution of the SCS of one count: "common" to all counts; "dose" adds the
      counting of electrons, variance SCS over `electrons_per_unit`, which is the dose in e/Å² for
      SCS in Å² (fractions of the beam), and is fitted where it is not given; "measured" adds the
      square of each column's own `scs_std`.

    Columns flagged `edge` or `unconverged`, those without a positive SCS and those far beyond what
    the most atoms scatter have rows of NaN. Where another scale than the given one fits far
    better, nothing is decided.

    Raises PlanError for settings or a library that do not fit the table or each other, and for
    cross-sections that cannot be counted; NoColumnsError for fewer than 20 columns.
    """
    check_range(1 if least_count is None else least_count, most_count)
    check_positive(
        [("single_atom_scs", single_atom_scs), ("electrons_per_unit", electrons_per_unit)]
    )
    check_settings(library, scale_std, single_atom_scs, width, electrons_per_unit)
    tell = progress or (lambda stage, fraction: None)
    usable = countable(columns)
    reference = float(np.quantile(usable.scs, REFERENCE))
    own = own_variances(columns, usable, width) / reference**2
    family = family_of(
        usable, reference, library, scale_std, single_atom_scs, least_count, most_count
    )
    family = with_width(family, width, electrons_per_unit, reference)
    data = gathered(usable.scs / reference, own, family)
    rng = np.random.default_rng(seed)
    tell("searching curves", 0.0)
    # Without thin columns a straight curve explains those of a channelling one with every count
    # one lower, and better for having fewer numbers: it needs a first count to hold on to.
    simpler = [straight_family(family)] if family.anchored and library is None else []
    families = [family, *simpler]
    summits = [find_summits(one, data)[0] for one in families]
    tell("weighing curves", 0.4)
    samples = side_by_side(
        [
            together(
                [
                    sample_curves(start, one._replace(smoothness=smoothness), data, rng)
                    for start, one in zip(summits, families, strict=True)
                ]
            )
            for smoothness in assumptions(len(usable.scs), library is not None)
        ]
    )
    tell("counting atoms", 0.7)
    counted = count_on_curves(samples, family, data, usable.scs / reference, own, rng)
    tied = family.anchored or library is not None or single_atom_scs is not None
    if not tied:
        counted = counted._replace(posterior=shifted(counted.posterior))
    other = better_scale(samples, family, data, np.random.default_rng([seed, 1]))
    run = CurveRun(
        usable, family, reference, samples, counted, library, scale_std, width, tied, other
    )
    tell("counting atoms", 1.0)
    return _result(run, summarise(run))


def _result(run: CurveRun, summary: dict[str, object]) -> AtomCounts:
    counted, reference = run.counted, run.reference
    curve, curve_std = _moments(counted.means, counted)
    spread, _ = _moments(counted.spreads, counted)
    return AtomCounts(
        posterior=_within(spread_out(counted.posterior, run.usable.rows, 0), run),
        curve=curve * reference,
        curve_std=curve_std * reference,
        spread=spread * reference,
        weights=counted.shares @ counted.frequencies,
        summary=summary,
    )


def _within(posterior: Array, run: CurveRun) -> Array:
    """The posterior (N, K + 1), NaN for columns that no count explains."""
    beyond = np.flatnonzero(run.usable.rows)[run.beyond]
    posterior[beyond] = np.nan
    return posterior


def _moments(curves: Array, counted: CountedCurves) -> tuple[Array, Array]:
    """Mean and standard deviation (K + 1,) over curves; NaN where fewer than half of them go."""
    weights = np.where(np.isfinite(curves), counted.shares[:, None], 0.0)
    held = weights.sum(axis=0)
    some = np.where(held >= 0.5, held, np.nan)
    filled = np.nan_to_num(curves)
    mean = (weights * filled).sum(axis=0) / some
    variance = (weights * np.square(filled - np.nan_to_num(mean))).sum(axis=0) / some
    return mean, np.sqrt(variance)
