"""How the scattering cross-section (SCS) of a column grows with its atoms: a smooth curve.

    mu(g) = offset + scale · [ f(g) · (1 + c · (1 − g/G)) − b · (1 − exp(−g/3)) · f(G)/G ]

Without a library f(g) = g; with one it is the library, and b = 0. G is the thickness, in atoms, at
which the curve passes the reference cross-section (1 here: the data are divided by it), so the
mean step is 1/G. The terms are what fast electrons in a crystal do: c, the loss of electrons from
the channel and absorption (saturation); b, the first three atoms or so, which scatter less than
the next ones because they focus the beam on the column (Van den Broek et al. (2019),
doi:10.1016/j.ultramic.2018.08.003, model such lensing atom by atom); the offset, a background that
the fit of the image missed.

The priors were read off simulated libraries of fcc Al, Ni, Ag, Pt and Au, two zone axes, 120 to
300 kV, inner angles of 58 to 90 mrad (Lobato, De Backer and Van Aert (2023),
doi:10.1016/j.ultramic.2023.113769) and the platinum library of StatSTEM: a fit of the curve
leaves 0.05, 0.09 and 0.17 steps (median, rms) of their first 10, 20 and 40 atoms, with c between
−0.2 and 0.5 and b between 0.4 and 3.5; light or widely spaced columns hardly channel (b = 0).
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.interpolate import PchipInterpolator

from crewe.atoms.stamps import Array

PARAMETERS = ("size", "curvature", "offset", "channelling", "width", "counting_width")
SIZE, CURVATURE, OFFSET, CHANNELLING, WIDTH, COUNTING_WIDTH = range(6)
CHANNELLING_ATOMS = 3.0
# A step below this part of the mean one is no step: the curve is taken to end there.
LEAST_STEP = 0.05


class Family(NamedTuple):
    """A family of curves and what is held about it before the data are seen.

    A curve is a vector of six numbers: log G (log scale with a library), c, offset in mean steps,
    b, log of the width in mean steps, log of the width due to counting electrons, in mean steps at
    the reference cross-section.
    """

    shape: Array
    """f(g) for 0 … K atoms; for a library in units of the reference cross-section."""
    by_library: bool
    first: int
    """Fewest atoms that a column can have."""
    anchored: bool
    """Whether some column is known to have just so few."""
    centre: Array
    """Mean of each parameter's normal prior."""
    breadth: Array
    """Standard deviation of it; 0 fixes a parameter, infinity leaves it free (flat)."""
    first_atom: float
    """Cross-section of a single atom in units of the reference; 0 if unknown."""
    first_atom_std: float
    """Relative standard error of it."""
    per_beam: float
    """Known variance per cross-section due to counting electrons; negative: fitted; 0: none."""


def free_family(most: int, first: int, anchored: bool) -> Family:
    """Curves without a library, up to `most` atoms."""
    return Family(
        shape=np.arange(most + 1, dtype=float),
        by_library=False,
        first=first,
        anchored=anchored,
        centre=np.array([0.0, 0.15, 0.0, 1.0, np.log(0.25), np.log(0.25)]),
        breadth=np.array([np.inf, 0.2, 0.15, 1.0, 1.0, 0.0]),
        first_atom=0.0,
        first_atom_std=0.0,
        per_beam=0.0,
    )


def library_family(shape: Array, first: int, anchored: bool, scale_std: float) -> Family:
    """Curves of the shape of a library (of 0 … K atoms), of nearly its scale."""
    return Family(
        shape=shape,
        by_library=True,
        first=first,
        anchored=anchored,
        centre=np.array([0.0, 0.0, 0.0, 0.0, np.log(0.25), np.log(0.25)]),
        breadth=np.array([scale_std, 0.03, 0.15, 0.0, 1.0, 0.0]),
        first_atom=0.0,
        first_atom_std=0.0,
        per_beam=0.0,
    )


def extended_shape(atoms: Array, values: Array, most: int) -> Array:
    """Values of a library at 0 … `most` atoms, by monotone cubics, then along its end slope."""
    known = PchipInterpolator(np.append(0.0, atoms), np.append(0.0, values))
    counts = np.arange(most + 1, dtype=float)
    end = atoms[-1]
    # The mean of the last few steps: a single one is noisy in a simulated library.
    steps = min(3.0, end)
    slope = float(known(end) - known(end - steps)) / steps
    return np.where(
        counts <= end, known(np.minimum(counts, end)), values[-1] + slope * (counts - end)
    )


@njit(cache=True, nogil=True)
def at_count(shape: Array, count: float) -> float:
    """Value of the shape at a fractional count, linearly between whole ones and beyond the end."""
    k = min(max(int(count), 0), shape.size - 2)
    return shape[k] + (count - k) * (shape[k + 1] - shape[k])


@njit(cache=True, nogil=True)
def count_at(shape: Array, value: float) -> float:
    """Fractional count at which a rising shape has a value."""
    k = min(max(int(np.searchsorted(shape, value)) - 1, 0), shape.size - 2)
    return k + (value - shape[k]) / (shape[k + 1] - shape[k])


@njit(cache=True, nogil=True)
def curve_means(curve: Array, shape: Array, by_library: bool, means: Array) -> tuple[int, float]:
    """Fill the means of 0 … K atoms; return the last count that still rises, and the mean step.

    A curve that does not rise from the first atom on has a last count of −1.
    """
    size = count_at(shape, np.exp(-curve[0])) if by_library else np.exp(curve[0])
    end = at_count(shape, size)
    step = 1.0 / size
    bend, offset = curve[1], curve[2] * step
    dip = curve[3] * end / size
    if by_library:
        scale = np.exp(curve[0])
    else:
        scale = (1.0 - offset) / (end - dip * (1.0 - np.exp(-size / CHANNELLING_ATOMS)))
    last = shape.size - 1
    for g in range(shape.size):
        lens = 0.0 if dip == 0.0 else dip * (1.0 - np.exp(-g / CHANNELLING_ATOMS))
        means[g] = offset + scale * (shape[g] * (1.0 + bend * (1.0 - g / size)) - lens)
        if g > 0 and last == shape.size - 1 and not means[g] - means[g - 1] > LEAST_STEP * step:
            last = g - 1
    if last < 1 or not scale > 0.0:
        last = -1
    return last, step
