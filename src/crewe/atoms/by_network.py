"""Atom maps and columns by a trained network."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from crewe import axes
from crewe.atoms.atom_map import locate_columns
from crewe.atoms.first_model import (
    SPACING_PER_SCALE,
    estimate_width,
    linear_model,
    starting_table,
)
from crewe.atoms.resample import enlarged_like, resampled
from crewe.atoms.scale import white_noise_variance
from crewe.errors import CalibrationError, ImageError, NoColumnsError, PlanError
from crewe.networks.inference import filled
from crewe.networks.likeness import features, unlike

if TYPE_CHECKING:
    from crewe.networks.card import Card
    from crewe.networks.zoo import TrainedNetwork

Observer = Callable[[str, float], None]

# Interpolating pixels larger than this many times those of training shows no atoms.
LARGEST_ENLARGEMENT = 2.0
# Pixels count as square up to this ratio of their sides.
SQUARE = 1.02
SINGLE_ATOM_SPACING_ANGSTROM = 4.0
UNCERTAIN, MOST_UNCERTAIN = 0.5, 0.5


@dataclass(frozen=True)
class AtomMap:
    """What a network of atom maps makes of an image."""

    image: xr.DataArray
    """The network's result on the pixels of the input, or on finer ones: a mask from 0 to 1, or
    intensities in the input's unit."""
    seen: xr.DataArray
    """The same on the pixels that the network saw; the input's own unless it was resampled."""
    card: "Card"
    """What the network is."""
    warnings: tuple[str, ...] = ()
    """What the reader of the result should know."""


def bridged(image: xr.DataArray) -> xr.DataArray:
    """Return an image (y, x) whose NaN and infinite pixels have the mean of their surroundings.

    An image without any comes back as it is. Raises ImageError for one that no method can use.
    """
    if isinstance(image, xr.DataArray) and image.ndim == 2 and image.dtype.kind == "f":
        known = np.isfinite(image.values)
        if known.any() and not known.all():
            whole = filled(np.where(known, image.values, np.nan).astype(np.float64))
            image = image.copy(data=whole)
    return axes.check_image(image)


def map_atoms(
    image: xr.DataArray,
    model: "str | os.PathLike[str] | TrainedNetwork" = "gaussian-mask",
    *,
    observer: Observer | None = None,
) -> AtomMap:
    """Atom map of an image by a network: a shipped one, one of a file, or an open one.

    `image` is calibrated (y, x) in Å. Where its pixels are not square, or smaller or larger than
    those the network was trained on, it is resampled to the nearest size of that range and the
    result brought back. Pixels that are NaN or infinite are bridged for the network and NaN in the
    result. Raises ImageError for an image no method can use or with pixels so large
    that no atom is resolved, CalibrationError without a pixel size in Å, PlanError for a network
    that is not one of atom maps, and what `open_network` raises.
    """
    whole = bridged(image)
    missing = ~np.isfinite(image.values)
    network = opened(model)
    card = network.card
    if card.task != "atom map":
        raise PlanError(f"network {card.name} is for {card.task}: give one of atom maps")
    shape = _shape_for(whole, card.pixel_size_angstrom)
    tell = observer or (lambda stage, fraction: None)
    tell("mapping atoms", 0.0)
    given = resampled(whole, shape)
    given = _without(given, missing)
    data = network.run(
        given.values,
        progress=lambda done, total: tell("mapping atoms", done / total),
    )
    seen = enlarged_like(given, data)
    finer = data.shape[0] // given.shape[0]
    if card.output == "mask":
        seen.attrs.pop("units", None)
    shape = (finer * image.shape[0], finer * image.shape[1])
    back = _without(resampled(seen.copy(data=filled(seen.values)), shape), missing)
    return AtomMap(back, seen, card, _warnings(image, given, card))


def find_columns_by_network(
    image: xr.DataArray,
    model: "str | os.PathLike[str] | TrainedNetwork" = "gaussian-mask",
    *,
    threshold: float | None = None,
    observer: Observer | None = None,
) -> pd.DataFrame:
    """Positions of the atomic columns that a network marks; the counterpart of `find_columns`.

    As `map_atoms`, with a network that makes masks, then `columns_of`. Returns the table of
    `find_columns`, positions in the image's own coordinates, and the network's `certainty`.
    Raises what both raise, NoColumnsError when nothing is marked.
    """
    network = opened(model)
    check_marks_columns(network.card)
    found = map_atoms(image, network, observer=observer)
    return columns_of(image, found, threshold=threshold)


def columns_of(
    image: xr.DataArray, found: AtomMap, *, threshold: float | None = None
) -> pd.DataFrame:
    """Table of the columns in an atom map of `image`: starting values for `fit_columns`.

    Positions are `locate_columns`' of the map as the network saw it; `height` and the common
    `width` are those of a linear fit to the image, `signal_to_noise` is as in `find_columns`. No
    column is where pixels are NaN or infinite.
    """
    check_marks_columns(found.card)
    located = locate_columns(found.seen, threshold=threshold)
    image, missing = bridged(image), ~np.isfinite(image.values)
    steps = np.array(axes.sampling(image))
    origin = np.array([float(image[dim].values[0]) for dim in ("y", "x")])
    located = located[~_inside(missing, (located[["y", "x"]].to_numpy() - origin) / steps)]
    if not len(located):
        raise NoColumnsError("no column marked where the image has measured pixels")
    points = (located[["y", "x"]].to_numpy() - origin) / steps
    values = np.ascontiguousarray(image.values, dtype=np.float64)
    scale = _spacing(located) / float(np.sqrt(np.prod(steps))) / SPACING_PER_SCALE
    width = estimate_width(values, points, scale)
    model, _ = linear_model(values, points, scale, width, np.ones_like(values))
    variance = white_noise_variance(values, 2 * scale)
    table = starting_table(model, values, variance, scale, steps, image)
    table["certainty"] = located["certainty"].to_numpy()
    return table


