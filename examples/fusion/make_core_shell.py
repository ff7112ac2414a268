"""Make the images of this folder: a core of CoS in a shell of CoO, few X-rays, one HAADF image.

python examples/fusion/make_core_shell.py
"""

from pathlib import Path

import numpy as np

import crewe
from crewe.testing.core_shell import core_shell, measure

FOLDER = Path(__file__).parent
HAADF_SNR, CHEMICAL_SNR, SEED = 20, 2, 7


def measurement():
    """Return HAADF, maps and what the maps would be without noise."""
    phantom = core_shell("textured", pixels=96)
    return measure(phantom, HAADF_SNR, CHEMICAL_SNR, np.random.default_rng(SEED))


def main():
    """Write haadf.tif and a tif of counts for each element."""
    made = measurement()
    crewe.write(FOLDER / "haadf.tif", made.haadf.astype(np.uint16), overwrite=True)
    for element in made.maps["element"].values:
        counts = made.maps.sel(element=element, drop=True).astype(np.uint8)
        counts.attrs["units"] = "counts"
        crewe.write(FOLDER / f"{element.lower()}.tif", counts, overwrite=True)


if __name__ == "__main__":
    main()
