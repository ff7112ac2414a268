"""Single electrons of Timepix3 detectors: CheeTah files and streams, AdvaPix files."""

from crewe.sources.timepix3.advapix import AdvaPixFile
from crewe.sources.timepix3.file import Timepix3File
from crewe.sources.timepix3.live import Timepix3Listener
from crewe.sources.timepix3.stream import CheetahSettings

__all__ = ["AdvaPixFile", "CheetahSettings", "Timepix3File", "Timepix3Listener"]
