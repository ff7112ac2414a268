"""Recipes of instruments: YAML files that say which effects may happen, and how strongly.

A section is a list of steps; a step is one effect, or one of several alternatives::

    based_on: stem                 # another recipe, whose sections this one may replace
    without: [black_pixels]        # effects of that recipe that are left out
    instrument:
      - effect: zingers
        probability: 0.2
        parameters: {points: {integers: [1, 10]}}
      - probability: 0.9
        one_of:
          - {effect: scan_jitter, weight: 1, parameters: {sigma_x_angstrom: [0.0025, 0.8]}}
          - {effect: scan_jitter, weight: 1, parameters: {sigma_y_angstrom: [0.0025, 0.8]}}
    post_processing: []
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import Field

from crewe.degradation.effects import EFFECTS
from crewe.degradation.steps import Alternative, Step, keyed
from crewe.errors import PlanError, RecipeError
from crewe.recipes import Lines, RecipePart, Shelf, child_generator

SHELF = Shelf("instrument recipe", Path(__file__).parent / "recipes")
Place = tuple[str | int, ...]
Settings = Mapping[str, Any]


class AlternativePart(RecipePart):
    """One way in which a step may happen."""

    effect: str
    weight: float = Field(1.0, ge=0, le=1e9)
    parameters: dict[str, Any] = {}


class StepPart(RecipePart):
    """A step: `effect` and its parameters, or alternatives under `one_of`."""

    effect: str | None = None
    probability: float = Field(1.0, ge=0, le=1)
    parameters: dict[str, Any] = {}
    one_of: list[AlternativePart] = []


class DegradationPart(RecipePart):
    """A whole recipe."""

    based_on: str | None = None
    without: list[str] = []
    instrument: list[StepPart] | None = None
    post_processing: list[StepPart] | None = None


@dataclass(frozen=True)
class Sections:
    """The steps of a recipe that has been read; None where a recipe says nothing."""

    instrument: tuple[Step, ...] | None = None
    post_processing: tuple[Step, ...] | None = None


def shipped_recipes() -> tuple[str, ...]:
    """Return the names of the recipes that come with crewe."""
    return SHELF.names()


def read_sections(
    recipe: str | os.PathLike[str] | Settings, lines: Lines | None = None
) -> Sections:
    """Read a recipe by name, by path or from nested settings, with what it is based on.

    `lines` say where it stands, or is named, in another recipe; a file that is named there is
    looked for in that recipe's folder. Raises RecipeError that names the file and the line of
    what cannot be followed.
    """
    if isinstance(recipe, Mapping):
        return SHELF.based(dict(recipe), lines or Lines(), _sections)
    if lines is None:
        return SHELF.read(recipe, _sections)
    try:
        return SHELF.read(recipe, _sections, lines.folder)
    except RecipeError as error:
        raise RecipeError(f"{lines.say(())}: {error}") from error


def _sections(settings: Settings, lines: Lines, base: Sections | None) -> Sections:
    """Read the sections of a recipe and take those of its base that it does not give."""
    part = DegradationPart.read(settings, lines)
    own = {
        "instrument": _read_steps(part.instrument, lines, "instrument"),
        "post_processing": _read_steps(part.post_processing, lines, "post_processing"),
    }
    given = {section: steps for section, steps in own.items() if steps is not None}
    return _without(replace(base or Sections(), **given), part.without, lines)


def _without(sections: Sections, names: Iterable[str], lines: Lines) -> Sections:
    for index, name in enumerate(names):
        fewer = {
            section: tuple(step for step in steps if name not in step.effects)
            for section, steps in vars(sections).items()
            if steps is not None
        }
        if all(len(steps) == len(getattr(sections, key)) for key, steps in fewer.items()):
            raise RecipeError(
                f"{lines.say(('without', index))}: there is no {name} that could be left out"
            )
        sections = replace(sections, **fewer)
    return sections


def _read_steps(
    parts: list[StepPart] | None, lines: Lines, section: str
) -> tuple[Step, ...] | None:
    if parts is None:
        return None
    steps = [_read_step(part, lines, (section, k)) for k, part in enumerate(parts)]
    return keyed(steps)


def _read_step(part: StepPart, lines: Lines, place: Place) -> Step:
    if bool(part.one_of) == (part.effect is not None):
        raise RecipeError(f"{lines.say(place)}: a step has either an effect or one_of")
    if part.effect is not None:
        alternatives = [_read_alternative(part.effect, 1.0, part.parameters, lines, place)]
    elif part.parameters:
        raise RecipeError(f"{lines.say((*place, 'parameters'))}: give them to the alternatives")
    else:
        alternatives = [
            _read_alternative(one.effect, one.weight, one.parameters, lines, (*place, "one_of", k))
            for k, one in enumerate(part.one_of)
        ]
        if sum(one.weight for one in alternatives) <= 0:
            raise RecipeError(f"{lines.say((*place, 'one_of'))}: all weights are zero")
    return Step(tuple(alternatives), part.probability)


def _read_alternative(
    name: str, weight: float, parameters: Mapping[str, Any], lines: Lines, place: Place
) -> Alternative:
    if name not in EFFECTS:
        where = lines.say((*place, "effect"))
        raise RecipeError(f"{where}: no effect is called {name!r}{_nearest(name, EFFECTS)}")
    mistakes = list(_mistakes(name, parameters, lines, (*place, "parameters")))
    if mistakes:
        raise RecipeError("; ".join(mistakes))
    alternative = Alternative.reading(name, weight, parameters)
    try:
        # Parameters may be possible one by one but not together.
        alternative.draw({"pixel_size_angstrom": 1.0}, child_generator(0))
    except PlanError as error:
        raise RecipeError(f"{lines.say((*place, 'parameters'))}: {error}") from error
    return alternative


def _mistakes(
    name: str, parameters: Mapping[str, Any], lines: Lines, place: Place
) -> Iterator[str]:
    """Say what is wrong with the ranges of an effect's parameters."""
    known = EFFECTS[name].parameters.__dataclass_fields__
    for key, form in parameters.items():
        where = lines.say((*place, key))
        if key not in known:
            yield f"{where}: {name} has no parameter {key!r}{_nearest(key, known)}"
            continue
        try:
            Alternative.check(known[key], form)
        except ValueError as error:
            yield f"{where}: {key}: {error}"
    yield from (
        f"{lines.say(place)}: {name} needs {key}" for key in Alternative.missing(name, parameters)
    )


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {near[0]}?)" if near else ""
