"""How much nearer to the truth fused maps are, read off counts that they have not seen."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

from benchmarks.accuracy.fusion_real_sets import Opened
from crewe.chemistry.fusion import fuse

Maps = np.ndarray
WIDTHS_PX = tuple(np.geomspace(0.5, 12, 19))
SPLITS = 4
BLOCKS = 4
ALONE = "TV, no HAADF"


@dataclass(frozen=True)
class Gain:
    """Correlation with the truth and SNR of one element's map of half the counts, by method."""

    element: str
    correlation: Mapping[str, float]
    snr: Mapping[str, float]
    snr_error: Mapping[str, float]
    gaussian_px: float


@dataclass(frozen=True)
class Halves:
    """One half to fit, what lies under it, the other half less its background, and where."""

    haadf: Any
    fitted: Maps
    below: Maps
    unseen: Maps
    inside: np.ndarray


def gains(opened: Opened, seed: int = 0) -> list[Gain]:
    """Fit one half of the data and compare with the other, several times."""
    names = list(opened.inputs.maps)
    made: dict[str, list[Part]] = {}
    for half in halves(opened, names, np.random.default_rng(seed)):
        net = half.fitted - half.below
        for method, maps in _estimates(opened, names, half).items():
            parts = zip(maps, net, half.unseen, strict=True)
            made.setdefault(method, []).append((list(parts), half.inside))
    return [_gain(name, i, made) for i, name in enumerate(names)]


Part = tuple[list[tuple[np.ndarray, np.ndarray, np.ndarray]], np.ndarray]


def halves(opened: Opened, names: list[str], rng: np.random.Generator) -> Iterator[Halves]:
    """Counts are given to either half by a coin, four times, and each half is fitted once.

    Maps that are no counts are split into even and odd rows, or columns, whose noise is
    independent whatever its kind; the mean of the neighbouring rows is what was not seen.
    """
    whole = np.stack([opened.inputs.maps[name].values.astype(float) for name in names])
    below = _background(opened, names)
    if not opened.inputs.are_counts:
        for axis in (1, 2):
            for odd in (0, 1):
                yield _lines(opened, whole, axis, odd)
        return
    for _ in range(SPLITS):
        first = rng.binomial(whole.astype(np.int64), 0.5).astype(float)
        for fitted in (first, whole - first):
            unseen = whole - fitted - below / 2
            yield Halves(opened.haadf, fitted, below / 2, unseen, opened.inside)


def _lines(opened: Opened, whole: Maps, axis: int, odd: int) -> Halves:
    """Every other row, from the second to the last but one, and the means of its neighbours."""
    length = whole.shape[axis]
    chosen = np.arange(2 - odd, length - 1, 2)
    fitted = np.take(whole, chosen, axis)
    unseen = (np.take(whole, chosen - 1, axis) + np.take(whole, chosen + 1, axis)) / 2
    haadf = opened.haadf.isel({"yx"[axis - 1]: chosen}).drop_vars(["y", "x"], errors="ignore")
    inside = np.take(opened.inside, chosen, axis - 1)
    return Halves(haadf, fitted, np.zeros_like(fitted), unseen, inside)


def _estimates(opened: Opened, names: list[str], half: Halves) -> dict[str, Maps]:
    given = {name: half.haadf.copy(data=half.fitted[i]) for i, name in enumerate(names)}
    ground = {name: half.haadf.copy(data=half.below[i]) for i, name in enumerate(names)}
    known = ground if opened.inputs.background else None
    net = half.fitted - half.below
    found = {"raw": net}
    for method, options in opened.variants.items():
        found[method] = fuse(half.haadf, given, background=known, **options).maps.values
    # With the last, which suits the noise best, as the only difference is to be HAADF.
    found[ALONE] = fuse(half.haadf, given, background=known, prior="spectra", **options).maps.values
    for width in WIDTHS_PX:
        found[f"Gaussian {width:.2f}"] = gaussian_filter(net, (0, width, width))
    return found


def _background(opened: Opened, names: list[str]) -> Maps:
    if opened.inputs.background is None:
        return np.zeros((len(names), *opened.haadf.shape))
    return np.stack([opened.inputs.background[name].values for name in names])


def _gain(name: str, index: int, made: Mapping[str, list[Part]]) -> Gain:
    """Correlation ρ of a map F with the truth, of cov(F, B)²/(var F · cov(A, B)) = ρ².

    A and B are the halves, F was made of A alone: noise of B is independent of both.
    """
    moments = {method: _moments(parts, index) for method, parts in made.items()}
    squared = {method: _squared(values.sum(axis=0)) for method, values in moments.items()}
    width = max(
        (method for method in squared if method.startswith("Gaussian")), key=squared.__getitem__
    )
    kept = {"raw": "raw", "Gaussian": width}
    kept.update({method: method for method in made if not method.startswith(("raw", "Gauss"))})
    found = {short: _snr(squared[method]) for short, method in kept.items()}
    return Gain(
        element=name,
        correlation={s: float(np.sqrt(max(squared[m], 0))) for s, m in kept.items()},
        snr=found,
        snr_error={s: _jackknife(moments[m], lambda v: _snr(_squared(v))) for s, m in kept.items()},
        gaussian_px=float(width.split()[1]),
    )


def _moments(parts: list[Part], index: int) -> np.ndarray:
    """Sums of F·B, F·F, A·B over each block of the image, about the means inside, (block, 3)."""
    sums, pixels = np.zeros((BLOCKS**2, 3)), np.zeros(BLOCKS**2)
    for elements, inside in parts:
        rows, columns = inside.shape
        y, x = np.nonzero(inside)
        block = (y * BLOCKS // rows) * BLOCKS + x * BLOCKS // columns
        f, a, b = (values[inside] - values[inside].mean() for values in elements[index])
        pixels += np.bincount(block, minlength=BLOCKS**2)
        for at, product in enumerate((f * b, f * f, a * b)):
            sums[:, at] += np.bincount(block, product, BLOCKS**2)
    return sums[pixels > 0]


def _squared(sums: np.ndarray) -> float:
    with_other, own, halves = sums
    if halves <= 0 or own <= 0:
        return float("nan")
    return float(np.sign(with_other) * with_other**2 / (own * halves))


def _snr(squared: float) -> float:
    """Standard deviation of what is right over that of what is wrong, ρ/√(1 − ρ²)."""
    if not np.isfinite(squared):
        return float("nan")
    bounded = min(max(squared, 0.0), 0.9999)
    return float(np.sqrt(bounded / (1 - bounded)))


def _jackknife(blocks: np.ndarray, of: Callable[[np.ndarray], float]) -> float:
    """Standard error over the blocks of the image."""
    left_out = np.array([of(blocks.sum(axis=0) - block) for block in blocks])
    count = len(blocks)
    return float(np.sqrt((count - 1) / count * np.square(left_out - left_out.mean()).sum()))
