"""`crewe phase`: 4D-STEM data to phase images and virtual detectors, in one pass."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from crewe.cli import options, phase_words
from crewe.cli.progress import Bar, Lines, Quiet
from crewe.cli.words import number_or_word
from crewe.errors import PlanError

EXAMPLES = """Examples:

    crewe phase scan.mib --method ricom,adf --kernel 61 -o images

    crewe phase scan.mib --scan 256x256 --flyback-line 1 --step 0.2A --method icom --method com

    crewe phase events.tpx3 --scan 512x512 --dwell 1us --method ricom --band 0.02:0.2

    crewe phase set.hspy --method ssb --beam-energy 200 --semi-angle 20 --detector adf=1.1:2x
"""
SECONDS_BETWEEN_LINES = 10.0


def option(group: str, *names: str, text: str, **more: Any) -> Any:
    """Describe an option of a group in the help."""
    return typer.Option(*names, help=text, rich_help_panel=group, **more)


DATA, SCAN, BEAM = "Data", "Scan", "Beam and detector"
IMAGES, RUNNING = "Images", "Running"

Data = Annotated[
    str, typer.Argument(metavar="DATA", help="File of 4D data: mib, tpx3, t3p, hspy, zarr, npy, …")
]
Dataset = Annotated[
    str | None, option(DATA, text="Name or number of an array in a file of several.")
]
SourceOption = Annotated[
    list[str] | None,
    option(
        DATA,
        "--source",
        text="Further option of the source as NAME=VALUE, such as place_by=dwell for a tpx3 file "
        "without line signals.",
    ),
]
Shape = Annotated[
    str | None, option(SCAN, "--scan", text="ROWSxCOLUMNS. Default: those of the file.")
]
Dwell = Annotated[str | None, option(SCAN, text="Dwell time, as in 1us or 800ns.")]
FlybackLine = Annotated[int, option(SCAN, text="Frames after each line while the probe returns.")]
FlybackScan = Annotated[int, option(SCAN, text="Further frames after each scan.")]
SyncOffset = Annotated[
    int, option(SCAN, text="Number of the first frame that lies on a probe position.")
]
Partial = Annotated[
    bool, option(SCAN, "--partial", text="Take frames that do not fill the scan (interrupted).")
]
Step = Annotated[
    str | None, option(SCAN, text="Scan step, as in 0.2A or 0.2,0.3A (y,x). Default: the file's.")
]
Rotation = Annotated[
    str, option(SCAN, text="Scan rotation in degrees, or auto: the one with the least curl.")
]
Mirrored = Annotated[
    bool | None,
    option(SCAN, "--mirrored/--no-mirrored", text="Detector upside down. Default: from the data."),
]
Repeats = Annotated[Literal["newest", "sum"], option(SCAN, text="What becomes of repeated scans.")]
Centre = Annotated[
    str, option(BEAM, text="Centre of the bright-field disk as Y,X in pixels, or auto.")
]
Radius = Annotated[str, option(BEAM, text="Radius of the bright-field disk in pixels, or auto.")]
Reference = Annotated[
    str | None,
    option(BEAM, text="Centre of mass in vacuum as Y,X in pixels. Default: the mean of all."),
]
BadPixels = Annotated[
    str,
    option(
        BEAM,
        text="Detector pixels to replace by the mean of those around: auto (hot and dead ones), "
        "none, KY,KX;KY,KX or a .npy mask. Those without finite numbers always are.",
    ),
]
BeamEnergy = Annotated[float | None, option(BEAM, text="Beam energy in keV.")]
SemiAngle = Annotated[
    float | None, option(BEAM, text="Convergence semi-angle in mrad; calibrates the detector.")
]
Detector = Annotated[
    list[str] | None,
    option(
        BEAM,
        text="Virtual detector NAME=INNER:OUTER in x (disk radii), mrad or px, as in adf=1.1:2x.",
    ),
]
Acceptance = Annotated[
    str | None, option(BEAM, text="Leave out events later than this after their probe's start.")
]
Method = Annotated[
    list[str] | None,
    option(
        IMAGES,
        "-m",
        "--method",
        "--methods",
        text="One or more of total, bf, abf, adf, haadf, segments, com, field, divergence, icom, "
        "ricom, ssb; with commas, or each with its own --method. Default: ricom.",
    ),
]
Kernel = Annotated[int, option(IMAGES, text="Side of riCOM's kernel in probe positions, odd.")]
Band = Annotated[
    str | None,
    option(
        IMAGES,
        text="Filter in riCOM's kernel, LOW:HIGH in cycles per step, 1/A, or px (per scan width).",
    ),
]
Normalise = Annotated[
    Literal["pattern", "dose"],
    option(IMAGES, text="Whether each pattern or each electron counts alike (low dose: dose)."),
]
Boundary = Annotated[
    Literal["periodic", "open"], option(IMAGES, text="What iCOM takes the surroundings for.")
]
SsbTransfer = Annotated[
    Literal["flat", "natural"],
    option(IMAGES, text="SSB in rad (flat), or with less noise at low dose (natural)."),
]
SsbAcross = Annotated[
    int | None, option(IMAGES, text="Bin the disk to at most so many pixels across, for SSB.")
]
SsbMemory = Annotated[float, option(IMAGES, text="Most memory for SSB's disk, in GiB.")]
Output = Annotated[
    Path | None, option(RUNNING, "-o", "--output", text="Folder to write. Default: DATA_phase.")
]
Format = Annotated[str, option(RUNNING, text="Images as tif, hspy, h5, zarr, npz or npy.")]
Threads = Annotated[int | None, option(RUNNING, text="CPU threads. Default: all.", min=1)]


def phase(
    context: typer.Context,
    data: Data,
    method: Method = None,
    kernel: Kernel = 61,
    band: Band = None,
    normalise: Normalise = "pattern",
    boundary: Boundary = "periodic",
    ssb_transfer: SsbTransfer = "flat",
    ssb_across: SsbAcross = None,
    ssb_memory: SsbMemory = 4.0,
    scan: Shape = None,
    dwell: Dwell = None,
    flyback_line: FlybackLine = 0,
    flyback_scan: FlybackScan = 0,
    sync_offset: SyncOffset = 0,
    partial: Partial = False,
    step: Step = None,
    rotation: Rotation = "auto",
    mirrored: Mirrored = None,
    repeats: Repeats = "newest",
    centre: Centre = "auto",
    radius: Radius = "auto",
    reference: Reference = None,
    bad_pixels: BadPixels = "none",
    beam_energy: BeamEnergy = None,
    semi_angle: SemiAngle = None,
    detector: Detector = None,
    acceptance: Acceptance = None,
    dataset: Dataset = None,
    source: SourceOption = None,
    output: Output = None,
    format: Format = "tif",
    threads: Threads = None,
    overwrite: options.Overwrite = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Make phase images and virtual detectors of 4D-STEM data, all in one pass.

    Writes OUT/ricom.tif and so on, calibrated where the data are, OUT/overview.png with all
    images, and OUT/phase.yaml with all settings, what was found (centre and radius of the
    bright-field disk, scan rotation, handedness) and what became of the frames. Patterns are read
    once and not kept, so that data may be larger than memory.
    """
    if "://" in data:
        raise PlanError(f"{data} is a detector: use crewe live {data}")
    path = Path(data)
    settings: dict[str, Any] = {
        "data": path,
        "output": Path(f"{path.stem}_phase") if output is None else output,
        "methods": phase_words.methods(method, detector),
        "kernel": kernel,
        "band": phase_words.band(band),
        "normalise": normalise,
        "boundary": boundary,
        "ssb_transfer": ssb_transfer,
        "ssb_across": ssb_across,
        "ssb_memory_gib": ssb_memory,
        "scan": None if scan is None else phase_words.scan_shape(scan),
        "dwell_time_us": phase_words.time_or_none(dwell, "--dwell"),
        "flyback_per_line": flyback_line,
        "flyback_per_scan": flyback_scan,
        "sync_offset": sync_offset,
        "partial": partial,
        "step_angstrom": phase_words.step_angstrom(step),
        "rotation_degrees": phase_words.number_or_auto(rotation, "--rotation"),
        "mirrored": "auto" if mirrored is None else mirrored,
        "repeats": repeats,
        "centre": phase_words.place_or_auto(centre, "--centre"),
        "radius_px": phase_words.number_or_auto(radius, "--radius"),
        "reference": None if reference is None else phase_words.pair_px(reference, "--reference"),
        "bad_pixels": phase_words.bad_pixels(bad_pixels),
        "beam_energy_kev": beam_energy,
        "semi_angle_mrad": semi_angle,
        "detectors": phase_words.detectors(detector),
        "acceptance_us": phase_words.time_or_none(acceptance, "--acceptance"),
        "dataset": number_or_word(dataset),
        "source": dict(phase_words.source_option(text) for text in source or []),
        "format": format.removeprefix("."),
        "threads": threads,
    }
    return _carry_out(settings, overwrite, as_json, quiet, bool(context.obj))


