"""How a run is told on the terminal: a bar for people, plain lines for logs."""

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO

if TYPE_CHECKING:
    pass


class Lines:
    """Says each step as a plain line on stderr."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._name = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop telling."""

    def started(self, name: str) -> None:
        """Remember which input the next lines are about."""
        self._name = name

    def stage_started(self, stage: str) -> None:
        """Say what is being done."""
        self.say(f"{self._name}: {stage}")

    def advanced(self, stage: str, fraction: float) -> None:
        """Stay silent: a log needs no percentages."""

    def message(self, text: str) -> None:
        """Say a message."""
        self.say(f"{self._name}: {text}")

    def warning(self, text: str) -> None:
        """Say a warning."""
        self.say(f"{self._name}: warning: {text}")

    def finished(self, text: str) -> None:
        """Say how it ended."""
        self.say(f"{self._name}: {text}")

    def say(self, text: str) -> None:
        """Write one line."""
        print(text, file=self._stream, flush=True)


class Quiet(Lines):
    """Says warnings and errors only."""

    def stage_started(self, stage: str) -> None:
        """Stay silent."""

    def message(self, text: str) -> None:
        """Stay silent."""

    def finished(self, text: str) -> None:
        """Stay silent."""


class Bar(Lines):
    """Shows the current step as a bar on a terminal; results stay as lines above it."""

    def __enter__(self) -> Self:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._progress: Progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            console=Console(file=self._stream),
            transient=True,
        )
        self._task = self._progress.add_task("starting", total=None)
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the bar away."""
        self._progress.stop()

    def stage_started(self, stage: str) -> None:
        """Name the step beside the bar."""
        described: Any = {"description": f"{self._name}: {stage}", "total": None}
        self._progress.reset(self._task, **described)

    def advanced(self, stage: str, fraction: float) -> None:
        """Move the bar."""
        self._progress.update(self._task, total=1.0, completed=fraction)

    def say(self, text: str) -> None:
        """Write one line above the bar."""
        self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)


def listener(quiet: bool = False) -> Lines:
    """Return the observer that suits the terminal."""
    if quiet:
        return Quiet()
    return Bar() if sys.stderr.isatty() else Lines()
