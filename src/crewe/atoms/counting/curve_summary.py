"""What a count on a thickness curve says in words and numbers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from crewe.atoms.counting.checks import Countable
from crewe.atoms.counting.curve_counts import CountedCurves
from crewe.atoms.counting.curve_samples import CurveSamples
from crewe.atoms.counting.outcome import sums_of
from crewe.atoms.counting.results import LEAST_PROBABILITY
from crewe.atoms.counting.thickness_curve import (
    CHANNELLING,
    COUNTING_WIDTH,
    CURVATURE,
    DEPTH,
    OFFSET,
    SIZE,
    WIDTH,
    Family,
)
from crewe.atoms.stamps import Array

WIDE_STEPS = 0.35
FEW_SAMPLES = 100.0
SCALE_ERRORS = 3.0
SCALE_FACTOR = 1.5
CLEAR = 0.42
"""Mean probability, with all shifts of the counts taken in, from which on steps are resolved."""
RIVAL = 0.1
"""Probability from which on another curve is mentioned."""
BEYOND = 4.0
"""Standard deviations above the most atoms from which on a column is none of these."""
AT_THE_END = 0.01
"""Part of the columns that may be at the last count or beyond the library without a word."""


@dataclass(frozen=True)
class CurveRun:
    """Everything that a count on a curve found."""

    usable: Countable
    family: Family
    reference: float
    samples: CurveSamples
    counted: CountedCurves
    library: xr.DataArray | None
    scale_std: float | None
    width: str
    tied: bool
    """Whether something ties the counts to their absolute number."""
    other_scale: float | None
    """Factor on the given scale under which the data are far more probable."""

    @property
    def beyond(self) -> NDArray[np.bool_]:
        """Columns, of those that can be counted, far above the most atoms of any likely curve."""
        top = np.nanmax(self.counted.means + BEYOND * self.counted.spreads, axis=1)
        most = float(np.average(top, weights=self.counted.shares))
        return np.asarray(self.usable.scs / self.reference > most)

    @property
    def steps(self) -> Array:
        """Mean step (n,) of each sampled curve, in units of the reference."""
        first = self.samples.curves[:, SIZE]
        if not self.family.by_library:
            return np.exp(-first)
        counts = np.arange(len(self.family.shape), dtype=float)
        return 1 / np.maximum(np.interp(np.exp(-first), self.family.shape, counts), 1.0)

    def mean_and_std(self, numbers: Array) -> tuple[float, float]:
        """Mean and standard deviation of something that each sample has."""
        weights = self.samples.weights
        mean = float(weights @ numbers)
        return mean, float(np.sqrt(weights @ np.square(numbers - mean)))


def summarise(run: CurveRun) -> dict[str, Any]:
    """Summary of `AtomCounts` as plain values."""
    sums = sums_of(run.counted.posterior)
    sums["n_left_out"] = int((~run.usable.rows).sum() + run.beyond.sum())
    sure = sums["mean_probability"] >= LEAST_PROBABILITY
    decided = sure and run.tied and run.other_scale is None
    warnings = run.usable.warnings + _warnings(run)
    return {
        "method": "curve" if run.library is None else "hybrid",
        "decided": bool(decided),
        "verdict": _verdict(run, sums, bool(decided)),
        **sums,
        "atoms_total_std": _total_std(run.counted),
        **_curve_numbers(run),
        "prior": _prior(run),
        "effective_samples": run.samples.effective,
        "count_range": _count_range(run.counted.posterior),
        "warnings": warnings,
    }


def _total_std(counted: CountedCurves) -> float:
    """Error of the sum of all counts: that of each column and, common to all, of the curve."""
    mean = counted.shares @ counted.totals
    common = counted.shares @ np.square(counted.totals - mean)
    return float(np.sqrt(common + counted.shares @ counted.total_variances))


def _curve_numbers(run: CurveRun) -> dict[str, Any]:
    """Scale, offset, curvature and widths, each with its standard deviation."""
    curves, steps = run.samples.curves, run.steps
    rows = {
        "scs_per_atom": steps * run.reference,
        "offset": curves[:, OFFSET] * steps * run.reference,
        "offset_steps": curves[:, OFFSET],
        "curvature": curves[:, CURVATURE],
        "width_steps": np.exp(curves[:, WIDTH]),
    }
    if run.family.by_library:
        rows["library_scale"] = np.exp(curves[:, SIZE])
    else:
        rows["channelling"] = curves[:, CHANNELLING]
        rows["channelling_atoms"] = np.exp(curves[:, DEPTH])
    if run.family.per_beam < 0:
        rows["electrons_per_unit"] = 1 / (
            np.exp(2 * curves[:, COUNTING_WIDTH]) * steps**2 * run.reference
        )
    numbers: dict[str, Any] = {"unit": run.usable.unit, "width": run.width}
    for name, row in rows.items():
        numbers[name], numbers[f"{name}_std"] = run.mean_and_std(row)
    if run.family.per_beam > 0:
        numbers["electrons_per_unit"] = 1 / (run.family.per_beam * run.reference)
    return numbers


def _prior(run: CurveRun) -> str:
    family, unit = run.family, run.usable.unit
    if family.by_library:
        spread = float(family.breadth[SIZE])
        known = f"known to {100 * spread:.3g} %" if spread > 0 else "taken as it is"
        return f"a library of {run.library.size if run.library is not None else 0} values, {known}"
    thinnest = (
        f"thinnest columns of {family.first} atom{'s' * (family.first > 1)}; "
        if family.anchored
        else ""
    )
    if family.first_atom > 0:
        return (
            f"{thinnest}one atom scatters {family.first_atom * run.reference:.4g} {unit} "
            f"± {100 * family.first_atom_std:.3g} %"
        )
    return thinnest + "no scale"


def _count_range(posterior: Array) -> list[int]:
    answered = posterior.max(axis=1) >= LEAST_PROBABILITY
    counts = posterior.argmax(axis=1)[answered]
    return [int(counts.min()), int(counts.max())] if len(counts) else []


def _verdict(run: CurveRun, sums: dict[str, Any], decided: bool) -> str:
    n = len(run.usable.scs)
    if decided:
        return f"The data decide the count of {sums['n_counted']} of {n} columns."
    if run.other_scale is not None:
        given = "library" if run.library is not None else "cross-section of one atom"
        return (
            f"The data contradict the scale of the {given}: multiplied by about "
            f"{run.other_scale:.2g} it fits far better. Check the normalisation of the image and "
            "the settings of the simulation."
        )
    width, _ = run.mean_and_std(np.exp(run.samples.curves[:, WIDTH]))
    if not run.tied:
        clear = "steps are clear, but " if sums["mean_probability"] > CLEAR else ""
        return (
            f"The data cannot decide the counts: {clear}nothing tells how many atoms the thinnest "
            f"columns have (noise {width:.2f} steps); say it (least_count, 1 where single atoms "
            "are seen), or give a library or the cross-section of one atom."
        )
    missing = (
        "a library, the cross-section of one atom or the count of the thinnest columns"
        if run.library is None
        else "a library of a better known scale"
    )
    return (
        f"The data cannot decide the counts: the likeliest one has a probability of "
        f"{sums['mean_probability']:.2f} on average, with noise of {width:.2f} steps; "
        f"give {missing}, or measure with less noise."
    )


def _warnings(run: CurveRun) -> list[str]:
    said = []
    width, _ = run.mean_and_std(np.exp(run.samples.curves[:, WIDTH]))
    if width > WIDE_STEPS:
        said.append(
            f"The noise is {width:.2f} of a step from one count to the next: even with a perfectly "
            "known curve many columns are counted wrongly by one atom."
        )
    if run.samples.effective < FEW_SAMPLES:
        said.append(
            f"The curves were sampled thinly ({run.samples.effective:.0f} effective samples): "
            "probabilities are rough."
        )
    if run.beyond.any():
        said.append(
            f"{int(run.beyond.sum())} columns scatter far more than the most atoms that were "
            "allowed, and were left out: not single columns, or raise most_count."
        )
    if run.other_scale is not None:
        return [_verdict(run, {}, False), *said]
    return said + _rivals(run.counted) + _ends(run) + _scale(run)


def _rivals(counted: CountedCurves) -> list[str]:
    """Other curves that give another number of atoms to nearly every column."""
    per_column = counted.totals / len(counted.posterior)
    best = float(counted.posterior.argmax(axis=1).mean())
    moved = np.round(per_column - best).astype(int)
    said = []
    for shift in np.unique(moved[moved != 0]):
        part = float(counted.shares[moved == shift].sum())
        if part > RIVAL:
            said.append(
                f"With a probability of {part:.2f} columns have {abs(shift)} "
                f"{'atom' if abs(shift) == 1 else 'atoms'} {'more' if shift > 0 else 'fewer'} on "
                "average: the count of the thinnest columns (least_count), a library or the "
                "cross-section of one atom would tell."
            )
    return said


def _ends(run: CurveRun) -> list[str]:
    posterior = run.counted.posterior
    most = posterior.shape[1] - 1
    said = []
    if posterior[:, -1].mean() > AT_THE_END:
        said.append(
            f"Columns reach the most atoms that were allowed, {most}: raise most_count if there "
            "may be more."
        )
    if run.library is not None:
        end = int(run.library["atoms"].values[-1])
        beyond = posterior[:, end + 1 :].sum(axis=1).mean() if end < most else 0.0
        if beyond > AT_THE_END:
            said.append(
                f"{100 * beyond:.0f} % of the columns are thicker than the library's {end} atoms; "
                "it was continued along its end slope: give a longer one."
            )
    return said


def _scale(run: CurveRun) -> list[str]:
    spread = float(run.family.breadth[SIZE])
    if not run.family.by_library or spread == 0:
        return []
    scale, _ = run.mean_and_std(np.exp(run.samples.curves[:, SIZE]))
    away = abs(np.log(scale))
    if away <= SCALE_ERRORS * spread and away <= np.log(SCALE_FACTOR):
        return []
    return [
        f"The library is of another scale: the data fit it multiplied by {scale:.2f}, given was a "
        f"relative error of {spread:.2g}; check the normalisation of the image and the library's "
        "settings, or give a larger scale_std."
    ]
