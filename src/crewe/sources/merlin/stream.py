"""Bytes of Merlin's data socket, as they come, -> frames, announcements and what is neither."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crewe.errors import ReadError
from crewe.sources.merlin import wire
from crewe.sources.merlin.header import (
    LONGEST_HEADER,
    Acquisition,
    FrameHeader,
    parse_hdr,
    parse_header,
)

LONGEST_ANNOUNCEMENT = 2**16
FIELDS_OF_SIGNATURE = 6
"""Header length, chips, width, height, pixel type and layout."""


@dataclass(frozen=True, slots=True)
class Run:
    """Frames of one kind, one after another; `payloads` (frame, byte) is a view of the block."""

    header: FrameHeader
    numbers: NDArray[np.int64]
    payloads: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Announcement:
    """The text that comes before the first frame of an acquisition."""

    acquisition: Acquisition


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message that should have been a frame and is none."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """Bytes between messages; `begins` is false where they continue those of the block before."""

    content: bytes
    count: int
    begins: bool


Piece = Run | Announcement | Unreadable | Skipped


@dataclass(frozen=True)
class Layout:
    """What the frame messages of an acquisition have in common."""

    header: FrameHeader
    message_bytes: int
    prefix: NDArray[np.uint8]
    signature: NDArray[np.uint8]

    @classmethod
    def of(cls, text: bytes, header: FrameHeader) -> Layout:
        """Take it from the header of the first frame, as written and as read."""
        payload = header.header_bytes + header.frame_bytes
        prefix = b"MPX,%010d,%b" % (payload + 1, wire.FRAME_MAGIC)
        comma = end = text.index(b",", wire.MAGIC_BYTES)
        for _ in range(FIELDS_OF_SIGNATURE):
            end = text.index(b",", end + 1)
        parts = (np.frombuffer(part, np.uint8) for part in (prefix, text[comma:end]))
        return cls(header, wire.PREFIX_BYTES + payload, *parts)


class MessageStream:
    """Cuts a stream into messages, and finds the next one where something else comes between.

    Equal frames are walked by compiled code; whatever is irregular is looked at with care. No
    length is trusted that does not agree with what the message holds. All frames must be like the
    first two; the next announcement allows another kind, but no other shape.
    """

    def __init__(self, shape: tuple[int, int] | None = None) -> None:
        self.shape = shape
        """Pattern (ky, kx); that of the first frame when it is not given."""
        self.layout: Layout | None = None
        self.at = 0
        """Where, in the block given last, the incomplete rest begins."""
        self._may_change = True
        self._skipping = False

    def pieces(self, block: NDArray[np.uint8], start: int, stop: int) -> Iterator[Piece]:
        """Yield what lies between `start` and `stop`; afterwards `at` is where the rest begins.

        What is yielded holds views of `block`. Give the rest again, with what follows it.
        """
        self.at = start
        while self.at < stop:
            run, regular = self._equal_frames(block, stop)
            if run:
                yield run
            if regular:
                return
            piece = self._careful(block, stop)
            if piece is None:
                return
            yield piece

    def broken(self, block: NDArray[np.uint8], start: int, stop: int) -> Iterator[Unreadable]:
        """Yield what the incomplete rest was, when the connection ends."""
        self._skipping, self.at = False, stop
        magic = block[start + wire.PREFIX_BYTES : stop][: wire.MAGIC_BYTES].tobytes()
        if wire.payload_length(block, start, stop) and wire.FRAME_MAGIC.startswith(magic):
            yield Unreadable("half frames", f"{stop - start:,} bytes, then no more")

    def _equal_frames(self, block: NDArray[np.uint8], stop: int) -> tuple[Run | None, bool]:
        """Take frames like the first that follow each other, and tell if one more may be coming."""
        if self.layout is None:
            return None, False
        form, start = self.layout, self.at
        numbers = np.empty((stop - start) // form.message_bytes + 1, np.int64)
        count, regular = wire.walk(
            block, start, stop, form.prefix, form.signature, form.message_bytes, numbers
        )
        end = start + count * form.message_bytes
        if count and not regular and not wire.may_become_prefix(block, end, stop):
            # What follows a frame tells whether it was whole: look at the last one with care.
            count -= 1
        if not count:
            return None, regular
        self._skipping = self._may_change = False
        self.at += count * form.message_bytes
        skipped = wire.PREFIX_BYTES + form.header.header_bytes
        views = wire.payloads(block, start, count, form.message_bytes, skipped)
        return Run(form.header, numbers[:count], views), regular

    def _careful(self, block: NDArray[np.uint8], stop: int) -> Piece | None:
        """Take one message, or what is none; None when more bytes are needed to tell."""
        at = self.at
        length = wire.payload_length(block, at, stop)
        if length is None:
            return (
                None if wire.may_become_prefix(block, at, stop) else self._skip(block, at + 1, stop)
            )
        payload = at + wire.PREFIX_BYTES
        if stop - payload < wire.MAGIC_BYTES:
            return None
        magic = block[payload : payload + wire.MAGIC_BYTES].tobytes()
        if magic == wire.ANNOUNCEMENT_MAGIC and length <= LONGEST_ANNOUNCEMENT:
            return self._announcement(block, payload, length, stop)
        if magic == wire.FRAME_MAGIC:
            return self._frame(block, payload, length, stop)
        if self.layout and at + self.layout.message_bytes == payload + length:
            return self._unreadable(block, payload, length, stop, f"it begins with {magic!r}")
        return self._skip(block, payload, stop)

    def _frame(
        self, block: NDArray[np.uint8], payload: int, length: int, stop: int
    ) -> Run | Unreadable | None:
        start = block[payload : min(stop, payload + min(length, LONGEST_HEADER))].tobytes()
        if len(start) < min(length, LONGEST_HEADER):
            return None
        try:
            header = parse_header(start)
        except ReadError as error:
            return self._unreadable(block, payload, length, stop, str(error))
        if header.header_bytes + header.frame_bytes != length:
            said = f"header and pixels of {header.header_bytes + header.frame_bytes:,} bytes"
            return self._unreadable(
                block, payload, length, stop, f"{said} in a message of {length:,}"
            )
        end = payload + length
        if end > stop:
            return None
        if wire.may_become_prefix(block, end, stop):
            self.at = end
            return self._like_the_others(block[payload:end], header)
        if stop < end + wire.START_BYTES:
            return None
        return self._before_garbage(block, payload, end, header)

    def _like_the_others(self, frame: NDArray[np.uint8], header: FrameHeader) -> Run | Unreadable:
        """Take a whole frame unless it is of another kind than it may be."""
        self._skipping = False
        self.shape = self.shape or header.shape
        known = self.layout.header if self.layout else header
        if header.shape != self.shape or (header.form != known.form and not self._may_change):
            given = f"{header.shape[0]} × {header.shape[1]} {header.pixel_type}"
            expected = f"{self.shape[0]} × {self.shape[1]} {known.pixel_type}"
            return Unreadable("frames of another kind", f"{given} instead of {expected}")
        # One header alone may be damaged; two that agree are not.
        self._may_change = self.layout is None or header.form != known.form
        if self._may_change:
            self.layout = Layout.of(frame[: header.header_bytes].tobytes(), header)
        numbers = np.array([header.number])
        return Run(header, numbers, frame[None, header.header_bytes :])

    def _announcement(
        self, block: NDArray[np.uint8], payload: int, length: int, stop: int
    ) -> Announcement | Unreadable | None:
        end = payload + length
        if end > stop:
            return None
        self._skipping, self._may_change, self.at = False, True, end
        return Announcement(parse_hdr(block[payload:end].tobytes()))

    def _unreadable(
        self, block: NDArray[np.uint8], payload: int, length: int, stop: int, detail: str
    ) -> Unreadable | None:
        """Pass over a frame with a wrong header: all of it where its end can be believed."""
        end = payload + length
        if self.layout and end - self.at == self.layout.message_bytes:
            if end > stop:
                return None
            believed = end == stop or wire.may_become_prefix(block, end, stop)
            self.at = end if believed else payload
        else:
            self.at = payload
        self._skipping = self.at == payload
        return Unreadable("frames with a wrong header", detail)

    def _before_garbage(
        self, block: NDArray[np.uint8], payload: int, end: int, header: FrameHeader
    ) -> Run | Unreadable:
        """Tell a whole frame before garbage from one left off, in whose place the next begins."""
        inside = wire.message_inside(block, payload, end + wire.START_BYTES)
        if inside is None or inside >= end:
            self.at = end
            return self._like_the_others(block[payload:end], header)
        self.at, self._skipping = inside, False
        return Unreadable("half frames", f"{inside - payload:,} bytes of {end - payload:,}")

    def _skip(self, block: NDArray[np.uint8], start: int, stop: int) -> Skipped:
        """Go to where the next message may begin, at `start` or after it."""
        before, self.at = self.at, wire.next_message(block, start, stop)
        begins, self._skipping = not self._skipping, True
        return Skipped(block[before : self.at][:80].tobytes(), self.at - before, begins)
