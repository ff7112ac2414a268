"""Connecting to one of Merlin's sockets, with errors that say what to look at."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

from crewe.errors import SourceError

QUIET_S, LONGEST_DRAIN_S = 0.1, 5.0
"""Stale data are over when nothing came for so long; they are not read for longer than that."""


def connect(host: str, port: int, timeout_s: float, purpose: str) -> socket.socket:
    """Return a connected socket; raises SourceError when there is nobody."""
    if not 0 < port < 65536:
        raise SourceError(f"port {port} for {purpose}: give a number from 1 to 65535")
    try:
        return socket.create_connection((host, port), timeout_s)
    except socket.gaierror as error:
        raise SourceError(
            f"there is no host {host!r}: give the name or address of the Merlin computer"
        ) from error
    except (OSError, UnicodeError) as error:
        raise SourceError(
            f"no Merlin {purpose} socket at {host}:{port} ({_reason(error)}): is its software "
            "running, with the remote interface on, and no firewall between?"
        ) from error


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def drained(connection: socket.socket) -> int:
    """Read what lies in the socket until it is quiet; returns how many bytes."""
    count, until = 0, time.monotonic() + LONGEST_DRAIN_S
    connection.settimeout(QUIET_S)
    with suppress(TimeoutError):
        while time.monotonic() < until:
            more = len(connection.recv(2**16))
            if not more:
                break
            count += more
    return count
