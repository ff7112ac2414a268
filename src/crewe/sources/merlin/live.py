"""A Merlin detector over the network, as a source of frames."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np

from crewe.errors import PlanError, SourceError
from crewe.sources.arrivals import Block, Broken, Connected, Ended, Stalled
from crewe.sources.closing import Closing
from crewe.sources.counters import Counters
from crewe.sources.merlin.commander import Commander
from crewe.sources.merlin.connection import connect
from crewe.sources.merlin.control import COMMAND_PORT, AcquisitionSettings, MerlinControl
from crewe.sources.merlin.numbering import FrameNumbers, Placed
from crewe.sources.merlin.stream import Announcement, MessageStream, Piece, Run, Skipped
from crewe.sources.merlin.unpack import unpack_some
from crewe.sources.protocol import Frames, Known
from crewe.sources.receiver import Receiver
from crewe.sources.scan import Scan

DATA_PORT = 6342
MOST_GARBAGE_BYTES = 2**24
"""A peer that sent so much and never a message is no Merlin."""


class MerlinLive(Closing):
    """Frames of a running detector; entered as a context, left or closed from any thread.

    With a command port it drains what is stale, sends the settings, and starts; with
    `command_port=None` it only listens to what the operator starts. Opening waits for the first
    frame unless `detector_shape` (ky, kx) is given. It ends when `scans` scans were followed from
    beginning to end, or, by default, when the frames have passed that the acquisition announced.
    More scans than an acquisition can have are followed through one after the other: the next is
    commanded when the frames have passed that the last announced.

    The position follows the number in the header of a frame: what is lost leaves holes. Lost, late
    and unreadable frames and other faults are counted in `counters`. When the connection breaks or
    stalls it is tried again until nothing came for `patience_s`; an acquisition that starts anew
    continues with the next scan, and an interrupted scan counts as none of `scans`. Patterns of
    processed data are in the byte order of the wire.

    Raises SourceError when nobody listens, what answers is no Merlin, it refuses a setting, or
    patience is over; batches() does so after all frames that came.
    """

    known = Known()

    def __init__(
        self,
        host: str,
        scan: Scan,
        *,
        data_port: int = DATA_PORT,
        command_port: int | None = COMMAND_PORT,
        scans: int | None = None,
        settings: AcquisitionSettings | None = None,
        detector_shape: tuple[int, int] | None = None,
        first_frame_number: int = 1,
        patience_s: float = 60.0,
        stall_s: float = 2.0,
        timeout_s: float = 5.0,
    ) -> None:
        if scans is not None and scans < 1:
            raise PlanError(f"{scans} scans: give 1 or more, or None for what is announced")
        self.host, self.data_port, self.scan, self.scans = host, data_port, scan, scans
        self.counters = Counters()
        self._commander: Commander | None = None
        if command_port is not None:
            wanted = settings or AcquisitionSettings()
            self._commander = Commander(host, command_port, wanted, scan, scans, timeout_s)
        self._next_commanded = False
        self._timeout_s, self._patience_s = timeout_s, patience_s
        self._stream = MessageStream(detector_shape)
        self._numbers = FrameNumbers(scan, self.counters, first_frame_number, scans)
        self._rest = np.empty(0, np.uint8)
        self._ready: deque[Frames] = deque()
        self._garbage: bytes | None = b""
        self._garbage_bytes = 0
        self._ended = self._closed = False
        self._problem = ""
        self._receiver: Receiver | None = None
        try:
            self._open(stall_s)
        except BaseException:
            self.close()
            raise

    def _open(self, stall_s: float) -> None:
        connection = self._connect()
        self._expect_start()
        self._receiver = Receiver(connection, self._connect, self._patience_s, stall_s)
        while self._stream.shape is None and not self._ended:
            self._take_next()
        if self._stream.shape is None:
            raise SourceError(self._problem or f"{self._peer} was closed before its first frame")
        self.detector_shape = self._stream.shape

    @property
    def control(self) -> MerlinControl | None:
        """The command socket, for soft triggers and further settings while it runs."""
        return None if self._commander is None else self._commander.control

    @property
    def _peer(self) -> str:
        return f"Merlin at {self.host}:{self.data_port}"

    def _connect(self) -> socket.socket:
        """Connect to the data socket and, with a command port, start an acquisition."""
        connection = connect(self.host, self.data_port, self._timeout_s, "data")
        try:
            if self._commander is not None:
                self._commander.start(connection, self.counters)
        except BaseException:
            connection.close()
            raise
        return connection

    def _expect_start(self) -> None:
        self._next_commanded = False
        if self._commander is not None:
            self._numbers.await_announcement()

    def _start_next(self) -> None:
        """Command another acquisition, once, when this one is over and more is wanted."""
        wanted = self._numbers.over and not (self._ended or self._next_commanded)
        if wanted and self._commander is not None:
            try:
                self._next_commanded = self._commander.start_next()
            except SourceError as error:
                self._end(str(error))

    def batches(self) -> Iterator[Frames]:
        """Yield frames as they come, in batches of what has come within some 20 ms."""
        while not self._closed:
            if self._ready:
                yield self._ready.popleft()
            elif not self._ended:
                self._take_next()
            elif self._problem:
                raise SourceError(self._problem)
            else:
                return

    def _take_next(self) -> None:
        """Wait for what arrives next, and deal with it."""
        assert self._receiver is not None
        arrival = self._receiver.next()
        if isinstance(arrival, Block):
            self._take_block(arrival)
            self._receiver.give_back(arrival)
        elif isinstance(arrival, Broken):
            self._take_break(arrival)
            self._receiver.go_on()
        elif isinstance(arrival, Connected):
            self._numbers.reconnected()
            self._expect_start()
        elif isinstance(arrival, Stalled):
            self.counters.fault("stalled", f"nothing came for {arrival.seconds:.0f} s")
            self._start_next()
        elif isinstance(arrival, Ended) and not self._ended:
            self._end(self._impatient(arrival.problem) if arrival.problem else "")

    def _take_block(self, arrival: Block) -> None:
        block, start, stop = arrival.after(self._rest)
        for piece in self._stream.pieces(block, start, stop):
            self._take(piece)
            if self._numbers.done and not self._ended:
                self._end()
            self._start_next()
            if self._ended:
                break
        self._rest = block[self._stream.at : stop].copy()

    def _take_break(self, arrival: Broken) -> None:
        for piece in self._stream.broken(self._rest, 0, self._rest.size):
            self._take(piece)
        self._rest = self._rest[:0]
        self.counters.fault("connection broken", f"the detector {arrival.problem}")
        if self._garbage:
            self._end(self._foreign())

    def _take(self, piece: Piece) -> None:
        if isinstance(piece, Skipped):
            self._take_garbage(piece)
            return
        self._garbage = None
        if isinstance(piece, Run):
            self._hand_out(self._numbers.place(piece.numbers), piece)
        elif isinstance(piece, Announcement):
            self._next_commanded = False
            self._hand_out(self._numbers.begin(piece.acquisition.frames or 0))
        else:
            self._numbers.unreadable()
            self.counters.fault(piece.reason, piece.detail)

    def _hand_out(self, places: Iterable[Placed], run: Run | None = None) -> None:
        for placed in places:
            if run is not None and placed.rows.size:
                patterns = unpack_some(run.payloads, run.header, placed.rows)
            else:
                layout = self._stream.layout
                dtype = layout.header.dtype if layout else np.uint16
                patterns = np.empty((0, *(self._stream.shape or (0, 0))), dtype)
            self._ready.append(Frames(placed.positions, patterns, placed.scan, placed.finished))

    def _take_garbage(self, piece: Skipped) -> None:
        if piece.begins:
            self.counters.fault("bytes between messages", repr(piece.content[:40]))
        if self._garbage is not None:
            self._garbage = self._garbage or piece.content
            self._garbage_bytes += piece.count
            if self._garbage_bytes > MOST_GARBAGE_BYTES:
                self._end(self._foreign())

    def _foreign(self) -> str:
        return (
            f"{self.host}:{self.data_port} sends {(self._garbage or b'')[:40]!r}, which is not the "
            f"data socket of a Merlin: its port is usually {DATA_PORT}"
        )

    def _impatient(self, problem: str) -> str:
        came = f"{self.counters.received:,} frames came before"
        return (
            f"{self._peer} {problem}, and nothing came for {self._patience_s:g} s; {came}. Look "
            "whether it acquires and waits for no trigger, or give it more patience"
        )

    def _end(self, problem: str = "") -> None:
        self._hand_out(self._numbers.end())
        self._ended, self._problem = True, problem
        if self._receiver is not None:
            self._receiver.close()

    def close(self) -> None:
        """Stop the detector if it was started from here, and disconnect."""
        self._closed = True
        if self._receiver is not None:
            self._receiver.close()
        if self._commander is not None:
            self._commander.close()
