"""4D-STEM data that arrive in batches, from a file, an array or a live detector."""

from crewe.sources.counters import Counters
from crewe.sources.memory import ArraySource
from crewe.sources.opening import open_source
from crewe.sources.protocol import Batch, DividedSource, Events, Frames, Known, Source
from crewe.sources.scan import NOWHERE, Scan

__all__ = [
    "NOWHERE",
    "ArraySource",
    "Batch",
    "Counters",
    "DividedSource",
    "Events",
    "Frames",
    "Known",
    "Scan",
    "Source",
    "open_source",
]
