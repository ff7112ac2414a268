"""What cross-validation finds, in figures.

A. H. Combs et al., Adv. Struct. Chem. Imaging 5 (2019) 2, doi:10.1186/s40679-019-0064-2, "Model
assessment" and Eq. (4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crewe.simulation.emulator.domain import OUTSIDE_QUANTILE, TOLERATED_FACTOR
from crewe.simulation.emulator.held_out import HeldOut, coverage, pooled
from crewe.simulation.emulator.noise import Noise, measured_noise
from crewe.simulation.emulator.plan import EmulatorPlan

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
# Held-out images are few: the next one may hold so many more unknown pixels than the worst of them.
SHARE_MARGIN = 1.5
# An image of which more is unknown is not of the kind, even where the pairs hold a stranger.
LARGEST_SHARE = 0.1


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
    held_out: tuple[HeldOut, ...]
    """The pixels themselves, for plots: 13 bytes each."""

    @property
    def terms(self) -> int:
        """Terms of the polynomial, the constant included."""
        return self.plan.terms().count

    def to_dict(self) -> dict[str, Any]:
        """Everything but the curve and the pixels as plain values, for JSON."""
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


def figures(
    plan: EmulatorPlan,
    kind: str,
    folds: int,
    tested: Sequence[HeldOut],
    shifts: Array,
) -> CrossValidation:
    """Sum up what emulators of a plan, with shifts (fit, 2), made of held-out pixels."""
    total = pooled(tested)
    repeats = sorted({part.repeat for part in tested})
    each = [pooled([part for part in tested if part.repeat == repeat]) for repeat in repeats]
    emulated = np.concatenate([part.emulated for part in tested])
    actual = np.concatenate([part.actual for part in tested])
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
        share_limit=_share_limit(tested),
        phonon_floor=_phonon_floor(tested),
        held_out=tuple(tested),
    )


def _per_image(tested: Sequence[HeldOut], deviation: float) -> pd.DataFrame:
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


def _share_limit(tested: Sequence[HeldOut]) -> float:
    """Share of unknown pixels that the images of these pairs stay below.

    Of an image's fits the one that knew most of it counts: another may have learned from images
    that happened to hold nothing like it, which the fit to all pairs does not.
    """
    least: dict[str, float] = {}
    for part in tested:
        least[part.name] = min(part.share_outside, least.get(part.name, 1.0))
    wanted = SHARE_MARGIN * max(least.values())
    return max(TOLERATED_FACTOR * (1 - OUTSIDE_QUANTILE), min(wanted, LARGEST_SHARE))


def _phonon_floor(tested: Sequence[HeldOut]) -> float | None:
    known = [part for part in tested if part.phonon_variance is not None]
    total = pooled(known)
    if total.pixels == 0 or total.squared_deviation == 0:
        return None
    noise = sum(len(part.actual) * float(part.phonon_variance or 0.0) for part in known)
    return noise / total.squared_deviation
