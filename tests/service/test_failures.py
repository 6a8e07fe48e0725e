"""What a decision engine sees when something breaks: P4, P7, P11, P12 and P20, with real processes where it matters."""

from __future__ import annotations

import http.client
import json
import os
import re
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from graph.errors import StoreError
from tests.conftest import PASSWORD, Neo4j
from tests.service.conftest import API, Asking, Running, asking, running
from tests.service.people import People
from tests.service.places import a_home
from tests.service.proxy import Proxy
from workbench.journal import Journal
from workbench.online import service
from workbench.online.settings import ServiceSettings


def until(what: Callable[[], Any], seconds: float = 30.0, every: float = 0.1) -> Any:
    """What it says as soon as that is something; fails after `seconds`."""
    end = time.monotonic() + seconds
    while not (said := what()):
        assert time.monotonic() < end, f"not within {seconds:g} s"
        time.sleep(every)
    return said


def millis() -> int:
    return time.time_ns() // 1_000_000


# Two processes -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def up(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Two workers with all the patience that a busy test machine needs."""
    home = a_home(trained, tmp_path_factory.mktemp("up"))
    with running(home, RINGROAD_PATIENCE_MS="3000", RINGROAD_DEADLINE_MS="10000") as one:
        until(lambda: len(one.workers()) == 2)
        yield one


class Line:
    """One connection, kept; `worker` is the process at its other end."""

    def __init__(self, up: Running, timeout: float = 20) -> None:
        url = httpx.URL(up.address)
        self.up, self.http = up, http.client.HTTPConnection(url.host, url.port, timeout=timeout)

    def post(self, path: str, content: Any, **headers: str) -> tuple[int, dict[str, Any]]:
        given = {"Authorization": f"Bearer {self.up.key}", "Content-Type": "application/json"} | headers
        self.http.request("POST", f"{API}{path}", orjson.dumps(content), given)
        answer = self.http.getresponse()
        return answer.status, json.loads(answer.read())

    def healthy(self) -> None:
        self.http.request("GET", "/healthz")
        assert self.http.getresponse().read() == b'{"status":"ok"}'

    @property
    def worker(self) -> int:
        """By the socket that is connected with ours; asked after an answer, for only then somebody has taken it."""
        near = self.http.sock.getsockname()[1]
        for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
            here, there, inode = (line.split()[at] for at in (1, 2, 9))
            if int(there.split(":")[1], 16) == near and int(here.split(":")[1], 16) == self.http.port:
                return next(pid for pid in self.up.workers() if f"socket:[{inode}]" in sockets(pid))
        raise AssertionError("nobody is at the other end")


def sockets(pid: int) -> set[str]:
    return {str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()}


@pytest.fixture(scope="module")
def people() -> People:
    return People(41)


@contextmanager
def a_line_to_each(up: Running) -> Iterator[list[Line]]:
    """A connection with each worker, as soon as all of them serve."""
    workers = up.workers()
    with ExitStack() as lines:
        found = []
        for pid in workers:
            line = until(lambda pid=pid: a_line_to(up, pid, workers), 60)  # type: ignore[misc]
            lines.callback(line.http.close)
            found.append(line)
        yield found


def a_line_to(up: Running, pid: int, workers: list[int]) -> Line | None:
    """The others are stopped while it takes a connection, for left alone one of them may take all; for a second at
    most, for who is stopped for five is taken for dead."""
    others = [each for each in workers if each != pid]
    line = Line(up, timeout=1)
    for each in others:
        os.kill(each, signal.SIGSTOP)
    try:
        line.healthy()
    except TimeoutError:
        line.http.close()
        return None
    finally:
        for each in others:
            os.kill(each, signal.SIGCONT)
    assert line.worker == pid
    line.http.sock.settimeout(20)
    return line


@contextmanager
def line_to(up: Running) -> Iterator[Line]:
    line = Line(up)
    yield line
    line.http.close()


def test_what_one_process_was_told_the_other_knows(up: Running, people: People) -> None:
    """Two applications with one device, whichever process answers first, with nothing in between."""
    with a_line_to_each(up) as (one, other):
        for first, second in [(one, other), (other, one)] * 5:
            earlier = people.application(at=millis())
            later = people.application(at=millis(), device_events=earlier["device_events"])
            assert first.post("/score", earlier)[0] == 200
            status, told = second.post("/score", later)
            assert status == 200
            assert [each["application_id"] for each in told["linked"]] == [earlier["application_id"]]
            assert first.post("/score", later)[1] == told | {"replayed": True}


