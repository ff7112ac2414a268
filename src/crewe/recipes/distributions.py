"""What a recipe draws at random: a number from a range, one of several, or always the same."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from numpy.random import Generator

# Normal numbers have no ends: this many standard deviations have to be possible.
NORMAL_REACH = 3.0
Value = TypeVar("Value")


class Drawable(Protocol):
    """Something that gives a value for a generator of random numbers."""

    def draw(self, rng: Generator) -> Any:
        """Draw one value."""

    def extremes(self) -> tuple[Any, ...]:
        """Return the two values between which draws lie, or every value of a choice."""

    def plain(self) -> Any:
        """Return the form that a recipe file holds."""


def pick(values: Sequence[Value], weights: Sequence[float], rng: Generator) -> Value:
    """Draw one of several values with weights ≥ 0 that need not add up to one."""
    point = rng.random() * math.fsum(weights)
    for value, weight in zip(values, weights, strict=True):
        point -= weight
        if point < 0:
            return value
    return values[-1]


@dataclass(frozen=True)
class Fixed:
    """Always the same value."""

    value: Any

    def draw(self, rng: Generator) -> Any:
        """Return the value; no random number is used up."""
        return self.value

    def extremes(self) -> tuple[Any, ...]:
        """Return the one value."""
        return (self.value,)

    def plain(self) -> Any:
        """Return the value itself."""
        return self.value


@dataclass(frozen=True)
class Uniform:
    """Any number between two, all equally likely."""

    low: float
    high: float

    def draw(self, rng: Generator) -> float:
        """Draw one number."""
        return float(rng.uniform(self.low, self.high))

    def extremes(self) -> tuple[Any, ...]:
        """Return the ends of the range."""
        return self.low, self.high

    def plain(self) -> Any:
        """Return `[low, high]`."""
        return [self.low, self.high]


@dataclass(frozen=True)
class LogUniform:
    """A positive number between two whose logarithm is uniform."""

    low: float
    high: float

    def draw(self, rng: Generator) -> float:
        """Draw one number."""
        return math.exp(rng.uniform(math.log(self.low), math.log(self.high)))

    def extremes(self) -> tuple[Any, ...]:
        """Return the ends of the range."""
        return self.low, self.high

    def plain(self) -> Any:
        """Return `{log_uniform: [low, high]}`."""
        return {"log_uniform": [self.low, self.high]}


@dataclass(frozen=True)
class Integers:
    """A whole number between two, both included."""

    low: int
    high: int

    def draw(self, rng: Generator) -> int:
        """Draw one whole number."""
        return int(rng.integers(self.low, self.high, endpoint=True))

    def extremes(self) -> tuple[Any, ...]:
        """Return the ends of the range."""
        return self.low, self.high

    def plain(self) -> Any:
        """Return `{integers: [low, high]}`."""
        return {"integers": [self.low, self.high]}


@dataclass(frozen=True)
class Normal:
    """A number around a mean with a standard deviation."""

    mean: float
    standard_deviation: float
    least: float = -math.inf
    most: float = math.inf
    """What the place in the recipe allows; drawn again outside, so it is far from the mean."""

    def draw(self, rng: Generator) -> float:
        """Draw one number."""
        while True:
            value = float(rng.normal(self.mean, self.standard_deviation))
            if self.least <= value <= self.most:
                return value

    def extremes(self) -> tuple[Any, ...]:
        """Return the numbers three standard deviations below and above the mean."""
        reach = NORMAL_REACH * self.standard_deviation
        return self.mean - reach, self.mean + reach

    def plain(self) -> Any:
        """Return `{normal: [mean, standard deviation]}`."""
        return {"normal": [self.mean, self.standard_deviation]}


@dataclass(frozen=True)
class Exponential:
    """A number between two that prefers the low end.

    `low + (high − low) t`, where t in [0, 1] is exponential with the given scale, cut at 1.
    """

    scale: float
    low: float
    high: float

    def draw(self, rng: Generator) -> float:
        """Draw one number by inverting the cumulative distribution."""
        whole = -math.expm1(-1 / self.scale)
        t = -self.scale * math.log1p(-rng.random() * whole)
        return self.low + (self.high - self.low) * t

    def extremes(self) -> tuple[Any, ...]:
        """Return the ends of the range."""
        return self.low, self.high

    def plain(self) -> Any:
        """Return `{exponential: {scale: …, range: [low, high]}}`."""
        return {"exponential": {"scale": self.scale, "range": [self.low, self.high]}}


@dataclass(frozen=True)
class Choice:
    """One of several values, with weights that need not add up to one."""

    values: tuple[Any, ...]
    weights: tuple[float, ...]

    def draw(self, rng: Generator) -> Any:
        """Draw one of the values."""
        return pick(self.values, self.weights, rng)

    def extremes(self) -> tuple[Any, ...]:
        """Return every value."""
        return self.values

    def plain(self) -> Any:
        """Return `{choice: […], weights: […]}`."""
        return {"choice": list(self.values), "weights": list(self.weights)}
