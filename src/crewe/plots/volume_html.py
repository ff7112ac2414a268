"""A model of atoms as one page to turn and look at, which needs nothing but a browser."""

import base64
import json
from html import escape
from importlib.resources import files
from itertools import pairwise
from string import Template
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crewe.plots.volume_colours import (
    UNKNOWN,
    coordination_colour,
    element_colours,
    probability_colour,
)

if TYPE_CHECKING:
    from ase import Atoms

# Probabilities are shown in this many steps.
STEPS = 5
MOST_NEIGHBOURS = 255


def volume_html(atoms: "Atoms", title: str = "Model", *, note: str = "") -> str:
    """Write atoms as an HTML page in which they can be turned, cut and coloured.

    The arrays `coordination`, `surface`, `column` and `count_probability` are shown where the
    atoms have them. The page loads nothing from anywhere; the places are held as 32-bit numbers
    in Å. `title` and `note` are plain text.
    """
    template = files("crewe.plots").joinpath("volume_view.html").read_text("utf-8")
    parts = {
        "title": escape(title),
        "note": escape(note),
        "atoms": f"{len(atoms):,} atoms" if len(atoms) != 1 else "1 atom",
        # A name must not end the script that it stands in.
        "model": json.dumps(_model(atoms), allow_nan=False).replace("<", "\\u003c"),
    }
    return Template(template).substitute(parts)


def _model(atoms: "Atoms") -> dict[str, Any]:
    symbols = np.array(atoms.get_chemical_symbols())
    colours = element_colours(symbols.tolist())
    names = list(colours)
    kind = np.array([names.index(symbol) for symbol in symbols], dtype=np.uint8)
    return {
        "count": len(atoms),
        "places": _packed(atoms.positions, "<f4"),
        "element": _packed(kind, "u1"),
        "elements": [
            {"name": name, "colour": colours[name], "radius": _radius(name)} for name in names
        ],
        "column": _packed(_array(atoms, "column", 0), "<u4"),
        "ways": [_by_element(colours), *_by_coordination(atoms), *_by_probability(atoms)],
        "surface": _packed(_array(atoms, "surface", 1), "u1") if atoms.has("surface") else None,
    }


def _radius(element: str) -> float:
    from ase.data import atomic_numbers, covalent_radii

    return float(covalent_radii[atomic_numbers[element]])


def _packed(values: NDArray[Any], kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values).astype(kind).tobytes()).decode()


def _array(atoms: "Atoms", name: str, otherwise: int) -> NDArray[Any]:
    return np.asarray(atoms.arrays.get(name, np.full(len(atoms), otherwise)))


def _by_element(colours: dict[str, str]) -> dict[str, Any]:
    """Colours by element; `class` is missing, as the page holds the element of each atom."""
    steps = [{"label": name, "colour": colour} for name, colour in colours.items()]
    return {"name": "element", "label": "element", "steps": steps, "class": None}


def _by_coordination(atoms: "Atoms") -> list[dict[str, Any]]:
    if not atoms.has("coordination"):
        return []
    number = np.minimum(atoms.arrays["coordination"], MOST_NEIGHBOURS)
    bulk = int(number.max(initial=1))
    steps = [
        {"label": f"{n} neighbours" if n != 1 else "1 neighbour", "colour": colour}
        for n, colour in ((n, coordination_colour(n, bulk)) for n in range(bulk + 1))
    ]
    packed = _packed(number, "u1")
    return [{"name": "coordination", "label": "neighbours", "steps": steps, "class": packed}]


def _by_probability(atoms: "Atoms") -> list[dict[str, Any]]:
    """Colours by the probability of the count, in steps; unknown ones are the last."""
    if not atoms.has("count_probability"):
        return []
    value = atoms.arrays["count_probability"]
    known = np.isfinite(value)
    step = np.minimum(np.where(known, value, 0.0) * STEPS, STEPS - 1).astype(int)
    edges = np.linspace(0, 1, STEPS + 1)
    steps = [
        {"label": f"{low:.1f} to {high:.1f}", "colour": probability_colour((low + high) / 2)}
        for low, high in pairwise(edges)
    ]
    steps.append({"label": "unknown", "colour": UNKNOWN})
    packed = _packed(np.where(known, step, STEPS), "u1")
    label = "probability of the count"
    return [{"name": "probability", "label": label, "steps": steps, "class": packed}]
