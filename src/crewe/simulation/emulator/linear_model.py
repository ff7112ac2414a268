"""The power of Z and the width of the probe, fitted instead of assumed.

A. H. Combs et al., Adv. Struct. Chem. Imaging 5 (2019) 2, doi:10.1186/s40679-019-0064-2, "Dataset":
Z^1.7 and a Gaussian are taken as they are, and that another exponent may do better is left open.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from crewe.errors import CalibrationError
from crewe.simulation.convolution import Convolution
from crewe.simulation.emulator.optimum import Search, optimum_of
from crewe.simulation.emulator.pairs import Image, Pair
from crewe.simulation.emulator.plan import EmulatorPlan
from crewe.simulation.emulator.registration import common_shift
from crewe.simulation.emulator.sampled import sample_pixels, squared_errors, sums_of

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Progress = Callable[[int], None]
# 21 terms: the pixel, its logarithm, and how the image bends around it.
SMALL_PLAN = EmulatorPlan(
    features="smoothed",
    kinds=("intensity", "log", "smooth 3", "laplacian 3", "gradient 3"),
    degree=2,
)
EXPONENTS = (1.0, 2.4)
WIDTHS_ANGSTROM = (0.1, 1.0)
VIBRATIONS_ANGSTROM = (0.0, 0.5)
BLURS_PX = (0.0, 6.0)
STRIDE_PX = 2


@dataclass(frozen=True, eq=False)
class LinearModel:
    """Which convolution images a small emulator corrects best."""

    exponent: float | None
    """Power of Z; None where it cannot be told: one element, or atoms not known."""
    exponent_error: float | None
    """Its standard error, from leaving out one image after the other."""
    width: float
    """Standard deviation of `width_of`: in Å, of a further blur in px."""
    width_error: float
    """Its standard error; NaN where the errors show no minimum."""
    width_of: str
    """`probe` (a Gaussian), `vibration` (beside the probe of the optics) or `blur` (of images whose
    atoms are not known)."""
    one_minus_r2: float
    """1 − R² of the small emulator there, each image by a fit to the others."""
    one_minus_r2_before: float
    """The same with the convolution images as they were."""
    convolution: Convolution | None
    """The fitted recipe; None for a further blur."""
    curve: pd.DataFrame
    """All that was tried: `exponent` (with several elements), `width`, `one_minus_r2`."""
    remarks: tuple[str, ...]
    """What could not be told, in words."""


def fit_linear_model(
    pairs: Sequence[Pair],
    convolution: Convolution | None = None,
    *,
    plan: EmulatorPlan = SMALL_PLAN,
    progress: Progress | None = None,
) -> LinearModel:
    """Find the exponent and the width that leave a small emulator the least error.

    `convolution` says how the pairs' convolution images were made; it is varied in its exponent and
    its Gaussian probe, or, where it takes the probe of its optics, in the atoms' vibration. Pairs
    without atoms, or no `convolution`, leave only a further Gaussian blur to be tried: broader, not
    narrower. The error is 1 − R² of each image by a fit to all others, on every second pixel;
    `progress` hears how many values were tried.

    Raises CalibrationError for fewer than three pairs.
    """
    if len(pairs) < 3:
        raise CalibrationError(f"{len(pairs)} pairs tell no optimum: give three or more")
    held = list(pairs)
    known = convolution is not None and all(
        pair.numbers is not None and pair.positions is not None for pair in held
    )
    shift = common_shift(held)[0] if plan.register else (0.0, 0.0)
    terms, features = plan.terms(), plan.feature_set()

    def errors(images: Sequence[Image]) -> Array:
        samples = sample_pixels(images, held, features, shift, STRIDE_PX)
        groups = [sums_of(sample, range(terms.features), terms) for sample in samples]
        squares, pixels = squared_errors(groups)
        result: Array = squares / pixels.sum()
        return result

    if not known or convolution is None:
        return _blurred(held, errors, progress)
    return _repeated(held, convolution, errors, progress)


def _repeated(
    pairs: Sequence[Pair],
    convolution: Convolution,
    errors: Callable[[Sequence[Image]], Array],
    progress: Progress | None,
) -> LinearModel:
    """Make the convolution images of known atoms anew for each value."""
    elements = {int(z) for pair in pairs for z in np.asarray(pair.numbers)}
    several = len(elements) > 1
    gaussian = convolution.probe_sigma_angstrom is not None

    def recipe(values: Array) -> Convolution:
        width = float(values[-1])
        changed = {"probe_sigma_angstrom" if gaussian else "vibration_angstrom": width}
        if several:
            changed["exponent"] = float(values[0])
        return replace(convolution, **changed)  # type: ignore[arg-type]

    def tried(values: Array) -> Array:
        how = recipe(values)
        return errors([how.image(p.numbers, p.positions, p.linear.shape) for p in pairs])

    width = convolution.probe_sigma_angstrom if gaussian else convolution.vibration_angstrom
    start, bounds = [float(width or 0.0)], [WIDTHS_ANGSTROM if gaussian else VIBRATIONS_ANGSTROM]
    if several:
        start, bounds = [convolution.exponent, *start], [EXPONENTS, *bounds]
    steps = ([0.1] if several else []) + [0.04]
    search = Search(tried, start, bounds, steps, progress)
    remarks = () if several else (_one_element(elements),)
    kind = "probe" if gaussian else "vibration"
    return _model(search, kind, several, recipe, remarks)


def _blurred(
    pairs: Sequence[Pair],
    errors: Callable[[Sequence[Image]], Array],
    progress: Progress | None,
) -> LinearModel:
    """Blur given convolution images further."""

    def tried(values: Array) -> Array:
        blur = float(values[0])
        return errors(
            [scipy.ndimage.gaussian_filter(pair.linear, blur, mode="constant") for pair in pairs]
        )

    search = Search(tried, [0.0], [BLURS_PX], [0.5], progress)
    remark = (
        "without the atoms, or without how the convolution images were made, these can only be "
        "blurred further: the exponent stays as it was"
    )
    return _model(search, "blur", False, lambda values: None, (remark,))


def _model(
    search: Search,
    width_of: str,
    several: bool,
    recipe: Callable[[Array], Convolution | None],
    remarks: tuple[str, ...],
) -> LinearModel:
    found = optimum_of(search)
    names = ["exponent", "width"] if several else ["width"]
    for name, (low, high), at_edge in zip(names, search.bounds, found.at_edge, strict=True):
        if at_edge:
            remarks += (f"the best {name} lies at the edge of what was tried, {low:g} to {high:g}",)
    return LinearModel(
        exponent=float(found.values[0]) if several else None,
        exponent_error=float(found.errors[0]) if several else None,
        width=float(found.values[-1]),
        width_error=float(found.errors[-1]),
        width_of=width_of,
        one_minus_r2=found.least,
        one_minus_r2_before=search.total(np.array(search.start)),
        convolution=recipe(found.values),
        curve=search.curve(names),
        remarks=remarks,
    )


def _one_element(elements: set[int]) -> str:
    (z,) = elements
    return (
        f"all atoms are of one element (Z = {z}): any exponent makes the same image but for a "
        "factor, so it is left as it was"
    )
