"""How much nearer to the truth fused maps are, read off counts that they have not seen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

from benchmarks.accuracy.fusion_real_sets import Opened
from crewe.chemistry.fusion import fuse

Maps = np.ndarray
WIDTHS_PX = tuple(np.geomspace(0.5, 8, 17))
SPLITS = 4
BLOCKS = 4


@dataclass(frozen=True)
class Gain:
    """Correlation with the truth and SNR of one element's map of half the counts, by method."""

    element: str
    correlation: Mapping[str, float]
    snr: Mapping[str, float]
    snr_error: Mapping[str, float]
    gaussian_px: float


def gains(opened: Opened, seed: int = 0) -> list[Gain]:
    """Split the counts, fit one half, compare with the other; both ways, four times."""
    names = list(opened.inputs.maps)
    whole = np.stack([opened.inputs.maps[name].values.astype(float) for name in names])
    below = _background(opened, names)
    how = opened.real_set.fuse_with
    events = np.array([_counts_per_unit(opened, name) for name in names])
    rng = np.random.default_rng(seed)
    made: dict[str, list[tuple[Maps, Maps, Maps]]] = {}
    for _ in range(SPLITS):
        first = split(whole, events, rng)
        for fitted, unseen in ((first, whole - first), (whole - first, first)):
            net, other = fitted - below / 2, unseen - below / 2
            for method, maps in _estimates(opened, names, fitted, net, below, how).items():
                made.setdefault(method, []).append((maps, net, other))
    inside = opened.inside
    return [_gain(name, i, made, inside) for i, name in enumerate(names)]


def split(maps: Maps, counts_per_unit: Maps, rng: np.random.Generator) -> Maps:
    """Give each count to either half by a coin; maps that are no counts are split by events.

    A value then is a sum of so many events of one size as its gain tells, rounded at random.
    """
    scaled = maps * counts_per_unit[:, None, None]
    events = np.floor(scaled + rng.random(maps.shape)).astype(np.int64)
    share = rng.binomial(np.maximum(events, 1), 0.5) / np.maximum(events, 1)
    half: Maps = maps * share
    return half


def _estimates(
    opened: Opened, names: list[str], fitted: Maps, net: Maps, below: Maps, how: dict[str, Any]
) -> dict[str, Maps]:
    like = opened.inputs.maps[names[0]]
    given = {name: like.copy(data=fitted[i]) for i, name in enumerate(names)}
    ground = {name: like.copy(data=below[i] / 2) for i, name in enumerate(names)}
    known = ground if opened.inputs.background else None
    found = {"fused": fuse(opened.haadf, given, background=known, **how).maps.values}
    alone = fuse(opened.haadf, given, background=known, prior="spectra", **how)
    found["TV without HAADF"] = alone.maps.values
    for width in WIDTHS_PX:
        found[f"Gaussian {width:.2f}"] = gaussian_filter(net, (0, width, width))
    return {"raw": net, **found}


def _background(opened: Opened, names: list[str]) -> Maps:
    if opened.inputs.background is None:
        return np.zeros((len(names), *opened.haadf.shape))
    return np.stack([opened.inputs.background[name].values for name in names])


def _counts_per_unit(opened: Opened, name: str) -> float:
    from crewe.chemistry.noise import counts_per_unit

    return 1.0 if opened.inputs.are_counts else counts_per_unit(opened.inputs.maps[name].values)


def _gain(
    name: str, index: int, made: Mapping[str, list[tuple[Maps, Maps, Maps]]], inside: np.ndarray
) -> Gain:
    """Correlation ρ of a map F with the truth, of cov(F, B)²/(var F · cov(A, B)) = ρ².

    A and B are the halves, F was made of A alone: noise of B is independent of both.
    """
    moments = {method: _moments(parts, index, inside) for method, parts in made.items()}
    squared = {method: _squared(values.sum(axis=0)) for method, values in moments.items()}
    width = max(
        (method for method in squared if method.startswith("Gaussian")), key=squared.__getitem__
    )
    kept = {"raw": "raw", "Gaussian": width, "TV without HAADF": "TV without HAADF"}
    kept["fused"] = "fused"
    found = {short: _snr(squared[method]) for short, method in kept.items()}
    return Gain(
        element=name,
        correlation={s: float(np.sqrt(max(squared[m], 0))) for s, m in kept.items()},
        snr=found,
        snr_error={s: _jackknife(moments[m], lambda v: _snr(_squared(v))) for s, m in kept.items()},
        gaussian_px=float(width.split()[1]),
    )


def _moments(parts: list[tuple[Maps, Maps, Maps]], index: int, inside: np.ndarray) -> np.ndarray:
    """Sums of F·B, F·F, A·B over each block of the image, about the means inside, (block, 3)."""
    rows, columns = inside.shape
    y, x = np.indices(inside.shape)
    block = (y * BLOCKS // rows) * BLOCKS + x * BLOCKS // columns
    sums = np.zeros((BLOCKS**2, 3))
    for found, half, unseen in parts:
        f, a, b = (values[index] - values[index][inside].mean() for values in (found, half, unseen))
        for at, product in enumerate((f * b, f * f, a * b)):
            sums[:, at] += np.bincount(block[inside], product[inside], BLOCKS**2)
    return sums[np.bincount(block[inside], minlength=BLOCKS**2) > 0]


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
