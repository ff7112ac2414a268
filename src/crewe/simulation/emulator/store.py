"""A fitted emulator as one small file: arrays and a JSON text in a zip, no pickle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from crewe.errors import CalibrationError, ReadError
from crewe.io.atomic import atomic_path
from crewe.io.guard import reading
from crewe.io.numpy_files import check_archive
from crewe.simulation.convolution import Convolution
from crewe.simulation.emulator.domain import Domain
from crewe.simulation.emulator.model import Emulator
from crewe.simulation.emulator.noise import Noise
from crewe.simulation.emulator.plan import EmulatorPlan

SUFFIX = ".emulator"
FORMAT = "crewe emulator"
VERSION = 1
LARGEST_FILE_BYTES = 2**30
_ARRAYS = ("means", "deviations", "coefficients", "covariance_factor")
_NUMBERS = ("image_scale", "target_scale", "residual_variance")


def save_emulator(path: str | Path, emulator: Emulator, overwrite: bool = False) -> Path:
    """Write an emulator; the file is a npz that numpy opens without pickle.

    Raises WriteError where it cannot be written or is there already.
    """
    header = {
        "format": FORMAT,
        "version": VERSION,
        "plan": emulator.plan.to_dict(),
        "convolution": emulator.convolution.to_dict() if emulator.convolution else None,
        "shift_px": list(emulator.shift_px),
        **{name: float(getattr(emulator, name)) for name in _NUMBERS},
        "units": {"image": "fraction of beam", "length": "Å"},
        "about": emulator.about,
    }
    arrays = {name: getattr(emulator, name) for name in _ARRAYS}
    # A covariance is needed to a percent only.
    arrays["covariance_factor"] = arrays["covariance_factor"].astype(np.float32)
    arrays |= {f"domain_{key}": value for key, value in emulator.domain.to_arrays().items()}
    arrays |= {f"noise_{key}": value for key, value in emulator.noise.to_arrays().items()}
    with atomic_path(path, overwrite) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, header=np.array(json.dumps(header)), **arrays)
    return Path(path)


def load_emulator(path: str | Path) -> Emulator:
    """Read an emulator; raises ReadError for a file that is missing, damaged or something else."""
    path = Path(path)
    if not path.is_file():
        raise ReadError(f"{path}: there is no such file")
    if path.stat().st_size > LARGEST_FILE_BYTES:
        raise ReadError(f"{path}: far too large for an emulator")
    with reading(path, FORMAT):
        check_archive(path)
        stored = np.load(path, allow_pickle=False)
        header = _header(path, stored)
        return _emulator(path, header, stored)


def _header(path: Path, stored: Any) -> dict[str, Any]:
    names = getattr(stored, "files", [])
    header = json.loads(str(stored["header"][()])) if "header" in names else {}
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ReadError(f"{path}: this is not an emulator; 'crewe emulator fit' makes one")
    if header.get("version") != VERSION:
        raise ReadError(
            f"{path}: an emulator of version {header.get('version')}, this program knows {VERSION}"
        )
    return header


def _emulator(path: Path, header: dict[str, Any], stored: Any) -> Emulator:
    try:
        plan = EmulatorPlan.from_dict(header["plan"])
        given = header["convolution"]
        values: dict[str, Any] = {name: float(header[name]) for name in _NUMBERS}
        values |= {name: np.asarray(stored[name], dtype=np.float64) for name in _ARRAYS}
        emulator = Emulator(
            plan=plan,
            convolution=Convolution.from_dict(given) if given else None,
            shift_px=(float(header["shift_px"][0]), float(header["shift_px"][1])),
            about=dict(header["about"]),
            domain=Domain.from_arrays(_with_prefix(stored, "domain_")),
            noise=Noise.from_arrays(_with_prefix(stored, "noise_")),
            **values,
        )
    except (KeyError, TypeError, ValueError, CalibrationError) as error:
        raise ReadError(f"{path}: a damaged emulator ({error})") from error
    _check_whole(path, emulator)
    return emulator


def _check_whole(path: Path, emulator: Emulator) -> None:
    """Shapes and numbers that could not answer are found when the file is read, not later."""
    terms = emulator.plan.terms()
    shapes = {
        "coefficients": (terms.count,),
        "covariance_factor": (terms.count, terms.count),
        "means": (terms.features,),
        "deviations": (terms.features,),
    }
    arrays = {name: getattr(emulator, name) for name in shapes}
    arrays["domain"] = emulator.domain.inverse_covariance
    shapes["domain"] = (terms.features, terms.features)
    for name, shape in shapes.items():
        if arrays[name].shape != shape or not np.isfinite(arrays[name]).all():
            raise ReadError(f"{path}: a damaged emulator (its {name} do not fit its plan)")
    scales = emulator.image_scale, emulator.target_scale
    if not (np.isfinite([*scales, *emulator.shift_px]).all() and min(scales) > 0):
        raise ReadError(f"{path}: a damaged emulator (scales {scales}, shift {emulator.shift_px})")
    if not (emulator.deviations > 0).all() or not emulator.residual_variance >= 0:
        raise ReadError(f"{path}: a damaged emulator (a deviation or variance is not positive)")


def _with_prefix(stored: Any, prefix: str) -> dict[str, Any]:
    return {key[len(prefix) :]: stored[key] for key in stored.files if key.startswith(prefix)}
