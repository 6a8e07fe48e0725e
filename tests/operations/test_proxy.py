"""deploy/nginx.conf in a real nginx, in front of two servers that tell what reached them."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from workbench.api.door import BATCH_BYTES
from workbench.ui.guard import LARGEST, LARGEST_UPLOAD

ROOT = Path(__file__).parents[2]
CONFIGURATION = (ROOT / "deploy/nginx.conf").read_text(encoding="utf-8")
HOST = "ringroad.test"


class Telling(BaseHTTPRequestHandler):
    """Answers with its own name, what was asked and the headers that came."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        read = len(self.rfile.read(length))
        told = json.dumps([self.server.server_port, self.path, dict(self.headers), read]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(told)))
        self.send_header("Strict-Transport-Security", "max-age=1")
        self.end_headers()
        self.wfile.write(told)

    do_POST = do_GET  # noqa: N815 - the name that http.server looks for

    def log_message(self, *_: object) -> None:
        pass


@dataclass(frozen=True)
class Answer:
    status: int
    port: int
    headers: dict[str, str]
    read: int
    safe: list[str]


@dataclass(frozen=True)
class Proxy:
    port: int
    ui: int
    api: int
    folder: Path

    def connected(self, *, newest: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED) -> ssl.SSLSocket:
        trusting = ssl.create_default_context(cafile=str(self.folder / ".secrets/tls_certificate.pem"))
        trusting.maximum_version = newest
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        return trusting.wrap_socket(plain, server_hostname=HOST)

    def ask(self, path: str, body: bytes | None = None, **headers: str) -> Answer:
        connection = HTTPSConnection(HOST, self.port)
        connection.sock = self.connected()
        with closing(connection):
            connection.request("POST" if body is not None else "GET", path, body, headers)
            return self._answer(connection.getresponse())

    @staticmethod
    def _answer(response: HTTPResponse) -> Answer:
        content = response.read()
        port, _, headers, read = json.loads(content) if response.status == 200 else (0, "", {}, 0)
        return Answer(response.status, port, headers, read, response.headers.get_all("Strict-Transport-Security") or [])

    def log(self) -> str:
        return (self.folder / "access.log").read_text() + (self.folder / "error.log").read_text()


def nginx() -> str:
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:{ROOT / '.tools/nginx/usr/sbin'}")
    if found is None or shutil.which("openssl") is None:
        if os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail("no nginx to test with: tools/system.sh fetches it")
        pytest.skip("no nginx to test with")
    return found


@contextmanager
def telling() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Telling) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    program, folder = nginx(), tmp_path_factory.mktemp("proxy")
    shutil.copytree(ROOT / "deploy", folder / "deploy")
    subprocess.run([str(folder / "deploy/secrets.sh"), "--trial", HOST], check=True, capture_output=True)
    with telling() as ui, telling() as api:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port: int = free.getsockname()[1]
        (folder / "nginx.conf").write_text(here(folder, port, ui, api), encoding="utf-8")
        directives = "daemon off;" + ("user root;" if os.getuid() == 0 else "")
        running = subprocess.Popen(
            [program, "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf"), "-g", directives]
        )
        try:
            until_it_listens(running, port)
            yield Proxy(port, ui, api, folder)
        finally:
            running.terminate()
            running.wait(timeout=30)


def here(folder: Path, port: int, ui: int, api: int) -> str:
    """Its places in the container become those of this test; each must be in it."""
    text = CONFIGURATION
    for there, ours in (
        ("/tmp/", f"{folder}/"),
        ("/dev/stderr", str(folder / "error.log")),
        ("/dev/stdout", str(folder / "access.log")),
        ("/run/secrets/tls_certificate", str(folder / ".secrets/tls_certificate.pem")),
        ("/run/secrets/tls_key", str(folder / ".secrets/tls_key.pem")),
        ("listen 8443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("http://ui:8700", f"http://127.0.0.1:{ui}"),
        ("http://api:8600", f"http://127.0.0.1:{api}"),
    ):
        assert there in text, there
        text = text.replace(there, ours)
    return text


def until_it_listens(running: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(200):
        assert running.poll() is None, "nginx did not start"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("nginx does not listen")


def test_tls_1_3_and_nothing_older(proxy: Proxy) -> None:
    with proxy.connected() as secure:
        assert secure.version() == "TLSv1.3"
    with pytest.raises(ssl.SSLError):
        proxy.connected(newest=ssl.TLSVersion.TLSv1_2)


def test_the_workbench_is_asked_by_the_name_that_the_browser_used(proxy: Proxy) -> None:
    """With its port: the workbench compares it with the origin of what is sent to it."""
    answer = proxy.ask("/queue", Cookie="__Host-session=x", Origin=f"https://{HOST}:{proxy.port}")
    assert answer.port == proxy.ui
    assert answer.headers["Host"] == f"{HOST}:{proxy.port}"
    assert answer.headers["Cookie"] == "__Host-session=x"
    assert answer.headers["Origin"] == f"https://{HOST}:{proxy.port}"
    assert answer.safe == ["max-age=31536000"], "once, whatever the service says itself"


def test_the_score_service_has_its_own_paths_and_no_session(proxy: Proxy) -> None:
    answer = proxy.ask("/api/v1/score", b"{}", Cookie="__Host-session=x", Authorization="Bearer k.s")
    assert answer.port == proxy.api
    assert answer.headers["Authorization"] == "Bearer k.s"
    assert "Cookie" not in answer.headers
    assert answer.headers["Host"] == f"{HOST}:{proxy.port}"
    assert answer.safe == ["max-age=31536000"]
    assert proxy.ask("/metrics").port == proxy.ui, "figures of the service are for this machine only"


@pytest.mark.parametrize(
    ("path", "largest"),
    [
        ("/_dash-update-component", LARGEST_UPLOAD),
        ("/attachment/1", LARGEST_UPLOAD),
        ("/api/v1/score/batch", BATCH_BYTES),
        ("/queue", LARGEST),
    ],
)
def test_what_a_service_takes_comes_through_and_not_much_more(proxy: Proxy, path: str, largest: int) -> None:
    assert proxy.ask(path, b"x" * largest).read == largest
    status = refused(proxy, path, largest + 600_000 + largest // 5)
    assert status == 413


def refused(proxy: Proxy, path: str, length: int) -> int:
    """Said before the body is sent, so that nobody's connection breaks on the way."""
    connection = HTTPSConnection(HOST, proxy.port)
    connection.sock = proxy.connected()
    with closing(connection):
        connection.putrequest("POST", path)
        connection.putheader("Content-Length", str(length))
        connection.endheaders()
        return connection.getresponse().status


def test_no_address_is_written_down(proxy: Proxy) -> None:
    """It holds application numbers; of a failure, too."""
    assert proxy.ask("/ring/A-SECRET-NUMBER").status == 200
    assert refused(proxy, "/ring/A-SECRET-NUMBER", 99_000_000) == 413
    for _ in range(100):
        if proxy.log().count("\n") > 1:
            break
        time.sleep(0.05)
    assert " 413 " in proxy.log()
    assert "SECRET" not in proxy.log()


def test_the_services_it_names_are_those_of_compose() -> None:
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    for name, port in (("ui", 8700), ("api", 8600)):
        assert f"http://{name}:{port};" in CONFIGURATION
        assert f'"serve", "{name}", "--host", "0.0.0.0", "--port", "{port}"' in compose
    assert "ssl_protocols TLSv1.3;" in CONFIGURATION
    assert '"443:8443"' in compose
