"""What comes out when a result is repeated, of whatever kind it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Comparison:
    """How a repeated result differs from the stored one."""

    equal: bool
    """Same columns and flags, or same images, and no number farther off than by rounding."""
    identical: bool
    """Every number the same to the last bit."""
    largest_difference: float
    """Largest difference of a number, in `unit`; NaN for tables or images of other shapes."""
    text: str
    """The comparison in one line."""
    unit: str = "standard errors"
    """What differences are measured in: standard errors of columns, standard deviations of
    images."""
    of_each: Mapping[str, float] = field(default_factory=dict)
    """Largest difference of each image by its name; empty for a table."""
