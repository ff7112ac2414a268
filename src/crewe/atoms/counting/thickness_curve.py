"""How the scattering cross-section (SCS) of a column grows with its atoms: a smooth curve.

Atom number z + ½ of a column adds to the cross-section

    m(z) = s · exp(−c·z/G) · (1 + b·x²·exp(2 − 2x)),    x = z/z0,

and the curve is the offset plus the sum of these. Electrons channel: the atoms above focus them on
the column, so that those at the depth z0 scatter 1 + b times as much as the first; deeper down
that is lost again, and electrons are absorbed (c). (Van den Broek et al. (2019),
doi:10.1016/j.ultramic.2018.08.003, model such lensing atom by atom.) The offset is a background
that the fit of the image missed. G is the thickness at which the curve passes the reference
cross-section (1 here: the data are divided by it), so the mean step is 1/G. With a library f,

    mu(g) = offset + s · f(g) · (1 + c · (1 − g/G)).

The priors were read off simulated libraries of fcc Al, Ni, Ag, Pt and Au, two zone axes, 120 to
300 kV, inner angles of 58 to 90 mrad (Lobato, De Backer and Van Aert (2023),
doi:10.1016/j.ultramic.2023.113769) and the platinum library of StatSTEM. The curve fits their
first 10, 20, 40 and 60 atoms to 0.04, 0.05, 0.10 and 0.17 mean steps (median, rms); for 20 atoms
80 % have b between 0.4 and 1.2, z0 between 5 and 10 and c between −0.6 and 0. Straighter ones
(b = 0) are those of wide or light columns.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.interpolate import PchipInterpolator

from crewe.atoms.stamps import Array

PARAMETERS = ("size", "curvature", "offset", "channelling", "depth", "width", "counting_width")
SIZE, CURVATURE, OFFSET, CHANNELLING, DEPTH, WIDTH, COUNTING_WIDTH = range(7)
# A step below this part of the mean one is no step: the curve is taken to end there.
LEAST_STEP = 0.05
ROUGH = np.array([5.0, 25.0])
"""Particles with facets: many columns of some counts, none of others."""
SMOOTH_PART = 0.67
"""Part of the columns that a smooth distribution is worth where counts hardly ever are missing."""


class Family(NamedTuple):
    """A family of curves and what is held about it before the data are seen.

    A curve is a vector of seven numbers: log G (log s with a library), c, offset in mean steps, b,
    log z0, log of the width in mean steps, log of the width due to counting electrons, in mean
    steps at the reference cross-section.
    """

    shape: Array
    """Library of 0 … K atoms in units of the reference cross-section; without one, 0 … K."""
    by_library: bool
    first: int
    """Fewest atoms that a column can have."""
    anchored: bool
    """Whether some column is known to have just so few."""
    play: float
    """How far, in mean steps, a real mean is off the best curve of the family (rms)."""
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
    smoothness: Array
    """Numbers of columns that a smooth distribution of counts is worth, each as probable."""


def free_family(most: int, first: int, anchored: bool) -> Family:
    """Curves without a library, up to `most` atoms."""
    return Family(
        shape=np.arange(most + 1, dtype=float),
        by_library=False,
        first=first,
        anchored=anchored,
        play=0.06,
        centre=np.array([0.0, -0.1, 0.0, 0.7, np.log(6.5), np.log(0.25), np.log(0.25)]),
        breadth=np.array([np.inf, 0.4, 0.15, 0.6, 0.35, 1.0, 0.0]),
        first_atom=0.0,
        first_atom_std=0.0,
        per_beam=0.0,
        smoothness=ROUGH,
    )


def straight_family(family: Family) -> Family:
    """Curves of a free family without channelling: those of light, wide or tilted columns."""
    centre, breadth = family.centre.copy(), family.breadth.copy()
    centre[CURVATURE], breadth[CURVATURE] = 0.2, 0.4
    centre[CHANNELLING], breadth[CHANNELLING], breadth[DEPTH] = 0.0, 0.0, 0.0
    return family._replace(centre=centre, breadth=breadth)


def library_family(shape: Array, first: int, anchored: bool, scale_std: float) -> Family:
    """Curves of the shape of a library (of 0 … K atoms), of nearly its scale."""
    return Family(
        shape=shape,
        by_library=True,
        first=first,
        anchored=anchored,
        play=0.03,
        centre=np.array([0.0, 0.0, 0.0, 0.0, np.log(6.5), np.log(0.25), np.log(0.25)]),
        breadth=np.array([scale_std, 0.03, 0.15, 0.0, 0.0, 1.0, 0.0]),
        first_atom=0.0,
        first_atom_std=0.0,
        per_beam=0.0,
        smoothness=ROUGH,
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
    if by_library:
        size = count_at(shape, np.exp(-curve[0]))
        for g in range(shape.size):
            means[g] = shape[g] * (1.0 + curve[1] * (1.0 - g / size))
    else:
        size = np.exp(curve[0])
        _sum_of_atoms(curve[1] / size, curve[3], np.exp(curve[4]), means)
    step = 1.0 / size
    offset = curve[2] * step
    scale = np.exp(curve[0]) if by_library else (1.0 - offset) / at_count(means, size)
    last = shape.size - 1
    for g in range(shape.size):
        means[g] = offset + scale * means[g]
        if g > 0 and last == shape.size - 1 and not means[g] - means[g - 1] > LEAST_STEP * step:
            last = g - 1
    return (last, step) if scale > 0.0 else (-1, step)


@njit(cache=True, nogil=True)
def _sum_of_atoms(loss: float, channelling: float, depth: float, means: Array) -> None:
    """Fill in the sums of m(z) with s = 1; its exponentials by recursion."""
    decay, fade = np.exp(-loss), np.exp(-2.0 / depth)
    absorbed, faded = np.exp(-0.5 * loss), np.exp(2.0 - 1.0 / depth)
    means[0] = 0.0
    for g in range(1, means.size):
        x = (g - 0.5) / depth
        means[g] = means[g - 1] + absorbed * (1.0 + channelling * x * x * faded)
        absorbed *= decay
        faded *= fade
