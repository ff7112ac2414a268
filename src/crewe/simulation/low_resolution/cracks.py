"""Cracks: thin lines that wander, bend and branch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from crewe.recipes import RecipePart
from crewe.recipes.ranges import Count, Length, Level, Share, draw_many
from crewe.simulation.low_resolution.lines import cover_path

Array = NDArray[np.float64]
Image = NDArray[np.float32]


class Cracks(RecipePart):
    """Ranges of cracks; the paper names the kind and gives no numbers."""

    number: Count = {"integers": [1, 4]}
    """Cracks in an image; each is a tree of branches."""
    branches: Count = {"integers": [0, 25]}
    """Branches of a crack beside its trunk."""
    length_fraction: Length = [0.3, 1.2]
    """Length of a trunk as a fraction of the smaller side of the image."""
    branch_length: Length = [0.3, 0.9]
    """Length of a branch as a fraction of what is left of its parent."""
    branch_angle_deg: Level = [5.0, 35.0]
    """Angle by which a branch leaves its parent, to either side."""
    wander_deg: Level = [1.0, 8.0]
    """Standard deviation of the random turn at each step of a crack, drawn for each crack."""
    bend_deg: Level = [0.0, 60.0]
    """Turn of a branch from its start to its end that is not random, to either side."""
    step_px: Length = 3.0
    width_px: Length = {"log_uniform": [0.7, 2.5]}
    """Width of the trunk; a branch is thinner by the square root of its length ratio."""
    intensity: Level = [0.3, 1.0]
    """Intensity of a trunk."""
    branch_intensity: Share = [0.5, 1.0]
    """Intensity of a branch as a fraction of its parent's."""


@dataclass(frozen=True)
class Branch:
    """One line of a crack."""

    path: Array
    """Points (N, 2) as (y, x) in pixels, one step apart."""
    headings: Array
    """Direction of each step in radians from x towards y; one fewer than points."""
    width: float
    """In pixels."""
    intensity: float


def cracks_image(
    part: Cracks, shape: tuple[int, int], rng: Generator
) -> tuple[Image, dict[str, Any]]:
    """Draw cracks as branching random walks; cracks add up, the branches of one do not.

    Returns the image and the facts `number` and `branches` (of all cracks, with trunks).
    """
    number = part.draw("number", rng)
    image = np.zeros(shape, np.float32)
    drawn = 0
    for _ in range(number):
        crack = grow_crack(part, shape, rng)
        coverage = np.zeros(shape, np.float32)
        for branch in crack:
            cover_path(coverage, branch.path, branch.width, branch.intensity)
        image += coverage
        drawn += len(crack)
    return image, {"number": number, "branches": drawn}


def grow_crack(part: Cracks, shape: tuple[int, int], rng: Generator) -> list[Branch]:
    """Grow one crack from a random point of the image: its trunk first, then its branches.

    A branch leaves a line that is there already, at a random point of it, and bends away.
    """
    start = rng.random(2) * shape - 0.5
    length = part.draw("length_fraction", rng) * min(shape)
    wander = np.deg2rad(part.draw("wander_deg", rng))
    step = part.draw("step_px", rng)
    width, intensity = part.draw("width_px", rng), part.draw("intensity", rng)
    heading = rng.uniform(0, 2 * np.pi)
    bends = np.deg2rad(draw_many(part, "bend_deg", 1, rng))
    path, headings = walk(start, heading, length, step, wander, bends[0] * rng.uniform(-1, 1), rng)
    crack = [Branch(path, headings, width, intensity)]
    for _ in range(part.draw("branches", rng)):
        parent = crack[int(len(crack) * rng.random() ** 2)]
        crack.append(_branch_off(part, parent, step, wander, rng))
    return crack


def _branch_off(part: Cracks, parent: Branch, step: float, wander: float, rng: Generator) -> Branch:
    at = int(rng.integers(len(parent.headings)))
    left = step * (len(parent.headings) - at)
    share = part.draw("branch_length", rng)
    side = 1.0 if rng.random() < 0.5 else -1.0
    heading = parent.headings[at] + side * np.deg2rad(part.draw("branch_angle_deg", rng))
    bend = side * np.deg2rad(part.draw("bend_deg", rng))
    path, headings = walk(parent.path[at], heading, share * left, step, wander, bend, rng)
    intensity = parent.intensity * part.draw("branch_intensity", rng)
    return Branch(path, headings, parent.width * np.sqrt(min(share, 1.0)), intensity)


def walk(
    start: Array,
    heading: float,
    length: float,
    step: float,
    wander: float,
    bend: float,
    rng: Generator,
) -> tuple[Array, Array]:
    """Walk from a point in steps whose direction turns at random and by `bend` altogether.

    Lengths are in pixels, angles in radians from x towards y; `wander` is the standard
    deviation of the turn at each step. Returns the points (N + 1, 2) as (y, x) and the
    direction of each of the N ≥ 1 steps.
    """
    steps = max(1, round(length / step))
    turns = wander * rng.standard_normal(steps) + bend / steps
    headings = heading + np.cumsum(turns)
    moves = step * np.column_stack([np.sin(headings), np.cos(headings)])
    return np.concatenate([start[None, :], start + np.cumsum(moves, axis=0)]), headings
