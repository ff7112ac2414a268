import http.client
import json
import re
import socket
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from runs import Run, parts

from crewe.errors import PlanError
from crewe.web.live_page import LARGEST_REQUEST_BYTES, LivePage


@pytest.fixture
def run():
    return Run()


@pytest.fixture
def page(run):
    with LivePage(run, 0) as page:
        yield page


def ask(page, method, path, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=10)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def post(page, path, content, **headers):
    headers = {"X_Crewe_Token": page.token, **headers}
    answer, said = ask(page, "POST", path, json.dumps(content), **headers)
    return answer.status, json.loads(said)


def test_the_page_needs_nothing_from_elsewhere(page):
    answer, content = ask(page, "GET", "/")
    html = content.decode()
    assert answer.status == 200
    assert page.token in html
    assert "NONCE" not in html
    assert "TOKEN" not in html
    assert not re.search(r"""(src|href)=["'](?!data:,)""", html)
    policy = answer.headers["Content-Security-Policy"]
    (nonce,) = set(re.findall(r"nonce-([\w-]+)", policy))
    assert html.count(f'nonce="{nonce}"') == 2
    assert "default-src 'none'" in policy
    assert ask(page, "GET", "/")[0].headers["Content-Security-Policy"] != policy


def test_updates_are_images(page, run):
    answer, content = ask(page, "GET", "/updates?after=0")
    head, images = parts(content)
    assert answer.status == 200
    assert head["state"] == "running"
    assert list(images) == ["ricom", "adf"]
    run.batches = 4
    _, content = ask(page, "GET", f"/updates?after={head['update']}")
    assert parts(content)[0]["images"][0]["low"] == 4
    assert json.loads(ask(page, "GET", "/state")[1])["settings"] == {"kernel_size": 61}


def test_settings_and_stop(page, run):
    status, said = post(page, "/settings", {"kernel_size": 21})
    assert (status, said["settings"]) == (200, {"kernel_size": 21})
    status, said = post(page, "/settings", {"colour": 1})
    assert (status, said["error"]) == (422, "not changed: ['colour'] unknown")
    assert run.kernel_size == 21
    assert not run.stopped.is_set()
    assert post(page, "/stop", {})[0] == 200
    assert run.stopped.is_set()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "LOCALHOST"])
def test_names_of_this_machine(page, host):
    assert ask(page, "GET", "/state", Host=f"{host}:{page.port}")[0].status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1", "", "[::1"]
)
def test_other_names_are_refused(page, run, host):
    for method, path in (("GET", "/"), ("GET", "/updates?after=0"), ("POST", "/stop")):
        answer, _ = ask(page, method, path, "{}", Host=host, X_Crewe_Token=page.token)
        assert answer.status == 421
    assert not run.stopped.is_set()


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Crewe_Token": ""},
        {"X_Crewe_Token": "guess"},
        {"X_Crewe_Token": "\xe9"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://127.0.0.1"},
    ],
)
def test_other_pages_change_nothing(page, run, headers):
    for path in ("/settings", "/stop"):
        status, said = post(page, path, {"kernel_size": 21}, **headers)
        assert status == 403
        assert "only the page" in said["error"]
    assert run.kernel_size == 61
    assert not run.stopped.is_set()
    own = {"Origin": f"http://127.0.0.1:{page.port}"}
    assert post(page, "/settings", {"kernel_size": 21}, **own)[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("GET", "/nothing", None, {}, 404),
        ("GET", "/../etc/passwd", None, {}, 404),
        ("GET", "/updates?after=-1", None, {}, 400),
        ("GET", "/updates?after=" + "9" * 5000, None, {}, 400),
        ("GET", "/updates?after=²", None, {}, 400),
        ("POST", "/nothing", "{}", {}, 404),
        ("POST", "/settings", "{", {}, 400),
        ("POST", "/settings", "[" * 9999, {}, 400),
        ("POST", "/settings", "[1]", {}, 400),
        ("POST", "/settings", b"\xff\xfe", {}, 400),
        ("POST", "/settings", None, {"Content_Length": str(LARGEST_REQUEST_BYTES + 1)}, 413),
        ("POST", "/settings", None, {"Content_Length": "-5"}, 411),
        ("POST", "/settings", None, {"Content_Length": "x"}, 411),
        ("POST", "/settings", None, {"Transfer_Encoding": "chunked"}, 411),
        ("DELETE", "/", None, {}, 501),
    ],
)
def test_bad_requests_are_refused(page, method, path, body, headers, status):
    # http.client checks paths, and a browser may not.
    path = path.encode().decode("latin-1")
    with socket.create_connection(("127.0.0.1", page.port), timeout=10) as connection:
        body = body.encode() if isinstance(body, str) else body or b""
        given = {"Host": f"127.0.0.1:{page.port}", "X-Crewe-Token": page.token}
        if "Content_Length" not in headers and "Transfer_Encoding" not in headers:
            given["Content-Length"] = str(len(body))
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        connection.sendall(f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + body)
        assert int(connection.recv(4096).split()[1]) == status
    assert ask(page, "GET", "/state")[0].status == 200


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=300))
def test_no_bytes_at_all_harm_the_server(page, noise):
    with socket.create_connection(("127.0.0.1", page.port), timeout=10) as connection:
        connection.sendall(noise)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass
    assert ask(page, "GET", "/state")[0].status == 200


def test_a_connection_serves_many_updates(page, run):
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=10)
    number, begin = 0, time.monotonic()
    for _ in range(10):
        run.batches += 1
        connection.request("GET", f"/updates?after={number}")
        number = parts(connection.getresponse().read())[0]["update"]
    assert number >= 10
    assert time.monotonic() - begin < 5
    connection.close()


def test_a_port_in_use(page, run):
    with pytest.raises(PlanError, match="choose another with --port"):
        LivePage(run, page.port)
    with pytest.raises(PlanError, match="choose another"):
        LivePage(run, 70000)


def test_the_door_is_closed_at_the_end(run):
    with LivePage(run, 0) as page:
        begin = time.monotonic()
    assert time.monotonic() - begin < 2
    with pytest.raises(ConnectionRefusedError):
        ask(page, "GET", "/")
