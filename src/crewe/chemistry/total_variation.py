"""Isotropic total variation of maps, and its proximal operator.

Fast gradient projection on the dual: Beck and Teboulle 2009, doi:10.1109/TIP.2009.2028250. Each
pixel may have a curvature of its own (`metric`); the dual step is then chosen pixel by pixel,
Pock and Chambolle 2011, doi:10.1109/ICCV.2011.6126441.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.chemistry.bands import processors
from crewe.chemistry.variation_loops import length_of_gradient, smooth_channel
from crewe.errors import ImageError, PlanError

Array = NDArray[Any]
# Smaller maps are done before a second thread has woken up.
LEAST_PIXELS = 96 * 96


@dataclass(frozen=True)
class Prox:
    """What `prox` found.

    `maps` (n, y, x) or (y, x) as given; `dual` (n, 2, y, x), to start a similar problem from;
    `gap` (n,) the duality gap of each channel, `iterations` (n,) what it took.
    """

    maps: Array
    dual: Array
    gap: NDArray[np.float64]
    iterations: NDArray[np.int64]


def value(maps: Array) -> Any:
    """Isotropic total variation, Σ√((∂y u)² + (∂x u)²) with forward differences.

    `maps` (y, x) gives a float, (n, y, x) an array (n,) of float64; per pixel, no unit of length.
    NaN in a map makes its value NaN. Raises ImageError for another number of dimensions.
    """
    stack = _stack(maps)
    found = np.empty(len(stack))

    def measure(c: int) -> None:
        found[c] = length_of_gradient(stack[c])

    _each_channel(measure, stack)
    return found if np.ndim(maps) == 3 else float(found[0])


def prox(
    maps: Array,
    weight: Any,
    *,
    metric: Array | None = None,
    non_negative: bool = False,
    tolerance: float = 1e-4,
    gap: float = 0.0,
    iterations: int = 1000,
    dual: Array | None = None,
) -> Prox:
    """Minimise ½Σ d (u − v)² + weight·TV(u), channel by channel, over all u or all u ≥ 0.

    `maps` v (n, y, x) or (y, x); `weight` one number or one for each channel; `metric` d, shape
    of maps and positive, 1 where not given. Stops when the duality gap of a channel is at most
    `tolerance` times its minimum, or at most `gap`; after `iterations` in any case, so look at
    the gap of the result. It bounds the distance to the solution: ½Σ d (u − u*)² ≤ gap. `dual`
    is that of a similar problem solved before. float32 stays float32, all else becomes float64.

    Raises ImageError for shapes that do not fit or maps with NaN, PlanError for a weight that is
    negative. Source: Beck and Teboulle 2009, section IV, doi:10.1109/TIP.2009.2028250.
    """
    stack = _stack(maps)
    weights = _weights(weight, len(stack))
    if not np.all(np.isfinite(stack)):
        raise ImageError("maps with NaN or infinite values cannot be smoothed: fill them first")
    own = np.ones_like(stack) if metric is None else _metric(stack, metric)
    field = np.zeros((len(stack), 2, *stack.shape[1:]), stack.dtype)
    if dual is not None:
        field[...] = _like(field, dual, "dual")
    found = np.empty_like(stack)
    least = 0.0 if non_negative else -np.inf
    gaps, counts = np.empty(len(stack)), np.empty(len(stack), np.int64)
    limits = (least, float(tolerance), float(gap), int(iterations))

    def smooth(c: int) -> None:
        gaps[c], counts[c] = smooth_channel(
            stack[c], weights[c], own[c], *limits, field[c], found[c]
        )

    _each_channel(smooth, stack)
    return Prox(found if np.ndim(maps) == 3 else found[0], field, gaps, counts)


def _each_channel(work: Callable[[int], None], stack: Array) -> None:
    """Work on the channels at once, each on one thread: an iteration is too short to share."""
    threads = min(len(stack), processors())
    if threads == 1 or stack[0].size < LEAST_PIXELS:
        for channel in range(len(stack)):
            work(channel)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(len(stack))))


def _stack(maps: Array) -> Array:
    given = np.asarray(maps)
    if given.ndim not in (2, 3) or 0 in given.shape:
        raise ImageError(
            f"total variation takes maps (y, x) or (n, y, x), this has shape {given.shape}"
        )
    kind = np.float32 if given.dtype == np.float32 else np.float64
    return np.ascontiguousarray(given.reshape(-1, *given.shape[-2:]), kind)


def _like(model: Array, given: Array, what: str) -> Array:
    array = np.asarray(given)
    if array.size != model.size:
        raise ImageError(f"{what} has shape {array.shape}, the maps need {model.shape}")
    return np.ascontiguousarray(array.reshape(model.shape), model.dtype)


def _metric(stack: Array, given: Array) -> Array:
    metric = _like(stack, given, "metric")
    if not np.all(metric > 0):
        raise ImageError(f"a metric is positive everywhere; its least value is {metric.min()}")
    return metric


def _weights(weight: Any, channels: int) -> NDArray[np.float64]:
    given = np.asarray(weight, np.float64)
    if given.ndim and given.shape != (channels,):
        raise ImageError(f"{given.size} weights were given for {channels} maps: give one each")
    if not np.all(given >= 0) or not np.all(np.isfinite(given)):
        raise PlanError(f"a weight of total variation is 0 or more and finite, not {weight}")
    return np.ascontiguousarray(np.broadcast_to(given, (channels,)))
