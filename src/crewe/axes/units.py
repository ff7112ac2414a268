"""Units: any spelling of a length, energy, angle or time, turned into crewe's own."""

from __future__ import annotations

import math
import unicodedata

_LENGTHS = {
    **dict.fromkeys(("Å", "A", "Ang", "ang", "angstrom", "angstroms", "ångström"), 1.0),
    **dict.fromkeys(("nm", "nanometer", "nanometers", "nanometre"), 1e1),
    **dict.fromkeys(("pm", "picometer", "picometers"), 1e-2),
    # 'ƒÊm' is a Shift-JIS µm that a JEOL program wrote and others read as Latin text.
    **dict.fromkeys(("µm", "μm", "um", "micron", "microns", "micrometer", "ƒÊm"), 1e4),
    **dict.fromkeys(("mm", "millimeter"), 1e7),
    **dict.fromkeys(("cm", "centimeter"), 1e8),
    **dict.fromkeys(("m", "meter", "meters", "metre"), 1e10),
    "inch": 2.54e8,
}
_ENERGIES = {"eV": 1.0, "keV": 1e3, "kev": 1e3, "ev": 1.0, "meV": 1e-3}
_ANGLES = {"mrad": 1.0, "rad": 1e3, "µrad": 1e-3, "deg": 1e3 * math.pi / 180}
_TIMES = {"s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3, "µs": 1e-6, "us": 1e-6, "ns": 1e-9}
_UNCALIBRATED = ("", "px", "pixel", "pixels", "<undefined>", "undefined", "none", "1")
_INVERSE_MARKS = ("^-1", "^{-1}", "^(-1)", "**-1", "⁻¹", "-1")


def normalise_unit(unit: str | None) -> tuple[float, str]:
    """Turn any spelling of a unit into crewe's: the factor to multiply by, and the unit.

    Lengths become Å, reciprocal lengths 1/Å, energies eV, angles mrad, times s, and a missing
    unit px. A unit that is not known comes back as it is with factor 1.
    """
    text = "".join(str(unit if unit is not None else "").split())
    # The Ångström sign U+212B and A with a combining ring become the letter Å.
    text = unicodedata.normalize("NFC", text)
    # ImageJ escapes what is not ASCII.
    text = text.replace("\\u00B5", "µ").replace("\\u00C5", "Å")
    if text.lower() in _UNCALIBRATED:
        return 1.0, "px"
    base, inverse = _split_inverse(text)
    for candidate in (base, base.lower() if len(base) > 2 else base):
        for table, name in ((_LENGTHS, "Å"), (_ENERGIES, "eV"), (_ANGLES, "mrad"), (_TIMES, "s")):
            if candidate in table:
                factor = table[candidate]
                return (1.0 / factor, f"1/{name}") if inverse else (factor, name)
    return 1.0, str(unit)


def _split_inverse(text: str) -> tuple[str, bool]:
    """Separate the base unit from a mark that says it is a reciprocal."""
    if text.startswith("1/"):
        return text[2:].strip("()"), True
    for mark in _INVERSE_MARKS:
        if text.endswith(mark) and len(text) > len(mark):
            return text[: -len(mark)], True
    return text, False
