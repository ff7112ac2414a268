"""From ideal images to what an instrument delivers: scan, detector, electronics, and people."""

from __future__ import annotations

import importlib
from typing import Any

_ROOM_OF = {
    "EFFECTS": "effects",
    "Applied": "compose",
    "Chain": "compose",
    "Degraded": "compose",
    "Displacement": "displacement",
    "Effect": "effects",
    "Parameters": "parameters",
    "degrade": "calibrated",
    "displace": "displacement",
    "read_chain": "compose",
    "shipped_recipes": "recipe",
    "undo": "displacement",
}

__all__ = sorted(_ROOM_OF)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used; numba and scipy take most of a second to load."""
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'crewe.degradation' has no attribute {name!r}")
    return getattr(importlib.import_module(f"crewe.degradation.{_ROOM_OF[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
