"""The text before each Merlin frame, and the .hdr text of an acquisition."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

import numpy as np

from crewe.errors import ReadError

MAGIC = b"MQ1,"
SHORTEST_HEADER, LONGEST_HEADER = 64, 8192
MOST_CHIPS, LARGEST_SIDE = 16, 8192
LARGEST_NUMBER = 10**18
RAW = "R64"
_TYPES = {"U08": ">u1", "U16": ">u2", "U32": ">u4"}
_USUAL_DEPTH = {"U08": 6, "U16": 12, "U32": 24}
# Of raw data: bytes per pixel, pixels per reordered group, dtype after unpacking.
_RAW_FORMS = {1: (0.125, 64, "u1"), 6: (1, 8, "u1"), 12: (2, 4, "u2"), 24: (2, 4, "u4")}


@dataclass(frozen=True)
class FrameHeader:
    """What the header of a frame says; width and height as written, before unpacking."""

    number: int
    """Frame number, counted from 1 by the detector."""
    header_bytes: int
    chips: int
    width: int
    height: int
    pixel_type: str
    """U08, U16, U32, or R64 for raw data."""
    layout: str
    """1x1, 2x2, Nx1; followed by G when processed data hold the gap between the chips."""
    chip_mask: int
    bit_depth: int
    """Depth of the counters: 1, 6, 12 or 24."""
    exposure_us: float | None = None
    time: str = ""
    """UTC with nanoseconds where the header has it, otherwise local time."""
    thresholds_kev: tuple[float, ...] = ()

    @property
    def raw(self) -> bool:
        """Whether pixels are in the order in which the chips are read out."""
        return self.pixel_type == RAW

    @property
    def planes(self) -> int:
        """Images one after another that make up a frame: two of 12 bits for raw 24 bits."""
        return 2 if self.raw and self.bit_depth == 24 else 1

    @property
    def quad(self) -> bool:
        """Whether raw chips are to be arranged two by two."""
        return self.raw and self.chips == 4 and self.layout.startswith("2x2")

    @property
    def chip_width(self) -> int:
        """Columns of one chip in raw data."""
        return self.width // (self.chips * self.planes)

    @property
    def frame_bytes(self) -> int:
        """Bytes of the pixels that follow the header."""
        if self.raw:
            return int(self.width * self.height * _RAW_FORMS[self.bit_depth][0])
        return self.width * self.height * self.dtype.itemsize

    @property
    def shape(self) -> tuple[int, int]:
        """Pattern (ky, kx) after unpacking."""
        if self.quad:
            return 2 * self.height, 2 * self.chip_width
        return self.height, self.width // self.planes

    @property
    def dtype(self) -> np.dtype:
        """Pixels after unpacking: the byte order of the wire unless they are raw."""
        return np.dtype(_RAW_FORMS[self.bit_depth][2] if self.raw else _TYPES[self.pixel_type])

    @property
    def form(self) -> tuple[int, int, int, str, str, int]:
        """What all frames of an acquisition have in common."""
        depth = self.bit_depth if self.raw else 0
        return self.header_bytes, self.width, self.height, self.pixel_type, self.layout, depth


def parse_header(content: bytes | bytearray | memoryview) -> FrameHeader:
    """Read the header that `content` begins with; what follows it is not looked at.

    Raises ReadError when it is no Merlin header, is cut off, or says what cannot be.
    """
    start = bytes(content[:LONGEST_HEADER])
    if not start.startswith(MAGIC):
        raise ReadError(f"no Merlin frame: it should begin with {MAGIC!r}, not {start[:8]!r}")
    opening = _text(start[:SHORTEST_HEADER]).split(",")
    if len(opening) < 4:
        raise ReadError(f"Merlin header is cut off after {len(start)} bytes: copy the file again")
    length = _whole(opening[2], "length of header", SHORTEST_HEADER, LONGEST_HEADER)
    if len(start) < length:
        raise ReadError(
            f"Merlin header of {length} bytes is cut off after {len(start)}: copy the file again"
        )
    fields = _text(start[:length]).rstrip("\0 \r\n").split(",")
    if len(fields) < 11:
        raise ReadError(f"Merlin header has {len(fields)} fields, at least 11 are needed: damaged")
    header = _from_fields([entry.strip("\0 ") for entry in fields], length)
    _check_arrangement(header)
    return header


def _text(content: bytes) -> str:
    try:
        return content.decode("ascii")
    except UnicodeDecodeError as error:
        raise ReadError(
            f"byte {error.start} of a Merlin header is no letter: the header is damaged or its "
            "stated length is wrong"
        ) from error


def _whole(text: str, name: str, least: int, most: int) -> int:
    """Read a whole number within bounds; int() alone would take blanks and underscores."""
    # Not more digits than the longest number in words of Python's own limit.
    number = int(text) if re.fullmatch(r"[0-9]{1,19}", text) else -1
    if not least <= number <= most:
        raise ReadError(
            f"{name} in a Merlin header is {text[:20]!r}: it should be {least} to {most}"
        )
    return number


def _from_fields(fields: list[str], length: int) -> FrameHeader:
    chips = _whole(fields[3], "number of chips", 1, MOST_CHIPS)
    pixel_type = fields[6]
    if pixel_type != RAW and pixel_type not in _TYPES:
        raise ReadError(f"pixel type {pixel_type[:20]!r} in a Merlin header: known are U08 to R64")
    late = fields[fields.index("MQ1A") + 1 :] if "MQ1A" in fields else []
    depth = late[2] if len(late) > 2 else next(filter(None, reversed(fields)))
    return FrameHeader(
        number=_whole(fields[1], "frame number", 0, LARGEST_NUMBER),
        header_bytes=length,
        chips=chips,
        width=_whole(fields[4], "width", 1, LARGEST_SIDE),
        height=_whole(fields[5], "height", 1, LARGEST_SIDE),
        pixel_type=pixel_type,
        layout=fields[7][:16],
        chip_mask=int(fields[8], 16) if re.fullmatch(r"[0-9A-Fa-f]{1,8}", fields[8]) else 0,
        bit_depth=_bit_depth(depth, pixel_type),
        exposure_us=_exposure_us(late[1] if len(late) > 1 else "", fields[10]),
        time=(late[0] if late else fields[9])[:40],
        thresholds_kev=_thresholds(fields),
    )


def _bit_depth(text: str, pixel_type: str) -> int:
    """Processed pixels say their size themselves; only raw ones need the depth."""
    if text in ("1", "6", "12", "24"):
        return int(text)
    if pixel_type == RAW:
        raise ReadError(f"counter depth {text[:20]!r} of raw Merlin data: known are 1, 6, 12, 24")
    return _USUAL_DEPTH[pixel_type]


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _exposure_us(nanoseconds: str, seconds: str) -> float | None:
    if nanoseconds.endswith("ns"):
        value = _number(nanoseconds[:-2])
        return None if value is None else value * 1e-3
    value = _number(seconds)
    return None if value is None else value * 1e6


def _thresholds(fields: list[str]) -> tuple[float, ...]:
    """Up to eight numbers after the gain, none in some raw files."""
    values: list[float] = []
    for text in fields[14:22]:
        value = _number(text)
        if value is None:
            break
        values.append(value)
    return tuple(values)


def _check_arrangement(header: FrameHeader) -> None:
    """Refuse raw data whose chips cannot be told apart."""
    if not header.raw:
        return
    group = _RAW_FORMS[header.bit_depth][1]
    if header.width % (header.chips * header.planes * group):
        raise ReadError(
            f"raw Merlin rows of {header.width} pixels do not divide into {header.chips} chips of "
            f"groups of {group} ({header.bit_depth} bit): the header is damaged"
        )
    if header.chips > 1 and not (header.quad or header.layout.removesuffix("G").endswith("x1")):
        raise ReadError(
            f"raw Merlin data of {header.chips} chips in layout {header.layout!r} cannot be "
            "arranged: save them processed (FILEFORMAT 0)"
        )


@dataclass(frozen=True)
class Acquisition:
    """What the .hdr text of an acquisition says; None where it says nothing."""

    frames: int | None = None
    frames_per_trigger: int | None = None
    counter_depth: int | None = None
    entries: dict[str, str] = field(default_factory=dict)
    """All lines: words before the colon, and what follows."""


def parse_hdr(content: str | bytes) -> Acquisition:
    """Read the text of a .hdr file or the acquisition header of the data socket.

    Raises ReadError when it does not begin with HDR.
    """
    text = content if isinstance(content, str) else content[: 2**16].decode("latin-1")
    if not text.startswith("HDR"):
        raise ReadError(f"no Merlin .hdr text: it should begin with 'HDR,', not {text[:8]!r}")
    entries = {}
    for line in text[: 2**16].splitlines()[1:]:
        name, separator, value = line.partition(":\t")
        if separator:
            entries[name.strip()] = value.strip("\0\t ")
    return Acquisition(
        frames=_count(entries, "Frames in Acquisition (Number)"),
        frames_per_trigger=_count(entries, "Frames per Trigger (Number)"),
        counter_depth=_count(entries, "Counter Depth (number)"),
        entries=entries,
    )


def _count(entries: dict[str, str], name: str) -> int | None:
    text = entries.get(name, "")
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None
