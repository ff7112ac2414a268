"""The page of a live run: a small server on this machine and what it answers."""

from __future__ import annotations

import json
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from crewe.errors import CreweError, PlanError
from crewe.web.painter import Painter, Viewed

LARGEST_REQUEST_BYTES = 64 * 2**10
POLICY = "default-src 'none'; connect-src 'self'; img-src data:; frame-ancestors 'none'"
PATIENCE_S = 1.0
"""How long a page that is up to date waits for the next update before it asks again."""
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class LivePage:
    """Serves the page of a run on 127.0.0.1 while it is entered; port 0 is any free one.

    GET / is the page, /updates?after=N the images once they are newer than update N
    (see crewe.web.pixels), /state the same without images. POST /settings takes a JSON object of
    settings, POST /stop ends the run; both need the token that the page holds. Names of other
    machines, other origins and bad requests are refused. Raises PlanError for a port in use.
    """

    def __init__(self, viewed: Viewed, port: int = 8765) -> None:
        self.token = secrets.token_urlsafe(16)
        self.painter = Painter(viewed)
        try:
            self._server = _Server(("127.0.0.1", port), _Handler)
        except (OSError, OverflowError) as error:
            said = getattr(error, "strerror", None) or error
            raise PlanError(
                f"the page cannot be served on port {port}: {said}; choose another with --port, "
                "0 for any free one"
            ) from error
        self._server.page = self
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="page", daemon=True
        )

    @property
    def address(self) -> str:
        """Where a browser on this machine finds the page."""
        return f"http://127.0.0.1:{self.port}/"

    def html(self, nonce: str) -> bytes:
        """Return the page; only what bears the nonce may run in it."""
        text = (files("crewe.web") / "live_page.html").read_text(encoding="utf-8")
        return text.replace("NONCE", nonce).replace("TOKEN", self.token).encode()

    def __enter__(self) -> Self:
        self.painter.start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # First the images of the end, which the pages wait for, then the door.
        self.painter.stop()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Pages that nobody looks at any more must not keep the command from ending.
    block_on_close = False
    page: LivePage

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Let browsers that hang up do so in silence."""


class _RefusedError(Exception):
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    server: _Server

    def do_GET(self) -> None:
        self._answered(self._get)

    def do_POST(self) -> None:
        self._answered(self._post)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep requests off the terminal."""

    def version_string(self) -> str:
        return "crewe"

    def _answered(self, answer: Any) -> None:
        try:
            self._check_host()
            answer()
        except _RefusedError as error:
            # What may be left of the request would be read as the next one.
            self.close_connection = True
            self._send_json({"error": str(error)}, error.status)

    def _get(self) -> None:
        address = urlsplit(self.path)
        painter = self.server.page.painter
        if address.path == "/":
            nonce = secrets.token_urlsafe(16)
            self._send(self.server.page.html(nonce), "text/html; charset=utf-8", nonce=nonce)
        elif address.path == "/updates":
            number = _number(parse_qs(address.query).get("after", ["0"])[0])
            self._send(painter.after(number, PATIENCE_S), "application/octet-stream")
        elif address.path == "/state":
            self._send_json(painter.viewed.report())
        else:
            raise _RefusedError(404, "nothing is here: there are /, /updates and /state")

    def _post(self) -> None:
        self._check_origin()
        viewed = self.server.page.painter.viewed
        wanted = self._body()
        if self.path == "/settings":
            try:
                viewed.change(wanted)
            except CreweError as error:
                # The request was read to its end, so the connection may stay.
                self._send_json({"error": str(error)}, 422)
                return
        elif self.path == "/stop":
            viewed.stop()
        else:
            raise _RefusedError(404, f"nothing takes a POST at {self.path}: use /settings or /stop")
        self._send_json(viewed.report())

    def _check_host(self) -> None:
        """Refuse names that are not this machine's: they are how other sites reach in."""
        port = self.server.page.port
        allowed = [f"{name}:{port}" for name in LOOPBACK] + (list(LOOPBACK) if port == 80 else [])
        if self.headers.get("Host", "").lower() not in allowed:
            raise _RefusedError(421, f"this page is at {self.server.page.address} only")

    def _check_origin(self) -> None:
        port = self.server.page.port
        own = [f"http://{name}:{port}" for name in LOOPBACK]
        own += [name.removesuffix(":80") for name in own] if port == 80 else []
        origin = self.headers.get("Origin")
        token = self.headers.get("X-Crewe-Token", "")
        known = secrets.compare_digest(token.encode(), self.server.page.token.encode())
        if not known or (origin is not None and origin not in own):
            raise _RefusedError(403, "only the page of this run may change it: open it anew")

    def _body(self) -> dict[str, Any]:
        if "Transfer-Encoding" in self.headers:
            raise _RefusedError(411, "give a Content-Length")
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            raise _RefusedError(411, "give a Content-Length")
        if int(length) > LARGEST_REQUEST_BYTES:
            raise _RefusedError(413, f"more than {LARGEST_REQUEST_BYTES} bytes")
        try:
            wanted = json.loads(self.rfile.read(int(length)) or b"{}")
        except (ValueError, RecursionError) as error:
            raise _RefusedError(400, f"not JSON: {error}") from error
        if not isinstance(wanted, dict):
            raise _RefusedError(400, 'give a JSON object, such as {"kernel_size": 41}')
        return wanted

    def _send_json(self, content: Any, status: int = 200) -> None:
        text = json.dumps(content, allow_nan=False, ensure_ascii=False)
        self._send(text.encode(), "application/json", status)

    def _send(self, content: bytes, kind: str, status: int = 200, nonce: str = "") -> None:
        allowed = f"script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; " if nonce else ""
        try:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Content-Security-Policy", f"{allowed}{POLICY}")
            if self.close_connection:
                self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            self.close_connection = True


def _number(text: str) -> int:
    # Longer digits than these are no number of an update, and cost time to read.
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise _RefusedError(400, f"after={text[:40]!r}: give the number of an update")
    return int(text)
