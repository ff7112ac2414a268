"""A unit cell seen along the beam, and the text file that holds one."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crewe.atoms.stamps import Array
from crewe.errors import ReadError


@dataclass(frozen=True)
class ProjectedCell:
    """A unit cell seen along the beam.

    `a` and `b` are its edges in Å, `angle_deg` the angle between them; `sites` (S, 2) are
    fractional coordinates and `names` (S,) what stands there, which may repeat. Where the third
    dimension is known, `repeat_angstrom` is the period along the beam and `atoms` (S,) lists the
    element and the height (in periods, 0 to 1) of every atom of a site; heights grow along the
    beam. `climb` is what one step along a, and one along b, adds to these heights (in periods):
    zero, unless no cell of reasonable size repeats at the same height, as in a monoclinic crystal
    seen along an oblique axis.
    """

    a: float
    b: float
    angle_deg: float
    sites: Array
    names: tuple[str, ...]
    repeat_angstrom: float | None = None
    atoms: tuple[tuple[tuple[str, float], ...], ...] = ()
    climb: tuple[float, float] = (0.0, 0.0)

    def vectors(self) -> Array:
        """The edges as rows (x, y) in Å, a along x."""
        angle = np.deg2rad(self.angle_deg)
        return np.array([[self.a, 0.0], [self.b * np.cos(angle), self.b * np.sin(angle)]])


def read_projected_cell(path: str | Path) -> ProjectedCell:
    """Projected cell in StatSTEM's text format: `length_a`, `length_b`, `angle_ab`, an atom table.

    Lines `name a b` name the sites. Where a `length_c` and, under the word `zInfo`, one line of
    pairs `element height` per site follow, they become `repeat_angstrom` and `atoms`.
    Raises ReadError when the file is missing, holds no such cell or not one line for each site.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise ReadError(f"{path}: {error.strerror}; give a text file with a unit cell") from error
    rows = [line.replace(":", " ").replace("=", " ").split() for line in lines]
    third = next((n for n, row in enumerate(rows) if row and row[0].lower() == "zinfo"), len(rows))
    numbers, names, sites = _numbers_and_sites(rows[:third])
    if {"length_a", "length_b", "angle_ab"} - numbers.keys() or not sites:
        raise ReadError(
            f"{path}: no projected unit cell; needs lines length_a, length_b, angle_ab and one "
            "line 'name a b' with fractional coordinates per site"
        )
    a, b, angle = numbers["length_a"], numbers["length_b"], numbers["angle_ab"]
    repeat, heights = numbers.get("length_c"), _heights(rows[third + 1 :])
    if not (a > 0 and b > 0 and 0 < angle < 180 and (repeat is None or repeat > 0)):
        raise ReadError(
            f"{path}: lengths must be positive and the angle between 0 and 180°; given {a:g}, "
            f"{b:g}, {repeat or 0:g} Å and {angle:g}°"
        )
    if heights and len(heights) != len(sites):
        raise ReadError(
            f"{path}: {len(sites)} sites, but {len(heights)} lines under zInfo; give one line of "
            "'element height' pairs for each site, in their order"
        )
    known = heights if repeat is not None else ()
    return ProjectedCell(a, b, angle, np.array(sites, dtype=float), tuple(names), repeat, known)


def _numbers_and_sites(
    rows: list[list[str]],
) -> tuple[dict[str, float], list[str], list[list[float]]]:
    """Lines of a word and one number, and names and places of lines with two numbers."""
    numbers: dict[str, float] = {}
    names: list[str] = []
    sites: list[list[float]] = []
    for words in rows:
        values = [value for value in map(_number, words[1:3]) if value is not None]
        if len(values) == 2:
            names.append(words[0])
            sites.append(values)
        elif len(values) == 1:
            numbers[words[0].lower()] = values[0]
    return numbers, names, sites


def _heights(rows: list[list[str]]) -> tuple[tuple[tuple[str, float], ...], ...]:
    """Element and height of each atom, one row for each site."""
    found = []
    for words in rows:
        heights = [_number(word) for word in words[1::2]]
        pairs = zip(words[::2], heights, strict=False)
        atoms = tuple((name, height) for name, height in pairs if height is not None)
        if atoms:
            found.append(atoms)
    return tuple(found)


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None
