"""Do the frames fill the scan? If not: which scans they would fill."""

from __future__ import annotations

from crewe.errors import PlanError
from crewe.sources.scan import Scan

_SUGGESTIONS = 3


def check_frame_count(frames: int, scan: Scan, name: str = "the data") -> None:
    """Raise PlanError, which suggests other scans, unless the frames are whole scans.

    The flyback after the last line may be missing.
    """
    since = frames - scan.sync_offset
    rest = since % scan.frames_per_scan
    spare = scan.flyback_per_scan + scan.flyback_per_line
    if since > 0 and (rest == 0 or scan.frames_per_scan - rest <= spare):
        return
    raise PlanError(
        f"{name}: {frames:,} frames are no whole number of scans of {_in_words(scan)}"
        f"{_suggestion(frames, scan)}; for an interrupted scan add --partial"
    )


def scan_needed(frames: int, name: str) -> PlanError:
    """Return the error for a stack of frames of which nobody said how they were scanned."""
    return PlanError(
        f"{name}: a stack of {frames:,} frames does not say how the probe went: give the scan as "
        f"rows and columns{_suggestion(frames, None)}"
    )


def _in_words(scan: Scan) -> str:
    rows, columns = scan.shape
    words = f"{rows} × {columns} = {scan.size:,} positions"
    if scan.frames_per_scan != scan.size:
        words += f" ({scan.frames_per_scan:,} frames with flyback)"
    return words + (f" from frame {scan.sync_offset} on" if scan.sync_offset else "")


def _suggestion(frames: int, scan: Scan | None) -> str:
    found = [] if scan is None else _with_flyback(frames - scan.sync_offset, scan)
    found += [f"--scan {rows}x{columns}" for rows, columns in shapes_of(frames)]
    return f"; these would fit: {', '.join(found)}" if found else ""


def _with_flyback(frames: int, scan: Scan) -> list[str]:
    """Explain the surplus frames as flyback of the scan that was given."""
    rows, columns = scan.shape
    shape = f"--scan {rows}x{columns}"
    line, rest = divmod(frames - scan.size, rows)
    if frames <= scan.size:
        return []
    if rest == 0 and line <= columns:
        return [f"{shape} --flyback-line {line}"]
    if frames < scan.size + columns:
        return [f"{shape} --flyback-scan {frames - scan.size}"]
    return []


def shapes_of(frames: int) -> list[tuple[int, int]]:
    """Return the scans (rows, columns) nearest to a square that so many frames fill."""
    rows = [row for row in range(1, int(frames**0.5) + 1) if frames % row == 0]
    sides = [(row, frames // row) for row in reversed(rows) if row > 1 and frames // row <= 8 * row]
    return sides[:_SUGGESTIONS]
