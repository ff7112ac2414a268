"""What is written on the command line for scans, times, lengths, bands and detectors."""

from __future__ import annotations

import re
from typing import Any

from crewe.axes import normalise_unit
from crewe.cli.words import number_or_word
from crewe.errors import PlanError

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_UNITS_OF_BANDS = {"": "1/step", "/step": "1/step", "1/step": "1/step", "px": "px", "1/px": "px"}
_UNITS_OF_BANDS |= dict.fromkeys(("/A", "1/A", "/Å", "1/Å", "A^-1", "Å^-1"), "1/A")


def scan_shape(text: str) -> tuple[int, int]:
    """Read rows and columns, as in 256x128. Raises PlanError."""
    found = re.fullmatch(r"\s*(\d+)\s*[x×,]\s*(\d+)\s*", text.lower())
    if found is None:
        raise PlanError(f"--scan {text}: give rows and columns, as in 256x256")
    return int(found[1]), int(found[2])


def time_or_none(text: str | None, option: str) -> float | None:
    """Read a time in µs where there is one. Raises PlanError."""
    return None if text is None else time_us(text, option)


def time_us(text: str, option: str) -> float:
    """Read a time in µs; a number without unit is in µs. Raises PlanError."""
    number, unit = _quantity(text, option, "1us, 800ns or 0.5ms")
    factor, known = normalise_unit(unit or "us")
    if known != "s":
        raise PlanError(f"{option} {text}: {unit!r} is no unit of time: use ns, us, ms or s")
    # Units are turned into seconds; 1e6 of these are one.
    return _rounded(number * factor * 1e6)


def step_angstrom(text: str | None) -> tuple[float, float] | None:
    """Read a scan step in Å, one or y,x, as in 0.2A or 0.02,0.03nm. Raises PlanError."""
    if text is None:
        return None
    found = re.fullmatch(rf"\s*({_NUMBER})(?:\s*,\s*({_NUMBER}))?\s*(\D*)", text)
    if found is None:
        raise PlanError(f"--step {text}: give the scan step, as in 0.2A or 0.02,0.03nm")
    factor, known = normalise_unit(found[3].strip() or "Å")
    if known != "Å":
        raise PlanError(f"--step {text}: {found[3]!r} is no unit of length: use A, pm or nm")
    y = float(found[1])
    x = y if found[2] is None else float(found[2])
    return _rounded(y * factor), _rounded(x * factor)


def place_or_auto(text: str, option: str) -> tuple[float, float] | str:
    """Read a place on the detector as y,x in pixels, or 'auto'. Raises PlanError."""
    return "auto" if text == "auto" else pair_px(text, option)


def pair_px(text: str, option: str) -> tuple[float, float]:
    """Read a place on the detector as y,x in pixels. Raises PlanError."""
    found = re.fullmatch(rf"\s*({_NUMBER})\s*[,x]\s*({_NUMBER})\s*", text)
    if found is None:
        raise PlanError(f"{option} {text}: give y,x in detector pixels, as in 127.5,127.5")
    return float(found[1]), float(found[2])


def number_or_auto(text: str, option: str) -> float | str:
    """Read a number, or 'auto'. Raises PlanError."""
    if text.strip().lower() == "auto":
        return "auto"
    return _quantity(text, option, "a number or auto")[0]


def band(text: str | None) -> dict[str, Any] | None:
    """Read LOW:HIGH with a unit, either limit left out where there is none. Raises PlanError."""
    if text is None:
        return None
    found = re.fullmatch(rf"\s*({_NUMBER})?\s*:\s*({_NUMBER})?\s*(\S*)\s*", text)
    unit = None if found is None else _UNITS_OF_BANDS.get(found[3])
    if found is None or unit is None or not (found[1] or found[2]):
        raise PlanError(
            f"--band {text}: give LOW:HIGH in cycles per scan step (0 to 0.5), in 1/A, or in px "
            "(cycles per width of the scan), as in 0.02:0.2, 0.1:1/A or :12px"
        )
    return {"low": _or_none(found[1]) or 0.0, "high": _or_none(found[2]), "unit": unit}


def detectors(texts: list[str] | None) -> dict[str, dict[str, Any]]:
    """Read virtual detectors. Raises PlanError."""
    return dict(detector(text) for text in texts or [])


def detector(text: str) -> tuple[str, dict[str, Any]]:
    """Read NAME=INNER:OUTER with a unit: x (radii of the disk, the default), mrad or px."""
    found = re.fullmatch(
        rf"\s*([^=\s]+)\s*=\s*({_NUMBER})?\s*:\s*({_NUMBER}|inf)?\s*(\S*)\s*", text
    )
    if found is None or found[4] not in ("", "x", "mrad", "px"):
        raise PlanError(
            f"--detector {text}: give NAME=INNER:OUTER with the unit x (radii of the bright-field "
            "disk), mrad or px, as in adf=1.1:2x, haadf=60:mrad or bf=0:12px"
        )
    outer = None if found[3] == "inf" else _or_none(found[3])
    ring = {"inner": _or_none(found[2]) or 0.0, "outer": outer, "unit": found[4] or "x"}
    return found[1], ring


def bad_pixels(text: str) -> Any:
    """Read auto, none, places as KY,KX;KY,KX or the name of a .npy mask. Raises PlanError."""
    if text.strip().lower() in ("auto", "none"):
        return text.strip().lower()
    if re.fullmatch(r"\s*\d+\s*,\s*\d+\s*(;\s*\d+\s*,\s*\d+\s*)*;?\s*", text):
        numbers = [int(number) for number in re.findall(r"\d+", text)]
        return {"pixels": list(zip(numbers[::2], numbers[1::2], strict=True))}
    return _mask(text)


def _mask(name: str) -> Any:
    import numpy as np

    from crewe.workflows.phase_plan import PixelList

    try:
        return PixelList.of_mask(np.load(name, allow_pickle=False))
    except (OSError, ValueError, EOFError, AttributeError) as error:
        raise PlanError(
            f"--bad-pixels {name}: give auto, none, pixels as KY,KX;KY,KX or a .npy file of a mask "
            f"(ky, kx) ({error})"
        ) from error


def source_option(text: str) -> tuple[str, bool | int | float | str]:
    """Read NAME=VALUE, where the value is a number, true, false or a word. Raises PlanError."""
    name, _, value = (part.strip() for part in text.partition("="))
    if not name.isidentifier() or not value:
        raise PlanError(f"--source {text}: give NAME=VALUE, as in place_by=dwell")
    if value.lower() in ("true", "false"):
        return name, value.lower() == "true"
    read = number_or_word(value)
    return name, value if read is None else read


def methods(given: list[str] | None, detectors: list[str] | None) -> list[str]:
    """Return the methods that were asked for; riCOM when there is nothing else to make."""
    return names(given or []) or ([] if detectors else ["ricom"])


def names(given: list[str]) -> list[str]:
    """Split lists at commas: names may be given one by one or together."""
    return [name.strip().lower() for text in given for name in text.split(",") if name.strip()]


def _quantity(text: str, option: str, example: str) -> tuple[float, str]:
    found = re.fullmatch(rf"\s*({_NUMBER})\s*(\D*?)\s*", text)
    if found is None:
        raise PlanError(f"{option} {text}: give {example}")
    return float(found[1]), found[2]


def _or_none(text: str | None) -> float | None:
    return None if text is None else float(text)


def _rounded(value: float) -> float:
    """Take away what the change of units adds in the last digits."""
    return float(f"{value:.12g}")