class Asker:
    """A client that asks on and on, one at a time; keeps what it was answered, and what failed and when."""

    def __init__(self, up: Running, seed: int, stop: threading.Event) -> None:
        self.people, self.up, self.stop = People(seed), up, stop
        self.told: dict[str, dict[str, Any]] = {}
        self.failed: list[tuple[float, float, dict[str, Any]]] = []
        self.wrong: list[tuple[int, str]] = []

    def run(self) -> None:
        headers = {"Authorization": f"Bearer {self.up.key}", "Content-Type": "application/json"}
        with httpx.Client(base_url=f"{self.up.address}{API}", headers=headers, timeout=20, trust_env=False) as http:
            while not self.stop.is_set():
                one, begin = self.people.application(at=millis()), time.monotonic()
                try:
                    answer = http.post("/score", content=orjson.dumps(one))
                except httpx.TransportError:
                    self.failed.append((begin, time.monotonic(), one))
                    continue
                if answer.status_code == 200:
                    self.told[one["application_id"]] = answer.json()
                else:
                    self.wrong.append((answer.status_code, answer.text))


def test_a_worker_that_is_killed_is_replaced(up: Running, people: People) -> None:
    """P12: what it was just answering is lost, and nothing else; what was answered is in the journal (P4)."""
    stop = threading.Event()
    askers = [Asker(up, 50 + at, stop) for at in range(4)]
    before = up.workers()
    with ThreadPoolExecutor(4) as threads:
        for each in askers:
            threads.submit(each.run)
        time.sleep(1.5)
        killed_at = time.monotonic()
        os.kill(before[0], signal.SIGKILL)
        until(lambda: len(set(up.workers()) - {before[0]}) == 2, 20)
        time.sleep(1.5)
        stop.set()
    failed = [each for one in askers for each in one.failed]
    assert [each for one in askers for each in one.wrong] == [], "never an error of the service"
    assert len(failed) <= len(askers)
    assert all(begin < killed_at + 0.5 for begin, _, _ in failed), "who asks afterwards is answered"
    told = {name: answer for one in askers for name, answer in one.told.items()}
    assert len(told) > 20
    with Journal(up.home / "journal.sqlite", clock=millis) as journal:
        for name, answer in told.items():
            entry = journal.application(name)
            assert entry is not None
            assert entry.sequence == answer["sequence"]
    with up.client() as client:
        for _, _, one in failed:
            assert client.score(one).application_id == one["application_id"], "it may be sent again"
    with a_line_to_each(up) as lines:
        for line in lines:
            assert line.post("/score", people.application(at=millis()))[0] == 200, "the new one answers, too"


def test_no_personal_data_in_what_the_processes_say(up: Running, people: People) -> None:
    """P20, with canaries in the body, in the address and in the headers."""
    one = people.application(at=millis())
    person = one["applicant"]
    canaries = [person["phone"], person["id_number"], person["name"], one["application_id"], one["vin"]]
    canaries += [one["device_events"][0]["ip"], one["device_events"][0]["device_id"], up.key.partition(".")[2]]
    with httpx.Client(headers={"Authorization": f"Bearer {up.key}"}, trust_env=False, timeout=20) as http:
        kind = {"Content-Type": "application/json"}
        wrong = [
            http.post(
                f"{up.address}{API}/score", content=orjson.dumps(one | {"amount": person["phone"]}), headers=kind
            ),
            http.post(f"{up.address}{API}/score", content=orjson.dumps(one)[:-9], headers=kind),
            http.get(f"{up.address}{API}/rings?limit={person['phone']}"),
            http.get(f"{up.address}/{person['phone']}", headers={"X-Trace-Id": person["phone"]}),
        ]
        assert http.post(f"{up.address}{API}/score", content=orjson.dumps(one), headers=kind).status_code == 200
        http.get(f"{up.address}{API}/applications/{one['application_id']}")
        measured = http.get(f"{up.address}/metrics").text
    assert "ringroad_requests_total" in measured
    said = up.said() + measured + "".join(each.text + str(each.headers) for each in wrong)
    assert '"route"' in said
    assert [each for each in canaries if each in said] == []
    for line in up.said().splitlines():
        if line.startswith("{"):
            assert re.fullmatch(r"none|/[a-z/{}_0-9]*", json.loads(line)["route"])


