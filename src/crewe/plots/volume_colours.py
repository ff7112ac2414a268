"""Colours of atoms in models: by element, by coordination, by how sure their count is."""

from collections.abc import Sequence

from crewe.plots.palette import TYPE_COLOURS

# Sequential, even in lightness and safe for colour-blind eyes; few neighbours are the palest. Of
# the usual scales it has the longest way from pale to dark: room for a dozen colours.
SCALE = "inferno_r"
# Short of the darkest end, where shading could not be seen.
DARKEST = 0.87
BULK = 12
UNKNOWN = "#9A9A9A"


def coordination_colour(number: int, bulk: int = BULK) -> str:
    """Colour of an atom with a number of neighbours; atoms of the bulk are the darkest.

    Each number up to the bulk has a colour of its own; more neighbours look like the bulk.
    """
    return _on_scale(number / max(1, bulk))


def probability_colour(probability: float) -> str:
    """Colour of a probability from 0 to 1, certain ones the darkest; grey for NaN."""
    return UNKNOWN if probability != probability else _on_scale(probability)


def element_colours(elements: Sequence[str]) -> dict[str, str]:
    """One colour for each element, heavier ones first."""
    from ase.data import atomic_numbers

    ordered = sorted(set(elements), key=lambda element: -int(atomic_numbers[element]))
    return {
        element: TYPE_COLOURS[number % len(TYPE_COLOURS)] for number, element in enumerate(ordered)
    }


def _on_scale(part: float) -> str:
    import matplotlib
    from matplotlib.colors import to_hex

    return to_hex(matplotlib.colormaps[SCALE](DARKEST * min(1.0, max(0.0, part))))
