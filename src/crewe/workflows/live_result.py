"""What remains of a live run: images, settings as they were at the end, files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import SourceError
from crewe.sources import Counters
from crewe.stem4d.methods import MethodSettings
from crewe.workflows.live_plan import LivePlan
from crewe.workflows.live_session import LiveSession, in_order
from crewe.workflows.phase_calibration import orientation_note
from crewe.workflows.phase_output import overview, summary_of, write_phase_result
from crewe.workflows.provenance import versions

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class LiveImages:
    """Result of a live run."""

    plan: LivePlan
    images: dict[str, xr.DataArray]
    """Images (y, x) by name, NaN where nothing was measured."""
    pattern: NDArray[np.float64]
    """Mean pattern (ky, kx) of a sample of the data."""
    settings: MethodSettings
    """Settings of the methods as they were at the end."""
    counters: Counters
    summary: dict[str, Any]
    """The result in numbers; can be written as JSON."""

    def in_words(self) -> str:
        """Say in one line what came and what was written."""
        missing = 1 - self.summary["measured_share"]
        holes = f", {100 * missing:.2g} % of the positions not measured" if missing else ""
        written = ""
        if self.plan.output is not None:
            written = f", {', '.join(self.images)} written to {self.plan.output}"
        return f"{self.counters.in_words()}{holes}{written}"


def live_result(session: LiveSession) -> LiveImages:
    """Make all images of a run that is over. Raises SourceError when nothing was measured."""
    assert session.methods is not None
    assert session.mean is not None
    methods, counters = session.methods, session.counters
    measured = float(methods.moments.measured.mean())
    if measured == 0:
        raise SourceError(
            f"{session.plan.address}: no data fell on a probe position ({counters.in_words()}): "
            "check --scan and --sync-offset"
        )
    images = in_order(methods.images(), session.plan.methods)
    settings = methods.settings
    calibration = _calibration(session)
    summary = summary_of(images, settings.scan, calibration, settings.known, measured, counters)
    return LiveImages(session.plan, images, session.mean.pattern, settings, counters, summary)


def _calibration(session: LiveSession) -> dict[str, Any]:
    settings, knobs = session.settings(), session.knobs
    radius = settings["radius_px"] if knobs.has_disk else None
    found = knobs.orientation
    return {
        **settings,
        "radius_px": radius,
        "radius_from": knobs.radius_from,
        "orientation_found": None if found is None else orientation_note(found),
    }


def write_live_result(result: LiveImages, overwrite: bool) -> None:
    """Write images, picture and note as `crewe phase` does, where the plan has an output."""
    if result.plan.output is None:
        return
    note = {"plan": result.plan.settings(), "versions": versions(), **result.summary}
    write_phase_result(
        result.plan.output,
        result.images,
        note,
        _picture(result),
        suffix=result.plan.format,
        overwrite=overwrite,
    )


def _picture(result: LiveImages) -> bytes:
    settings = result.settings
    radius_px = settings.radius_px if result.summary["calibration"]["radius_px"] else None
    detectors = settings.virtual_detectors(result.plan.methods)
    centre, title = settings.centre, result.plan.address
    return overview(result.images, result.pattern, centre, radius_px, detectors, title)
