"""Which format is it really? The first bytes say, the suffix decides only where they cannot."""

from __future__ import annotations

from pathlib import Path

from crewe.errors import ReadError

_MAGIC = (
    # Before .dm3: a big-endian MRC of three columns starts like one.
    (208, b"MAP ", "mrc"),
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"\xff\xd8\xff", "jpeg"),
    (0, b"II*\x00", "tiff"),
    (0, b"MM\x00*", "tiff"),
    (0, b"II+\x00", "tiff"),
    (0, b"MM\x00+", "tiff"),
    (0, b"\x93NUMPY", "npy"),
    (0, b"MATLAB 5.0 MAT-file", "matlab"),
    (0, b"\x00\x00\x00\x03\x00", "digital_micrograph"),
    (0, b"\x00\x00\x00\x04\x00", "digital_micrograph"),
    (0, b"II\x97\x01", "tia"),
    (0, b"IMGBLO", "blockfile"),
    (0, b"MQ1,", "merlin"),
    (0, b"AAMVHFSS", "bruker"),
)
_SUFFIXES = {
    ".dm3": "digital_micrograph",
    ".dm4": "digital_micrograph",
    ".ser": "tia",
    ".emi": "tia",
    ".mrc": "mrc",
    ".blo": "blockfile",
    ".mib": "merlin",
    ".bcf": "bruker",
    ".mat": "matlab",
}
_OTHERS = (
    (b"PK\x03\x04", "a zip archive: unpack it and read the file inside"),
    (b"\x1f\x8b", "a gzip archive: unpack it first"),
    (b"%PDF", "a PDF document: give the image file itself"),
    (b"GIF8", "a GIF picture: give the original image"),
    (b"BM", "a BMP picture: save it as PNG or TIFF"),
)
_TEXTS = {
    ".csv": "a table: use crewe.io.read_table",
    ".parquet": "a table: use crewe.io.read_table",
    ".cif": "a structure: use crewe.io.read_atoms",
    ".xyz": "a structure: use crewe.io.read_atoms",
    ".hdr": "the header of a .mib file: give the .mib file",
    ".tpx3": "a Timepix3 event stream, which is no image",
}
HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
ZIP_MAGIC = b"PK\x03\x04"


def detect_format(path: Path) -> str:
    """Name the format of a file or .zarr folder.

    Raises ReadError for what is missing, empty, a folder, or no image, and says what it is.
    """
    if not path.exists():
        raise ReadError(f"{path}: no such file")
    if path.is_dir():
        return _detect_folder(path)
    head = _first_bytes(path)
    if not head:
        raise ReadError(f"{path.name}: the file is empty")
    if any(head[offset : offset + 8] == HDF5_MAGIC for offset in (0, 512)):
        return "matlab73" if head.startswith(b"MATLAB 7.3") else "hdf5"
    for offset, magic, name in _MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return name
    if head.startswith(ZIP_MAGIC) and _is_npz(path):
        return "npz"
    return _by_suffix(path, head)


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as handle:
            return handle.read(1024)
    except OSError as error:
        raise ReadError(f"{path}: cannot be opened ({error.strerror or error})") from error


def _detect_folder(path: Path) -> str:
    if path.suffix == ".zspy":
        raise ReadError(f"{path.name}: zspy is not supported, save it as .hspy with HyperSpy")
    if path.suffix == ".zarr" or (path / "zarr.json").exists():
        return "zarr"
    raise ReadError(f"{path}: a folder, give one file of it")


def _is_npz(path: Path) -> bool:
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except Exception:  # a damaged archive raises nearly anything
        return path.suffix.lower() == ".npz"
    return bool(names) and all(name.endswith(".npy") for name in names)


def _by_suffix(path: Path, head: bytes) -> str:
    suffix = path.suffix.lower()
    for magic, meaning in _OTHERS:
        if head.startswith(magic):
            if suffix == ".zspy":
                meaning = "a zspy archive: save it as .hspy with HyperSpy"
            raise ReadError(f"{path.name}: is {meaning}")
    if suffix in _TEXTS:
        raise ReadError(f"{path.name}: is {_TEXTS[suffix]}")
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    raise ReadError(
        f"{path.name}: the first bytes {head[:8]!r} belong to no image format that crewe knows; "
        "the file is damaged, or save it as .tif or .hspy with its own program"
    )
