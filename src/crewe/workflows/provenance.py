"""With what a result was made: versions of libraries and checksums of files."""

import hashlib
import importlib.metadata
import platform
from pathlib import Path

import crewe
from crewe.errors import ReadError
from crewe.workflows.plan import Provenance, QuantifyPlan

LIBRARIES = ("numpy", "scipy", "numba", "rosettasciio")
RUNTIMES = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml")


def provenance_of(plan: QuantifyPlan) -> Provenance:
    """Record the versions in use and the checksums of the plan's input files."""
    detector_map = plan.intensity.detector_map
    return Provenance(
        versions=versions() | (runtime_version() if plan.networks else {}),
        image_sha256=sha256(plan.image),
        detector_map_sha256=None if detector_map is None else sha256(detector_map),
        networks=_checksums(plan.networks) or None,
    )


def _checksums(networks: dict[str, str]) -> dict[str, str]:
    if not networks:
        return {}
    from crewe.networks.zoo import card_of

    return {role: card_of(name).sha256 for role, name in networks.items()}


def runtime_version() -> dict[str, str]:
    """Return the version of onnxruntime, whichever of its wheels is installed."""
    for name in RUNTIMES:
        try:
            return {"onnxruntime": importlib.metadata.version(name)}
        except importlib.metadata.PackageNotFoundError:
            continue
    return {}


def versions() -> dict[str, str]:
    """Return the versions of crewe, of Python and of the libraries that make the numbers."""
    found = {name: importlib.metadata.version(name) for name in LIBRARIES}
    return {"crewe": crewe.__version__, "python": platform.python_version(), **found}


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, or of all files of a folder store such as zarr.

    Raises ReadError when there is nothing to read.
    """
    digest = hashlib.sha256()
    try:
        for file in [path] if not path.is_dir() else _files_below(path):
            if path.is_dir():
                digest.update(file.relative_to(path).as_posix().encode())
            with file.open("rb") as stream:
                while block := stream.read(1 << 20):
                    digest.update(block)
    except FileNotFoundError as error:
        raise ReadError(f"{path} does not exist: check the path") from error
    except OSError as error:
        raise ReadError(f"{path} cannot be read: {error.strerror}") from error
    return digest.hexdigest()


def _files_below(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())
