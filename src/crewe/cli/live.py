"""`crewe live`: images of a running detector while it scans."""

from __future__ import annotations

import sys
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from crewe.cli import options, phase, phase_words
from crewe.cli.phase import option
from crewe.cli.progress import Bar, Lines, Quiet

if TYPE_CHECKING:
    from crewe.workflows.live import Viewer
    from crewe.workflows.live_plan import LivePlan
    from crewe.workflows.live_session import LiveSession

EXAMPLES = """Examples:

    crewe live merlin://192.168.0.5 --scan 512x512 --methods ricom,adf --show

    crewe live merlin://192.168.0.5 --scan 256x256 --dwell 50us --scans 1 --record scan.zarr -o out

    crewe live merlin://localhost:6342 --passive --scan 512x512 --flyback-line 1 --show

    crewe live timepix3://0.0.0.0:8451 --scan 1024x1024 --methods ricom --record scan.tpx3
"""

SECONDS_BETWEEN_LINES = 10.0
SHOWING = "Showing and keeping"
MERLIN, TIMEPIX = "Merlin", "Timepix3"


Address = Annotated[
    str,
    typer.Argument(metavar="DETECTOR", help="merlin://HOST[:PORT] or timepix3://[HOST][:PORT]."),
]
Shape = Annotated[str, option(phase.SCAN, "--scan", text="ROWSxCOLUMNS of probe positions.")]
Scans = Annotated[
    int | None, option(phase.SCAN, text="Stop after so many. Default: when stopped.", min=1)
]
Rotation = Annotated[
    str,
    option(phase.SCAN, text="Scan rotation in degrees, or auto: found after the first scan."),
]
Mirrored = Annotated[
    bool | None,
    option(phase.SCAN, "--mirrored/--no-mirrored", text="Detector upside down. Default: no."),
]
Step = Annotated[str | None, option(phase.SCAN, text="Scan step, as in 0.2A or 0.2,0.3A (y,x).")]
Reference = Annotated[
    Literal["mean", "centre"],
    option(phase.BEAM, text="Centre of mass in vacuum: mean of all, or centre of the disk."),
]
Depth = Annotated[int | None, option(MERLIN, text="Counter depth: 1, 6, 12 or 24 bits.")]
Trigger = Annotated[
    str | None,
    option(MERLIN, text="internal, rising, falling, lvds rising or lvds falling."),
]
TriggerPer = Annotated[
    str | None,
    option(MERLIN, text="Frames that follow a trigger: those of a frame, line or scan."),
]
Passive = Annotated[
    bool,
    option(MERLIN, "--passive", text="Send no commands: the operator starts the detector."),
]
CommandPort = Annotated[int, option(MERLIN, text="Port of the commands.")]
Chips = Annotated[int, option(TIMEPIX, text="Chips of the detector: 1 or 4.")]
PlaceBy = Annotated[
    Literal["lines", "dwell"],
    option(TIMEPIX, text="Place electrons by the line signal or by the dwell time."),
]
Channel = Annotated[int, option(TIMEPIX, "--tdc", text="TDC channel of the line signal: 1 or 2.")]
Patience = Annotated[str, option(phase.RUNNING, text="How long the detector may be silent.")]
Show = Annotated[bool, option(SHOWING, "--show", text="Serve a page that shows the images.")]
Port = Annotated[int, option(SHOWING, text="Port of the page on this machine; 0 is any free one.")]
Record = Annotated[
    Path | None,
    option(SHOWING, text="Keep all patterns (.zarr), or the raw stream of a Timepix3 (.tpx3)."),
]
Output = Annotated[
    Path | None, option(SHOWING, "-o", "--output", text="Folder for the last images.")
]
Threads = Annotated[int, option(phase.RUNNING, text="CPU threads that measure.", min=1)]


