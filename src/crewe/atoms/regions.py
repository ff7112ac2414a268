"""Parts of an image named by a polygon, by types or by site names."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from crewe import axes
from crewe.atoms.stamps import Array, Mask
from crewe.errors import ImageError, PlanError, ReadError

# Part of the polygon's size by which a point may miss its edge and still lie on it.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Region:
    """Columns or pixels picked by where they are, by what they are, or by both.

    Raises PlanError for a polygon that encloses nothing: fewer than three corners, NaN, no area,
    edges that cross or touch.
    """

    polygon: tuple[tuple[float, float], ...] | None = None
    """Corners (x, y) in the image's unit of length, in order around the part; the last is joined
    to the first. None: the whole image."""
    types: tuple[int | str, ...] | None = None
    """Whole numbers of `type` or names of `site_name` of the columns meant; None: all."""
    inside: bool = True
    """False picks what lies outside the polygon. Types are never inverted."""

    def __post_init__(self) -> None:
        if self.polygon is not None:
            object.__setattr__(self, "polygon", _checked(self.polygon))

    def contains(self, columns: pd.DataFrame) -> Mask:
        """Which rows of a table of columns belong to the region, (N,).

        A column on the polygon's edge counts as inside; one without a position (NaN) belongs
        to no polygon, neither inside nor outside. Raises PlanError for a type or site name that
        the table does not have.
        """
        x, y = columns["x"].to_numpy(float), columns["y"].to_numpy(float)
        chosen = np.ones(len(columns), dtype=bool)
        if self.polygon is not None:
            within = points_in_polygon(x, y, np.array(self.polygon))
            chosen = (within == self.inside) & np.isfinite(x) & np.isfinite(y)
        if self.types is not None:
            chosen &= _of_types(columns, self.types)
        return chosen


def region_mask(image: xr.DataArray, region: Region) -> Mask:
    """Which pixels of an image (y, x) have their centre in the region; types play no part.

    Raises ImageError when no pixel is left.
    """
    mask = np.ones((image.sizes["y"], image.sizes["x"]), dtype=bool)
    if region.polygon is not None:
        x, y = np.meshgrid(image["x"].values, image["y"].values)
        mask = points_in_polygon(x, y, np.array(region.polygon)) == region.inside
    if not mask.any():
        raise ImageError(
            f"no pixel lies in the region {_spelled(region)}: the image reaches from "
            f"{_extent(image)}; corners are x,y in that unit"
        )
    return mask


def parse_region(text: str) -> Region:
    """Region of a polygon written as 'x,y x,y x,y', lengths in the image's unit."""
    corners = [pair.split(",") for pair in text.split()]
    try:
        return Region(tuple((float(x), float(y)) for x, y in corners))
    except ValueError:
        raise PlanError(
            f"{text!r} is no polygon: write its corners as x,y x,y x,y with a point for decimals"
        ) from None


def read_region(path: str | Path) -> Region:
    """Region of a polygon stored as text, one corner 'x,y' a line; a line of names may lead.

    Raises ReadError when the file cannot be read or holds something else, PlanError when the
    polygon encloses nothing.
    """
    path = Path(path)
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(f"{path} cannot be read as a polygon: {error}") from error
    lines = [line for line in lines if line and not line.startswith("#")]
    if lines and not _is_corner(lines[0]):
        lines = lines[1:]
    wrong = [line for line in lines if not _is_corner(line)]
    if wrong or not lines:
        shown = wrong[0] if wrong else "nothing"
        raise ReadError(f"{path}: a polygon has one corner 'x,y' a line, found {shown!r}")
    corners = (line.split(",") for line in lines)
    return Region(tuple((float(x), float(y)) for x, y in corners))


def points_in_polygon(x: Array, y: Array, polygon: Array) -> Mask:
    """Whether points lie in the polygon (M, 2) of (x, y) or on its edge; same shape as `x`.

    A ray from the point to the right crosses the edges an odd number of times.
    """
    odd = np.zeros(np.shape(x), dtype=bool)
    on_edge = np.zeros(np.shape(x), dtype=bool)
    slack = ROUNDING * float(np.ptp(polygon, axis=0).max())
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        on_edge |= _distance_to_edge(x, y, (x0, y0), (x1, y1)) <= slack
        if y0 != y1:
            crosses = (y0 > y) != (y1 > y)
            odd ^= crosses & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return odd | on_edge


