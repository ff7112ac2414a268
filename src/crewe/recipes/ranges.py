"""Distributions of a recipe whose ends must make sense: counts, lengths, numbers, names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import AfterValidator

from crewe.recipes.distributions import Exponential, LogUniform, Normal, Uniform
from crewe.recipes.forms import Distribution, is_number
from crewe.recipes.part import RecipePart


def _within(least: float, most: float, whole: bool = False) -> Callable[[Any], Any]:
    kind = "whole numbers" if whole else "numbers"

    def check(drawn: Any) -> Any:
        values = drawn.extremes()
        if not all(map(is_number, values)):
            raise ValueError(f"expected {kind}, not {drawn.plain()!r}")
        if whole and isinstance(drawn, (Uniform, LogUniform, Exponential)):
            ends = [drawn.low, drawn.high]
            raise ValueError(f"expected whole numbers: write {{integers: {ends}}}")
        if whole and not all(isinstance(value, int) for value in values):
            raise ValueError(f"expected whole numbers, not {drawn.plain()!r}")
        if min(values) < least or max(values) > most:
            raise ValueError(_outside(drawn, least, most))
        if isinstance(drawn, Normal):
            return replace(drawn, least=max(least, drawn.least), most=min(most, drawn.most))
        return drawn

    return check


def _outside(drawn: Any, least: float, most: float) -> str:
    far = ", three standard deviations off the mean," if isinstance(drawn, Normal) else ""
    return f"{drawn.plain()!r}{far} leaves the possible range [{least:g}, {most:g}]"


def within(least: float, most: float) -> AfterValidator:
    """Return what makes a field refuse draws outside a range, for `Annotated[Distribution, …]`.

    A normal distribution is taken when three standard deviations to both sides lie inside; the few
    numbers beyond the range are drawn again.
    """
    return AfterValidator(_within(least, most))


def one_of(*names: str) -> AfterValidator:
    """Return what makes a field refuse all but some names, for `Annotated[Distribution, …]`."""

    def check(drawn: Any) -> Any:
        for value in drawn.extremes():
            if value not in names:
                raise ValueError(f"{value!r} is none of {', '.join(names)}")
        return drawn

    return AfterValidator(check)


Count = Annotated[Distribution, AfterValidator(_within(0, 100_000, whole=True))]
"""How many objects there are."""
Vertices = Annotated[Distribution, AfterValidator(_within(3, 1000, whole=True))]
"""How many corners a polygon has."""
Share = Annotated[Distribution, AfterValidator(_within(0, 1))]
"""A number between 0 and 1."""
Length = Annotated[Distribution, AfterValidator(_within(1e-6, 1e6))]
"""A length or a ratio above zero."""
Level = Annotated[Distribution, AfterValidator(_within(0, 1e9))]
"""An intensity."""
Number = Annotated[Distribution, AfterValidator(_within(-1e9, 1e9))]
"""Any number, such as a defocus or an angle, but no word."""


def draw_many(part: RecipePart, name: str, number: int, rng: Generator) -> NDArray[np.float64]:
    """Draw the named field once for each of several objects."""
    drawn = getattr(part, name)
    if isinstance(drawn, Uniform):
        return rng.uniform(drawn.low, drawn.high, number)
    return np.array([drawn.draw(rng) for _ in range(number)], dtype=np.float64)
