"""What a projection cannot know: how much better an emulator is that is told depths.

Beside its features it is given images of the same atoms weighted with their depth z along the
beam, on top the same least squares. That is an experiment: nobody has these from an image.
"""

from typing import Any

import numpy as np

from benchmarks.accuracy.emulator_divisions import DIVISIONS, held_out_error
from benchmarks.accuracy.emulator_own import convolution_of
from benchmarks.accuracy.emulator_plans import SMOOTHED
from benchmarks.accuracy.emulator_scores import FOLDS, SEED
from benchmarks.accuracy.emulator_store import Measured
from crewe.simulation.convolution import Convolution
from crewe.simulation.emulator.fit import SMOOTHED_BORDER_PX
from crewe.simulation.emulator.pairs import Pair
from crewe.simulation.emulator.registration import Shift, common_shift, moved, unknown_border
from crewe.simulation.emulator.sampled import Sample, sample_pixels, sums_of
from crewe.simulation.emulator.splits import image_splits
from crewe.simulation.emulator.terms import Terms

RIDGE = 1e-9
STRIDE_PX = 2
POWERS = (1, 2)
"""Of the depth from the particle's middle."""
NAMES = ("no depth", "with mean depth", "with mean depth and mean square")


def depth_table(measured: Measured) -> list[dict[str, Any]]:
    """Error by what the emulator is told, on every second pixel along both axes."""
    return measured.value("depth", lambda: _rows(measured))


def _rows(measured: Measured) -> list[dict[str, Any]]:
    pairs = measured.pairs
    shift = common_shift(pairs)[0]
    features = SMOOTHED.feature_set()
    images = [pair.linear for pair in pairs]
    plain = sample_pixels(images, pairs, features, shift, STRIDE_PX)
    samples = _with_depth(plain, measured, shift)
    splits = image_splits(len(pairs), FOLDS, DIVISIONS, np.random.default_rng(SEED))
    rows = []
    for added, name in enumerate(NAMES):
        count = len(features.names) + added
        terms = Terms(count, SMOOTHED.degree, SMOOTHED.interactions)
        groups = [sums_of(sample, range(count), terms) for sample in samples]
        rows.append(
            {
                "told": name,
                "terms": terms.count,
                "one_minus_r2": held_out_error(groups, splits, RIDGE),
            }
        )
        print(f"    {rows[-1]}", flush=True)
    return rows


def _with_depth(samples: list[Sample], measured: Measured, shift: Shift) -> list[Sample]:
    """Append planes of Σ w (z − z̄)ᵏ g to the features, mean 0 and deviation 1 like these."""
    how = convolution_of(measured)
    border = SMOOTHED_BORDER_PX + unknown_border(shift)
    result = [list(sample.planes) for sample in samples]
    for power in POWERS:
        planes = []
        for pair in measured.pairs:
            image = moved(_weighted(pair, power, how), shift)
            inside = tuple(slice(border, side - border, STRIDE_PX) for side in image.shape)
            planes.append(image[inside].ravel())
        every = np.concatenate(planes)
        for known, plane in zip(result, planes, strict=True):
            known.append((plane - every.mean()) / every.std())
    return [
        Sample(np.array(planes, dtype=np.float32), sample.target)
        for planes, sample in zip(result, samples, strict=True)
    ]


def _weighted(pair: Pair, power: int, how: Convolution) -> np.ndarray:
    """Sum (y, x) over the atoms of a Gaussian times a power of the depth from their middle."""
    x, y, z = pair.positions.T
    # One element: its own weight is a factor.
    weights = (z - z.mean()) ** power
    sigma = how.probe_sigma_angstrom
    rows, columns = (how.pixel_size_angstrom * np.arange(side) for side in pair.linear.shape)
    along_y = np.exp(-0.5 * ((rows[:, None] - y) / sigma) ** 2)
    along_x = np.exp(-0.5 * ((columns - x[:, None]) / sigma) ** 2)
    return ((along_y * weights) @ along_x).astype(np.float32)
