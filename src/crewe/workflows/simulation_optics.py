"""Lens and detectors of a simulation as YAML: units in the names, strict about unknown keys."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from crewe.errors import CalibrationError, PlanError
from crewe.physics.optics import Optics
from crewe.simulation.multislice_detectors import USUAL_RINGS, AnnularDetector, usual_detector
from crewe.workflows.yaml_mapping import LARGEST_SETTINGS_BYTES, read_mapping

DETECTORS = "detectors"
INNER, OUTER = "inner_mrad", "outer_mrad"


@dataclass(frozen=True)
class Microscope:
    """A lens and the detectors below it, by name."""

    optics: Optics
    detectors: dict[str, AnnularDetector]


def load_microscope(path: str | Path) -> Microscope:
    """Read lens and detectors from a YAML file.

    Keys are the fields of `Optics`, and `detectors`: rings by name, each `{inner_mrad, outer_mrad}`
    or `[inner, outer]`, or names of usual rings (bf, abf, adf, haadf). Raises PlanError for a file
    that cannot be read, unknown keys and wrong values.
    """
    expected = "optics such as beam_energy_kev and semi_angle_mrad"
    settings = dict(read_mapping(Path(path), expected, LARGEST_SETTINGS_BYTES))
    given = settings.pop(DETECTORS, {})
    optics = optics_from(settings, str(path), (DETECTORS,))
    return Microscope(optics, detectors_from(given, optics, str(path)))


def optics_from(settings: Any, origin: str, also_known: Iterable[str] = ()) -> Optics:
    """Make optics of keys and numbers.

    Raises PlanError that names unknown keys with the nearest right one, missing keys and values
    that are no number or that no microscope has.
    """
    if isinstance(settings, Optics):
        return settings
    if not isinstance(settings, Mapping):
        raise PlanError(f"{origin}: optics are keys such as beam_energy_kev, not {settings!r}")
    known = [field.name for field in fields(Optics)]
    check_keys(settings, [*known, *also_known], origin)
    needed = [field.name for field in fields(Optics) if field.default is MISSING]
    missing = [name for name in needed if name not in settings]
    if missing:
        raise PlanError(f"{origin}: {' and '.join(missing)} missing: no probe without")
    try:
        return Optics(**{name: number(settings[name], name, origin) for name in settings})
    except CalibrationError as error:
        raise PlanError(f"{origin}: {error}") from error


def detectors_from(given: Any, optics: Optics | None, origin: str) -> dict[str, AnnularDetector]:
    """Make rings by name of what a plan says of them. Raises PlanError."""
    if given is None:
        return {}
    if isinstance(given, str):
        given = [given]
    if isinstance(given, Mapping) and {INNER, OUTER} & set(given):
        return {"ring": ring_from(given, origin)}
    if isinstance(given, list | tuple):
        return {str(name): _usual_ring(str(name), optics, origin) for name in given}
    if not isinstance(given, Mapping):
        raise PlanError(f"{origin}: detectors are rings by name, not {given!r}")
    return {
        str(name): _usual_ring(str(name), optics, origin)
        if ring is None
        else ring_from(ring, f"{origin}: detector {name}")
        for name, ring in given.items()
    }


def ring_from(given: Any, origin: str) -> AnnularDetector:
    """Make a ring of `{inner_mrad, outer_mrad}` or `[inner, outer]` in mrad. Raises PlanError."""
    if isinstance(given, AnnularDetector):
        return given
    if isinstance(given, list | tuple) and len(given) == 2:
        given = {INNER: given[0], OUTER: given[1]}
    if not isinstance(given, Mapping) or OUTER not in given:
        raise PlanError(f"{origin}: a detector is {{{INNER}: 50, {OUTER}: 150}}, not {given!r}")
    check_keys(given, (INNER, OUTER), origin)
    try:
        inner = number(given.get(INNER, 0.0), INNER, origin)
        return AnnularDetector(inner, number(given[OUTER], OUTER, origin))
    except CalibrationError as error:
        raise PlanError(f"{origin}: {error}") from error


def check_keys(given: Mapping[Any, Any], known: Iterable[str], origin: str) -> None:
    """Raise PlanError that names every unknown key, with the nearest right one."""
    known = list(known)
    said = []
    for key in given:
        if key in known:
            continue
        # A key without its unit begins as the right one does.
        begins = [name for name in known if name.startswith(f"{key}_")]
        close = begins or difflib.get_close_matches(str(key), known, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"known keys: {', '.join(known)}"
        said.append(f"unknown key '{key}'; {hint}")
    if said:
        raise PlanError(f"{origin}: {'; '.join(said)}")


def number(value: Any, name: str, origin: str) -> float:
    """Return a finite number; YAML takes 1e-3 for text. Raises PlanError."""
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found):
        raise PlanError(f"{origin}: {name} = {value!r} should be a number")
    return found


def _usual_ring(name: str, optics: Optics | None, origin: str) -> AnnularDetector:
    if name.upper() not in USUAL_RINGS:
        raise PlanError(
            f"{origin}: no usual detector is called '{name}': give {', '.join(USUAL_RINGS)}, or "
            f"{name}: {{{INNER}: 50, {OUTER}: 150}}"
        )
    if optics is None:
        raise PlanError(f"{origin}: '{name}' is a multiple of the semi-angle: give the optics")
    return usual_detector(name, optics)
