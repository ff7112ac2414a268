import zipfile
from pathlib import Path

import numpy as np
import pytest

from crewe.sources.merlin.header import parse_header

DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "4dstem"
SIZE = (6, 8)
BYTES = {"U08": 1, "U16": 2, "U32": 4}


def header_text(
    number=1,
    size=(256, 256),
    pixel_type="U16",
    layout="1x1",
    chips=1,
    depth=12,
    length=None,
    time="2021-04-15T13:43:00.835428351Z",
):
    """A header as Merlin writes it; `size` is (width, height)."""
    length = length or 256 + 128 * chips
    text = (
        f"MQ1,{number:06d},{length:05d},{chips:02d},{size[0]:04d},{size[1]:04d},{pixel_type},"
        f"{layout:>6s},{2**chips - 1:02X},2021-04-15 14:43:00.835428,0.001000,0,0,0,"
        "2.000000E+0,5.110000E+2," + "0.000000E+0," * 6 + "3RX,011,511,000,MQ1A,"
        f"{time},1000000ns,{depth},"
    )
    return text.encode().ljust(length, b"\0")


def gathered(batches, scan, scans=1):
    """Put each pattern where its batch says; −1 where none came, an error where two came."""
    result = np.full((scans, scan.size, *SIZE), -1.0)
    for batch in batches:
        assert len(batch.positions) == len(batch.patterns)
        assert (result[batch.scan, batch.positions] == -1).all()
        result[batch.scan, batch.positions] = batch.patterns
    return result


def expected_of(patterns, scan, scans=1, missing=()):
    """Place frames one by one, as the scan says."""
    result = np.full((scans, scan.size, *SIZE), -1.0)
    which, positions = scan.place(np.arange(len(patterns)))
    for index, pattern in enumerate(patterns):
        if positions[index] >= 0 and index not in missing:
            result[which[index], positions[index]] = pattern
    return result


def balanced(counters):
    parts = counters.used + counters.flyback + counters.late + counters.unreadable
    return counters.received == parts


@pytest.fixture(scope="session")
def make_header():
    return header_text


@pytest.fixture(scope="session")
def make_frames():
    """Frames (header, payload from the lowest line up) of patterns (frame, ky, kx) of integers."""

    def frames(patterns, numbers=None, **more):
        kind = f"U{8 * patterns.dtype.itemsize:02d}"
        size = patterns.shape[:0:-1]
        numbers = range(1, len(patterns) + 1) if numbers is None else numbers
        return [
            header_text(number, size, kind, **more)
            + pattern[::-1].astype(f">u{BYTES[kind]}").tobytes()
            for number, pattern in zip(numbers, patterns, strict=True)
        ]

    return frames


@pytest.fixture(scope="session")
def samples(tmp_path_factory):
    """The folder with all real .mib files, unpacked."""
    if not DATA.is_dir():
        pytest.skip("real files are not part of the repository")
    folder = tmp_path_factory.mktemp("mib")
    for path in DATA.glob("mib*"):
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                archive.extractall(folder)
        else:
            (folder / path.name).symlink_to(path)
    return folder


@pytest.fixture(scope="session")
def header_of():
    return lambda path: parse_header(path.read_bytes())


@pytest.fixture
def written(tmp_path, make_frames):
    """Write frames of random patterns; return the path and the patterns."""

    def write(count, numbers=None, drop=(), tail=b"", hdr="", dtype=np.uint16):
        patterns = np.random.default_rng(count).integers(0, 200, (count, *SIZE)).astype(dtype)
        frames = make_frames(patterns, numbers)
        path = tmp_path / "scan.mib"
        kept = [frame for number, frame in enumerate(frames) if number not in drop]
        path.write_bytes(b"".join(kept) + tail)
        if hdr:
            path.with_suffix(".hdr").write_text(hdr)
        return path, patterns

    return write


@pytest.fixture(name="gathered")
def gathered_fixture():
    return gathered


@pytest.fixture(name="expected_of")
def expected_of_fixture():
    return expected_of


@pytest.fixture(name="balanced")
def balanced_fixture():
    return balanced
