"""What a front end hears while a run goes on."""

from collections.abc import Callable
from typing import Protocol


class Observer(Protocol):
    """Listens to one run; a front end implements it, a run only calls it."""

    def started(self, name: str) -> None:
        """Hear that the run on the named input begins."""

    def stage_started(self, stage: str) -> None:
        """Hear that a named step of the run begins."""

    def advanced(self, stage: str, fraction: float) -> None:
        """Hear how far the stage has come, from 0 to 1."""

    def message(self, text: str) -> None:
        """Hear something worth saying that needs no action."""

    def warning(self, text: str) -> None:
        """Hear of something that the reader of the result should know."""

    def finished(self, text: str) -> None:
        """Hear that the run is over, in one line."""


class Silent:
    """Hears everything and says nothing."""

    def started(self, name: str) -> None:
        """Ignore a beginning."""

    def stage_started(self, stage: str) -> None:
        """Ignore a stage."""

    def advanced(self, stage: str, fraction: float) -> None:
        """Ignore progress."""

    def message(self, text: str) -> None:
        """Ignore a message."""

    def warning(self, text: str) -> None:
        """Ignore a warning."""

    def finished(self, text: str) -> None:
        """Ignore the end."""


class Recorder(Silent):
    """Writes down, in a worker process, what the front end is told afterwards."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []

    def started(self, name: str) -> None:
        """Note a beginning."""
        self.heard.append(("started", name))

    def message(self, text: str) -> None:
        """Note a message."""
        self.heard.append(("message", text))

    def warning(self, text: str) -> None:
        """Note a warning."""
        self.heard.append(("warning", text))

    def finished(self, text: str) -> None:
        """Note the end."""
        self.heard.append(("finished", text))


def retell(heard: list[tuple[str, str]], observer: Observer) -> None:
    """Tell an observer what a recorder heard, in the same order."""
    for kind, text in heard:
        getattr(observer, kind)(text)


def stages(observer: Observer) -> Callable[[str, float], None]:
    """Let a method report stage and fraction to an observer, which hears once of each stage."""
    current = ""

    def report(stage: str, fraction: float) -> None:
        nonlocal current
        if stage != current:
            current = stage
            observer.stage_started(stage)
        observer.advanced(stage, fraction)

    return report
