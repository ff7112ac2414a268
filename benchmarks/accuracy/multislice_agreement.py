"""How near our multislice comes to abTEM run plainly, and what windows cost and gain.

python -m benchmarks.accuracy.multislice_agreement --markdown docs/benchmarks/multislice.md
"""

import argparse
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from crewe.physics.optics import Optics
from crewe.simulation.field import Field
from crewe.simulation.multislice import AnnularDetector, MultisliceSettings
from crewe.simulation.multislice_run import Run, prepare
from crewe.simulation.multislice_scan import ScanAxis, nyquist_step_angstrom
from crewe.simulation.multislice_slab import OPEN_MARGIN_ANGSTROM, make_slab
from crewe.specimens.nanoparticles import nanoparticle

LENS = Optics(200.0, 24.5, c3_mm=0.0012)
RING = AnnularDetector(50.0, 150.0)
STEP = nyquist_step_angstrom(LENS)
ABTEM_SAMPLINGS = (0.05, 0.03, 0.02, 0.0135)
WINDOWS = (6.0, 8.0, 10.0, 12.0)

INTRODUCTION = """\
# Multislice, beside abTEM

`python -m benchmarks.accuracy.multislice_agreement` simulates platinum particles without phonons at
200 kV, 24.5 mrad, C3 1.2 µm, seen by a ring of 50–150 mrad, in slices of at most 2 Å. Times are of
one core that other work shared, so that they are rough.
"""
PLAIN = """\
## The same small case

{atoms} atoms; {places} places of the probe across the particle. The reference is abTEM alone: its
own potential, probe, scan and detector in a box of {box:g} Å, at a sampling of {finest:g} Å, which
took {seconds:.1f} s a place. Differences in percent of the maximum: the largest, the root mean
square, and that of the means.
"""
BIG = """\
## What a window costs and gains

{atoms} atoms; {places} places on a square of {square:.1f} Å inside the particle. The reference is
our own simulation in a box of {box:g} Å without a window, {seconds:.0f} ms a place. *coarse* is
`MultisliceSettings(fidelity="coarse")`, which crewe computed at first; its reference is itself
without a window, so that what the window does stands alone.
"""
READING = """\
- On a grid that just reaches the detector (0.055 Å) the core of a heavy atom is blunt and scatters
  too much: the phase σV of one gold atom sends 24 % more to 50–150 mrad than in the limit of fine
  grids, 9 % more at 0.027 Å and 2 % at 0.018 Å. abTEM, which spreads atoms over pixels, has less of
  it. We take exp(iσV) from a grid of 0.018 Å and keep the waves on the coarse one; *coarse* does
  not.
- In a window of L Å a pixel of the pattern is λ/L wide, 3 mrad for 8 Å. A ring that takes pixels by
  their centres is another ring for every L, and the probe's tails, 2 % of it beyond 4 Å, enter the
  window again at the other side: hence the uneven column of *coarse*. Now pixels on the edge of a
  ring count by their covered part, the probe fades out over the window's last Å, and its tails meet
  what other places of the probe met there.
- A window smears the bright-field disk by about λ/L. For rings that touch the disk (BF, ABF, ADF
  from the aperture on) use none, or a large one.
"""


