"""Small specimens, optics and an emulator for simulations that take a second."""

from pathlib import Path

import numpy as np
from ase import Atoms

from crewe import io
from crewe.physics.optics import Optics
from crewe.simulation.convolution import Convolution
from crewe.simulation.emulator.fit import fit_emulator
from crewe.simulation.emulator.pairs import Pair
from crewe.simulation.emulator.plan import EmulatorPlan
from crewe.simulation.emulator.store import save_emulator
from crewe.simulation.emulator.suitability import training_facts
from crewe.simulation.multislice_detectors import AnnularDetector
from crewe.specimens.nanoparticles import nanoparticle
from crewe.workflows.simulate_plan import simulation_plan

LENS = Optics(200, 24.5, c3_mm=0.0012, source_fwhm_angstrom=0.88)
RING = AnnularDetector(50, 150)
# A narrow probe needs few places and pixels.
NARROW = Optics(200, 10.0)
DARK = AnnularDetector(20, 60)
PIXEL = 0.25
HOW = Convolution(PIXEL, optics=LENS, detector=RING)
OPTICS_TEXT = """
beam_energy_kev: 200
semi_angle_mrad: 24.5
c3_mm: 1.2e-3
source_fwhm_angstrom: 0.88
detectors:
  haadf: {inner_mrad: 50, outer_mrad: 150}
"""


def particle(seed=0, disorder=0.0, count=55):
    """A platinum particle without a cell."""
    cloud = nanoparticle({78: count}, np.random.default_rng(seed), disorder)
    return Atoms(cloud.numbers, cloud.positions)


def written(path, atoms):
    """Write atoms and return the path."""
    return io.write_atoms(path, atoms)


def one_atom(path, number=78, place=(2.0, 1.5, 1.0)):
    """A file of one atom in a small box that does not repeat."""
    return written(path, Atoms([number], [place], cell=(4.0, 3.0, 2.0), pbc=False))


def plan(specimen, output="image.npz", **settings):
    """A plan with the usual lens and detector and coarse pixels."""
    usual = {"optics": LENS, "detectors": {"haadf": RING}, "pixel_size_angstrom": PIXEL}
    given = {"specimen": specimen, "output": specimen.parent / output}
    return simulation_plan({**usual, **given, **settings})


def expected(linear):
    """What the small emulator is taught: a polynomial that it can learn exactly."""
    return (1.1 * linear - 2 * linear**2).astype(np.float32)


def small_emulator(path: Path):
    """Fit an emulator to four particles and return the path of its file."""
    pairs = []
    for n in range(4):
        atoms = particle(n, n / 3)
        places = atoms.positions - atoms.positions.min(axis=0) + [2, 2, 1]
        shape = tuple(int(size / PIXEL) + 16 for size in np.ptp(places, axis=0)[1::-1])
        linear = HOW.image(atoms.numbers, places, shape)
        numbers = np.asarray(atoms.numbers, dtype=np.int64)
        pairs.append(Pair(f"{n:02d}", linear, expected(linear), numbers, places))
    settings = EmulatorPlan(size=3, log=False, register=False)
    fitted = fit_emulator(pairs, settings, convolution=HOW, about=training_facts(pairs))
    return save_emulator(path, fitted)
