"""Connecting to one of Merlin's sockets, with errors that say what to look at."""

from __future__ import annotations

import socket

from crewe.errors import SourceError


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
