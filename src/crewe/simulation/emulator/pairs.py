"""Matched convolution and multislice images: what an emulator learns from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import ImageError, ReadError
from crewe.io.atomic import atomic_path
from crewe.io.guard import reading
from crewe.io.numpy_files import check_archive

Image = NDArray[np.float32]
SMALLEST_IMAGE_PX = 16
HEAVIEST = 103
ABOUT = "about"
_NUMBERED = re.compile(r"^linear_(\d+)$")


@dataclass(frozen=True)
class Pair:
    """One specimen's two images."""

    name: str
    """Number of the pair."""
    linear: Image
    """Convolution image (y, x)."""
    multislice: Image
    """Multislice image (y, x), fraction of the beam."""
    numbers: NDArray[np.int64] | None = None
    """Atomic numbers (n,), None where they are not known."""
    positions: NDArray[np.float64] | None = None
    """Positions (n, 3) as (x, y, z) in Å from pixel (0, 0)."""
    phonon_error: Image | None = None
    """Standard error (y, x) of the mean over phonon configurations."""

    def __post_init__(self) -> None:
        shapes = self.linear.shape, self.multislice.shape
        if shapes[0] != shapes[1] or len(shapes[0]) != 2 or min(shapes[0]) < SMALLEST_IMAGE_PX:
            raise ImageError(
                f"pair {self.name}: a convolution image {shapes[0]} and a multislice image "
                f"{shapes[1]}: both must be (y, x) of one size, {SMALLEST_IMAGE_PX} px or more"
            )
        for kind, image in (("convolution", self.linear), ("multislice", self.multislice)):
            if not np.isfinite(image).all():
                raise ImageError(f"pair {self.name}: its {kind} image holds NaN or infinity")
        if not np.ptp(self.linear) > 0:
            raise ImageError(f"pair {self.name}: its convolution image is empty")
        if self.phonon_error is not None and self.phonon_error.shape != self.linear.shape:
            raise ImageError(
                f"pair {self.name}: phonon errors {self.phonon_error.shape} of images {shapes[0]}"
            )
        if self.numbers is not None or self.positions is not None:
            self._check_atoms()

    def _check_atoms(self) -> None:
        shapes = [None if one is None else one.shape for one in (self.numbers, self.positions)]
        count = None if self.numbers is None else self.numbers.size
        if shapes != [(count,), (count, 3)] or not count:
            raise ImageError(
                f"pair {self.name}: atomic numbers {shapes[0]} and positions {shapes[1]}: give "
                "(n,) and (n, 3), or neither"
            )
        if not np.isin(np.asarray(self.numbers), range(1, HEAVIEST + 1)).all():
            raise ImageError(f"pair {self.name}: its atomic numbers are not all 1 to {HEAVIEST}")
        if not np.isfinite(np.asarray(self.positions)).all():
            raise ImageError(f"pair {self.name}: positions of its atoms are NaN or infinite")


class PairSet(Sequence[Pair]):
    """Pairs of one file, read when asked for; `about` says how they were made."""

    def __init__(self, arrays: Mapping[str, Any], names: Sequence[str], about: dict[str, Any]):
        self._arrays = arrays
        self._names = list(names)
        self.about = about

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[Pair]:
        return (self[n] for n in range(len(self)))

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[n] for n in range(len(self))[index]]
        name = self._names[index]
        with reading(Path(name), "pair of images"):
            return Pair(
                name,
                self._image("linear", name),
                self._image("multislice", name),
                self._part("numbers", name, np.int64),
                self._part("positions", name, np.float64),
                self._part("phonon_error", name, np.float32),
            )

    def _image(self, kind: str, name: str) -> Image:
        found = self._part(kind, name, np.float32)
        if found is None:
            raise ReadError(f"pair {name}: there is no array {kind}_{name}")
        return found

    def _part(self, kind: str, name: str, dtype: Any) -> NDArray[Any] | None:
        if f"{kind}_{name}" in self._arrays:
            found = np.asarray(self._arrays[f"{kind}_{name}"][...])
        elif kind in self._arrays:
            found = np.asarray(self._arrays[kind][int(name)])
        else:
            return None
        if found.dtype.kind not in "buif":
            raise ReadError(f"pair {name}: its array {kind} holds {found.dtype}, not real numbers")
        return np.ascontiguousarray(found, dtype=dtype)


def read_pairs(path: str | Path) -> PairSet:
    """Open pairs from an npz file or a zarr folder.

    Arrays are numbered, `linear_00` with `multislice_00` and so on, each (y, x), or two stacks
    `linear` and `multislice` (n, y, x). Optional beside them: `numbers_00` (n,), `positions_00`
    (n, 3) as (x, y, z) in Å from pixel (0, 0), `phonon_error_00` (y, x), and a text `about` (JSON).
    Raises ReadError for a file that is missing, damaged or holds no pairs.
    """
    path = Path(path)
    if not path.exists():
        raise ReadError(f"{path}: there is no such file")
    with reading(path, "pairs"):
        arrays = _open_zarr(path) if path.is_dir() else _open_npz(path)
        names = _names(path, arrays)
        return PairSet(arrays, names, _about(path, arrays))


def write_pairs(
    path: str | Path, pairs: Sequence[Pair], about: dict[str, Any], overwrite: bool = False
) -> Path:
    """Write pairs as a compressed npz file; raises WriteError where it cannot."""
    arrays: dict[str, Any] = {ABOUT: np.array(json.dumps(about))}
    for pair in pairs:
        for kind in ("linear", "multislice", "numbers", "positions", "phonon_error"):
            values = getattr(pair, kind)
            if values is not None:
                arrays[f"{kind}_{pair.name}"] = values
    with atomic_path(path, overwrite) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)
    return Path(path)


def _open_npz(path: Path) -> Mapping[str, Any]:
    check_archive(path)
    stored: Mapping[str, Any] = np.load(path, allow_pickle=False)
    return stored


def _open_zarr(path: Path) -> Mapping[str, Any]:
    import zarr

    group = zarr.open_group(path, mode="r")
    return {**dict(group.arrays()), **({ABOUT: group.attrs[ABOUT]} if ABOUT in group.attrs else {})}


def _names(path: Path, arrays: Mapping[str, Any]) -> list[str]:
    keys = list(arrays)
    numbered = sorted(found[1] for key in keys if (found := _NUMBERED.match(key)))
    if numbered:
        lacking = [name for name in numbered if f"multislice_{name}" not in keys]
        if lacking:
            raise ReadError(f"{path}: linear_{lacking[0]} has no multislice_{lacking[0]} beside it")
        return numbered
    if "linear" in keys and "multislice" in keys:
        counts = [arrays[key].shape[0] for key in ("linear", "multislice")]
        if counts[0] != counts[1]:
            raise ReadError(f"{path}: {counts[0]} convolution but {counts[1]} multislice images")
        return [str(n) for n in range(counts[0])]
    raise ReadError(
        f"{path} holds {', '.join(keys[:5]) or 'nothing'}: pairs are arrays linear_00 and "
        "multislice_00 and so on, or stacks linear and multislice"
    )


def _about(path: Path, arrays: Mapping[str, Any]) -> dict[str, Any]:
    if ABOUT not in arrays:
        return {}
    try:
        found = json.loads(str(np.asarray(arrays[ABOUT])[()]))
    except ValueError as error:
        raise ReadError(f"{path}: its text 'about' is not JSON ({error})") from error
    return found if isinstance(found, dict) else {}
