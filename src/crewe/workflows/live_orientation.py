"""Scan rotation and handedness of a live run, from the centres of mass of a finished scan."""

from __future__ import annotations

from crewe.errors import PlanError
from crewe.sources import Batch
from crewe.workflows.live_session import LiveSession
from crewe.workflows.observer import Observer
from crewe.workflows.phase_orientation import ORIENTED


class OrientationFinder:
    """Finds them after the first scan whose data tell, where the plan leaves them to the data.

    Whoever turns them on the page before that has them as they were turned.
    """

    def __init__(self, session: LiveSession, told: Observer) -> None:
        plan = session.plan
        self._session, self._told = session, told
        self._wanted = plan.rotation_degrees == "auto" and bool({*plan.methods} & ORIENTED)
        self._asked = -1
        self._warned = False

    def heard(self, batch: Batch) -> None:
        """Look whether a scan has come to its end; to be called when the batch was added."""
        over = batch.finished >= self._session.plan.scan_record.size
        finished = batch.scan if over else batch.scan - 1
        if self._wanted and finished > self._asked:
            self._asked = finished
            self._find()

    def ended(self) -> None:
        """Find them in what there is, if that was not possible before."""
        if self._wanted and self._session.methods is not None:
            self._find()

    def _find(self) -> None:
        session, plan = self._session, self._session.plan
        assert session.methods is not None
        now, begun_with = session.methods.settings.scan, plan.scan_record
        if now != begun_with:
            self._wanted = False
            return
        try:
            session.change({"rotation_degrees": "auto", "mirrored": plan.mirrored})
        except PlanError as error:
            self._warn(f"scan rotation 0 is shown: {str(error).removeprefix('not changed: ')}")
            return
        self._wanted = False
        found = session.knobs.orientation
        assert found is not None
        self._told.message(
            f"scan rotation {found.rotation_degrees:.1f} ± {found.rotation_std_degrees:.1f}°"
            f"{', mirrored' if found.mirrored else ''}"
        )
        if not found.sign_is_known:
            self._warned = False
            self._warn(session.remark)

    def _warn(self, text: str) -> None:
        if not self._warned:
            self._told.warning(text)
        self._warned = True
