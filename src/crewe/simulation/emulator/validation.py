"""How good an emulator is on images that it has not learned from.

A. H. Combs et al., Adv. Struct. Chem. Imaging 5 (2019) 2, doi:10.1186/s40679-019-0064-2, "Model
assessment": cross-validation with all pixels of all validation sets in one figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from crewe.simulation.convolution import Convolution
from crewe.simulation.emulator.figures import CrossValidation, figures
from crewe.simulation.emulator.fit import Progress, fit_emulator
from crewe.simulation.emulator.held_out import HeldOut, held_out
from crewe.simulation.emulator.model import Emulator
from crewe.simulation.emulator.pairs import Pair
from crewe.simulation.emulator.plan import EmulatorPlan
from crewe.simulation.emulator.splits import Chosen, Kind, Split, make_splits

__all__ = ["CrossValidation", "cross_validate", "final_emulator", "validate_splits"]


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
    return figures(plan, kind, folds, tested, np.array(shifts))


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
