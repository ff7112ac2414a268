"""The methods that are compared, all from one pass over the patterns."""

import numpy as np

from benchmarks.accuracy.phase_images_objects import DETECTOR, OPTICS, PhaseObject, frames_at_doses
from crewe.sources import Frames, Scan
from crewe.stem4d.com import CentreOfMass
from crewe.stem4d.detectors import Annulus
from crewe.stem4d.icom import IntegratedCentreOfMass
from crewe.stem4d.moments import Moments
from crewe.stem4d.ricom import Ricom
from crewe.stem4d.ricom_kernel import Band
from crewe.stem4d.ssb import SingleSideband
from crewe.stem4d.virtual import VirtualDetectors

BAND_INVERSE_ANGSTROM = (0.114, 0.38)
"""The paper's band-pass filter."""
METHODS = ("adf", "ssb", "ssb natural", "icom", "ricom 21", "ricom 61", "ricom 61 bp")
PHASES = METHODS[1:]
"""Those whose images are phases in rad."""


class AllMethods:
    """One pass of batches into ADF, SSB and the moments that iCOM and riCOM are made of."""

    def __init__(self, item: PhaseObject) -> None:
        simulation = item.simulation()
        step = simulation.scan.step_angstrom
        scan = Scan(tuple(n * item.repeat for n in simulation.scan.shape), step_angstrom=step)
        centre, radius = simulation.centre_px, simulation.radius_px
        self.adf = VirtualDetectors(
            scan, DETECTOR, {"adf": Annulus(1.1 * radius, 2 * DETECTOR[0])}, centre
        )
        self.ssb = SingleSideband(scan, DETECTOR, OPTICS, centre, radius)
        self.moments = Moments(scan.shape, DETECTOR)
        self.com = CentreOfMass(
            self.moments,
            scan=scan,
            sampling_inverse_angstrom=simulation.sampling_inverse_angstrom,
        )
        self.band = Band.from_inverse_angstrom(*BAND_INVERSE_ANGSTROM, step)

    def add(self, batch: Frames) -> None:
        """Take one batch into all of them."""
        for reducer in (self.adf, self.ssb, self.moments):
            reducer.add(reducer.measure(batch))

    def images(self) -> dict[str, np.ndarray]:
        """Images (y, x) by the names of METHODS."""
        found = {"adf": self.adf.images()["adf"], "icom": self._icom()}
        for name, transfer in (("ssb", "flat"), ("ssb natural", "natural")):
            self.ssb.transfer = transfer
            found[name] = self.ssb.images()["ssb_phase"]
        for name, size, band in (
            ("ricom 21", 21, None),
            ("ricom 61", 61, None),
            ("ricom 61 bp", 61, self.band),
        ):
            found[name] = Ricom(self.com, size, band).images()["ricom"]
        return {name: np.asarray(found[name].values, float) for name in METHODS}

    def _icom(self):
        return IntegratedCentreOfMass(self.com).images()["icom"]


def all_images(
    item: PhaseObject, doses: tuple[float, ...], seed: int
) -> dict[float, dict[str, np.ndarray]]:
    """Images of an object by dose in e/Å² and by method."""
    runs = [AllMethods(item) for _ in doses]
    for index, frames in frames_at_doses(item, doses, seed):
        runs[index].add(frames)
    return {dose: run.images() for dose, run in zip(doses, runs, strict=True)}
