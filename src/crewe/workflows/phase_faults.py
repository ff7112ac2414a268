"""Why data gave nothing: what their source counted, in words, and what may help."""

from __future__ import annotations

from crewe.sources import Counters

ADVICE = {
    "the end of a line is missing": "where a signal marks only the beginnings of lines, add "
    "--source line_end=next",
}
"""What helps against a fault that nearly all data have."""


def reasons(counters: Counters) -> str:
    """Return what came, the most frequent fault and what may help against it."""
    said = counters.in_words()
    if not counters.faults:
        return said
    fault, times = counters.faults.most_common(1)[0]
    latest = counters.latest_fault.removeprefix(f"{fault}: ")
    detail = f", the latest: {latest}" if latest != counters.latest_fault else ""
    said += f"; most often: {fault} ({times:,} times{detail})"
    return f"{said}; {ADVICE[fault]}" if fault in ADVICE else said