def test_everything_is_killed_and_starts_again(up: Running, people: People) -> None:
    """P4: after the answer, kill -9 of all of them; the same requests are then answered as before."""
    asked = [people.application(at=millis()) for _ in range(10)]
    label = {"application_id": asked[0]["application_id"], "label": "SUSPECTED", "source": "review", "author": "a"}
    with a_line_to_each(up) as (one, other):
        told = [line.post("/score", each) for each, line in zip(asked, [one, other] * 5, strict=True)]
        _, labelled = one.post("/labels", label, **{"Idempotency-Key": "kill"})
        os.killpg(up.process.pid, signal.SIGKILL)
        up.process.wait(10)
    with running(up.home, RINGROAD_PATIENCE_MS="3000", RINGROAD_DEADLINE_MS="10000") as again:
        again.key = up.key
        with line_to(again) as line:
            for content, (status, answer) in zip(asked, told, strict=True):
                assert status == 200
                assert line.post("/score", content) == (200, answer | {"replayed": True})
            repeated = line.post("/labels", label, **{"Idempotency-Key": "kill"})[1]
            assert (repeated["id"], repeated["replayed"]) == (labelled["id"], True)
        ended_well(again, people)


def ended_well(up: Running, people: People) -> None:
    """P11: SIGTERM ends within 10 s, with idle connections open and requests in flight, each of which is answered."""
    batch = {"applications": [people.application(at=millis()) for _ in range(60)]}
    with ExitStack() as lines, ThreadPoolExecutor(1) as thread:
        for _ in range(8):
            lines.enter_context(line_to(up)).healthy()
        busy = lines.enter_context(line_to(up))
        answering = thread.submit(busy.post, "/score/batch", batch)
        time.sleep(0.15)
        up.process.send_signal(signal.SIGTERM)
        up.process.wait(30)
        status, told = answering.result(5)
    assert status == 200
    assert [each["status"] for each in told["results"]] == [200] * 60
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", httpx.URL(up.address).port or 0), timeout=1)
    with Journal(up.home / "journal.sqlite", clock=millis) as journal:
        assert all(journal.application(each["application_id"]) for each in batch["applications"])
    until(lambda: not subprocess.run(["pgrep", "-g", str(up.process.pid)], capture_output=True, check=False).stdout, 5)


# What a score rests on is away ---------------------------------------------------------------------------


def scored(one: Asking) -> dict[str, Any]:
    """What somebody is told who would be passed if everything were whole."""
    told = one.score(one.application())
    assert told["decision"] != "pass"
    assert told["decided_by"]
    return told


def ready(one: Asking) -> dict[str, Any]:
    answer = one.http.get("/readyz")
    told = dict(answer.json())
    assert answer.status_code == (200 if told["ready"] else 503)
    return told


def look(one: Asking) -> dict[str, Any]:
    """What `/readyz` says after the service has looked around itself."""
    one.http.portal.call(one.service._look)  # type: ignore[union-attr]
    return ready(one)


@pytest.fixture
def broken(trained: Path, tmp_path: Path) -> Path:
    return a_home(trained, tmp_path)


def test_with_everything_whole_such_a_person_passes(broken: Path) -> None:
    """Without this the tests below would say nothing."""
    with asking(broken) as one:
        told = one.score(one.application())
        assert (told["decision"], told["degraded"]) == ("pass", [])
        assert look(one)["ready"]


def current(home: Path) -> Path:
    return home / "desks" / (home / "desks" / "current").read_text(encoding="utf-8").strip()


def test_no_graph_at_all(broken: Path) -> None:
    (broken / "desks" / "current").unlink()
    with asking(broken) as one:
        told = scored(one)
        assert told["degraded"] == ["no_graph"]
        assert (told["score"], told["model_version"], told["sequence"]) == (None, "none", 1)
        assert "serve refresh" in look(one)["checks"]["graph"]


