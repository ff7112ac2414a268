"""One door to every source: a file by its content, a detector by its address."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from crewe.errors import PlanError, ReadError
from crewe.sources.protocol import Source
from crewe.sources.scan import Scan

DETECTORS = ("merlin", "timepix3")


def open_source(
    data: str | Path,
    scan: Scan | None = None,
    *,
    beam_energy_kev: float | None = None,
    partial: bool = False,
    **options: Any,
) -> Source:
    """Open 4D-STEM data: a file, or a live detector as merlin://host or timepix3://host:port.

    Content decides before suffix. The beam energy calibrates detectors in mrad; a `partial` scan
    need not be filled. `options` are those of the source: see MerlinFile, Timepix3File,
    AdvaPixFile, open_array_file, MerlinLive and Timepix3Listener. Raises ReadError for a file and
    SourceError for a detector that cannot be used, PlanError for a scan or an option that does not
    fit the source.
    """
    scheme = urlsplit(str(data)).scheme if "://" in str(data) else ""
    try:
        if scheme:
            return _detector(str(data), scheme, scan, options)
        return _file(Path(data), scan, beam_energy_kev, partial, options)
    except TypeError as error:
        if "unexpected keyword argument" not in str(error):
            raise
        option = str(error).rsplit("'", 2)[-2]
        raise PlanError(f"{data}: the option {option!r} does not apply to such data") from error


def is_live(data: str | Path) -> bool:
    """Say whether an address means a detector rather than a file."""
    return "://" in str(data)


def _file(
    path: Path,
    scan: Scan | None,
    beam_energy_kev: float | None,
    partial: bool,
    options: dict[str, Any],
) -> Source:
    kind = _kind(path)
    if kind == "merlin":
        from crewe.sources.merlin.file import MerlinFile

        return MerlinFile(path, scan, **options)
    if kind == "timepix3":
        scan = _given(path, scan)
        from crewe.sources.timepix3.file import Timepix3File

        return Timepix3File(path, scan, **options)
    if kind == "advapix":
        scan = _given(path, scan)
        from crewe.sources.timepix3.advapix import AdvaPixFile

        return AdvaPixFile(path, scan, **options)
    from crewe.sources.array_file import open_array_file

    return open_array_file(path, scan, beam_energy_kev=beam_energy_kev, partial=partial, **options)


def _kind(path: Path) -> str:
    """Tell a file by its first bytes; .t3p records have no mark of their own."""
    if path.is_dir():
        return "array"
    try:
        with path.open("rb") as file:
            head = file.read(4)
    except OSError as error:
        raise ReadError(f"{path}: cannot be opened ({error.strerror or error})") from error
    known = {b"MQ1,": "merlin", b"TPX3": "timepix3"}
    suffixes = {".mib": "merlin", ".tpx3": "timepix3", ".t3p": "advapix"}
    return known.get(head) or suffixes.get(path.suffix.lower(), "array")


def _detector(address: str, scheme: str, scan: Scan | None, options: dict[str, Any]) -> Source:
    if scheme not in DETECTORS:
        raise PlanError(f"{address}: give merlin://HOST, timepix3://HOST:PORT or a file")
    host, port = _place(address)
    scan = _given(address, scan)
    if scheme == "merlin":
        from crewe.sources.merlin.live import MerlinLive

        ports: dict[str, Any] = {} if port is None else {"data_port": port}
        return MerlinLive(host, scan, **ports, **options)
    from crewe.sources.timepix3.live import Timepix3Listener

    ports = {} if port is None else {"port": port}
    return Timepix3Listener(scan, host=host, **ports, **options)


def _place(address: str) -> tuple[str, int | None]:
    parts = urlsplit(address)
    try:
        port = parts.port
    except ValueError as error:
        raise PlanError(f"{address}: a port is a number up to 65535") from error
    if not parts.hostname:
        raise PlanError(f"{address}: names no host, as in merlin://192.168.0.5")
    return parts.hostname, port


def _given(data: str | Path, scan: Scan | None) -> Scan:
    if scan is None:
        raise PlanError(f"{data}: does not say how the probe goes: give --scan ROWSxCOLUMNS")
    return scan
