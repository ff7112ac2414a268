"""How good an emulator is on images that it has not learned from.

A. H. Combs et al., Adv. Struct. Chem. Imaging 5 (2019) 2, doi:10.1186/s40679-019-0064-2, "Model
assessment": cross-validation with all pixels of all validation sets in one figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crewe.simulation.convolution import Convolution
from crewe.simulation.emulator.domain import OUTSIDE_QUANTILE, TOLERATED_FACTOR
from crewe.simulation.emulator.fit import Progress, fit_emulator
from crewe.simulation.emulator.held_out import HeldOut, coverage, held_out, pooled
from crewe.simulation.emulator.model import Emulator
from crewe.simulation.emulator.noise import Noise, measured_noise
from crewe.simulation.emulator.pairs import Pair
from crewe.simulation.emulator.plan import EmulatorPlan
from crewe.simulation.emulator.splits import Chosen, Kind, Split, make_splits

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
# Held-out images are few: the next one may hold so many more unknown pixels than the worst of them.
SHARE_MARGIN = 1.5


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """Figures of a plan, all of them on pixels that were not learned from."""

    plan: EmulatorPlan
    """The plan that was tested."""
    kind: str
    """What the folds were made of: images, blocks or pixels."""
    folds: int
    """Parts that all was divided into; 0 where some images were left out at random."""
    repeats: int
    """Times it was divided."""
    pixels: int
    """Pixels tested on, in all repeats."""
    one_minus_r2: float
    """1 − R² over all of them."""
    fractional_rms: float
    """Root mean square error over the standard deviation of the multislice values, Eq. (4)."""
    each_repeat: tuple[float, ...]
    """1 − R² of each repeat: their spread is what the choice of training images makes."""
    per_image: pd.DataFrame
    """A row for each pair tested on: `pair`, `pixels`, `one_minus_r2` with the image's own
    variance, `fractional_rms` with the standard deviation of all images, `mean_error` and `rms` in
    units of the image, `share_outside` the largest share of pixels unlike those in training."""
    shifts_px: Array
    """Shift (fit, 2) as (y, x) that each fit found between its training images."""
    noise: Noise
    """Root mean square error as a function of the emulated value."""
    coverage: tuple[float, float]
    """Share of pixels within one and two standard errors, these learned from the other folds of
    the repeat; NaN where there are none. 0.68 and 0.95 for errors with a normal distribution."""
    share_limit: float
    """Share of pixels outside the domain up to which an image is of the kind of these pairs."""
    phonon_floor: float | None
    """Mean square of the multislice images' own standard error over their variance: the part of
    1 − R² that no emulator can explain. None where pairs do not tell."""

    @property
    def terms(self) -> int:
        """Terms of the polynomial, the constant included."""
        return self.plan.terms().count

    def to_dict(self) -> dict[str, Any]:
        """Everything but the curve as plain values, for JSON."""
        return {
            "kind": self.kind,
            "folds": self.folds,
            "repeats": self.repeats,
            "terms": self.terms,
            "pixels": self.pixels,
            "one_minus_r2": self.one_minus_r2,
            "fractional_rms": self.fractional_rms,
            "each_repeat": list(self.each_repeat),
            "shifts_px": np.round(self.shifts_px, 4).tolist(),
            "coverage": [None if np.isnan(share) else share for share in self.coverage],
            "share_limit": self.share_limit,
            "phonon_floor": self.phonon_floor,
            "per_image": self.per_image.to_dict(orient="records"),
        }


def cross_validate(
    pairs: Sequence[Pair],
    plan: EmulatorPlan | None = None,
    *,
    rng: np.random.Generator,
    kind: Kind = "image",
    folds: int = 2,
    repeats: int = 2,
    convolution: Convolution | None = None,
    progress: Progress | None = None,
) -> CrossValidation:
    """Test a plan on each image, or block or pixel, by fits to the other folds.

    Everything that is learned, the registration included, is learned from the training images of
    each fold alone. Twofold by images repeated twice is the paper's choice; folds of blocks or
    pixels see pixels of the very images they are tested on and say less about the next image.
    `progress` hears steps done and all. Raises CalibrationError for folds that cannot be made,
    ImageError where a fold leaves too few pixels to learn from.
    """
    splits = make_splits(pairs, kind, folds, repeats, rng)
    return validate_splits(
        pairs,
        plan or EmulatorPlan(),
        splits,
        kind=kind,
        folds=folds,
        convolution=convolution,
        progress=progress,
    )


def validate_splits(
    pairs: Sequence[Pair],
    plan: EmulatorPlan,
    splits: Sequence[Split],
    *,
    kind: str,
    folds: int,
    convolution: Convolution | None = None,
    progress: Progress | None = None,
    standard_errors: bool = True,
) -> CrossValidation:
    """Test a plan by given divisions into training and validation.

    Without `standard_errors` those of the coefficients, which take longest for thousands of terms,
    do not count for `coverage`.
    """
    tested: list[HeldOut] = []
    shifts = []
    steps = _Steps(splits, progress)
    for split in splits:
        emulator = _fit(pairs, plan, split, convolution, steps)
        shifts.append(emulator.shift_px)
        for index in split.validation:
            pair = pairs[index]
            mask = split.tested(index, pair.linear.shape)
            tested.append(held_out(emulator, pair, mask, split, standard_errors))
            steps.advance()
    return _figures(plan, kind, folds, splits, tested, np.array(shifts))


def final_emulator(
    pairs: Sequence[Pair],
    plan: EmulatorPlan,
    validation: CrossValidation,
    *,
    convolution: Convolution | None = None,
    about: dict[str, Any] | None = None,
    progress: Progress | None = None,
) -> Emulator:
    """Fit to all pairs an emulator that knows from its cross-validation what errors to expect.

    Its noise and the share of unknown pixels that it tolerates are those of validation, and the
    figures stand in `about["cross_validation"]` as plain values.
    """
    emulator = fit_emulator(
        pairs,
        plan,
        convolution=convolution,
        about={**(about or {}), "cross_validation": validation.to_dict()},
        progress=progress,
    )
    domain = replace(emulator.domain, share_limit=validation.share_limit)
    return replace(emulator, noise=validation.noise, domain=domain)


class _Steps:
    """Progress over all fits and tests."""

    def __init__(self, splits: Sequence[Split], progress: Progress | None) -> None:
        self._all = sum(len(split.training) + len(split.validation) for split in splits)
        self._done = 0
        self._progress = progress

    def advance(self) -> None:
        self._done += 1
        if self._progress is not None:
            self._progress(self._done, self._all)


def _fit(
    pairs: Sequence[Pair],
    plan: EmulatorPlan,
    split: Split,
    convolution: Convolution | None,
    steps: _Steps,
) -> Emulator:
    learnt = split.learnt
    masks = {pairs[index].name: mask for index, mask in learnt.items()} if learnt else None
    return fit_emulator(
        Chosen(pairs, split.training),
        plan,
        convolution=convolution,
        masks=masks,
        progress=lambda done, total: steps.advance(),
    )


def _figures(
    plan: EmulatorPlan,
    kind: str,
    folds: int,
    splits: Sequence[Split],
    tested: list[HeldOut],
    shifts: Array,
) -> CrossValidation:
    total = pooled(tested)
    repeats = sorted({split.repeat for split in splits})
    each = [pooled([part for part in tested if part.repeat == repeat]) for repeat in repeats]
    emulated = np.concatenate([part.emulated for part in tested])
    actual = np.concatenate([part.actual for part in tested])
    largest = SHARE_MARGIN * max(part.share_outside for part in tested)
    return CrossValidation(
        plan=plan,
        kind=kind,
        folds=folds,
        repeats=len(repeats),
        pixels=total.pixels,
        one_minus_r2=total.one_minus_r2,
        fractional_rms=total.fractional_rms,
        each_repeat=tuple(part.one_minus_r2 for part in each),
        per_image=_per_image(tested, total.deviation),
        shifts_px=shifts,
        noise=measured_noise(emulated, actual),
        coverage=coverage(tested),
        share_limit=max(largest, TOLERATED_FACTOR * (1 - OUTSIDE_QUANTILE)),
        phonon_floor=_phonon_floor(tested),
    )


def _per_image(tested: list[HeldOut], deviation: float) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for name in sorted({part.name for part in tested}):
        mine = [part for part in tested if part.name == name]
        total = pooled(mine)
        error = np.concatenate([part.emulated - part.actual for part in mine])
        rows.append(
            {
                "pair": name,
                "pixels": total.pixels,
                "one_minus_r2": total.one_minus_r2,
                "fractional_rms": total.rms / deviation,
                "mean_error": float(error.mean(dtype=np.float64)),
                "rms": total.rms,
                "share_outside": max(part.share_outside for part in mine),
            }
        )
    return pd.DataFrame(rows)


def _phonon_floor(tested: list[HeldOut]) -> float | None:
    known = [part for part in tested if part.phonon_variance is not None]
    total = pooled(known)
    if total.pixels == 0 or total.squared_deviation == 0:
        return None
    noise = sum(len(part.actual) * float(part.phonon_variance or 0.0) for part in known)
    return noise / total.squared_deviation
