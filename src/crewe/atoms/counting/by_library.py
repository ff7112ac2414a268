"""Count atoms by matching cross-sections with simulated ones.

Nearest: the number of atoms, zero included, whose cross-section is closest. Bayes: the likeliest
number, given how often each occurs in the table; both tell the probability of each number, with
the width of the scatter around the library that the columns themselves show.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from crewe.atoms.counting.checks import check_positive, countable, library_values
from crewe.atoms.counting.criteria import mixture_posterior
from crewe.atoms.counting.mixture_em import MEANS_GIVEN, em, variances_of
from crewe.atoms.counting.outcome import spread_out, sums_of
from crewe.atoms.counting.results import AtomCounts
from crewe.errors import PlanError

Array = NDArray[np.float64]
Progress = Callable[[str, float], None]

RULES = ("nearest", "bayes")
WIDTHS = ("common", "dose")
PSEUDO_COUNT = 0.5
"""Columns added to each number of atoms, so that none that is rare becomes impossible."""
CHANCE_SIGMAS = 3.0
"""Residuals must be smaller than those of a random number by this many standard errors."""
MOST_BEYOND = 0.05
"""Part of the columns that may scatter more than the library does."""


def count_by_library(
    columns: pd.DataFrame,
    library: xr.DataArray,
    *,
    rule: str = "nearest",
    width: str = "common",
    electrons_per_unit: float | None = None,
    scale: float = 1.0,
    progress: Progress | None = None,
) -> AtomCounts:
    """Count atoms by a library of cross-sections, multiplied by `scale`.

    `library` is `scs` along `atoms` in the unit of the table; 0 atoms scatter 0. `rule` "nearest"
    takes every number for equally likely beforehand, "bayes" as likely as it is frequent, smoothed
    over neighbours. `width` "common" is one standard deviation; "dose" a variance
    σ² + mean/`electrons_per_unit`, by which the nearest is measured in widths. Columns that scatter
    more than the library has are left out (NaN), as are those flagged or without a positive
    cross-section.

    The summary tells `residual_steps`, the r.m.s. distance to the nearest entry in steps of the
    library, which by chance is 0.29; then, or when one column in twenty lies beyond the library,
    `decided` is false. Raises PlanError for settings or a library that do not fit, NoColumnsError
    for fewer than 20 columns.
    """
    _check(rule, width, electrons_per_unit, scale)
    usable = countable(columns)
    _, values = library_values(library * scale, usable.scs, usable.unit)
    _from_one(library)
    means = np.concatenate([[0.0], values])
    gain = 1 / electrons_per_unit if electrons_per_unit else 0.0
    theta = _fitted(usable.scs, means, gain)
    inside = usable.scs <= _largest(theta, rule)
    prior = theta if rule == "bayes" else _flat(theta)
    known = usable.rows.copy()
    known[known] = inside
    posterior = spread_out(mixture_posterior(usable.scs[inside], prior), known, 0)
    summary = sums_of(posterior) | _report(usable.scs, inside, theta, rule, scale)
    summary["warnings"] = usable.warnings + summary["warnings"]
    if progress:
        progress("matching the library", 1.0)
    return AtomCounts(
        posterior=posterior,
        curve=means,
        curve_std=np.zeros(len(means)),
        spread=np.sqrt(variances_of(theta, 0.0)),
        weights=theta[: len(means)],
        summary=summary,
    )


def _check(rule: str, width: str, electrons: float | None, scale: float) -> None:
    if rule not in RULES:
        raise PlanError(f"rule={rule!r}: choose one of {', '.join(RULES)}")
    if width not in WIDTHS:
        raise PlanError(f"width={width!r}: choose one of {', '.join(WIDTHS)}")
    check_positive([("scale", scale), ("electrons_per_unit", electrons)])
    if (width == "dose") != (electrons is not None):
        raise PlanError(
            "with a library, width='dose' needs electrons_per_unit, and only it does: give both "
            "or neither"
        )


def _from_one(library: xr.DataArray) -> None:
    first = int(library["atoms"].values[0])
    if first != 1:
        raise PlanError(
            f"the library begins at {first} atoms: thinner columns would all be counted {first}; "
            "give it from 1 atom on"
        )


def _fitted(values: Array, means: Array, gain: float) -> Array:
    """Parts and width of the columns around the library, the parts smoothed over neighbours."""
    count = len(means)
    step = float(np.median(np.diff(means)))
    start = np.concatenate([np.full(count, 1 / count), means, [(0.2 * step) ** 2, gain]])
    rising = np.sort(values[values <= means[-1] + step])
    if len(rising) == 0:
        return start
    floor = (1e-6 * step) ** 2
    theta, _ = em(rising, np.ones(len(rising)), start, MEANS_GIVEN, floor, 1e-6, 500)
    theta = theta.copy()
    amounts = len(rising) * smoothed(theta[:count]) + PSEUDO_COUNT
    theta[:count] = amounts / amounts.sum()
    return theta


def smoothed(parts: Array) -> Array:
    """Parts, each with a quarter of its neighbours'; their sum is kept."""
    padded = np.concatenate([parts[:1], parts, parts[-1:]])
    return 0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:]


