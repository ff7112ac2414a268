"""What the parameters of every effect share: bounds that are checked when they are given."""

from __future__ import annotations

import math
import sys
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any

from crewe.errors import PlanError


def number(
    least: float = -math.inf, most: float = math.inf, default: Any = MISSING, whole: bool = False
) -> Any:
    """Declare a parameter that is a number between two bounds, both allowed."""
    return field(default=default, metadata={"least": least, "most": most, "whole": whole})


def word(*allowed: str, default: Any = MISSING) -> Any:
    """Declare a parameter that is one of a few words."""
    return field(default=default, metadata={"allowed": allowed})


@dataclass(frozen=True)
class Parameters:
    """Base of the parameters of an effect: plain numbers and words, checked on arrival.

    Raises PlanError that names the parameter and its bounds.
    """

    def __post_init__(self) -> None:
        for one in fields(self):
            check_value(one, getattr(self, one.name))


def check_value(parameter: Field[Any], value: Any) -> None:
    """Raise PlanError unless the value is one that the parameter may take."""
    allowed = parameter.metadata.get("allowed")
    if allowed is not None:
        if value not in allowed:
            raise PlanError(f"{parameter.name} is one of {', '.join(allowed)}, not {value!r}")
        return
    least, most = parameter.metadata["least"], parameter.metadata["most"]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise PlanError(f"{parameter.name} is a number, not {value!r}")
    # A whole number of Python may be too large for a float, so that isfinite would fail.
    if not (least <= value <= most and abs(value) <= sys.float_info.max):
        raise PlanError(f"{parameter.name} lies in [{least:g}, {most:g}], not at {value}")
    if parameter.metadata["whole"] and value != int(value):
        raise PlanError(f"{parameter.name} is a whole number, not {value:g}")