def replaced(file: Path, content: bytes) -> None:
    """Another file in its place: the old one may be linked with somebody else's."""
    file.unlink()
    file.write_bytes(content)


@pytest.mark.parametrize("how", ["cut", "changed", "gone", "about"])
def test_a_damaged_graph(broken: Path, how: str) -> None:
    file = current(broken) / "links.row.npy"
    content = file.read_bytes()
    if how == "about":
        replaced(current(broken) / "image.json", b'{"about": ')
    elif how == "gone":
        file.unlink()
    else:
        replaced(file, content[:-100] if how == "cut" else b"\x00" * len(content))
    with asking(broken) as one:
        told = scored(one)
        assert told["degraded"] == ["no_graph"]
        assert look(one)["checks"]["graph"] != "ok"
        assert one.post("/score", one.application()).json()["sequence"] == 2, "told all the same, and durable"


@pytest.mark.parametrize("how", ["changed", "gone"])
def test_a_model_that_is_not_what_was_registered(broken: Path, how: str) -> None:
    """Rules and the graph itself answer in its place (P19): a score, and nobody passes by it."""
    for file in (broken / "models").rglob("*"):
        if (
            file.is_file()
            and file.suffix in (".ubj", ".json", ".npz")
            and file.name not in ("manifest.json", "roles.json")
        ):
            replaced(file, file.read_bytes()[:-1] + b"~") if how == "changed" else file.unlink()
    with asking(broken) as one:
        told = scored(one)
        assert told["degraded"] == ["model_refused"]
        assert told["model_version"] == "untrained"
        assert not look(one)["ready"]
        assert ready(one)["checks"]["graph"] != "ok"


def test_no_model_was_ever_trained(broken: Path) -> None:
    shutil.rmtree(broken / "models")
    with asking(broken) as one:
        told = scored(one)
        assert set(told["degraded"]) <= {"model_refused", "untrained"}
        assert told["degraded"]


def test_a_graph_that_is_too_old(broken: Path) -> None:
    with asking(broken, RINGROAD_STALE_HOURS="1") as one:
        one.clock.forward(days=365)
        told = scored(one)
        assert told["degraded"] == ["stale_graph"]
        assert told["score"] is not None
        assert look(one)["checks"]["graph"] == "stale_graph"


def test_a_graph_that_comes_later_is_taken_up(broken: Path) -> None:
    """And what was told meanwhile is in it."""
    place = broken / "desks" / "current"
    name = place.read_text(encoding="utf-8")
    place.unlink()
    with asking(broken) as one:
        first = one.application()
        one.score(first)
        place.write_text(name, encoding="utf-8")
        assert look(one)["ready"]
        told = one.score(one.application(device_events=first["device_events"]))
        assert told["degraded"] == []
        assert [each["application_id"] for each in told["linked"]] == [first["application_id"]]


# The journal cannot be written ---------------------------------------------------------------------------