def _flat(theta: Array) -> Array:
    count = (len(theta) - 2) // 2
    flat = theta.copy()
    flat[:count] = 1 / count
    return flat


def _largest(theta: Array, rule: str) -> float:
    """Cross-section beyond which a column has more atoms than the library."""
    count = (len(theta) - 2) // 2
    last, before = theta[2 * count - 1], theta[2 * count - 2]
    margin = 0.5 * (last - before)
    if rule == "bayes":
        margin = max(margin, 3 * float(np.sqrt(variances_of(theta, 0.0)[-1])))
    return float(last + margin)


def residuals_in_steps(values: Array, means: Array) -> Array:
    """Distance (N,) of each value from the nearest mean, in steps of the means around it."""
    above = np.clip(np.searchsorted(means, values), 1, len(means) - 1)
    step = means[above] - means[above - 1]
    place = (values - means[above - 1]) / step
    return np.asarray(place - np.round(np.clip(place, 0, 1)))


def _report(
    values: Array, inside: NDArray[np.bool_], theta: Array, rule: str, scale: float
) -> dict[str, Any]:
    count = (len(theta) - 2) // 2
    residual = residuals_in_steps(values[inside], theta[count : 2 * count])
    objections = _objections(residual, int((~inside).sum()), len(values), count - 1)
    verdict = f"Matched with the library of {count - 1} atoms ({rule})"
    verdict += f"; the counts cannot be trusted: {objections[0]}." if objections else "."
    return {
        "method": "library",
        "rule": rule,
        "scale": scale,
        "decided": not objections,
        "verdict": verdict,
        "warnings": objections,
        "residual_steps": float(np.sqrt(np.mean(residual**2))) if len(residual) else None,
        "n_beyond_library": int((~inside).sum()),
        "width": {
            "common": float(np.sqrt(theta[-2])),
            "electrons_per_unit": float(1 / theta[-1]) if theta[-1] > 0 else None,
        },
    }


def _objections(residual: Array, beyond: int, total: int, longest: int) -> list[str]:
    found = []
    if beyond > MOST_BEYOND * total:
        found.append(
            f"{beyond} of {total} columns scatter more than {longest} atoms of the library: extend "
            "the library, or check the scale of the image"
        )
    # a number at random is off by u, uniform within ±½: ⟨u²⟩ = 1/12, var u² = 1/180
    chance = 1 / 12 - CHANCE_SIGMAS * np.sqrt(1 / 180 / max(len(residual), 1))
    if len(residual) and np.mean(residual**2) > chance:
        found.append(
            f"the columns lie {np.sqrt(np.mean(residual**2)):.2f} steps from the library, no "
            "closer than by chance (0.29): its scale is wrong, or the noise is a third of a step "
            "or more, where nothing in the columns speaks for the scale; by='hybrid' fits it"
        )
    return found
