"""Find atomic columns without being told anything about the image."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from scipy import ndimage
from scipy.spatial import cKDTree
from scipy.stats import skew

from crewe import axes
from crewe.atoms.equations import HEIGHT, ColumnModel
from crewe.atoms.first_model import (
    LOCATE,
    SPACING_PER_SCALE,
    estimate_width,
    linear_model,
    points_of,
    starting_table,
)
from crewe.atoms.noise import estimate_noise
from crewe.atoms.periodicity import lattice_average, translations
from crewe.atoms.scale import (
    blob_responses,
    border_noise,
    choose_scale,
    response_noise,
    texture_noise,
    white_noise_variance,
)
from crewe.atoms.stamps import Array, Index, Mask
from crewe.errors import NoColumnsError

Observer = Callable[[str, float], None]

# Where no scale stands out: single atoms, whose probe-limited width is about this.
SINGLE_ATOM_SCALE_ANGSTROM = 0.85
LEAST_SIGNAL_TO_NOISE = 4.0
LEAST_RELATIVE_HEIGHT = 0.04
# Below this signal-to-noise ratio a single column cannot be told from noise by itself.
LATTICE_BELOW = 10.0
EDGE_EVIDENCE = 2.5
# About every fifth image of nothing but noise still yields a column or two.
DOUBT_MARGIN = 1.0
NOISE_SKEWNESS = 0.1
# Columns stand up from their surroundings, noise of any colour has as many pits as peaks.
LEAST_SKEWNESS = 0.3


class _Candidates(NamedTuple):
    """Column positions (N, 2) as (y, x) in pixels, and the response's signal-to-noise ratio."""

    points: Array
    signal_to_noise: Array


def find_columns(
    image: xr.DataArray,
    *,
    spacing: float | None = None,
    sensitivity: float = 1.0,
    observer: Observer | None = None,
) -> pd.DataFrame:
    """Positions of the atomic columns of an image in which they are bright.

    `image` is calibrated (y, x). The size of the columns is read off the image; `spacing`, the
    distance between neighbours in the image's unit of length, overrides it. Pixels are taken as
    square. Bright-field images have to be inverted first. `sensitivity` above 1
    accepts weaker columns, below 1 fewer. Returns a table with `x`, `y`, `width` (unit of
    length), `height` (unit of intensity) and `signal_to_noise`, sorted by `y`: starting values
    for `fit_columns`.

    Where single columns drown in noise but the image repeats, columns are looked for in the mean
    over neighbouring lattice sites. A site in full surroundings then counts as occupied whatever
    its own brightness, so single vacancies are not found at such doses; the fit flags such a
    column as `weak`.

    Raises ImageError for an image no method can use, NoColumnsError when nothing is found.
    """
    image = axes.check_image(image)
    steps = np.array(axes.sampling(image))
    values = np.ascontiguousarray(image.values, dtype=np.float64)
    tell = observer or (lambda stage, fraction: None)
    tell("finding columns", 0.0)
    scale, ruling = _scale(values, steps, axes.length_unit(image), spacing)
    variance = white_noise_variance(values, 2 * scale)
    candidates, sparse_texture = _detect(values, variance, scale, ruling, sensitivity)
    tell("finding columns", 0.3)
    if not len(candidates.points):
        raise NoColumnsError(
            "no atomic columns found: nothing stands out of the noise at any scale; "
            "give the distance between neighbours (spacing) or raise the sensitivity"
        )
    width = estimate_width(values, candidates.points, scale)
    tell("finding columns", 0.6)
    model = _complete(values, variance, candidates.points, scale, width, not sparse_texture)
    tell("finding columns", 1.0)
    return starting_table(model, values, variance, scale, steps, image)


def _scale(values: Array, steps: Array, unit: str, spacing: float | None) -> tuple[float, bool]:
    step = float(np.sqrt(np.prod(steps)))
    if spacing is not None:
        return spacing / step / SPACING_PER_SCALE, True
    found = choose_scale(values)
    if found is not None:
        return found
    return (max(1.2, SINGLE_ATOM_SCALE_ANGSTROM / step) if unit == "Å" else 3.0), False


def _detect(
    values: Array, variance: Array, scale: float, ruling: bool, sensitivity: float
) -> tuple[_Candidates, bool]:
    """Candidates, and whether they are rare features on a textured support."""
    fine = LOCATE * scale
    response, coarse = blob_responses(values, np.array([fine, scale]))
    vectors = translations(coarse, scale)
    skewness = float(skew(response, axis=None))
    rare = not len(vectors) and not (ruling and skewness > LEAST_SKEWNESS)
    noise = response_noise(fine) * np.sqrt(variance) * border_noise(values.shape, fine)
    if rare:
        noise = np.maximum(noise, texture_noise(values, fine))
    doubtful = rare and skewness < NOISE_SKEWNESS
    least = _least_ratio(values.size, fine, doubtful) / sensitivity
    peaks = _local_maxima(response, 1.2 * fine)
    strength = response[tuple(peaks.T)]
    ratio = strength / noise[tuple(peaks.T)]
    if not (strength > 0).any():
        return _Candidates(np.zeros((0, 2)), np.zeros(0)), rare
    if len(vectors) and np.percentile(ratio, 95) < LATTICE_BELOW:
        coarse_noise = response_noise(scale) * np.sqrt(variance)
        return _detect_on_lattice(coarse / coarse_noise, vectors, scale, sensitivity), rare
    strong = strength > LEAST_RELATIVE_HEIGHT * np.percentile(strength[strength > 0], 95)
    keep = strong & (ratio > least)
    return _Candidates(_subpixel(response, peaks[keep]), ratio[keep]), rare


