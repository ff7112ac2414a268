"""What a recipe draws at random: a number from a range, one of several, or always the same.

In YAML a scalar is itself, `[low, high]` is uniform between two numbers, and a mapping of one
key names anything else::

    probability: 0.75
    wedge_angle_deg: [5, 45]
    vertices: {integers: [3, 15]}
    pixel_size_angstrom: {log_uniform: [0.05, 0.5]}
    mistilt_deg: {normal: [0, 5]}
    dose: {exponential: {scale: 0.5, range: [0.5, 750]}}
    kind: {choice: [rod, polyhedron, cut], weights: [1, 1, 2]}
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from numpy.random import Generator
from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema


class Drawable(Protocol):
    """Something that gives a value for a generator of random numbers."""

    def draw(self, rng: Generator) -> Any:
        """Draw one value."""

    def plain(self) -> Any:
        """Return the form that a recipe file holds."""


@dataclass(frozen=True)
class Fixed:
    """Always the same value."""

    value: Any

    def draw(self, rng: Generator) -> Any:
        """Return the value; no random number is used up."""
        return self.value

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

    def plain(self) -> Any:
        """Return `{integers: [low, high]}`."""
        return {"integers": [self.low, self.high]}


@dataclass(frozen=True)
class Normal:
    """A number around a mean with a standard deviation."""

    mean: float
    standard_deviation: float

    def draw(self, rng: Generator) -> float:
        """Draw one number."""
        return float(rng.normal(self.mean, self.standard_deviation))

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
        point = rng.random() * sum(self.weights)
        for value, weight in zip(self.values, self.weights, strict=True):
            point -= weight
            if point < 0:
                return value
        return self.values[-1]

    def plain(self) -> Any:
        """Return `{choice: […], weights: […]}`."""
        return {"choice": list(self.values), "weights": list(self.weights)}


KINDS = "a value, [low, high], integers, log_uniform, normal, exponential or choice"


def distribution(form: Any) -> Drawable:
    """Read what a recipe holds at the place of a value; ValueError says what is wrong."""
    if hasattr(form, "draw"):
        return form
    if isinstance(form, Mapping):
        return _named(form)
    if isinstance(form, (list, tuple)):
        return Uniform(*_range(form))
    if form is None:
        raise ValueError(f"nothing given: expected {KINDS}")
    return Fixed(_finite(form))


def _named(form: Mapping[str, Any]) -> Drawable:
    rest = dict(form)
    weights = rest.pop("weights", None)
    if len(rest) != 1 or (weights is not None and "choice" not in rest):
        raise ValueError(f"not a distribution: {dict(form)}: expected {KINDS}")
    ((kind, values),) = rest.items()
    if kind == "choice":
        return _choice(values, weights)
    if kind not in _READERS:
        raise ValueError(f"no distribution is called {kind!r}: expected {KINDS}")
    return _READERS[kind](values)


def _choice(values: Any, weights: Any) -> Choice:
    if not isinstance(values, Sequence) or isinstance(values, str) or not values:
        raise ValueError(f"choice needs a list of at least one value, not {values!r}")
    if weights is None:
        weights = [1.0] * len(values)
    given = [_number(weight) for weight in weights] if isinstance(weights, list) else []
    if len(given) != len(values) or min(given) < 0 or sum(given) <= 0:
        raise ValueError(f"choice of {len(values)} needs as many weights ≥ 0, not {weights}")
    return Choice(tuple(values), tuple(given))


def _range(values: Any) -> tuple[float, float]:
    low, high = _pair(values)
    if low > high:
        raise ValueError(f"the range [{low:g}, {high:g}] is empty: its low end lies above its high")
    return low, high


def _pair(values: Any) -> tuple[float, float]:
    if not isinstance(values, Sequence) or isinstance(values, str) or len(values) != 2:
        raise ValueError(f"expected two numbers [low, high], not {values!r}")
    return _number(values[0]), _number(values[1])


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{value!r} is not a finite number")
    return float(value)


def _finite(value: Any) -> Any:
    return value if isinstance(value, (bool, int, str)) else _number(value)


def _integers(values: Any) -> Integers:
    low, high = _range(values)
    if low != int(low) or high != int(high):
        raise ValueError(f"integers needs whole numbers, not {values}")
    return Integers(int(low), int(high))


def _log_uniform(values: Any) -> LogUniform:
    low, high = _range(values)
    if low <= 0:
        raise ValueError(f"log_uniform needs positive numbers, not {values}")
    return LogUniform(low, high)


def _normal(values: Any) -> Normal:
    mean, deviation = _pair(values)
    if deviation < 0:
        raise ValueError(f"a standard deviation of {deviation:g} is impossible")
    return Normal(mean, deviation)


def _exponential(values: Any) -> Exponential:
    if not isinstance(values, Mapping) or set(values) != {"scale", "range"}:
        raise ValueError(f"exponential needs scale and range, not {values!r}")
    scale = _number(values["scale"])
    if scale <= 0:
        raise ValueError(f"an exponential of scale {scale:g} is impossible")
    return Exponential(scale, *_range(values["range"]))


_READERS: dict[str, Callable[[Any], Drawable]] = {
    "integers": _integers,
    "log_uniform": _log_uniform,
    "normal": _normal,
    "exponential": _exponential,
    "uniform": lambda values: Uniform(*_range(values)),
}

Distribution = Annotated[
    Any,
    BeforeValidator(distribution),
    PlainSerializer(lambda drawn: drawn.plain()),
    WithJsonSchema({}),
]
"""Type of a pydantic field that holds a distribution, in any form that a recipe may give it."""