def _distance_to_edge(
    x: Array, y: Array, start: tuple[float, float], end: tuple[float, float]
) -> Array:
    along = np.subtract(end, start)
    part = ((x - start[0]) * along[0] + (y - start[1]) * along[1]) / (along @ along)
    part = np.clip(part, 0.0, 1.0)
    return np.hypot(x - start[0] - part * along[0], y - start[1] - part * along[1])


def _checked(polygon: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    """The corners as floats, without a last one that repeats the first."""
    try:
        corners = np.array(polygon, dtype=float).reshape(len(polygon), 2)
    except (TypeError, ValueError):
        raise PlanError(f"a polygon is a sequence of corners (x, y), got {polygon!r}") from None
    if not np.isfinite(corners).all():
        raise PlanError(f"a corner of the polygon is not finite: {corners.tolist()}")
    if len(corners) > 1 and np.array_equal(corners[0], corners[-1]):
        corners = corners[:-1]
    if len(corners) < 3:
        raise PlanError(f"a polygon needs three corners or more, got {len(corners)}")
    crossing = _first_crossing(corners)
    if crossing is not None:
        raise PlanError(
            f"the polygon's edges {crossing[0]} and {crossing[1]} cross or touch: "
            "give the corners in order around the part"
        )
    return tuple((float(x), float(y)) for x, y in corners)


def _first_crossing(corners: Array) -> tuple[int, int] | None:
    """Numbers (from 1) of two edges that meet elsewhere than at a common corner."""
    count = len(corners)
    following = np.roll(corners, -1, axis=0)
    for i in range(count):
        if np.array_equal(corners[i], following[i]):
            return i + 1, i + 1
        j = (i + 1) % count
        if _folds_back(corners[i], corners[j], following[j]):
            return i + 1, j + 1
        for k in range(i + 2, count if i else count - 1):
            if _meet(corners[i], following[i], corners[k], following[k]):
                return i + 1, k + 1
    return None


def _folds_back(before: Array, corner: Array, after: Array) -> bool:
    back, on = before - corner, after - corner
    flat = abs(back[0] * on[1] - back[1] * on[0]) <= ROUNDING * np.hypot(*back) * np.hypot(*on)
    return bool(flat and back @ on > 0)


def _meet(a: Array, b: Array, c: Array, d: Array) -> bool:
    """Whether the segments ab and cd have a point in common."""
    sides = [_side(a, b, c), _side(a, b, d), _side(c, d, a), _side(c, d, b)]
    if sides[0] != sides[1] and sides[2] != sides[3]:
        return True
    touching = zip(sides, ((a, b, c), (a, b, d), (c, d, a), (c, d, b)), strict=True)
    return any(side == 0 and _between(*three) for side, three in touching)


def _side(a: Array, b: Array, point: Array) -> int:
    along, to = b - a, point - a
    turn = along[0] * to[1] - along[1] * to[0]
    return 0 if abs(turn) <= ROUNDING * np.hypot(*along) * np.hypot(*to) else int(np.sign(turn))


def _between(a: Array, b: Array, point: Array) -> bool:
    low, high = np.minimum(a, b), np.maximum(a, b)
    return bool(((point >= low) & (point <= high)).all())


def _of_types(columns: pd.DataFrame, types: tuple[int | str, ...]) -> Mask:
    chosen = np.zeros(len(columns), dtype=bool)
    for wanted in types:
        name = "site_name" if isinstance(wanted, str) else "type"
        known = sorted(columns[name].dropna().unique().tolist()) if name in columns else []
        if wanted not in known:
            raise PlanError(f"no column has {name} {wanted!r}; the table has {known or 'none'}")
        chosen |= (columns[name] == wanted).to_numpy(bool)
    return chosen


def _is_corner(line: str) -> bool:
    try:
        return len([float(part) for part in line.split(",")]) == 2
    except ValueError:
        return False


def _spelled(region: Region) -> str:
    corners = " ".join(f"{x:g},{y:g}" for x, y in region.polygon or ())
    return corners if region.inside else f"outside {corners}"


def _extent(image: xr.DataArray) -> str:
    parts = (f"{dim} = {image[dim].min():g} to {image[dim].max():g}" for dim in ("x", "y"))
    return f"{' and '.join(parts)} {axes.length_unit(image)}"