def _least_ratio(pixels: int, scale: float, doubtful: bool) -> float:
    """Signal-to-noise ratio above which a maximum counts.

    In an image that looks like noise it has to stand above the largest of n independent normal
    values, about √(2 ln n).
    """
    if not doubtful:
        return LEAST_SIGNAL_TO_NOISE
    independent = max(2.0, pixels / (4 * np.pi * scale**2))
    return float(np.sqrt(2 * np.log(independent))) + DOUBT_MARGIN


def _detect_on_lattice(
    ratio: Array, vectors: Array, scale: float, sensitivity: float
) -> _Candidates:
    mean = lattice_average(ratio, vectors)
    sites = _local_maxima(mean, 1.2 * scale)
    shared = mean[tuple(sites.T)] * 3  # nine sites lower the noise threefold
    own = ndimage.maximum_filter(ratio, 2 * round(0.5 * scale) + 1)[tuple(sites.T)]
    # Amid full neighbourhoods a site needs no evidence of its own; at an edge it does.
    amid = shared > 0.5 * np.median(shared[shared > 0.25 * np.percentile(shared, 90)])
    edge = (shared > 0.25 * np.percentile(shared, 90)) & (own > EDGE_EVIDENCE / sensitivity)
    keep = (shared > 5 / sensitivity) & (amid | edge)
    return _Candidates(_subpixel(mean, sites[keep]), own[keep])


def _local_maxima(response: Array, radius: float) -> Index:
    reach = max(1, round(radius))
    offsets = np.arange(-reach, reach + 1)
    disk = offsets[:, None] ** 2 + offsets[None, :] ** 2 <= max(radius, 1.0) ** 2
    return np.argwhere(ndimage.maximum_filter(response, footprint=disk) == response)


def _subpixel(response: Array, peaks: Index) -> Array:
    """Vertex of the parabola through each maximum and its neighbours, along y and along x."""
    y, x = np.clip(peaks, 1, np.array(response.shape) - 2).T
    centre = response[y, x]
    refined = np.stack([y, x], axis=1).astype(float)
    sides = ((response[y - 1, x], response[y + 1, x]), (response[y, x - 1], response[y, x + 1]))
    for axis, (low, high) in enumerate(sides):
        bend = low - 2 * centre + high
        curved = bend < -1e-12 * np.abs(centre)
        vertex = 0.5 * (low - high) / np.where(curved, bend, 1.0)
        refined[:, axis] += np.where(curved, np.clip(vertex, -0.5, 0.5), 0.0)
    return refined


def _complete(
    values: Array, variance: Array, points: Array, scale: float, width: float, add: bool
) -> ColumnModel:
    """Drop what the joint fit gives no height; add what it leaves over, such as hidden partners."""
    weight = np.ones_like(values)
    model, information = linear_model(values, points, scale, width, weight)
    model = _without(model, _faint(model))
    if not add or not len(model.columns):
        return model
    points = points_of(model)
    residual = values - model.image()
    hidden = _hidden_columns(values, variance, residual, points, scale, width)
    if not len(hidden):
        return model
    points = np.concatenate([points, hidden])
    model, information = linear_model(values, points, scale, width, weight)
    doubtful = _faint(model) | (_is_new(model, hidden) & ~_significant(model, values, information))
    model, _ = linear_model(values, points_of(_without(model, doubtful)), scale, width, weight)
    return model


def _without(model: ColumnModel, dropped: Mask) -> ColumnModel:
    return ColumnModel(model.grid, model.peak, model.columns[~dropped], model.mesh, model.knots)


def _faint(model: ColumnModel) -> Mask:
    height = model.columns[:, HEIGHT]
    return height <= LEAST_RELATIVE_HEIGHT * np.percentile(height, 75)


def _hidden_columns(
    values: Array, variance: Array, residual: Array, points: Array, scale: float, width: float
) -> Array:
    fine = LOCATE * scale
    (left,) = blob_responses(residual, np.array([fine]))
    (whole,) = blob_responses(values, np.array([fine]))
    peaks = _local_maxima(left, 1.2 * fine)
    strength = left[tuple(peaks.T)]
    rows, columns = np.clip(np.round(points).astype(int), 0, np.array(values.shape) - 1).T
    distance, _ = cKDTree(points).query(peaks)
    noise = response_noise(fine) * np.sqrt(variance[tuple(peaks.T)])
    keep = (strength > 6 * noise) & (distance > 2.2 * width)
    keep &= strength > 0.1 * np.median(whole[rows, columns])
    return _subpixel(left, peaks[keep])


def _is_new(model: ColumnModel, hidden: Array) -> Mask:
    distance, _ = cKDTree(hidden).query(points_of(model))
    return distance < 1e-9


def _significant(model: ColumnModel, values: Array, information: Array) -> Mask:
    """Whether a height exceeds five times its error, misfit of the neighbours included."""
    expected = model.image()
    residual = values - expected
    noise = estimate_noise(residual, expected, 2 * len(model.columns))
    variance = noise.variance(expected)
    width = float(model.columns[0, 3])
    scaled = residual / np.sqrt(variance)
    passed = ndimage.gaussian_filter(scaled, width) - ndimage.gaussian_filter(scaled, 3 * width)
    # white noise of unit variance leaves a Gaussian filter with 1 / (2 width √π)
    excess = max(1.0, float(np.std(passed)) * 2 * width * np.sqrt(np.pi))
    rows, columns = np.clip(np.round(points_of(model)).astype(int), 0, np.array(values.shape) - 1).T
    error = excess * np.sqrt(variance[rows, columns] / np.maximum(information, 1e-300))
    return model.columns[:, HEIGHT] > 5 * error
