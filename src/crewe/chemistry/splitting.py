"""Choose settings by how well one half of the counts predicts the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from crewe.chemistry.bands import processors
from crewe.chemistry.estimate import Settings, estimate
from crewe.chemistry.measured import (
    Measured,
    brightest_window,
    local_variance,
    noise_of_counts,
)

Planes = NDArray[np.float32]

STRENGTHS = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0, 11.0, 16.0)
SMOOTHINGS_PX = (0.0, 0.5, 0.7, 1.0, 1.4, 2.0)
GAMMAS = (1.4, 1.55, 1.7, 1.85, 2.0)
_FIRST_STRENGTH = 4.0
_FIRST_SMOOTHING_PX = 0.7
_FIRST_GAMMA = 1.7
_SIDE_PX = 256
_ITERATIONS = 60
_USUAL_TRIALS = 22


@dataclass(frozen=True)
class Wanted:
    """What the caller has fixed; None where the data choose."""

    prior: str | None = None
    strength: float | None = None
    gamma: float | None = None
    guide_smoothing_px: float | None = None


@dataclass(frozen=True)
class Tried:
    """Settings, and how far the counts they were not fitted to lay from what they predict."""

    settings: Settings
    prediction_error: float
    """Mean over elements of squared residuals over counts; noise alone gives about 1."""


def split(measured: Measured, rng: np.random.Generator) -> tuple[Measured, Measured]:
    """Return two halves with independent noise and half the counts each.

    Counts are thinned: each goes to either half by a coin, which leaves two independent Poisson
    images; maps that are no counts are brought to whole numbers before. What is not Poisson is
    halved, and noise of half its standard deviation is added to one half and taken from the other;
    for normal noise of known variance that is as independent.
    """
    half = replace(measured, background=measured.background / np.float32(2))
    if measured.poisson:
        first = rng.binomial(measured.whole.astype(np.int64), 0.5).astype(np.float32)
    else:
        noises = measured.noise or noise_of_counts(measured.counts)
        sigma = np.sqrt(local_variance(measured.counts, noises))
        noise = rng.standard_normal(measured.counts.shape, np.float32)
        first = np.asarray((measured.counts + sigma * noise) / 2, np.float32)
        # Half the variance of half the counts: what grows with the mean has become half by it.
        halved = tuple(replace(one, constant=one.constant / 2) for one in noises)
        half = replace(half, noise=halved)
    return (
        replace(half, counts=first, whole=first),
        replace(half, counts=measured.whole - first),
    )


def squared_errors(amounts: Planes, other: Measured, noise: NDArray[np.float64]) -> Planes:
    """Return (prediction − other half)² over the variance of its noise (element); (element, y, x).

    Its mean would be 1 were the prediction perfect.
    """
    weights = (1 / noise).astype(np.float32)[:, None, None]
    return np.asarray(np.square(amounts - other.signal) * weights, np.float32)


def choose(
    measured: Measured,
    wanted: Wanted,
    rng: np.random.Generator,
    progress: Callable[[float], None] | None = None,
) -> tuple[Settings, list[Tried]]:
    """Return the settings that predict best, and everything that was tried.

    One setting after the other is varied: the prior with its strength, elements that HAADF does
    not help, the smoothing of the guide, γ, and the strength again. γ stays at 1.7 unless another
    predicts clearly better. On images larger than 256 px the part with most counts decides. The
    strength has no unit and does not depend on the dose, so what suits half the counts suits all.
    """
    part = measured.crop(brightest_window(measured.counts, _SIDE_PX))
    search = _Search(split(part, rng), progress)
    best = Settings(
        wanted.prior or "composition",
        wanted.strength or _FIRST_STRENGTH,
        wanted.gamma or _FIRST_GAMMA,
        _FIRST_SMOOTHING_PX if wanted.guide_smoothing_px is None else wanted.guide_smoothing_px,
    )
    priors = _by_prior(best, wanted, measured.translations is not None)
    if wanted.strength is None:
        # A prior is judged at the strength that suits it, sought from that of the one before.
        strength = _FIRST_STRENGTH
        for number, first in enumerate(priors):
            start = replace(first, strength=strength)
            known = any(other.prior == first.prior for other in priors[:number])
            priors[number] = start if known else search.climb(start, "strength", STRENGTHS)
            strength = priors[number].strength
    best = search.best_of_priors(priors)
    if best.prior in ("composition", "columns"):
        if wanted.guide_smoothing_px is None:
            best = search.climb(best, "guide_smoothing_px", SMOOTHINGS_PX)
        if wanted.gamma is None:
            scan = [replace(best, gamma=gamma) for gamma in GAMMAS]
            best = search.best_if_clear(best, scan)
        if wanted.strength is None:
            best = search.climb(best, "strength", STRENGTHS)
    return best, search.tried


def _by_prior(first: Settings, wanted: Wanted, columns: bool) -> list[Settings]:
    """Return what a search begins with: one for each prior that may be chosen."""
    if wanted.prior is not None:
        return [first]
    found = [first]
    if wanted.guide_smoothing_px is None:
        # At the lowest doses an unsmoothed HAADF would lose to none.
        found.append(replace(first, guide_smoothing_px=SMOOTHINGS_PX[-1]))
    if columns:
        found.append(replace(first, prior="columns"))
    return [*found, replace(first, prior="spectra", guide_smoothing_px=0.0)]


class _Search:
    """Scores settings once each."""

    def __init__(
        self, halves: tuple[Measured, Measured], progress: Callable[[float], None] | None
    ) -> None:
        self.halves = halves
        counted = np.abs(halves[0].counts) + np.abs(halves[1].counts)
        # A map with a single count in it must not outweigh the others.
        least = 1 / counted[0].size
        spread = halves[0].variance()
        variance = counted / 2 if spread is None else spread
        self.noise = np.maximum(variance.mean((1, 2), dtype=float), least)
        self.progress = progress
        self.errors: dict[Settings, Planes] = {}

    @property
    def tried(self) -> list[Tried]:
        """Everything that was scored, in that order."""
        return [
            Tried(settings, float(errors.mean(dtype=float)))
            for settings, errors in self.errors.items()
        ]

    def score(self, *wanted: Settings) -> list[float]:
        """Return the mean prediction error of each settings; those not yet known at once."""
        new = [settings for settings in dict.fromkeys(wanted) if settings not in self.errors]
        ways = [(settings, way) for settings in new for way in (0, 1)]
        with ThreadPoolExecutor(processors()) as pool:
            found = list(pool.map(self._predict, ways))
        for settings, first, second in zip(new, found[::2], found[1::2], strict=True):
            self.errors[settings] = (first + second) / np.float32(2)
        if self.progress:
            self.progress(min(len(self.errors) / _USUAL_TRIALS, 1.0))
        return [float(self.errors[settings].mean(dtype=float)) for settings in wanted]

    def _predict(self, way: tuple[Settings, int]) -> Planes:
        settings, number = way
        fitted, other = self.halves[number], self.halves[1 - number]
        predicted = estimate(fitted, settings, iterations=_ITERATIONS).amounts
        return squared_errors(predicted, other, self.noise)

    def best(self, settings: Iterable[Settings]) -> Settings:
        """Return the settings that predict best."""
        candidates = list(settings)
        scores = self.score(*candidates)
        return candidates[int(np.argmin(scores))]

    def best_of_priors(self, priors: Sequence[Settings]) -> Settings:
        """Return the best of one settings per prior, element by element where that is better."""
        if len(priors) == 1:
            return priors[0]
        self.score(*priors)
        mixed = []
        for settings in priors:
            without = self._better_alone(settings)
            if settings.prior != "spectra" and 0 < len(without) < len(self.noise):
                mixed.append(replace(settings, without_haadf=without))
        return self.best([*priors, *mixed])

    def _better_alone(self, guided: Settings) -> tuple[str, ...]:
        """Return the elements that are predicted better without HAADF, each at its own strength."""
        found = []
        for number, symbol in enumerate(self.halves[0].symbols):
            with_haadf, alone = (
                min((self.errors[s][number] for s in family), key=np.sum)
                for family in (self._like(guided), self._like(replace(guided, prior="spectra")))
            )
            gain = (with_haadf - alone).astype(float)
            if gain.sum() > np.sqrt(np.square(gain).sum()):
                found.append(symbol)
        return tuple(found)

    def _like(self, settings: Settings) -> list[Settings]:
        """Return what was tried with the same prior and the same guide."""
        smoothing_px = 0.0 if settings.prior == "spectra" else settings.guide_smoothing_px
        return [
            other
            for other in self.errors
            if other.prior == settings.prior
            and other.guide_smoothing_px == smoothing_px
            and not other.without_haadf
        ]

    def best_if_clear(self, usual: Settings, others: Iterable[Settings]) -> Settings:
        """Return the best settings if they beat the usual ones by two standard errors."""
        best = self.best([usual, *others])
        gain = (self.errors[usual] - self.errors[best]).astype(float)
        # The other half's noise, which is most of a residual, is independent between pixels.
        return best if gain.sum() > 2 * np.sqrt(np.square(gain).sum()) else usual

    def climb(self, start: Settings, name: str, values: Iterable[float]) -> Settings:
        """Walk along the values of one setting from the start while the prediction improves."""
        known = sorted({*values, getattr(start, name)})
        place = known.index(getattr(start, name))
        while True:
            near = known[max(place - 1, 0) : place + 2]
            best = self.best([replace(start, **{name: value}) for value in near])
            if getattr(best, name) == known[place]:
                return best
            place = known.index(getattr(best, name))
