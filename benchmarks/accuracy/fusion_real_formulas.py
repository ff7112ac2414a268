"""Ratios of elements in real sets whose formula is known, from sums of raw and of fused counts."""

import math
from pathlib import Path

import numpy as np

from benchmarks.accuracy.fusion_real_sets import Opened
from crewe.chemistry.edx import edx_maps
from crewe.chemistry.results import FusedMaps
from crewe.io import read

# K edge in keV, fluorescence yield and share of Kα, as xraylib 4.3 lists them.
K_SHELL = {
    "Mg": (1.305, 0.0291, 1.000),
    "Al": (1.560, 0.0387, 0.987),
    "Si": (1.839, 0.0504, 0.973),
    "Ca": (4.038, 0.1687, 0.888),
    "Ti": (4.966, 0.2256, 0.885),
    "Fe": (7.112, 0.3546, 0.882),
    "Sr": (16.105, 0.6956, 0.849),
}
# A silicon detector 0.45 mm thick, which stops this share of Sr Kα (12.2 cm²/g).
SR_KA_STOPPED = 0.722
# Weight fraction per count, Fe Kα and Pt Lα, in the manual of exSpy for such particles.
FE_PT_FACTORS = (1.450226, 5.075602)
ATOMIC_WEIGHTS = {"Fe": 55.845, "Pt": 195.084}
REST_KEV = 510.999
RYDBERG_KEV = 0.0136057
BEAM_KEV = 200.0


def casnati(edge_kev: float) -> float:
    """Cross-section of ionising a K shell, relative, E. Casnati et al., J. Phys. B 15 (1982) 155.

    doi:10.1088/0022-3700/15/1/022
    """
    tau, j, ratio = BEAM_KEV / REST_KEV, edge_kev / REST_KEV, BEAM_KEV / edge_kev
    inner = (j + tau) * (2 + tau) * (1 + j) ** 2 / (tau * (2 + tau) * (1 + j) ** 2 + j * (2 + j))
    relativity = (2 + j) / (2 + tau) * ((1 + tau) / (1 + j)) ** 2 * inner**1.5
    exponent = -0.0318 + 0.3160 / ratio - 0.1135 / ratio**2
    shape = 10.57 * math.exp(-1.736 / ratio + 0.317 / ratio**2) * math.log(ratio) / ratio
    scaled: float = (edge_kev / RYDBERG_KEV) ** (exponent - 2) * relativity * shape
    return scaled


def bethe(edge_kev: float) -> float:
    """The same by the relativistic Bethe formula with C. J. Powell's b = 0.9, c = 0.7.

    Rev. Mod. Phys. 48 (1976) 33, doi:10.1103/RevModPhys.48.33
    """
    beta = 1 - 1 / (1 + BEAM_KEV / REST_KEV) ** 2
    energy = REST_KEV * beta / 2
    return (math.log(0.7 * energy / edge_kev) - math.log(1 - beta) - beta) / (energy * edge_kev)


def per_atom(element: str, cross_section=casnati) -> float:  # type: ignore[no-untyped-def]
    """Counts of Kα that an atom makes, relative; of Sr less for what the detector lets through."""
    edge_kev, fluorescence, share = K_SHELL[element]
    stopped = SR_KA_STOPPED if element == "Sr" else 1.0
    made: float = cross_section(edge_kev) * fluorescence * share * stopped
    return made


def strontium_titanate(folder: Path) -> list[list[str]]:
    """Sr:Ti of the spectrum of SrTiO3, by Kα lines and two cross-sections."""
    spectrum = read(folder / "EDS-STO.emd", 0)
    one = spectrum.expand_dims({"y": 1, "x": 1}).transpose("y", "x", "energy").rename("EDS")
    found = edx_maps(one, ["Sr", "Ti"], {"Sr": "Ka"})
    net = (found.maps - found.background).values.ravel()
    rows = []
    for name, section in (("Casnati", casnati), ("Bethe", bethe)):
        ratio = net[0] / net[1] * per_atom("Ti", section) / per_atom("Sr", section)
        rows.append([f"SrTiO3, Sr:Ti, by {name}", "whole spectrum", "1", f"{ratio:.2f}", "no maps"])
    return rows


def bridgmanite(opened: Opened, fused: FusedMaps) -> list[list[str]]:
    """Sites A and B of the perovskite ABO3, Al on both alike; silicon in the phase without any."""
    names = list(opened.inputs.maps)
    net = _net(opened, names)
    silicon = _smooth(net[names.index("Si")])
    perovskite = silicon > 20
    oxide = (silicon < 8) & (_smooth(net[names.index("Mg")]) > 30)
    rows = []
    for where, what, formula in (
        (perovskite, "bridgmanite, A:B sites", "1"),
        (oxide, "ferropericlase, Si of cations", "0"),
    ):
        ratios = []
        for maps in (net, fused.maps.values):
            atoms = {e: maps[i][where].sum() / per_atom(e) for i, e in enumerate(names)}
            if formula == "1":
                a_sites = atoms["Mg"] + atoms["Fe"] + atoms["Ca"] + atoms["Al"] / 2
                ratios.append(a_sites / (atoms["Si"] + atoms["Al"] / 2))
            else:
                ratios.append(atoms["Si"] / sum(atoms.values()))
        rows.append([what, f"{where.sum():,} px", formula, *(f"{ratio:.3f}" for ratio in ratios)])
    return rows


def iron_platinum(opened: Opened, fused: FusedMaps) -> list[list[str]]:
    """Atomic percent of Fe in the particles, by the factors of exSpy's manual."""
    names = list(opened.inputs.maps)
    found = []
    for maps in (_net(opened, names), fused.maps.values):
        atoms = {
            e: maps[names.index(e)][opened.inside].sum() * factor / ATOMIC_WEIGHTS[e]
            for e, factor in zip(("Fe", "Pt"), FE_PT_FACTORS, strict=True)
        }
        found.append(f"{100 * atoms['Fe'] / sum(atoms.values()):.1f} %")
    return [["FePt, Fe of atoms", f"{opened.inside.sum():,} px", "not known", *found]]


def oxides(opened: Opened, fused: FusedMaps) -> list[list[str]]:
    """Sums of the maps of the oxides, whose scale is not known: their ratio is to be kept."""
    names = list(opened.inputs.maps)
    ratios = []
    for maps in (_net(opened, names), fused.maps.values):
        sums = {e: maps[i][opened.inside].sum() for i, e in enumerate(names)}
        ratios.append(f"{sums['O'] / (sums['Co'] + sums['Mn']):.3f}")
    where = f"{opened.inside.sum():,} px"
    return [["Co3O4/Mn3O4, O : (Co + Mn), units of the maps", where, "4:3 of atoms", *ratios]]


RATIOS = {"bridgmanite": bridgmanite, "FePt": iron_platinum, "Co3O4/Mn3O4": oxides}


def _net(opened: Opened, names: list[str]) -> np.ndarray:
    maps = np.stack([opened.inputs.maps[name].values.astype(float) for name in names])
    if opened.inputs.background is not None:
        maps -= np.stack([opened.inputs.background[name].values for name in names])
    return maps


def _smooth(values: np.ndarray) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(values, 1.5))
