"""Small pairs whose 'multislice' image is a known function of the convolution image."""

import numpy as np
import scipy.ndimage
from ase import Atoms

from crewe.physics.optics import Optics
from crewe.simulation.convolution import Convolution
from crewe.simulation.emulator.pairs import Pair, write_pairs
from crewe.simulation.multislice_settings import AnnularDetector

OPTICS = Optics(200.0, 24.5, c3_mm=0.0012)
DETECTOR = AnnularDetector(50.0, 150.0)
CONVOLUTION = Convolution(0.2, optics=OPTICS, detector=DETECTOR)
SHAPE = (44, 48)
NOISE = 0.02


def particle(seed, number=60, symbol="Pt", thickness=8.0):
    """Atoms in a disk of 3.2 Å around the middle of the image."""
    rng = np.random.default_rng(seed)
    radius, angle = 3.2 * np.sqrt(rng.random(number)), 2 * np.pi * rng.random(number)
    places = np.stack([radius * np.cos(angle) + 4.7, radius * np.sin(angle) + 4.3])
    depth = np.linspace(0, thickness, number)
    return Atoms(f"{symbol}{number}", positions=np.column_stack([*places, depth]))


def pair(name, seed, shift=(0.0, 0.0), atoms=True):
    """One pair; the second image bends the first, knows its surroundings, and is noisy."""
    specimen = particle(seed)
    linear = CONVOLUTION.image(specimen.numbers, specimen.positions, SHAPE)
    level = 0.3
    target = linear - 0.4 * linear**2 / level + 0.2 * scipy.ndimage.gaussian_filter(linear, 1)
    target = scipy.ndimage.shift(target, shift, order=3, mode="nearest")
    noise = NOISE * target.std()
    target = target + np.random.default_rng([seed, 1]).normal(0, noise, SHAPE)
    given = {"numbers": specimen.numbers, "positions": specimen.positions} if atoms else {}
    error = np.full(SHAPE, noise, np.float32)
    return Pair(name, linear, target.astype(np.float32), **given, phonon_error=error)


def pairs(count=4, **more):
    """A few pairs of different particles."""
    return [pair(f"{n:02d}", n, **more) for n in range(count)]


def stored_pairs(path, count=4, about=None, **more):
    """The same in a file."""
    about = {"convolution": CONVOLUTION.to_dict()} if about is None else about
    return write_pairs(path, pairs(count, **more), about)
