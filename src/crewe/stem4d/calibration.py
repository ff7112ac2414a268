"""Where the bright-field disk lies on the detector and how large it is, from a mean pattern."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.optimize import least_squares

from crewe.errors import CalibrationError, ImageError
from crewe.physics.electron import wavelength_angstrom
from crewe.sources.bad_pixels import far_above_neighbours

Array = NDArray[np.float64]
DIRECTIONS = 360
# Fewer directions than this in which an edge is seen do not fix a circle.
FEWEST_DIRECTIONS = 60
SAMPLES_PER_PX = 4
SMOOTHING_PX = (0.0, 1.5, 3.0, 6.0)
# Share of the variance that a disk must explain, after such smoothing, and that ends the search.
LEAST_EXPLAINED = (0.15, 0.5, 0.5, 0.6)
WELL_EXPLAINED = 0.7
ADVICE = "look at it, and give centre and radius"


@dataclass(frozen=True)
class BrightField:
    """The bright-field disk: its centre and radius in detector pixels."""

    centre_ky_px: float
    centre_kx_px: float
    radius_px: float

    @property
    def centre(self) -> tuple[float, float]:
        """Centre (ky, kx) in detector pixels."""
        return self.centre_ky_px, self.centre_kx_px

    def sampling_inverse_angstrom(
        self, beam_energy_kev: float, convergence_semi_angle_mrad: float
    ) -> tuple[float, float]:
        """Return the size (ky, kx) of a detector pixel in 1/Å: the radius is α/λ.

        Raises CalibrationError for an energy or angle that is not positive and finite.
        """
        angle = convergence_semi_angle_mrad
        if not (math.isfinite(angle) and angle > 0):
            raise CalibrationError(f"convergence semi-angle {angle} mrad: give a positive one")
        size = angle / 1000 / wavelength_angstrom(beam_energy_kev) / self.radius_px
        return size, size


def bright_field(pattern: NDArray[np.generic]) -> BrightField:
    """Find the bright-field disk in a mean pattern (ky, kx), to a fraction of a pixel.

    The edge is where, in each of 360 directions, intensity falls half-way from just inside to just
    outside; a circle is fitted to these points, those far off left out. So neither structure within
    the disk nor hot pixels matter, nor does a disk cut by the edge of the detector as long as a
    sixth of its edge is seen. Around it the pattern must be less than about half as bright: where
    diffracted disks overlap more strongly, their outline is found. A thousand electrons are enough.
    Raises ImageError for a pattern that shows no disk.
    """
    image = np.asarray(pattern, float)
    if image.ndim != 2 or min(image.shape) < 4 or not np.isfinite(image).all():
        raise ImageError(
            f"a pattern of shape {image.shape}: give (ky, kx) of 4 × 4 pixels or more, all finite"
        )
    if not image.max() > max(float(image.min()), 0.0):
        raise ImageError(f"no bright-field disk: the mean pattern is {_flatness(image)}; {ADVICE}")
    found = []
    # Few counts hide the edge from single rays; smoothed patterns are tried then.
    for width, least in zip(SMOOTHING_PX, LEAST_EXPLAINED, strict=True):
        calm, sharp = _prepared(image, width)
        circle = _sought(calm, sharp, width)
        explained = _explained(calm, circle) if _falls_there(calm, circle, width) else 0.0
        if explained > least:
            found.append((explained, circle))
        if explained > WELL_EXPLAINED:
            break
    if not found:
        raise ImageError(f"no bright-field disk: the mean pattern has no round edge; {ADVICE}")
    return BrightField(*(float(value) for value in max(found, key=lambda one: one[0])[1]))


def _flatness(image: Array) -> str:
    """Say in which way a pattern has nothing that could be bright."""
    if image.max() > 0:
        return "uniform"
    if image.min() == 0:
        return "zero"
    return f"nowhere above zero ({image.min():.4g} to {image.max():.4g}): was too much subtracted?"


def _prepared(image: Array, width: float) -> tuple[Array, Array]:
    """Return a pattern to look for the disk in, and one to measure its edge in."""
    if width == 0:
        # A pixel unlike all around it is a fault of the detector.
        calm = ndimage.median_filter(image, 3, mode="nearest")
        return calm, _without_spikes(image, calm)
    positive = image[image > 0]
    smooth = ndimage.gaussian_filter(
        np.minimum(image, 10 * np.median(positive)), width, mode="nearest"
    )
    return smooth, smooth


def _sought(calm: Array, sharp: Array, width: float) -> Array:
    """Circle (3) found in a calm pattern, then in a sharp one; radius 0: none."""
    if not calm.max() > max(float(calm.min()), 0.0):
        return np.zeros(3)
    circle = _rough(calm)
    for image in (calm, calm, calm, calm, sharp):
        circle = _circle_through(_edge_points(image, circle, width), circle)
        # A nearly straight edge fits circles without end.
        if not 0 < circle[2] < math.hypot(*calm.shape):
            return np.zeros(3)
    # Smoothing draws the half-way line of a disk inwards.
    inwards = width**2 / (2 * circle[2]) if circle[2] > width else 0.0
    return circle + np.array([0.0, 0.0, inwards])


def _explained(calm: Array, circle: Array) -> float:
    """Share of a pattern's variance that one level inside a circle and one outside explain."""
    ky, kx = np.indices(calm.shape)
    inside = np.hypot(ky - circle[0], kx - circle[1]) < circle[2]
    if not 0 < inside.sum() < inside.size or calm.var() == 0:
        return 0.0
    share = inside.mean()
    return float(
        share * (1 - share) * (calm[inside].mean() - calm[~inside].mean()) ** 2 / calm.var()
    )