def near_missing(image: xr.DataArray, columns: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether each column (n,) has a NaN or infinite pixel of the image within two widths."""
    missing = ~np.isfinite(image.values)
    if not missing.any():
        return np.zeros(len(columns), dtype=bool)
    steps = np.array(axes.sampling(image))
    origin = np.array([float(image[dim].values[0]) for dim in ("y", "x")])
    distance = ndimage.distance_transform_edt(~missing, sampling=steps)
    points = np.round((columns[["y", "x"]].to_numpy() - origin) / steps).astype(int)
    row, column = np.clip(points, 0, np.array(missing.shape) - 1).T
    return np.asarray(distance[row, column] < 2 * columns["width"].to_numpy())


def doubts(columns: pd.DataFrame) -> list[str]:
    """Say where most of the columns that a network marked are uncertain; empty where not."""
    uncertain = int((columns["certainty"] < UNCERTAIN).sum())
    if uncertain <= MOST_UNCERTAIN * len(columns):
        return []
    return [
        f"{uncertain} of {len(columns)} columns have a certainty below {UNCERTAIN:g}: there are "
        "few electrons, or these are no columns; look at them on the image"
    ]


def opened(
    model: "str | os.PathLike[str] | TrainedNetwork", threads: int | None = None
) -> "TrainedNetwork":
    """Open a network by name or path, for all CPU threads or some; an open one stays as it is."""
    if not isinstance(model, str | os.PathLike):
        return model
    from crewe.networks.zoo import open_network

    return open_network(model, threads)


def check_marks_columns(card: "Card") -> None:
    """Raise PlanError unless the network of a card makes masks of atoms."""
    if card.task != "atom map" or card.output != "mask":
        raise PlanError(
            f"network {card.name} marks no columns: give one that makes masks, "
            "such as gaussian-mask"
        )


def _without(image: xr.DataArray, missing: NDArray[np.bool_]) -> xr.DataArray:
    """Image with NaN at the pixels whose middle lies in a missing one of the same field."""
    if not missing.any():
        return image
    places = [
        (2 * np.arange(n) + 1) * old // (2 * n)
        for n, old in zip(image.shape, missing.shape, strict=True)
    ]
    return image.where(~missing[np.ix_(*places)])


def _inside(missing: NDArray[np.bool_], points: NDArray[np.float64]) -> NDArray[np.bool_]:
    row, column = np.clip(np.round(points).astype(int), 0, np.array(missing.shape) - 1).T
    return missing[row, column]


def _shape_for(image: xr.DataArray, trained: tuple[float, float]) -> tuple[int, int]:
    """Pixels on which a network sees the image: its own where they suit."""
    if axes.length_unit(image) != "Å":
        raise CalibrationError(
            "a network needs to know how large a pixel is: give the pixel size in Å"
        )
    steps, (low, high) = axes.sampling(image), trained
    if max(steps) > LARGEST_ENLARGEMENT * high:
        raise ImageError(
            f"pixels of {max(steps):.3g} Å do not resolve atoms; this network was trained on "
            f"{low:.3g} to {high:.3g} Å: check the pixel size and its unit"
        )
    if low <= min(steps) and max(steps) <= min(high, SQUARE * min(steps)):
        return image.sizes["y"], image.sizes["x"]
    pixel = float(np.clip(np.sqrt(np.prod(steps)), low, high))
    shape = [max(1, round(n * step / pixel)) for n, step in zip(image.shape, steps, strict=True)]
    if min(shape) < 8:
        raise ImageError(
            f"the image covers {image.shape[0] * steps[0]:.3g} × {image.shape[1] * steps[1]:.3g} "
            f"Å, {min(shape)} pixels of the network's: check the pixel size and its unit"
        )
    return shape[0], shape[1]


def _warnings(image: xr.DataArray, given: xr.DataArray, card: "Card") -> tuple[str, ...]:
    said = []
    if given.shape != image.shape:
        (y, x), (low, high) = axes.sampling(image), card.pixel_size_angstrom
        said.append(
            f"pixels of {y:.4g} × {x:.4g} Å do not suit network {card.name}, trained on {low:.3g} "
            f"to {high:.3g} Å: it saw the image on pixels of {axes.sampling(given)[0]:.4g} Å"
        )
    reasons = unlike(features(given.values), card.likeness) if card.likeness else []
    said += [f"unlike the images that {card.name} was trained on: {one}" for one in reasons]
    return tuple(said)


def _spacing(located: pd.DataFrame) -> float:
    """Typical distance of neighbours: the mean of the three nearest, so dumbbells count half."""
    points = located[["y", "x"]].to_numpy()
    if len(points) < 4:
        return SINGLE_ATOM_SPACING_ANGSTROM
    distance, _ = cKDTree(points).query(points, k=4)
    typical = float(np.median(distance[:, 1:].mean(axis=1)))
    return min(typical, SINGLE_ATOM_SPACING_ANGSTROM)
