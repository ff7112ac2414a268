"""From a noise-free image to what a microscope records, what a network restores, and both fitted.

Distortions of T. Friedrich, PhD thesis, University of Antwerp 2023, Table 2.2.
"""

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.accuracy.quantification_networks_specimens import Case
from crewe.atoms import fit_columns
from crewe.axes import calibrated_image
from crewe.degradation import Chain, read_chain
from crewe.networks.zoo import TrainedNetwork

DOSES = (5e2, 1e3, 5e3, 1e4, 5e4, 1e5, 5e5)
"""Table 2.2, e/Å²."""
BULK_DOSES = (5e2, 5e4)
"""Figure 2.7, e/Å²."""
JITTER_PX = {"sigma_x": 0.5, "sigma_y": 0.25, "phi": 0.5}
"""Table 2.2; it names no unit, pixels are the reading that leaves atoms to be seen."""
ALPHA_PX = 3.0
"""The thesis gives a dwell time of 0.5 µs but not the α of its half-Lorentzian (equation 2.18)."""
SEED = 31


@dataclass(frozen=True)
class Estimates:
    """What was fitted in several realisations, arrays (realisation, column)."""

    x: np.ndarray
    """Å."""
    y: np.ndarray
    """Å."""
    scs: np.ndarray
    """Å²."""

    @property
    def places(self) -> np.ndarray:
        """Places (realisation, column, 2) as x, y in Å."""
        return np.stack([self.x, self.y], axis=-1)


def doses_of(case: Case) -> tuple[float, ...]:
    """Return the doses that a case is imaged with."""
    return BULK_DOSES if case.name == "bulk" else DOSES


def instrument(case: Case, electrons_per_pixel: float) -> Chain:
    """Return what happens on the way: Poisson noise alone for the bulk crystal, as in the thesis.

    Electrons are counted before the detector's tail smears them.
    """
    counting = [
        {"effect": "dose", "parameters": {"mean_electrons_per_pixel": electrons_per_pixel}},
        {"effect": "shot_noise"},
    ]
    if case.name == "bulk":
        return read_chain({"instrument": counting})
    jitter = {
        "sigma_x_angstrom": JITTER_PX["sigma_x"] * case.pixel_size,
        "sigma_y_angstrom": JITTER_PX["sigma_y"] * case.pixel_size,
        "phi_x": JITTER_PX["phi"],
        "phi_y": JITTER_PX["phi"],
    }
    scan = {"effect": "scan_jitter", "parameters": jitter}
    tail = {"effect": "detector_response", "parameters": {"alpha_px": ALPHA_PX}}
    return read_chain({"instrument": [scan, *counting, tail]})


def recorded(case: Case, clean: np.ndarray, dose: float, place: tuple[int, ...]) -> np.ndarray:
    """Return a noisy image in fractions of the beam; `place` names the realisation."""
    clean = np.maximum(clean, 0)
    electrons = dose * case.pixel_size**2
    chain = instrument(case, electrons * float(clean.mean()))
    image = chain.record(clean, SEED, place, pixel_size_angstrom=case.pixel_size).image
    return image.astype(float) / electrons


def restored(network: TrainedNetwork, image: np.ndarray) -> np.ndarray:
    """Return what the network makes of an image, in the same unit."""
    return network.run(image).astype(float)


def fitted(case: Case, image: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return x, y and cross-section (3, column) of columns started at their true places."""
    start = pd.DataFrame(columns, columns=["x", "y"])
    calibrated = calibrated_image(image, case.pixel_size, attrs={"units": "fraction of beam"})
    table = fit_columns(calibrated, start).columns
    return table[["x", "y", "scs"]].to_numpy(float).T


def code_checksum(*more: bytes) -> str:
    """Return eight digits that change with the code that degrades and fits, and with `more`."""
    rooms = ("crewe.atoms", "crewe.degradation")
    folders = [Path(find_spec(room).origin).parent for room in rooms]
    here = Path(__file__)
    sources = [here, here.with_name("quantification_networks_specimens.py")]
    sources += [path for folder in folders for path in sorted(folder.rglob("*.py"))]
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources))
    for part in more:
        digest.update(part)
    return digest.hexdigest()[:8]
