"""The ways of counting that are compared, each as a function of a set with known counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from benchmarks.accuracy.counting_sets import CountedSet
from crewe.atoms.counting.by_curve import count_by_curve
from crewe.atoms.counting.by_mixture import count_by_mixture

Array = NDArray[np.float64]
SCALE_STD = 0.1
SCALE_SEED = 4099


@dataclass(frozen=True)
class Answer:
    """What one method says of one set."""

    right: float
    """Fraction of all columns whose likeliest count is right."""
    probability: Array
    """Probability that the method gives to each likeliest count; NaN where it gives none."""
    correct: NDArray[np.bool_]
    """Whether each likeliest count is right."""


def limit(data: CountedSet) -> Answer:
    """The nearest entry of the known library."""
    nearest = np.argmin(np.abs(data.scs[:, None] - data.library.to_numpy()), axis=1)
    return _answer(data, nearest + 1, np.full(len(data.scs), np.nan))


def curve(data: CountedSet) -> Answer:
    """Counting on a thickness curve, told only the smallest count."""
    found = count_by_curve(data.columns, least_count=int(data.counts.min()))
    return _of_posterior(data, found.posterior)


def curve_with_library(
    data: CountedSet, factor: float = 1.0, width: Literal["common", "measured"] = "common"
) -> Answer:
    """Counting on the library's curve, whose scale is known to a tenth and is off by `factor`."""
    library = xr.DataArray(
        factor * data.library.to_numpy(), coords=data.library.coords, attrs=data.library.attrs
    )
    found = count_by_curve(
        data.columns,
        library=library,
        scale_std=SCALE_STD,
        least_count=int(data.counts.min()),
        width=width,
    )
    return _of_posterior(data, found.posterior)


def curve_with_library_and_errors(data: CountedSet) -> Answer:
    """The same where the standard error of every cross-section is known, as after a fit."""
    return curve_with_library(data, width="measured")


def curve_with_wrong_library(data: CountedSet) -> Answer:
    """The same with a library whose scale is off by a draw from that prior."""
    rng = np.random.default_rng([SCALE_SEED, data.seed])
    return curve_with_library(data, float(np.exp(SCALE_STD * rng.standard_normal())))


def wrong_library_without_data(data: CountedSet) -> Answer:
    """The nearest entry of that wrong library: what the prior alone gives."""
    rng = np.random.default_rng([SCALE_SEED, data.seed])
    factor = float(np.exp(SCALE_STD * rng.standard_normal()))
    library = factor * data.library.to_numpy()
    nearest = np.argmin(np.abs(data.scs[:, None] - library), axis=1)
    return _answer(data, nearest + 1, np.full(len(data.scs), np.nan))


def curve_with_atom(data: CountedSet) -> Answer:
    """Counting on a thickness curve with the cross-section of one atom known to a tenth."""
    rng = np.random.default_rng([SCALE_SEED, data.seed])
    factor = float(np.exp(SCALE_STD * rng.standard_normal()))
    found = count_by_curve(
        data.columns,
        single_atom_scs=factor * float(data.library[0]),
        scale_std=SCALE_STD,
        least_count=int(data.counts.min()),
    )
    return _of_posterior(data, found.posterior)


def mixture(data: CountedSet) -> Answer:
    """StatSTEM's way: free means, the number of components by ICL, the offset known."""
    return _mixture(data, None)


def mixture_of_known_number(data: CountedSet) -> Answer:
    """Free means, told how many there are and the offset."""
    return _mixture(data, len(np.unique(data.counts)))


def _mixture(data: CountedSet, components: int | None) -> Answer:
    found = count_by_mixture(
        data.columns,
        components=components,
        criterion="icl",
        most_components=30,
        offset=int(data.counts.min()) - 1,
    )
    return _of_posterior(data, found.posterior)


def _of_posterior(data: CountedSet, posterior: Array) -> Answer:
    # Columns that were left out (negative cross-sections) have no count and no probability.
    posterior = np.nan_to_num(posterior)
    return _answer(data, posterior.argmax(axis=1), posterior.max(axis=1))


def _answer(data: CountedSet, found: NDArray[np.int64], probability: Array) -> Answer:
    return Answer(data.right(found), probability, found == data.counts)


METHODS: dict[str, Callable[[CountedSet], Answer]] = {
    "limit": limit,
    "curve": curve,
    "atom": curve_with_atom,
    "library": curve_with_library,
    "library, errors": curve_with_library_and_errors,
    "library off": curve_with_wrong_library,
    "library off, nearest": wrong_library_without_data,
    "mixture": mixture,
    "mixture, number known": mixture_of_known_number,
}
