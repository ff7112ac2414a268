"""Metadata as plain values that JSON can hold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

LONGEST_LIST = 1000
DEEPEST = 12


def plain_value(value: Any, depth: int = 0) -> Any:
    """Turn metadata into str, int, float, bool, None, lists and dicts of them.

    Numbers that are not finite become None, long arrays and deep nests a note of what they were.
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, (bytes, bytearray)):
        return bytes(value[:LONGEST_LIST]).decode("utf-8", "replace")
    if depth >= DEEPEST:
        return f"<{type(value).__name__}>"
    if isinstance(value, Mapping):
        return {str(key): plain_value(item, depth + 1) for key, item in value.items()}
    return _plain_sequence(value, depth)


def _plain_sequence(value: Any, depth: int) -> Any:
    """Unpack lists, tuples, sets, NumPy scalars and arrays; anything else becomes its text."""
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        item = value.item()
        return str(item) if type(item) is type(value) else plain_value(item, depth + 1)
    size = getattr(value, "size", None)
    if isinstance(size, int) and size > LONGEST_LIST:
        return f"<array of shape {getattr(value, 'shape', (size,))}>"
    if hasattr(value, "tolist"):
        return plain_value(value.tolist(), depth + 1)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain_value(item, depth + 1) for item in list(value)[:LONGEST_LIST]]
    return str(value)
