"""What a Merlin detector would write: headers, pixels in the order of the wire, messages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from crewe.errors import PlanError
from crewe.sources.merlin.header import parse_header
from crewe.sources.merlin.wire import PREFIX_BYTES, message

HEADER_BYTES = 384
NUMBER_AT, USUAL_DIGITS = 4, 6
LARGEST_PREPARED = 2**28
"""Bytes of ready-made messages to keep in memory; larger sets are put together while sending."""

_TYPES = {1: ("U08", ">u1"), 6: ("U08", ">u1"), 12: ("U16", ">u2"), 24: ("U32", ">u4")}
_RAW_GROUP = {6: 8, 12: 4}


def frame_header(
    shape: tuple[int, int],
    counter_depth: int = 12,
    *,
    raw: bool = False,
    number: int = 1,
    dwell_time_us: float = 1000.0,
) -> bytes:
    """Return the 384 bytes before a frame of one chip with patterns of `shape` (ky, kx)."""
    height, width = shape
    width *= 2 if raw and counter_depth == 24 else 1
    kind = "R64" if raw else _TYPES[counter_depth][0]
    thresholds = ",".join(["4.000000E+1", "5.110000E+2"] + 6 * ["0.000000E+0"])
    dacs = ",".join(27 * ["100"])
    text = (
        f"MQ1,{number:06d},{HEADER_BYTES:05d},01,{width:04d},{height:04d},{kind},   1x1,01,"
        f"2020-01-01 12:00:00.000000,{dwell_time_us * 1e-6:.6f},0,0,0,{thresholds},3RX,{dacs},"
        f"MQ1A,2020-01-01T12:00:00.000000000Z,{dwell_time_us * 1e3:.0f}ns,{counter_depth},"
    )
    return text.encode("ascii").ljust(HEADER_BYTES, b"\0")


def pixels(
    patterns: NDArray[Any], counter_depth: int = 12, *, raw: bool = False
) -> NDArray[np.uint8]:
    """Return patterns (frame, ky, kx) as bytes (frame, byte) in the order of the wire.

    The lowest line comes first. Raw pixels are those of a single chip. Raises PlanError for
    counts that the depth cannot hold.
    """
    largest = int(patterns.max(initial=0))
    if patterns.min(initial=0) < 0 or largest >= 2**counter_depth:
        raise PlanError(
            f"counts up to {largest} do not fit in {counter_depth} bits: give counts from 0 to "
            f"{2**counter_depth - 1} or a greater counter depth"
        )
    if raw and patterns.shape[2] % 64:
        raise PlanError(f"raw rows of {patterns.shape[2]} pixels: give a multiple of 64")
    return _in_wire_order(patterns[:, ::-1], counter_depth, raw)


def _in_wire_order(patterns: NDArray[Any], counter_depth: int, raw: bool) -> NDArray[np.uint8]:
    if not raw:
        return _as_bytes(patterns.astype(_TYPES[counter_depth][1]))
    if counter_depth == 1:
        packed = np.packbits(patterns.astype(np.uint8), axis=2, bitorder="little")
        return _as_bytes(_turned(packed, 8))
    if counter_depth == 24:
        planes = [_in_wire_order(plane, 12, True) for plane in (patterns >> 12, patterns & 0xFFF)]
        return np.concatenate(planes, axis=1)
    return _as_bytes(_turned(patterns.astype(_TYPES[counter_depth][1]), _RAW_GROUP[counter_depth]))


def _turned(patterns: NDArray[Any], group: int) -> NDArray[Any]:
    """Reverse the order inside each group along a row."""
    frames, rows, across = patterns.shape
    return patterns.reshape(frames, rows, across // group, group)[..., ::-1]


def _as_bytes(patterns: NDArray[Any]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(patterns).view(np.uint8).reshape(len(patterns), -1)


def announcement(frames: int, frames_per_trigger: int = 1, counter_depth: int = 12) -> bytes:
    """Return the text that comes before the frames of an acquisition."""
    lines = [
        "HDR,\t",
        "Chip Type (Medipix 3.0, Medipix 3.1, Medipix 3RX):\tMedipix 3RX",
        "Assembly Size (NX1, 2X2):\t   1x1",
        f"Counter Depth (number):\t{counter_depth}",
        f"Frames in Acquisition (Number):\t{frames}",
        f"Frames per Trigger (Number):\t{frames_per_trigger}",
        "Software Version:\tcrewe",
        "End\t",
    ]
    return "\r\n".join(lines).encode("ascii").ljust(2048)


def numbered(headers: NDArray[np.uint8], numbers: NDArray[Any]) -> NDArray[np.uint8]:
    """Return headers (frame, byte) with other frame numbers, of six digits or more."""
    digits = max(USUAL_DIGITS, len(str(int(numbers.max()))))
    more = digits - USUAL_DIGITS
    result = np.empty_like(headers)
    result[:, :NUMBER_AT] = headers[:, :NUMBER_AT]
    powers = 10 ** np.arange(digits)[::-1]
    result[:, NUMBER_AT : NUMBER_AT + digits] = numbers[:, None] // powers % 10 + ord("0")
    end = headers.shape[1] - more
    result[:, NUMBER_AT + digits :] = headers[:, NUMBER_AT + USUAL_DIGITS : end]
    return result


@dataclass(frozen=True)
class FrameMessages:
    """Messages of frames to be sent over and over, each time with other numbers.

    `headers` and `payloads` are (frame, byte); headers have numbers of six digits.
    """

    headers: NDArray[np.uint8]
    payloads: NDArray[np.uint8]
    ready: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.payloads)

    @property
    def message_bytes(self) -> int:
        """Bytes of one message."""
        return PREFIX_BYTES + self.headers.shape[1] + self.payloads.shape[1]

    @classmethod
    def of_patterns(
        cls, patterns: NDArray[Any], counter_depth: int = 12, *, raw: bool = False
    ) -> Self:
        """Make them from patterns (frame, ky, kx) or (rows, columns, ky, kx)."""
        flat = patterns.reshape(-1, *patterns.shape[-2:])
        header = np.frombuffer(frame_header(flat.shape[1:], counter_depth, raw=raw), np.uint8)
        payloads = pixels(flat, counter_depth, raw=raw)
        return cls(np.broadcast_to(header, (len(flat), header.size)), payloads).prepared()

    @classmethod
    def of_file(cls, path: str | Path) -> Self:
        """Take the frames of a .mib file, which is mapped; an incomplete last frame is left out."""
        try:
            content = np.memmap(path, np.uint8, "r")
        except (OSError, ValueError) as error:
            raise PlanError(f"{path} cannot be read ({error}): give a .mib file") from error
        header = parse_header(content[:8192].tobytes())
        size = header.header_bytes + header.frame_bytes
        frames = content[: content.size // size * size].reshape(-1, size)
        if not len(frames):
            raise PlanError(f"{path} holds no whole frame: give a .mib file with at least one")
        return cls(frames[:, : header.header_bytes], frames[:, header.header_bytes :]).prepared()

    def prepared(self) -> Self:
        """Put the messages together beforehand, if they are not too large."""
        if len(self) * self.message_bytes > LARGEST_PREPARED:
            return self
        return type(self)(self.headers, self.payloads, self._assembled(0, len(self)))

    def _assembled(self, first: int, stop: int) -> NDArray[np.uint8]:
        result = np.empty((stop - first, self.message_bytes), np.uint8)
        prefix = message(bytes(self.message_bytes - PREFIX_BYTES))[:PREFIX_BYTES]
        start = PREFIX_BYTES + self.headers.shape[1]
        result[:, :PREFIX_BYTES] = np.frombuffer(prefix, np.uint8)
        result[:, PREFIX_BYTES:start] = self.headers[first:stop]
        result[:, start:] = self.payloads[first:stop]
        return result

    def block(self, first: int, count: int, number: int) -> NDArray[np.uint8]:
        """Return messages (frame, byte) from frame `first` on with numbers from `number` on.

        At most `count`; fewer at the end of the frames, which then begin anew. The block is valid
        until the next call.
        """
        first %= len(self)
        stop = min(first + count, len(self))
        result = self._assembled(first, stop) if self.ready is None else self.ready[first:stop]
        numbers = np.arange(number, number + len(result))
        end = PREFIX_BYTES + self.headers.shape[1]
        result[:, PREFIX_BYTES:end] = numbered(self.headers[first:stop], numbers)
        return result
