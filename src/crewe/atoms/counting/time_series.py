"""Count the atoms of columns over a series of frames together.

A. De wael et al., Phys. Rev. Lett. 124 (2020) 106105, doi:10.1103/PhysRevLett.124.106105: since
few atoms come and go between frames, what one frame leaves open its neighbours decide.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from crewe.atoms.counting.checks import countable, library_values
from crewe.atoms.counting.hidden_markov import (
    CountChain,
    baum_welch,
    forward_backward,
    log_emission,
    starting_chain,
    viterbi,
)
from crewe.atoms.counting.results import LEAST_PROBABILITY
from crewe.atoms.counting.tracking import Tracks, track_columns
from crewe.errors import PlanError

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Progress = Callable[[str, float], None]

SCALES = np.exp(np.linspace(-0.3, 0.3, 25))
TRIED_TRACKS, TRIED_STEPS = 150, 15
EQUAL = 5.0
"""Difference in log-density below which two scales explain the frames equally well."""
MOST_BEYOND = 0.05
"""Part of the columns that may scatter more than the library does."""
LARGEST_WIDTH = 0.5
"""Width in steps of the library from which on frames cannot be counted even together."""


@dataclass(frozen=True)
class SeriesCounts:
    """Atoms in each of N tracked columns in each of T frames."""

    counts: pd.DataFrame
    """Likeliest sequence (T, N) of counts, as Int64, missing where the column was not measured."""
    probability: Array
    """Probability (T, N) of each of these counts; NaN where the column was not measured."""
    posterior: Array
    """Probability (T, N, K + 1) of 0 … K atoms, also where a column was not measured."""
    tracks: pd.DataFrame
    """One row per measured column and frame: frame, track, row (of the frame's table), x, y in Å as
    measured, scs, count, count_probability."""
    shifts: Array
    """Drift (T, 2) of each frame against the first, (x, y) in Å."""
    transition: Array
    """Probability (K + 1, K + 1) of a count (column) in the frame after another (row)."""
    scale: float
    """Factor on the library."""
    width: float
    """Standard deviation of a cross-section."""
    summary: dict[str, Any]
    """Plain values: method, decided, verdict, warnings, n_frames, n_tracks, n_undecided,
    atoms_total (per frame), mean_probability, log_likelihood, iterations."""


def count_series(
    frames: Sequence[pd.DataFrame], library: xr.DataArray, *, progress: Progress | None = None
) -> SeriesCounts:
    """Count atoms in T frames, each a table of columns with `x`, `y` in Å and `scs`.

    Columns are tracked through drift (`tracking`); any may be missing in any frame, as are those
    flagged or without a positive cross-section. `library` is `scs` along `atoms` in the unit of the
    tables; its scale is fitted, with ±10 % beforehand, as are the width, and how often atoms come
    and go.

    Raises PlanError for fewer than 2 frames or a library that does not fit, NoColumnsError for
    fewer than 20 columns in a frame.
    """
    points, scs, rows, unit = _measured(frames)
    everything = np.concatenate(scs)
    _, entries = library_values(library, everything, unit)
    means = np.concatenate([[0.0], entries])
    tell = progress or (lambda stage, fraction: None)
    tell("tracking columns", 0.0)
    tracks = track_columns(points, scs)
    values = tracked(tracks, scs)
    tell("comparing frames", 0.3)
    start, rivals = _explained(values, means)
    chain, reached = baum_welch(values, start)
    density = log_emission(values, chain)
    posterior, _, likelihood = forward_backward(density, chain.start, chain.transition)
    path = viterbi(density, chain.start, chain.transition)
    tell("comparing frames", 1.0)
    probability = np.take_along_axis(posterior, path[:, :, None], axis=2)[:, :, 0]
    probability = np.where(np.isnan(values), np.nan, probability)
    summary = _report(values, chain, posterior, probability, len(reached), likelihood, rivals)
    return SeriesCounts(
        counts=_table(path, values),
        probability=probability,
        posterior=posterior,
        tracks=_long(points, rows, tracks, values, path, probability),
        shifts=tracks.shifts,
        transition=chain.transition,
        scale=chain.scale,
        width=chain.width,
        summary=summary,
    )


def _measured(frames: Sequence[pd.DataFrame]) -> tuple[list[Array], list[Array], list[Index], str]:
    """Places (n, 2), cross-sections (n,) and row numbers (n,) of what each frame measured."""
    if len(frames) < 2:
        raise PlanError(f"{len(frames)} frames are no series: give at least 2, or use count_atoms")
    points, scs, rows, unit = [], [], [], ""
    for number, frame in enumerate(frames):
        if not {"x", "y"} <= set(map(str, frame.columns)):
            raise PlanError(f"frame {number} has no places x, y; give tables of fitted columns")
        usable = countable(frame)
        places = frame[["x", "y"]].to_numpy(float)[usable.rows]
        placed = np.isfinite(places).all(axis=1)
        points.append(places[placed])
        scs.append(usable.scs[placed])
        rows.append(np.flatnonzero(usable.rows)[placed])
        unit = unit or usable.unit
    return points, scs, rows, unit


def tracked(tracks: Tracks, scs: Sequence[Array]) -> Array:
    """Cross-sections (T, N) of the tracks; NaN where a column is missing."""
    values = np.full(tracks.rows.shape, np.nan)
    for number, row in enumerate(tracks.rows):
        values[number, row >= 0] = scs[number][row[row >= 0]]
    return values


def _explained(values: Array, means: Array) -> tuple[CountChain, list[float]]:
    """The chain that explains the frames best, and other scales that do so nearly as well.

    Scales that shift all counts by one are local maxima, so many are tried on a part of the tracks.
    """
    part = values[:, :: max(values.shape[1] // TRIED_TRACKS, 1)]
    step = float(np.median(np.diff(means)))
    flat = np.full(len(means), 1 / len(means))
    tried = []
    for scale in SCALES:
        start = starting_chain(means, float(scale), 0.3 * float(scale) * step, flat)
        chain, reached = baum_welch(part, start, most=TRIED_STEPS)
        tried.append((reached[-1], chain))
    highest, best = max(tried, key=lambda one: one[0])
    # scales under which a typical column has another count
    apart = 0.5 * step / float(np.nanmedian(values))
    rivals = [
        chain.scale
        for reached_, chain in tried
        if reached_ > highest - EQUAL and abs(np.log(chain.scale / best.scale)) > apart
    ]
    return best, sorted(set(np.round(rivals, 2).tolist()))


def _table(path: Index, values: Array) -> pd.DataFrame:
    """Counts (T, N) as Int64, missing where nothing was measured."""
    whole = pd.arrays.IntegerArray(path.ravel().astype(np.int64), np.isnan(values).ravel())
    frame, track = np.indices(path.shape)
    long = pd.DataFrame({"frame": frame.ravel(), "track": track.ravel(), "count": whole})
    return long.pivot(index="frame", columns="track", values="count")


def _long(
    points: list[Array],
    rows: list[Index],
    tracks: Tracks,
    values: Array,
    path: Index,
    probability: Array,
) -> pd.DataFrame:
    """One row per measured column and frame."""
    frame, track = np.nonzero(tracks.rows >= 0)
    place = tracks.rows[frame, track]
    at = np.array([points[t][i] for t, i in zip(frame, place, strict=True)])
    return pd.DataFrame(
        {
            "frame": frame,
            "track": track,
            "row": [int(rows[t][i]) for t, i in zip(frame, place, strict=True)],
            "x": at[:, 0],
            "y": at[:, 1],
            "scs": values[frame, track],
            "count": pd.array(path[frame, track], dtype="Int64"),
            "count_probability": probability[frame, track],
        }
    )


def _report(
    values: Array,
    chain: CountChain,
    posterior: Array,
    probability: Array,
    iterations: int,
    likelihood: float,
    rivals: list[float],
) -> dict[str, Any]:
    seen = ~np.isnan(values)
    ratio = chain.width / (chain.scale * float(np.median(np.diff(chain.means))))
    expected = np.where(seen, posterior @ np.arange(posterior.shape[2]), 0.0).sum(axis=1)
    objections = _objections(ratio, chain, values, rivals)
    verdict = f"{len(values)} frames counted together with the library × {chain.scale:.3f}"
    if objections:
        verdict += f"; the counts cannot be trusted: {objections[0]}"
    return {
        "method": "time series",
        "decided": not objections,
        "verdict": verdict,
        "warnings": objections,
        "n_frames": int(values.shape[0]),
        "n_tracks": int(values.shape[1]),
        "n_undecided": int((probability[seen] < LEAST_PROBABILITY).sum()),
        "atoms_total": expected.tolist(),
        "mean_probability": float(probability[seen].mean()),
        "width_steps": ratio,
        "log_likelihood": likelihood,
        "iterations": iterations,
    }


def _objections(ratio: float, chain: CountChain, values: Array, rivals: list[float]) -> list[str]:
    found = []
    if rivals:
        found.append(
            f"scales of {', '.join(map(str, rivals))} explain the frames as well as "
            f"{chain.scale:.2f}, with other counts: calibrate the intensity of the images"
        )
    if ratio > LARGEST_WIDTH:
        found.append(
            f"cross-sections scatter by {ratio:.2f} steps of the library; from "
            f"{LARGEST_WIDTH:g} on too little is left to count"
        )
    last, step = chain.scale * chain.means[-1], chain.scale * (chain.means[-1] - chain.means[-2])
    beyond = float(np.mean(values[~np.isnan(values)] > last + step))
    if beyond > MOST_BEYOND:
        found.append(f"{beyond:.0%} of the columns scatter more than the library: extend it")
    if not SCALES[0] < chain.scale < SCALES[-1]:
        found.append(
            f"the library would have to be scaled by {chain.scale:.2f}: is it the right one?"
        )
    return found
