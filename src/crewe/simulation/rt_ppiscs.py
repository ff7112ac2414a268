"""The only door to rt_ppiscs: cross-sections of fcc metals against thickness, at once.

I. Lobato, A. De Backer and S. Van Aert, Ultramicroscopy 251 (2023) 113769,
doi:10.1016/j.ultramic.2023.113769: a densely connected network, trained on multislice simulations
with frozen phonons of single-element fcc crystals along ⟨100⟩ and ⟨110⟩.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from crewe.errors import CreweError, PlanError

if TYPE_CHECKING:
    import xarray as xr

ZONE_AXES = {"100": 1.0, "001": 1.0, "010": 1.0, "110": 0.0, "101": 0.0, "011": 0.0}
ELEMENTS = ("Al", "Ni", "Cu", "Rh", "Pd", "Ag", "Ir", "Pt", "Au", "Pb")
"""The common fcc metals; the package does not list those that it was trained on."""
RANGES = {
    "beam_energy_kev": (60.0, 300.0),
    "c3_mm": (-0.001, 0.001),
    "defocus_angstrom": (-100.0, 100.0),
    "semi_angle_mrad": (17.5, 34.5),
    "inner_mrad": (9.0, 189.0),
    "outer_mrad": (87.0, 267.0),
    "vibration_angstrom": (0.07, 0.15),
}
"""What the network was trained on, from mean and deviation of its inputs: evenly spread values
reach √3 deviations from their mean. The paper's own table may be narrower."""


def require_rt_ppiscs() -> Any:
    """Import rt_ppiscs; CreweError without it."""
    try:
        from rt_ppiscs import model
    except ImportError as error:
        raise CreweError(
            "the library of fcc metals needs rt-ppiscs, which is not installed: "
            "pip install 'crewe[rt-ppiscs]'"
        ) from error
    return model


@lru_cache(maxsize=1)
def _network() -> Any:
    return require_rt_ppiscs().PPISCS()


def fcc_library(
    element: str,
    zone_axis: str,
    *,
    beam_energy_kev: float,
    semi_angle_mrad: float,
    inner_mrad: float,
    outer_mrad: float,
    vibration_angstrom: float,
    defocus_angstrom: float = 0.0,
    c3_mm: float = 0.0,
    atoms: int = 60,
) -> xr.DataArray:
    """Scattering cross-section in Å² of 1, 2, … `atoms` atoms of an fcc metal, along "atoms".

    `zone_axis` is "100" or "110", `vibration_angstrom` the root mean square displacement along one
    axis (the package says rmsd_3d; our own multislice of Pt [100] agrees with one axis only).
    Thickness ends at 61 atoms along ⟨100⟩ and 87 along ⟨110⟩, or before the cross-section stops to
    rise. The defocus is ours, positive underfocus.

    Raises PlanError for what the network was not trained on, CreweError without rt-ppiscs.
    """
    import numpy as np
    import xarray as xr

    given = {
        "beam_energy_kev": beam_energy_kev,
        "c3_mm": c3_mm,
        "defocus_angstrom": defocus_angstrom,
        "semi_angle_mrad": semi_angle_mrad,
        "inner_mrad": inner_mrad,
        "outer_mrad": outer_mrad,
        "vibration_angstrom": vibration_angstrom,
    }
    _check_range(given)
    # its order; its C10 is negative for underfocus, as our own multislice confirms
    row = [
        _atomic_number(element),
        _axis(zone_axis),
        beam_energy_kev,
        c3_mm,
        -defocus_angstrom,
        semi_angle_mrad,
        inner_mrad,
        outer_mrad,
        vibration_angstrom,
    ]
    network = _network()
    # its activation overflows to the right value
    with np.errstate(over="ignore"):
        values = network.predict(np.array([row], dtype=float))[0]
    values = values[: _rising(values, atoms, element)]
    numbers = np.arange(1, len(values) + 1)
    library = xr.DataArray(values, {"atoms": numbers}, ("atoms",), "scs")
    return library.assign_attrs(
        units="Å²", source="rt_ppiscs", element=element, zone_axis=str(zone_axis), **given
    )


def _atomic_number(element: str) -> float:
    from ase.data import atomic_numbers

    if element not in ELEMENTS:
        raise PlanError(
            f"{element!r} is none of the fcc metals {', '.join(ELEMENTS)}; simulate its library "
            "with simulated_library, or read one from a file"
        )
    return float(atomic_numbers[element])


def _axis(zone_axis: str) -> float:
    bare = "".join(letter for letter in str(zone_axis) if letter.isdigit())
    if bare not in ZONE_AXES:
        raise PlanError(
            f"zone axis {zone_axis!r}: there are libraries along 100 and 110; simulate others with "
            "simulated_library"
        )
    return ZONE_AXES[bare]


def _check_range(given: dict[str, float]) -> None:
    """Raise PlanError for values beyond those of the training set."""
    for name, value in given.items():
        low, high = RANGES[name]
        if not low <= value <= high:
            raise PlanError(
                f"{name}={value:g} lies outside of {low:g} … {high:g}, for which the network was "
                "trained; simulate the library with simulated_library"
            )
    if given["inner_mrad"] >= given["outer_mrad"]:
        raise PlanError(
            f"a detector from {given['inner_mrad']:g} to {given['outer_mrad']:g} mrad holds nothing"
        )


def _rising(values: Any, atoms: int, element: str) -> int:
    """How many entries rise, at most `atoms`."""
    import numpy as np

    falls = np.diff(values) <= 0
    rising = int(np.argmax(falls)) + 1 if falls.any() else len(values)
    if rising < 2 or atoms < 2:
        raise PlanError(
            f"a library of {min(rising, atoms)} atoms of {element} tells nothing; ask for more "
            "atoms, or for a larger inner angle, at which the signal rises with thickness"
        )
    return min(rising, atoms)
