"""Everything that crewe raises on purpose.

    CreweError
    ├── ReadError            a file cannot be read: truncated, damaged, unknown, no such signal
    │   └── ClosedError      it was closed before it was read
    ├── WriteError           a result cannot be written where it was asked for
    ├── CalibrationError     an axis or an intensity has no, or the wrong, unit
    ├── ImageError           an image that no method can use: RGB, constant, NaN, wrong shape
    ├── NoColumnsError       nothing that looks like an atomic column was found
    ├── PlanError            a plan with unknown keys, wrong types or contradicting values
    │   └── RecipeError      a recipe likewise; says which file and line
    ├── SpecimenError        atoms that cannot exist or do not fit where they should
    └── SourceError          a detector that refuses, stalls or sends what is no data

Each message says what was wrong, what was given and what to do. A column whose
fit fails is a flag in the table, not an exception.
"""


class CreweError(Exception):
    """Root of every exception that crewe raises on purpose."""


class ReadError(CreweError):
    """A file cannot be read."""


class ClosedError(ReadError):
    """What should be read was closed, perhaps by another thread."""


class WriteError(CreweError):
    """A result cannot be written."""


class CalibrationError(CreweError):
    """An axis or an intensity scale is missing or contradictory."""


class ImageError(CreweError):
    """An image that the method cannot use."""


class NoColumnsError(CreweError):
    """No atomic column was found."""


class PlanError(CreweError):
    """A plan that cannot be run as written."""


class RecipeError(PlanError):
    """A recipe that cannot be followed as written."""


class SpecimenError(CreweError):
    """Atoms that cannot be made or placed as asked for."""


class SourceError(CreweError):
    """A detector or stream that cannot be used."""