def _without_spikes(image: Array, calm: Array) -> Array:
    """Replace pixels far above all neighbours by the median around them."""
    return np.where(far_above_neighbours(image), calm, image)


def _rough(calm: Array) -> Array:
    """Centre and radius (3) of the largest connected part above half of its own median."""
    level, part = float(calm.max()), calm > np.inf
    background = float(np.median(np.concatenate([calm[[0, -1]].ravel(), calm[:, [0, -1]].ravel()])))
    background = min(background, 0.25 * level)
    for _ in range(6):
        above, _ = ndimage.label(calm > (level + background) / 2)
        part = above == np.bincount(above.ravel())[1:].argmax() + 1
        level = float(np.median(calm[part]))
    part = ndimage.binary_fill_holes(part)
    rows, columns = np.nonzero(part)
    # Where the detector cuts the disk, its longer extent is nearer to the diameter.
    radius = max(math.sqrt(part.sum() / math.pi), np.ptp(rows) / 2, np.ptp(columns) / 2)
    return np.array([rows.mean(), columns.mean(), max(radius, 1.0)])


def _edge_points(image: Array, circle: Array, width: float) -> Array:
    """Points (2, n) at which intensity falls half-way, along rays from the centre."""
    angles = np.arange(DIRECTIONS) * (2 * math.pi / DIRECTIONS)
    reach = circle[2] + max(0.5 * circle[2], 3.0, 3.0 * width)
    radii = np.arange(0.0, reach, 1 / SAMPLES_PER_PX)
    ky = circle[0] + np.sin(angles)[:, None] * radii
    kx = circle[1] + np.cos(angles)[:, None] * radii
    seen = (ky >= 0) & (ky <= image.shape[0] - 1) & (kx >= 0) & (kx <= image.shape[1] - 1)
    values = ndimage.map_coordinates(image, [ky, kx], order=1, mode="nearest")
    margin = max(0.12 * circle[2], 1.5, 1.2 * width)
    edges = np.full(DIRECTIONS, np.nan)
    for index in range(DIRECTIONS):
        edges[index] = _half_way(values[index], radii, seen[index], circle[2], margin)
    found = np.isfinite(edges)
    return np.stack([circle[0] + np.sin(angles) * edges, circle[1] + np.cos(angles) * edges])[
        :, found
    ]


def _half_way(
    values: Array, radii: Array, seen: NDArray[np.bool_], radius: float, margin: float
) -> float:
    """Radius at which one ray falls half-way from inside to outside; NaN when it does not."""
    inside = seen & (radii > radius - 3 * margin) & (radii < radius - margin)
    outside = seen & (radii > radius + margin)
    if not inside.any() or outside.sum() < SAMPLES_PER_PX:
        return math.nan
    high, low = float(np.median(values[inside])), float(np.median(values[outside]))
    half = (high + low) / 2
    if not high > 1.5 * low:
        return math.nan
    near = np.flatnonzero(seen & (radii > radius - 3 * margin))
    falls = near[:-1][(values[near[:-1]] >= half) & (values[near[1:]] < half)]
    if not falls.size:
        return math.nan
    at = falls[np.argmin(np.abs(radii[falls] - radius))]
    share = (values[at] - half) / (values[at] - values[at + 1])
    return float(radii[at] + share / SAMPLES_PER_PX)


def _circle_through(points: Array, start: Array) -> Array:
    """Circle (3) nearest to the points, those far off counting little; radius 0: too few."""
    if points.shape[1] < FEWEST_DIRECTIONS or start[2] == 0:
        return start * (1.0, 1.0, 0.0)

    def distances(circle: Array) -> Array:
        return np.hypot(points[0] - circle[0], points[1] - circle[1]) - circle[2]

    fitted = least_squares(distances, start, loss="soft_l1", f_scale=0.3).x
    off = np.abs(distances(fitted))
    kept = off <= max(3 * float(np.median(off)), 0.2)
    if kept.sum() >= FEWEST_DIRECTIONS:
        points = points[:, kept]
        fitted = least_squares(distances, fitted).x
    return np.asarray(fitted)


def _falls_there(calm: Array, circle: Array, width: float) -> bool:
    """Whether intensity falls across a circle, and not only as gently as elsewhere."""
    if circle[2] <= 0:
        return False
    ky, kx = np.indices(calm.shape)
    beyond = np.hypot(ky - circle[0], kx - circle[1]) - circle[2]
    margin = max(0.1 * circle[2], 1.0, width)
    near, far = (_fall(calm, beyond, margin, rings) for rings in ((1, 2), (2.5, 4)))
    return near > 0 and near > 0.55 * far


def _fall(calm: Array, beyond: Array, margin: float, rings: tuple[float, float]) -> float:
    """Intensity as far inside the edge less that outside, at distances of so many margins."""
    # A small disk has no pixels far inside.
    least = min(rings[0] * margin, -0.5 * float(beyond.min()))
    inside = (-beyond >= least) & (-beyond <= rings[1] * margin)
    outside = (beyond >= rings[0] * margin) & (beyond <= rings[1] * margin)
    if not (inside.any() and outside.any()):
        return 0.0
    return float(np.median(calm[inside]) - np.median(calm[outside]))
