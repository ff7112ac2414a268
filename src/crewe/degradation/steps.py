"""One step of a chain: whether it happens, which of its alternatives, and how strongly."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, replace
from typing import Any

from numpy.random import Generator

from crewe.degradation.effects import EFFECTS
from crewe.degradation.parameters import Parameters, check_value
from crewe.errors import PlanError
from crewe.recipes import distribution
from crewe.recipes.distributions import Choice, Fixed, Integers, pick

# Parameters that the images bring along when the recipe does not give them.
FROM_CONTEXT = ("pixel_size_angstrom",)
# How often parameters are drawn that do not go together, before the recipe is given up.
MOST_DRAWS = 1000


@dataclass(frozen=True)
class Alternative:
    """One effect with the distributions of its parameters."""

    effect: str
    weight: float
    parameters: Mapping[str, Any]
    """Distributions by name."""

    @classmethod
    def reading(cls, effect: str, weight: float, forms: Mapping[str, Any]) -> Alternative:
        """Read the distributions of parameters from the forms that a recipe holds."""
        return cls(effect, weight, {key: distribution(form) for key, form in forms.items()})

    @staticmethod
    def check(parameter: Field[Any], form: Any) -> None:
        """Raise ValueError or PlanError when a distribution gives what the parameter cannot be."""
        drawn = distribution(form)
        if parameter.metadata.get("whole") and not isinstance(drawn, (Fixed, Choice, Integers)):
            raise ValueError("is a whole number: give one, integers or a choice")
        try:
            for value in drawn.extremes():
                check_value(parameter, value)
        except PlanError as error:
            raise ValueError(str(error)) from error

    @staticmethod
    def missing(effect: str, given: Iterable[str]) -> Iterator[str]:
        """Yield the parameters that neither the recipe nor the image nor a default gives."""
        for name, parameter in EFFECTS[effect].parameters.__dataclass_fields__.items():
            needed = parameter.default is MISSING and name not in FROM_CONTEXT
            if needed and name not in given:
                yield name

    def draw(self, context: Mapping[str, float | None], rng: Generator) -> Parameters:
        """Draw parameters until they go together. Raises PlanError when they never do."""
        kind = EFFECTS[self.effect].parameters
        known = {
            name: value
            for name, value in context.items()
            if value is not None and name in kind.__dataclass_fields__
        }
        absent = [name for name in FROM_CONTEXT if name in kind.__dataclass_fields__]
        if any(name not in known and name not in self.parameters for name in absent):
            raise PlanError(f"{self.effect} needs the image's {', '.join(absent)}")
        for _ in range(MOST_DRAWS):
            drawn = {name: form.draw(rng) for name, form in self.parameters.items()}
            try:
                return kind(**{**known, **drawn})
            except PlanError as error:
                refused = error
        raise PlanError(f"no parameters of {self.effect} in the recipe's ranges work: {refused}")

    def plain(self) -> dict[str, Any]:
        """Return what a recipe file holds."""
        return {
            "effect": self.effect,
            "weight": self.weight,
            "parameters": {key: form.plain() for key, form in self.parameters.items()},
        }


@dataclass(frozen=True)
class Step:
    """One of several alternatives, with a probability that any happens."""

    alternatives: tuple[Alternative, ...]
    probability: float = 1.0
    key: tuple[int, int] = (0, 0)
    """Where the step's random numbers lie: a number of its name and how often it came before."""

    @property
    def effects(self) -> tuple[str, ...]:
        """Return the names of the effects that may happen."""
        return tuple(one.effect for one in self.alternatives)

    def choose(self, rng: Generator) -> Alternative | None:
        """Draw whether the step happens and which alternative."""
        if rng.random() >= self.probability:
            return None
        return pick(self.alternatives, [one.weight for one in self.alternatives], rng)

    def plain(self) -> dict[str, Any]:
        """Return what a recipe file holds."""
        if len(self.alternatives) > 1:
            ways = [one.plain() for one in self.alternatives]
            return {"probability": self.probability, "one_of": ways}
        only = self.alternatives[0].plain()
        del only["weight"]
        return {**only, "probability": self.probability}


def keyed(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Give each step a key that does not depend on the other effects of the chain."""
    seen: dict[int, int] = {}
    result = []
    for step in steps:
        name = zlib.crc32(step.effects[0].encode())
        seen[name] = seen.get(name, -1) + 1
        result.append(replace(step, key=(name, seen[name])))
    return tuple(result)
