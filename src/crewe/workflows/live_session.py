"""A live run as those see it who look on and turn its knobs."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crewe.axes import Axis, calibrated_array
from crewe.errors import CreweError, PlanError
from crewe.sources import Batch, Counters, Events, Source
from crewe.stem4d.mean_pattern import MeanPattern
from crewe.stem4d.methods import Methods
from crewe.workflows.live_plan import LivePlan, live_change
from crewe.workflows.live_settings import Knobs, in_use, turned

if TYPE_CHECKING:
    import xarray as xr

RATE_WINDOW_S = 1.5
SECONDS_BETWEEN_PATTERNS = 0.02


class LiveSession:
    """State, images, counters and settings of one live run; all of it may be asked from any thread.

    The run tells it when the source is `opened`, when the methods can `begin`, of each batch that
    was `heard`, and when it has `ended`.
    """

    def __init__(self, plan: LivePlan) -> None:
        self.plan = plan
        self.state = "waiting for data"
        self.ended = False
        self.stopping = threading.Event()
        self.methods: Methods | None = None
        self.mean: MeanPattern | None = None
        self.counters = Counters()
        self.recorded: Callable[[], str] = str
        """Says how much is recorded."""
        self.remark = ""
        self.knobs = Knobs(dict(plan.detectors), plan.reference)
        self.scan_number = 0
        self._changing = threading.Lock()
        self._changes = 0
        self._batches = 0
        self._next_pattern = 0.0
        self._events = False
        self._samples: deque[tuple[float, int]] = deque(maxlen=4096)

    # What the run tells.

    def opened(self, source: Source) -> None:
        """Take the counters of a source that has been opened."""
        self.counters = source.counters
        self.mean = MeanPattern(source.detector_shape)
        self.became("looking at the first patterns")

    def begin(self, methods: Methods) -> None:
        """Show the images of these methods from now on."""
        self.methods = methods
        self.became("running")

    def heard(self, batch: Batch) -> None:
        """Take note of a batch that was added."""
        self.scan_number = max(self.scan_number, batch.scan)
        self._events = isinstance(batch, Events)
        now = time.monotonic()
        if self.mean is not None and now > self._next_pattern:
            # A sample shows as much as all patterns, and does not hold up the data.
            self.mean.add(self.mean.measure(batch))
            self._next_pattern = now + SECONDS_BETWEEN_PATTERNS
        self._samples.append((now, self.counters.used))
        while now - self._samples[0][0] > RATE_WINDOW_S and len(self._samples) > 2:
            self._samples.popleft()
        self._batches += 1

    def became(self, state: str, ended: bool = False) -> None:
        """Say what the run is doing now."""
        self.state, self.ended = state, ended
        self._changes += 1

    # What a viewer asks.

    @property
    def version(self) -> int:
        """A number that grows with new data, settings or states."""
        return self._batches + self._changes

    def images(self) -> dict[str, xr.DataArray]:
        """Return the images of the data so far; without SSB, which only the end can afford."""
        if self.methods is None:
            return {}
        try:
            return in_order(self.methods.images(slow=False), self.plan.methods)
        except CreweError as error:
            self.remark = str(error)
            return {}

    def pattern(self) -> xr.DataArray | None:
        """Return the mean pattern (ky, kx), None before there is one."""
        pattern = self._mean_pattern()
        if pattern is None:
            return None
        axes = (Axis("ky"), Axis("kx"))
        return calibrated_array(pattern, axes, "mean pattern", {"units": "counts"})

    def report(self) -> dict[str, Any]:
        """Return state, counters, rate and settings, as JSON can hold them."""
        counted, noun = self.counters, "events" if self._events else "frames"
        rare = {"late": counted.late, "unreadable": counted.unreadable}
        return {
            "name": self.plan.address,
            "state": self.state,
            "ended": self.ended,
            "scan_number": self.scan_number,
            "rate": self.rate_in_words(),
            "counters": {
                f"{noun} received": counted.received,
                "used": counted.used,
                **{name: number for name, number in rare.items() if number},
                "dropped": counted.dropped,
            },
            "faults": dict(counted.faults),
            "latest_fault": counted.latest_fault or self.remark,
            "recorded": self.recorded(),
            "settings": self.settings(),
        }

    def rate(self) -> float:
        """Return frames, or events, used per second, over the last moments."""
        samples = list(self._samples)
        if len(samples) < 2 or time.monotonic() - samples[-1][0] > RATE_WINDOW_S:
            return 0.0
        (begin, before), (end, after) = samples[0], samples[-1]
        return (after - before) / max(end - begin, 1e-6)

    def rate_in_words(self) -> str:
        """Return the rate in kHz, or in millions of events per second."""
        if self._events:
            return f"{self.rate() / 1e6:.2f} M events/s"
        return f"{self.rate() / 1e3:.1f} kHz"

    def progress_in_words(self) -> str:
        """Say in one line how far it is and how fast it goes."""
        recorded = self.recorded()
        more = f", recorded {recorded}" if recorded else ""
        scan = f"scan {self.scan_number + 1}"
        return f"{scan}, {self.rate_in_words()}, {self.counters.in_words()}{more}"

    def settings(self) -> dict[str, Any]:
        """Return the settings in use, as LiveChange names them; none before the first data."""
        return {} if self.methods is None else in_use(self.knobs, self.methods)

    def change(self, wanted: Mapping[str, Any]) -> None:
        """Apply settings as LiveChange names them. Raises PlanError, and then changes none."""
        change = live_change(dict(wanted))
        if self.methods is None:
            raise PlanError("not changed: the images have not begun yet; wait for the first data")
        try:
            with self._changing:
                self.knobs = turned(self.knobs, change, self.methods, self._mean_pattern)
        except CreweError as error:
            raise PlanError(f"not changed: {error}") from error
        if change.radius_px is not None:
            # Whatever was said of the disk is over.
            self.remark = ""
        found = self.knobs.orientation
        if change.rotation_degrees == "auto" and found is not None and not found.sign_is_known:
            self.remark = (
                "the data tell the scan rotation up to 180°: bright and dark may be exchanged"
            )
        self._changes += 1

    def stop(self) -> None:
        """End the run, keeping what came."""
        self.stopping.set()

    def _mean_pattern(self) -> NDArray[np.float64] | None:
        return None if self.mean is None or self.mean.number == 0 else self.mean.pattern


def in_order(images: dict[str, xr.DataArray], methods: tuple[str, ...]) -> dict[str, xr.DataArray]:
    """Return images in the order of their methods; com_y is one of com."""

    def place(name: str) -> int:
        method = name.split("_")[0]
        return methods.index(method) if method in methods else len(methods)

    return dict(sorted(images.items(), key=lambda item: place(item[0])))
