"""The program `crewe-fake-merlin`."""

from __future__ import annotations

import argparse
import math
import re
import sys
import time
from collections.abc import Sequence
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from crewe.errors import CreweError
from crewe.testing.diffraction import lattice_patterns
from crewe.testing.fake_merlin import FakeMerlin, Fault, FaultKind

MOST_BYTES = 2**28
"""Of patterns that are drawn, if the lattice has a period."""

EXAMPLES = """examples:
  crewe-fake-merlin                        a lattice, started by whoever commands it
  crewe-fake-merlin scan.mib --rate 2000   a file, 2000 frames per second
  crewe-fake-merlin --no-wait --continuous --scan 128x128 --detector 256x256
                                           scan after scan for whoever listens
  crewe-fake-merlin --fault skip@500:20 --fault stall@3000:5 --fault half@9000
                                           rehearse what goes wrong

then, in another terminal:
  crewe live merlin://127.0.0.1 --scan 128x128 --show
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        with _server(options) as server:
            _say(
                f"Merlin to rehearse with: commands on {options.host}:{server.command_port}, data "
                f"on {options.host}:{server.data_port}; Ctrl-C ends it"
            )
            _serve(server, options.runs)
    except CreweError as error:
        _say(f"crewe-fake-merlin: {error}")
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _serve(server: FakeMerlin, runs: int | None) -> None:
    if not server.ready.is_set():
        _say("preparing patterns; whoever connects waits for them")
        while not server.ready.wait(0.05):
            if server.problem is not None:
                raise server.problem
        _say("ready")
    while runs is None or server.finished < runs:
        time.sleep(0.05)


def _server(options: argparse.Namespace) -> FakeMerlin:
    server = FakeMerlin(
        options.file or (lambda: _phantom(options)),
        counter_depth=options.depth,
        raw=options.raw,
        frames=options.frames,
        rate_hz=options.rate,
        wait=options.wait,
        continuous=options.continuous,
        faults=options.fault,
        host=options.host,
        data_port=options.data_port,
        command_port=options.command_port,
    )
    if options.file is None:
        # What is sent may be less than a scan, over and over.
        server.commands.settings["NUMFRAMESTOACQUIRE"] = str(math.prod(options.scan))
    return server


def _phantom(options: argparse.Namespace) -> NDArray[Any]:
    rng = np.random.default_rng(options.seed)
    rows, across = rows_and_atoms(options.scan, options.detector)
    patterns = lattice_patterns(
        options.scan, options.detector, options.counts, rng, atoms_across=across, rows=rows
    )
    return np.minimum(patterns, min(2**options.depth, 2**16) - 1, out=patterns)


def rows_and_atoms(scan: tuple[int, int], detector: tuple[int, int]) -> tuple[int, int]:
    """Return how many rows of a phantom are drawn, and how many atoms lie across it.

    Of a large phantom a few periods of the lattice, which sent over and over are all of it.
    """
    rows, columns = scan
    most = MOST_BYTES // (2 * columns * math.prod(detector))
    usual = 8
    if rows <= most:
        return rows, usual
    possible = [n for n in range(4, max(usual, rows // 16) + 1) if rows % n == 0]
    if not possible:
        return rows, usual
    period = rows // possible[-1]
    return max(1, most // period) * period, possible[-1]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "crewe-fake-merlin",
        description="A Merlin detector to rehearse with: frames of a file or of a phantom.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("file", nargs="?", help=".mib file whose frames are sent; without it a phantom")
    add("--scan", type=_shape, default=(64, 64), help="ROWSxCOLUMNS of the phantom (64x64)")
    add("--detector", type=_shape, default=(64, 64), help="its patterns, KYxKX (64x64)")
    add("--counts", type=float, default=1000.0, help="electrons per pattern (1000)")
    add("--seed", type=int, default=0, help="of the phantom's noise (0)")
    add("--depth", type=int, choices=(1, 6, 12, 24), default=12, help="bits of a counter (12)")
    add("--raw", action="store_true", help="pixels in the order of the readout")
    add("--rate", type=_rate, default=0.0, help="frames per second; 0: as fast as possible")
    add("--frames", type=int, help="frames of an acquisition, whatever is commanded")
    add("--no-wait", dest="wait", action="store_false", help="send as soon as somebody connects")
    add("--continuous", action="store_true", help="begin again after each acquisition")
    add("--runs", type=int, help="end after so many acquisitions")
    add("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    add("--data-port", type=int, default=6342, help="(6342; 0: any free one)")
    add("--command-port", type=int, default=6341, help="(6341; 0: any free one)")
    kinds = ", ".join(get_args(FaultKind))
    add(
        "--fault",
        type=_fault,
        action="append",
        default=[],
        metavar="KIND@FRAME[:AMOUNT]",
        help=f"something that goes wrong, once: {kinds}; may be repeated",
    )
    return parser


def _shape(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r}: give two numbers, as in 128x128")
    return int(found[1]), int(found[2])


def _rate(text: str) -> float:
    rate = float(text)
    if not 0 <= rate < 1e9:
        raise argparse.ArgumentTypeError(f"{text}: give frames per second, 0 or more")
    return rate


def _fault(text: str) -> Fault:
    found = re.fullmatch(r"([a-z]+)@(\d+)(?::(\d+(?:\.\d+)?))?", text)
    if not found or found[1] not in get_args(FaultKind):
        raise argparse.ArgumentTypeError(f"{text!r}: give KIND@FRAME or KIND@FRAME:AMOUNT")
    kind: FaultKind = found[1]  # type: ignore[assignment]
    return Fault(int(found[2]), kind, float(found[3] or 1))


if __name__ == "__main__":
    sys.exit(main())