def live(
    detector_address: Address,
    scan: Shape,
    methods: phase.Method = None,
    kernel: phase.Kernel = 61,
    band: phase.Band = None,
    scans: Scans = None,
    dwell: phase.Dwell = None,
    flyback_line: phase.FlybackLine = 0,
    flyback_scan: phase.FlybackScan = 0,
    sync_offset: phase.SyncOffset = 0,
    step: Step = None,
    rotation: Rotation = "0",
    mirrored: Mirrored = None,
    repeats: phase.Repeats = "newest",
    centre: phase.Centre = "auto",
    radius: phase.Radius = "auto",
    reference: Reference = "mean",
    beam_energy: phase.BeamEnergy = None,
    semi_angle: phase.SemiAngle = None,
    detector: phase.Detector = None,
    depth: Depth = None,
    trigger: Trigger = None,
    trigger_per: TriggerPer = None,
    passive: Passive = False,
    command_port: CommandPort = 6341,
    chips: Chips = 4,
    place_by: PlaceBy = "lines",
    tdc: Channel = 1,
    acceptance: phase.Acceptance = None,
    show: Show = False,
    port: Port = 8765,
    record: Record = None,
    output: Output = None,
    format: phase.Format = "tif",
    patience: Patience = "30s",
    threads: Threads = 1,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> int:
    """Make phase images and virtual detectors of a running detector while it scans.

    Connects to a Merlin, or listens for the stream of a Timepix3. With --show a page on this
    machine draws the images as they grow; kernel, filter, rotation, centre and radii can be
    changed there at any time. Ends after --scans, by Ctrl-C or by the page, and then writes what
    crewe phase writes to the folder given with -o. Rehearse with crewe-fake-merlin and
    crewe-fake-timepix3.
    """
    from crewe.workflows.live_plan import live_plan

    settings: dict[str, Any] = {
        "address": detector_address,
        "scan": phase_words.scan_shape(scan),
        "methods": phase_words.methods(methods, detector),
        "kernel": kernel,
        "band": phase_words.band(band),
        "scans": scans,
        "dwell_time_us": phase_words.time_or_none(dwell, "--dwell"),
        "flyback_per_line": flyback_line,
        "flyback_per_scan": flyback_scan,
        "sync_offset": sync_offset,
        "step_angstrom": phase_words.step_angstrom(step),
        "rotation_degrees": phase_words.number_or_auto(rotation, "--rotation"),
        "mirrored": mirrored,
        "repeats": repeats,
        "centre": phase_words.place_or_auto(centre, "--centre"),
        "radius_px": phase_words.number_or_auto(radius, "--radius"),
        "reference": reference,
        "beam_energy_kev": beam_energy,
        "semi_angle_mrad": semi_angle,
        "detectors": phase_words.detectors(detector),
        "counter_depth": depth,
        "trigger": trigger,
        "trigger_per": trigger_per,
        "command_port": None if passive else command_port,
        "chips": chips,
        "place_by": place_by,
        "tdc_channel": tdc,
        "acceptance_us": phase_words.time_or_none(acceptance, "--acceptance"),
        "patience_s": seconds(patience),
        "record": record,
        "output": output,
        "format": format.removeprefix("."),
        "threads": threads,
    }
    return _carry_out(live_plan(settings), _viewer(port) if show else None, overwrite, quiet)


def seconds(text: str) -> float:
    """Read a time in seconds; a number without unit is in seconds. Raises PlanError."""
    unit = "" if text.rstrip()[-1:].isalpha() else "s"
    return phase_words.time_us(text.rstrip() + unit, "--patience") / 1e6


def _carry_out(plan: LivePlan, viewer: Viewer | None, overwrite: bool, quiet: bool) -> int:
    from crewe.workflows.live import run_live

    with _listener(quiet) as observer:
        run_live(plan, observer, viewer=viewer, overwrite=overwrite)
    return 0


def _viewer(port: int) -> Viewer:
    def served(session: LiveSession) -> AbstractContextManager[Any]:
        from crewe.web.live_page import LivePage

        page = LivePage(session, port)
        # Asked for, so it is said even to those who want it quiet.
        typer.echo(f"the page is at {page.address}", err=True)
        return page

    return served


class ProgressLines(Lines):
    """Says now and then how far and how fast it is."""

    _last = 0.0

    def progress(self, text: str) -> None:
        """Say it, not too often for a log."""
        now = time.monotonic()
        if now - self._last >= SECONDS_BETWEEN_LINES:
            self._last = now
            self.say(f"{self._name}: {text}")


class ProgressBar(Bar):
    """Shows how far and how fast it is beside the bar."""

    def progress(self, text: str) -> None:
        """Show it."""
        self._progress.update(self._task, description=f"{self._name}: {text}")


def _listener(quiet: bool) -> Lines:
    if quiet:
        return Quiet()
    return ProgressBar() if sys.stderr.isatty() else ProgressLines()
