"""What came in and what became of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Counters:
    """Numbers of frames (or of events, for detectors that send single electrons).

    received = used + flyback + late + unreadable. `dropped` were sent, by their numbers, and never
    came. A late one came after its place had been given up or taken.
    """

    received: int = 0
    used: int = 0
    flyback: int = 0
    late: int = 0
    unreadable: int = 0
    dropped: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    """How often each kind of fault was met, in words an operator understands."""
    latest_fault: str = ""

    def fault(self, kind: str, detail: str = "", times: int = 1) -> None:
        """Count a fault; `detail` says more about the latest one."""
        self.faults[kind] += times
        self.latest_fault = f"{kind}: {detail}" if detail else kind

    def in_words(self) -> str:
        """Return the numbers in one line."""
        parts = [f"{self.received:,} received", f"{self.used:,} used"]
        rare = {"flyback": self.flyback, "late": self.late, "unreadable": self.unreadable}
        parts += [f"{number:,} {name}" for name, number in rare.items() if number]
        return ", ".join([*parts, f"{self.dropped:,} dropped"])
