"""The images that restoration is measured on, kept on disk with what every method makes of them.

A set's folder carries a checksum of what its images are made from: of the recipe, spelled out in
full, and its seed, or of the published pairs. A changed recipe starts a new folder.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crewe.training_sets import load_recipe

MODALITIES = ("hrstem", "lrstem", "hrsem", "lrsem", "hrtem", "lrtem")
SEED, TUNING_SEED = 2000003, 2000004
COUNTS = dict.fromkeys(MODALITIES, 100) | {"hrstem": 200}


@dataclass(frozen=True)
class ImageSet:
    """Images of one modality and their ideals."""

    modality: str
    folder: Path
    images: np.ndarray
    """(n, y, x), the fast scan axis along x, in the unit of the samples."""
    ideals: np.ndarray
    facts: list[dict]
    """Of every sample, empty for published pairs."""

    @property
    def images_path(self) -> Path:
        """What the peers read."""
        return self.folder / "images.npz"

    def result_folder(self, method: str) -> Path:
        """Return where a peer's results lie, one file an image."""
        return self.folder / method

    def results(self, method: str) -> list[np.ndarray | None]:
        """Return what a peer made of every image, None where it has not been there yet."""
        paths = (self.result_folder(method) / f"{i:03d}.npy" for i in range(len(self.images)))
        return [np.load(path) if path.exists() else None for path in paths]


def validation_set(folder: Path, modality: str, seed: int = SEED, count: int = 0) -> ImageSet:
    """Return the first samples of a shipped recipe, made anew or read again."""
    maker = load_recipe(modality)
    count = count or COUNTS[modality]
    place = folder / f"{modality}-{seed}-{_checksum(maker.text.encode())}"
    if not _holds(place, count):
        samples = [maker.sample(seed, index) for index in range(count)]
        arrays = {
            name: np.stack([sample.arrays[name] for sample in samples])
            for name in ("degraded", "ideal")
        }
        _keep(place, arrays["degraded"], arrays["ideal"], [sample.facts for sample in samples])
        (place / "recipe.yaml").write_text(maker.text, encoding="utf-8")
    return _read(modality, place, count)


def published_pairs(folder: Path, data: Path, modality: str, archive: Path | None) -> ImageSet:
    """Return the pairs of Lobato et al. with the fast axis along x; they store it first.

    All that tk_r_em's own archive holds where it is given, else those of the project's data.
    """
    degraded, ideal = _stored_pairs(data, modality, archive)
    place = folder / f"pairs-{modality}-{_checksum(degraded.tobytes())}"
    if not _holds(place, len(degraded)):
        swapped = (np.ascontiguousarray(part.transpose(0, 2, 1)) for part in (degraded, ideal))
        _keep(place, *swapped, [{}] * len(degraded))
    return _read(modality, place, len(degraded))


def _stored_pairs(data: Path, modality: str, archive: Path | None) -> tuple[np.ndarray, ...]:
    if archive is not None:
        import h5py

        with h5py.File(archive / "tk_r_em" / "test_data" / f"sfr_{modality}.h5") as file:
            if "y" in file:  # Its hrtem file holds measured images, which have no ideal.
                return file["x"][:, 0], file["y"][:, 0]
    with np.load(data / "restore_pairs" / f"{modality}.npz") as file:
        parts = (file["degraded"], file["ideal"])
        return tuple(part.reshape(-1, *part.shape[-2:]) for part in parts)


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:8]


def _holds(place: Path, count: int) -> bool:
    facts = place / "facts.json"
    return facts.exists() and len(json.loads(facts.read_text())) >= count


def _keep(place: Path, images: np.ndarray, ideals: np.ndarray, facts: list[dict]) -> None:
    place.mkdir(parents=True, exist_ok=True)
    np.savez(place / "images.npz", images=images)
    np.savez(place / "ideals.npz", images=ideals)
    (place / "facts.json").write_text(json.dumps(facts))  # Last: it says that the rest is there.


def _read(modality: str, place: Path, count: int) -> ImageSet:
    with np.load(place / "images.npz") as images, np.load(place / "ideals.npz") as ideals:
        pair = images["images"][:count], ideals["images"][:count]
    return ImageSet(modality, place, *pair, json.loads((place / "facts.json").read_text())[:count])