@contextmanager
def locked(one: Asking) -> Iterator[None]:
    with closing(sqlite3.connect(one.home / "journal.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def full(one: Asking) -> Iterator[None]:
    """No file of this process may grow beyond a byte: to a writer, a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("trouble", [locked, full])
def test_what_cannot_be_put_on_disk_is_not_passed(
    broken: Path, monkeypatch: pytest.MonkeyPatch, trouble: Callable[[Asking], Any]
) -> None:
    monkeypatch.setattr("workbench.journal.WAIT_SECONDS", 0.2)
    with asking(broken) as one:
        one.score(one.application())
        first = one.application()
        with trouble(one):
            told = one.post("/score", first).json()
            event = {"kind": "decided", "details": {"decision": "decline", "decided_at": "2026-01-01T10:00:00+08:00"}}
            refused = one.post("/applications/T007000001/events", event)
            checks = look(one)["checks"]
        assert (told["decision"], told["sequence"]) == ("review", None)
        assert told["degraded"] == ["not_recorded"]
        assert checks["journal"] != "ok"
        assert refused.status_code in (503, 507), "an event that is not on disk is not accepted"
        assert refused.headers["content-type"] == "application/problem+json"
        again = one.score(first)
        assert (again["decision"], again["degraded"], again["replayed"], again["sequence"]) == ("pass", [], False, 2)
        assert look(one)["ready"]


# Others are away -----------------------------------------------------------------------------------------


def test_the_casebook_hangs_and_scores_go_on(broken: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the keys read last; that they are old is said."""
    monkeypatch.setattr(service, "KEYS_AGE_SECONDS", 0.3)
    answers, waited = threading.Event(), list[bool]()

    def hangs() -> Any:
        waited.append(answers.wait(20))
        raise StoreError("the casebook does not answer")

    with asking(broken) as one:
        read = one.service.keys._read
        monkeypatch.setattr(one.service.keys, "_read", hangs)
        monkeypatch.setattr(one.service.keys, "_every", 0.0)
        for _ in range(5):
            assert one.score(one.application())["decision"] == "pass"
        label = {"application_id": "T007000001", "label": "SUSPECTED", "source": "review", "author": "a"}
        assert one.post("/labels", label, Idempotency_Key="k").status_code == 201
        assert waited == [], "nobody waits for it"
        answers.set()
        until(lambda: "casebook" in look(one)["checks"]["keys"], 10)
        monkeypatch.setattr(one.service.keys, "_read", read)
        until(lambda: look(one)["ready"], 10)


def test_little_space_is_said_before_it_is_none(broken: Path) -> None:
    with asking(broken, RINGROAD_FLOOR_MB="1000000") as one:
        told = look(one)
        assert not told["ready"]
        assert "RINGROAD_FLOOR_MB" in told["checks"]["disk"]
        assert one.score(one.application())["decision"] == "pass", "what can be scored is"


# The store is away ---------------------------------------------------------------------------------------


@pytest.mark.neo4j
def test_the_store_is_away_and_scores_go_on(
    trained: Path, tmp_path: Path, neo4j_server: Neo4j, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P7: cut, hanging, up again: no score waits for it, and in the end the store holds everything, once."""
    url = httpx.URL(neo4j_server.url)
    people, home = People(61), a_home(trained, tmp_path)
    environ = {"RINGROAD_STORE_PASSWORD": password_of(neo4j_server), "RINGROAD_PATIENCE_MS": "3000"}
    monkeypatch.setenv("RINGROAD_STORE_PASSWORD", environ["RINGROAD_STORE_PASSWORD"])
    with Proxy(url.host, url.port or 7687) as proxy:
        store = neo4j_server.url.replace(f":{url.port}", f":{proxy.port}").replace("localhost", "127.0.0.1")
        with running(home, "--workers", "1", RINGROAD_STORE=store, RINGROAD_DEADLINE_MS="5000", **environ) as up:
            settings = ServiceSettings.read({"RINGROAD_HOME": str(home)})
            with Journal(settings.journal_file, clock=millis) as journal:
                for trouble in (lambda: None, proxy.cut, proxy.hang):
                    trouble()
                    before, begin = journal.marked("absorbed"), time.monotonic()
                    with up.client() as client:
                        told = [client.score(people.application(at=millis())) for _ in range(5)]
                    assert time.monotonic() - begin < 12
                    assert all(each.degraded == [] and each.sequence for each in told)
                    if trouble in (proxy.cut, proxy.hang):
                        time.sleep(1.5)
                        assert journal.marked("absorbed") == before
                        assert until(lambda: behind(up) >= 5)
                    else:
                        until(lambda: journal.marked("absorbed") == 5, 60)
                proxy.cut()
                proxy.up()
                until(lambda: journal.marked("absorbed") == 15, 90)
            until(lambda: behind(up) == 0)
    try:
        assert len(neo4j_server.ask("MATCH (n:Application) RETURN n")) == 15
        assert len(neo4j_server.ask("MATCH (n:Device) RETURN n")) == 15
        assert len(neo4j_server.ask("MATCH (:Application)-[r:USED_DEVICE]->() RETURN r")) == 15
    finally:
        neo4j_server.clear()


def password_of(server: Neo4j) -> str:
    return os.environ.get("RINGROAD_STORE_PASSWORD", "") if os.environ.get("RINGROAD_TEST_NEO4J_URL") else PASSWORD


def behind(up: Running) -> float:
    text = httpx.get(f"{up.address}/metrics", headers={"Authorization": f"Bearer {up.key}"}, trust_env=False).text
    return next(float(line.split()[-1]) for line in text.splitlines() if line.startswith("ringroad_store_behind"))
