"""One thread that prepares what all pages show."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from crewe.web.pixels import message

if TYPE_CHECKING:
    import xarray as xr

UPDATES_PER_SECOND = 25.0
LARGEST_SHARE = 0.5
"""Of the time that images may take; the rest belongs to the data."""
IDLE_S = 3.0
"""Nobody has asked for so long: nobody is looking."""
QUIET_UPDATE_S = 0.5
"""Counters are shown anew after so long also where no data have come."""


class Viewed(Protocol):
    """A run that pages show and that they may change or stop."""

    @property
    def version(self) -> int:
        """A number that grows with new data, settings or states."""
        ...

    def images(self) -> dict[str, xr.DataArray]:
        """Return the images (y, x) by name, of the data so far."""
        ...

    def pattern(self) -> xr.DataArray | None:
        """Return the mean pattern (ky, kx), None before there is one."""
        ...

    def report(self) -> dict[str, Any]:
        """Return state, counters, rates and settings, as JSON can hold them."""
        ...

    def change(self, wanted: Mapping[str, Any]) -> None:
        """Take other settings. Raises PlanError for those that cannot be."""
        ...

    def stop(self) -> None:
        """End the run, keeping what came."""
        ...


class Painter:
    """Makes one message of all images at a limited rate, for any number of pages.

    While nobody looks it makes none. A page that has update `number` is given the next one.
    """

    def __init__(self, viewed: Viewed, updates_per_second: float = UPDATES_PER_SECOND) -> None:
        self.viewed = viewed
        self.updates = 0
        """Messages made so far."""
        self._interval = 1 / updates_per_second
        self._message = b""
        self._asked = -IDLE_S
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="images for pages", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Make a last message, so that pages show the end, and stop."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._thread.join()

    def after(self, number: int, patience_s: float) -> bytes:
        """Return a newer message than `number`, or the latest one when patience is over."""
        with self._changed:
            self._asked = time.monotonic()
            self._changed.notify_all()
            # After a restart of the command a page may hold a number that is yet to come.
            self._changed.wait_for(
                lambda: (self._message and self.updates != number) or self._ended, patience_s
            )
            return self._message

    def _run(self) -> None:
        painted, shown = -1, 0.0
        while not self._wait_until_wanted():
            begin = time.monotonic()
            version = self.viewed.version
            if version != painted or begin - shown > QUIET_UPDATE_S:
                self._paint()
                painted, shown = version, begin
            took = time.monotonic() - begin
            time.sleep(max(self._interval - took, took * (1 / LARGEST_SHARE - 1), 0.001))
        self._paint()

    def _wait_until_wanted(self) -> bool:
        """Wait while nobody looks; tell whether it is over."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._ended or time.monotonic() - self._asked < IDLE_S, None
            )
            return self._ended

    def _paint(self) -> None:
        images = dict(self.viewed.images())
        head = {"update": self.updates + 1, **self.viewed.report()}
        pattern = self.viewed.pattern()
        head["pattern"] = pattern is not None
        if pattern is not None:
            images["mean pattern"] = pattern
        made = message(head, images)
        with self._changed:
            self._message = made
            self.updates += 1
            self._changed.notify_all()
