"""From a map that is high at atomic columns and low elsewhere to the columns' positions."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from crewe import axes
from crewe.atoms.stamps import Array, Mask
from crewe.atoms.summits import Labels, divide_at_saddles
from crewe.errors import ImageError, NoColumnsError, PlanError

BINS = 256
# Marks of faint columns are faint themselves; Otsu's threshold, ruled by the others, cuts them off.
SHARE_OF_OTSU = 0.5
# An empty map has no columns to set the threshold, and Otsu's method would divide its noise.
LEAST_THRESHOLD = 0.1
# Regions are divided on a map smoothed by this share of their radius.
SMOOTHING = 0.4
# Two summits are two columns when the saddle lies this much below the lower one.
LEAST_DIP = 0.05
# Marks with more than this share of their pixels near the summit are discs without a peak,
FLAT = 0.4
# divided where their waist is narrower than they are by this share.
LEAST_WAIST = 0.2
# A region with less than this share of the median area is a speck.
LEAST_AREA = 0.25
# Regions within this many of their radii and spacings are one column unless they weigh more.
JOIN_RADII, JOIN_SPACINGS, JOIN_WEIGHT = 4.0, 0.6, 1.2


class Regions(NamedTuple):
    """The columns of a map, as regions of pixels."""

    labels: Labels
    """(y, x): 0 outside, 1 to n in the regions."""
    centres: Array
    """(n, 2) in pixels, y before x."""
    pixels: NDArray[np.int64]
    """(n,): size of each."""
    summit: Array
    """(n,): largest value of the map in each."""
    weight: Array
    """(n,): sum of the map over each and its rim."""


def otsu_threshold(values: Array) -> float:
    """Value that divides `values` into two classes as far apart as can be.

    N. Otsu, IEEE Trans. Syst. Man Cybern. 9, 62 (1979), DOI 10.1109/TSMC.1979.4310076: the
    largest variance between the classes, over 256 bins. Values that are not finite do not count.
    Raises ImageError when fewer than two values differ.
    """
    finite = values[np.isfinite(values)]
    if finite.size == 0 or finite.min() == finite.max():
        raise ImageError("a map of one value has no threshold: nothing was marked in it")
    counts, edges = np.histogram(finite, BINS)
    below = np.cumsum(counts)[:-1].astype(float)
    above = finite.size - below
    moments = np.cumsum(counts * (edges[1:] + edges[:-1]) / 2)
    apart = (moments[-1] * below / finite.size - moments[:-1]) ** 2 / (below * above)
    return float(edges[1 + int(np.argmax(apart))])


def locate_columns(
    atom_map: xr.DataArray, *, threshold: float | None = None, least_area: float = LEAST_AREA
) -> pd.DataFrame:
    """Positions of the columns that a map of atoms marks, one row per region above a threshold.

    `atom_map` is calibrated (y, x), about 1 at columns and 0 elsewhere, such as a Gaussian or a
    circular mask; NaN counts as 0. Unless given, the threshold is half of Otsu's, at least 0.1,
    and connected regions are the columns. R. Lin et al., Sci. Rep. 11, 5386 (2021), DOI
    10.1038/s41598-021-84499-w, take Otsu's threshold itself, which loses faint columns, and the
    middle of each region. Here a region with several summits is divided between them, faint
    regions that together make one mark are joined, regions smaller than `least_area` of the
    median are dropped, and a centre is the mean of the region and its rim weighted with the map,
    which is exact between pixels too.

    Returns a table with `x`, `y` (in the map's unit of length), `certainty` (the map's largest
    value in the region) and `area`, sorted by `y`: starting values for `fit_columns`.

    Raises ImageError for a map that no position can be read from, PlanError for a threshold or an
    area that is none, NoColumnsError when nothing is marked.
    """
    values = _checked(atom_map)
    if threshold is None:
        threshold = max(SHARE_OF_OTSU * otsu_threshold(values), LEAST_THRESHOLD)
    _check_options(threshold, least_area)
    regions = find_regions(values, threshold, least_area)
    if not len(regions.centres):
        raise NoColumnsError(
            f"no column marked: the map's largest value is {values.max():.3g} and the threshold "
            f"{threshold:.3g}; give a lower one, or another network"
        )
    return _table(atom_map, regions)


def find_regions(values: Array, threshold: float, least_area: float = LEAST_AREA) -> Regions:
    """Regions of a finite map (y, x) above a threshold, divided between their summits."""
    above = values > threshold
    whole, count = ndimage.label(above, np.ones((3, 3)))
    if not count:
        nothing = np.zeros(0)
        return Regions(
            whole.astype(np.int32), np.zeros((0, 2)), nothing.astype(int), *[nothing] * 2
        )
    landscape, least_dip = _landscape(values, above, whole)
    inside = np.flatnonzero(above)
    order = inside[np.argsort(-landscape.ravel()[inside], kind="stable")]
    labels = divide_at_saddles(landscape, order, least_dip)
    pixels = np.bincount(labels.ravel())
    kept = pixels >= least_area * np.median(pixels[1:])
    kept[0] = False
    labels = (np.cumsum(kept) * kept).astype(np.int32)[labels]
    regions = _measured(values, labels, pixels[kept])
    same = same_column(regions)
    if len(np.unique(same)) == len(same):
        return regions
    merged = np.concatenate([[0], np.unique(same, return_inverse=True)[1] + 1])[labels]
    return _measured(values, merged.astype(np.int32), np.bincount(merged.ravel())[1:])


def _landscape(values: Array, above: Mask, whole: Labels) -> tuple[Array, float]:
    """Heights whose summits are columns: the map, or of flat marks the distance to their edge."""
    radius = np.sqrt(np.median(np.bincount(whole.ravel())[1:]) / np.pi)
    high = values > 0.9 * np.median(ndimage.maximum(values, whole, np.arange(1, whole.max() + 1)))
    if np.count_nonzero(high & above) > FLAT * np.count_nonzero(above):
        inward = ndimage.distance_transform_edt(np.pad(above, 1))[1:-1, 1:-1]
        return ndimage.gaussian_filter(inward, SMOOTHING), LEAST_WAIST
    return ndimage.gaussian_filter(values, SMOOTHING * radius), LEAST_DIP


def same_column(regions: Regions) -> NDArray[np.int64]:
    """For each region the first of those that mark the same column, itself where it is alone.

    Where a network wavers between two places, it marks either faintly. Close regions are one
    column when together they weigh no more than one.
    """
    owner = np.arange(len(regions.centres))
    if len(owner) < 2:
        return owner
    tree = cKDTree(regions.centres)
    spacing = float(np.median(tree.query(regions.centres, k=2)[0][:, 1]))
    reach = min(JOIN_RADII * np.sqrt(np.median(regions.pixels) / np.pi), JOIN_SPACINGS * spacing)
    pairs = tree.query_pairs(reach, output_type="ndarray")
    apart = np.linalg.norm(np.subtract(*regions.centres[pairs.T]), axis=1)
    weight = regions.weight / np.percentile(regions.weight, 75)
    for one, other in np.sort(pairs[np.argsort(apart, kind="stable")], axis=1):
        first, second = sorted((owner[one], owner[other]))
        if first != second and weight[first] + weight[second] < JOIN_WEIGHT:
            weight[first] += weight[second]
            owner[owner == second] = first
    return owner


def _measured(values: Array, labels: Labels, pixels: NDArray[np.int64]) -> Regions:
    names = np.arange(1, len(pixels) + 1)
    # The rim holds the tails that the threshold cuts unevenly; it takes no pixel from a neighbour.
    wide = np.where(labels > 0, labels, ndimage.grey_dilation(labels, size=(3, 3)))
    weights = np.clip(values, 0.0, None)
    centres = np.array(ndimage.center_of_mass(weights, wide, names)).reshape(-1, 2)
    summit = np.asarray(ndimage.maximum(values, labels, names), dtype=float)
    weight = np.asarray(ndimage.sum_labels(weights, wide, names), dtype=float)
    return Regions(labels, centres, pixels, summit, weight)


def _checked(atom_map: xr.DataArray) -> Array:
    if not isinstance(atom_map, xr.DataArray) or atom_map.dims != ("y", "x"):
        raise ImageError("a map of atoms is a calibrated image (y, x): use calibrated_image")
    values = np.asarray(atom_map.values, dtype=np.float64)
    if not np.isfinite(values).any():
        raise ImageError("the map of atoms has no finite pixel")
    return np.where(np.isfinite(values), values, 0.0)


def _check_options(threshold: float, least_area: float) -> None:
    if not np.isfinite(threshold):
        raise PlanError(f"threshold={threshold!r}: give a number, or nothing for Otsu's")
    if not 0 <= least_area < 1:
        raise PlanError(f"least_area={least_area!r}: give a share of the median area below 1")


def _table(atom_map: xr.DataArray, regions: Regions) -> pd.DataFrame:
    steps = axes.sampling(atom_map)
    origin = [float(atom_map[dim].values[0]) for dim in ("y", "x")]
    centres = regions.centres * steps + origin
    length = axes.length_unit(atom_map)
    table = pd.DataFrame(
        {
            "x": centres[:, 1],
            "y": centres[:, 0],
            "certainty": regions.summit,
            "area": regions.pixels * float(np.prod(steps)),
        }
    ).sort_values("y", kind="stable", ignore_index=True)
    table.attrs["units"] = {"x": length, "y": length, "area": f"{length}²"}
    return table