@dataclass(frozen=True)
class Case:
    """Places of the probe about the middle of a particle."""

    number: int
    count: int
    """Nyquist places along x and y."""
    every: int
    """Which of them are compared."""
    box: float

    def run(self, window: float | None, fidelity: str = "fine") -> Run:
        """Our simulation at the places; without a window in the whole box."""
        atoms = particle(self.number)
        middle = np.diag(atoms.cell.array)[:2] / 2
        field = Field((float(middle[0]), float(middle[1])), (1, 1), False)
        settings = MultisliceSettings(window_angstrom=window, fidelity=fidelity, device="cpu")
        start = prepare(atoms, LENS, [RING], 0.1, settings, field=field)
        axis = self.axis(1 if window else self.every)
        half = -axis.start if window else 0.5 * self.box - OPEN_MARGIN_ANGSTROM
        step, thickness = settings.potential_step(LENS, [RING]), settings.slice_thickness_angstrom
        spans = ((-half, half), (-half, half))
        slab = make_slab(atoms, field, spans, step, thickness, window, settings.fine)
        return replace(start, axes=(axis, axis), slab=slab)

    def axis(self, every: int) -> ScanAxis:
        """Places from the middle, all or every so many."""
        return ScanAxis(
            -0.5 * (self.count - 1) * STEP, every * STEP, -(-self.count // every), False
        )

    def ours(self, window: float | None, fidelity: str = "fine") -> tuple[np.ndarray, float]:
        """Signals (y, x) at the places that are compared, and seconds per place."""
        run = self.run(window, fidelity)
        start = time.process_time()
        found = run.samples(np.random.default_rng(0))[0, 0]
        seconds = (time.process_time() - start) / found.size
        return found[:: self.every, :: self.every] if window else found, seconds

    def plain(self, sampling: float) -> tuple[np.ndarray, float]:
        """The same by abTEM alone, but that atoms lie in the middle of their slices as in ours."""
        import abtem

        slab = self.run(None).slab
        atoms = slab.atoms.copy()
        atoms.positions[:, :2] += 0.5 * self.box - 0.5 * np.diag(atoms.cell.array)[:2]
        atoms.set_cell([self.box, self.box, atoms.cell[2, 2]])
        specimen = abtem.Potential(
            atoms, sampling=sampling, slice_thickness=slab.slice_angstrom, device="cpu"
        )
        lens = abtem.Probe(
            energy=200e3, semiangle_cutoff=24.5, aberrations={"C30": 1.2e4}, device="cpu"
        )
        lens.grid.match(specimen)
        along = self.axis(self.every).places + 0.5 * self.box
        y, x = np.meshgrid(along, along, indexing="ij")
        start = time.process_time()
        found = lens.scan(
            scan=abtem.CustomScan(np.stack([x.ravel(), y.ravel()], axis=1)),
            potential=specimen,
            detectors=abtem.AnnularDetector(RING.inner_mrad, RING.outer_mrad),
            lazy=False,
        )
        seconds = (time.process_time() - start) / x.size
        return np.asarray(found.array).reshape(x.shape), seconds


SMALL = Case(55, 33, 16, 22.0)
LARGE = Case(561, 17, 4, 40.0)


def particle(number: int):
    """A crystalline platinum particle in a random orientation."""
    return nanoparticle({78: number}, np.random.default_rng(1), 0.0).to_atoms()


def main() -> None:
    """Measure, print, and write the page where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markdown", type=Path, help="page to write")
    options = parser.parse_args()
    page = "\n".join([INTRODUCTION, against_abtem(SMALL), windows(LARGE), READING])
    print(page)
    if options.markdown:
        options.markdown.write_text(page)


def against_abtem(case: Case) -> str:
    """Table of differences from abTEM at its finest sampling."""
    finest, slowest = _timed(lambda: case.plain(ABTEM_SAMPLINGS[-1]))
    rows = [["simulation", "largest %", "RMS %", "mean %", "ms a place"], ["---"] * 5]
    for sampling in ABTEM_SAMPLINGS[:-1]:
        rows.append(
            [f"abTEM, {sampling:g} Å", *_row(*_timed(lambda s=sampling: case.plain(s)), finest)]
        )
    for window in (None, 8.0):
        name = f"crewe, window {window:g} Å" if window else "crewe, no window"
        rows.append([name, *_row(*case.ours(window), finest)])
    head = PLAIN.format(
        atoms=case.number, places=finest.size, box=case.box, finest=ABTEM_SAMPLINGS[-1],
        seconds=slowest,
    )  # fmt: skip
    return head + "\n" + _table(rows)


def windows(case: Case) -> str:
    """Table of differences from no window, for both fidelities."""
    whole, seconds = case.ours(None)
    blunt, _ = case.ours(None, "coarse")
    heads = ["window", "largest %", "RMS %", "mean %", "ms a place"]
    rows = [[*heads, "coarse: largest %", "RMS %", "mean %"], ["---"] * 8]
    for window in WINDOWS:
        fine = _row(*case.ours(window), whole)
        coarse = _row(*case.ours(window, "coarse"), blunt)
        rows.append([f"{window:g} Å", *fine, *coarse[:3]])
    head = BIG.format(
        atoms=case.number, places=whole.size, square=(case.count - 1) * STEP, box=case.box,
        seconds=1e3 * seconds,
    )  # fmt: skip
    return head + "\n" + _table(rows)


def _timed(work: Callable[[], tuple[np.ndarray, float]]) -> tuple[np.ndarray, float]:
    import abtem

    with abtem.config.set({"diagnostics.progress_bar": False}), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return work()


def _row(found: np.ndarray, seconds: float, expected: np.ndarray) -> list[str]:
    error = 100 * (found - expected) / expected.max()
    mean = 100 * (found.mean() / expected.mean() - 1)
    root = np.sqrt(np.mean(error**2))
    return [f"{np.abs(error).max():.2f}", f"{root:.2f}", f"{mean:+.2f}", f"{1e3 * seconds:.0f}"]


def _table(rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


if __name__ == "__main__":
    main()
