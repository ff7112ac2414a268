"""The forms in which a recipe names what is drawn at random.

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
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from crewe.recipes.distributions import (
    Choice,
    Drawable,
    Exponential,
    Fixed,
    Integers,
    LogUniform,
    Normal,
    Uniform,
)

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
    if len(given) != len(values) or min(given) < 0 or not 0 < sum(given) < math.inf:
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
    if not is_number(value):
        raise ValueError(f"{value!r} is not a finite number")
    return float(value)


def is_number(value: Any) -> bool:
    """Return whether this is a finite number: no word, no truth value, no NaN."""
    # A whole number of Python may be too large for any float.
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and -sys.float_info.max <= value <= sys.float_info.max


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