def _carry_out(
    settings: dict[str, Any], overwrite: bool, as_json: bool, quiet: bool, debug: bool
) -> int:
    from functools import partial

    from crewe.cli.outcomes import tell
    from crewe.workflows.many import run_many
    from crewe.workflows.phase import phase_unless_finished
    from crewe.workflows.phase_plan import phase_plan

    plan = phase_plan(settings)
    verb = partial(phase_unless_finished, overwrite=overwrite)
    with _listener(quiet) as observer:
        outcomes = run_many(verb, [plan], [str(plan.data)], observer=observer)
        return tell(outcomes, [plan.output], observer, as_json, debug)


class RateLines(Lines):
    """Says now and then how fast the data are read."""

    _last = 0.0

    def rate(self, khz: float, fraction: float) -> None:
        """Say the rate, not too often for a log."""
        now = time.monotonic()
        if self._last == 0.0:
            self._last = now
        elif now - self._last >= SECONDS_BETWEEN_LINES:
            self._last = now
            self.say(f"{self._name}: {100 * fraction:.0f} %, {khz:,.1f} kHz")


class RateBar(Bar):
    """Shows how fast the data are read beside the bar."""

    def rate(self, khz: float, fraction: float) -> None:
        """Show the rate."""
        said = f"{self._name}: {khz:,.1f} kHz"
        self._progress.update(self._task, description=said, total=1.0, completed=fraction)


def _listener(quiet: bool) -> Lines:
    if quiet:
        return Quiet()
    return RateBar() if sys.stderr.isatty() else RateLines()
