"""P20: what names somebody leaves no trace outside the vault's seals, wherever it was put and whatever became of it.

Canaries are sent in every field that is made for them, in fields that are not, in what is refused, in headers and in
addresses. Then they are looked for in everything that came back and in every byte that was written.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.service.conftest import API, RINGROAD, Running, environment, running
from tests.service.people import People, iso
from tests.service.places import a_home
from workbench.journal import Journal
from workbench.online.absorbing import ABSORBED

CANARIES = {
    "id_number": "310101198807124513",
    "second_id_number": "440305198511203325",
    "name": "诸葛金丝雀",
    "second_name": "欧阳黄莺儿",
    "phone": "13764920518",
    "second_phone": "15921737046",
    "landline": "02158204917",
    "account": "6222021001123456789",
    "second_account": "acct_canary_880417",
    "payee": "acct_canary_880418",
    "vin": "LSGPC52U8DF000001",
    "plate": "沪K7M3Q9",
    "engine": "ENGCANARY77120",
    "imei": "490154203237518",
    "device": "canarydevice0123456789abcdef0123",
    "wifi": "bssid_canary4534bcb9",
    "ip": "114.92.207.131",
    "street": "金丝雀弄三百二十七号",
    "raw_address": "上海市徐汇区金丝雀弄三百二十七号黄莺苑5栋2单元1101室",
    "email": "jinsique.zhuge@canary-mail.example",
    "voice": "vr_canary_5567",
    "party": "金丝雀汽车转让人甲",
}
"""No two of them are in any other test's data; nobody of these exists."""

STRAYS = {
    "stray_phone": "13588017742",
    "stray_id_number": "320106199405060035",
    "stray_name": "司马夜莺啼",
    "stray_email": "yeying@stray-mail.example",
}
"""Sent in fields that are declared to hold nothing personal (class C1), which the graph keeps as they are told."""

REFUSED = (
    b'{"application_id": "X1", "submitted_at": "13764920518"}',
    '{"application_id": "X2", "submitted_at": "2026-01-01", "诸葛金丝雀": 1, "13764920518": 2}'.encode(),
    b'{"application_id": "X3", "submitted_at": "2026-01-01", "amount": "6222021001123456789"}',
    b'{"application_id": "X4", "submitted_at": "2026-01-01", "applicant": ["310101198807124513"]}',
    b'{"application_id": "X5", "submitted_at": "2026-01-01", "vin": {"LSGPC52U8DF000001": 1}}',
    b'{"application_id": 13764920518, "submitted_at": "2026-01-01"}',
    '{"application_id": "X6", "phone": "13764920518", "name": "诸葛金丝雀"'.encode(),
    b'["310101198807124513", "jinsique.zhuge@canary-mail.example"]',
    b"310101198807124513 13764920518",
)


@dataclass
class Left:
    """What a day of the service left behind: what it answered, and what it and the keeper wrote."""

    home: Path
    answers: list[tuple[str, str]] = field(default_factory=list)
    logs: dict[str, str] = field(default_factory=dict)

    def heard(self, what: str, answer: httpx.Response) -> httpx.Response:
        self.answers.append((what, f"{answer.status_code} {dict(answer.headers)} {answer.text}"))
        return answer


def one_of(people: People, now: int) -> dict[str, Any]:
    """With a canary in every field that is made for an identifier."""
    one, c = people.application(at=now), CANARIES
    person = one["applicant"]
    person |= {"id_number": c["id_number"], "name": c["name"], "phone": c["phone"], "work_phone": c["landline"]}
    person["address"] |= {"raw": c["raw_address"], "street": c["street"], "community": "黄莺苑"}
    person["employer"] |= {"phone": c["landline"]}
    one["phones"][0]["phone"], one["phones"][1]["phone"] = c["phone"], c["second_phone"]
    one["contacts"][0] |= {"name": c["second_name"], "phone": c["second_phone"]}
    one["device_events"][0] |= {
        "device_id": c["device"],
        "imei": c["imei"],
        "ip": c["ip"],
        "wifi_bssid_token": c["wifi"],
    }
    one["payments"][0] |= {"from_account_token": c["account"], "to_account_token": c["payee"]}
    one["bank_accounts"][0]["account_token"] = c["account"]
    one["vin"] = c["vin"]
    one["vehicle"] |= {"plate": c["plate"], "engine_no": c["engine"], "certificate_no": c["engine"]}
    one["documents"][0]["ocr_fields"] = {"name": c["name"], "id_number": c["id_number"], "note": c["email"]}
    one["call_events"] = [
        {"callee_role": "applicant", "phone": c["phone"], "start_at": iso(now - 90_000), "voice_ref": c["voice"]}
    ]
    one["dealer"] |= {
        "legal_person_token": c["party"],
        "shareholders": c["second_name"],
        "payee_account_token": c["payee"],
    }
    one["salesperson"] |= {"person_token": c["party"], "phone": c["second_phone"], "cert_no": c["second_id_number"]}
    return one


def misplaced(people: People, now: int) -> list[dict[str, Any]]:
    """Each canary where another kind of value belongs: dropped or kept as what it is taken for, never in the clear."""
    c = CANARIES
    wrong: tuple[dict[str, Any], ...] = (
        {"applicant.phone": c["id_number"], "applicant.id_number": c["phone"], "applicant.name": c["email"]},
        {"applicant.phone": c["name"], "applicant.work_phone": c["account"], "vin": c["plate"]},
        {"vin": c["account"], "payments.0.from_account_token": c["name"], "bank_accounts.0.account_token": c["name"]},
        {
            "device_events.0.device_id": c["phone"],
            "device_events.0.ip": c["name"],
            "device_events.0.imei": c["account"],
        },
        {"contacts.0.name": c["id_number"], "contacts.0.phone": c["email"], "contacts.1.name": c["raw_address"]},
        {
            "applicant.address.room": c["phone"],
            "applicant.address.building": c["name"],
            "applicant.address.std": c["email"],
        },
        {"phones.0.owner_token": c["name"], "phones.1.phone": c["account"], "vehicle.engine_no": c["id_number"]},
        {"applicant.gender": c["name"], "applicant.id_type": c["phone"]},
    )
    return [changed(people.application(at=now), each) for each in wrong]


def strayed(people: People, now: int) -> dict[str, Any]:
    phone, number, name, mail = STRAYS.values()
    changes = {
        "purpose": f"call {phone}", "session_id": number, "deal_id": phone, "channel": name, "form_seconds": 1.0,
        "applicant.hukou_region": phone, "applicant.live_region": name, "applicant.marital": name,
        "applicant.education": mail, "applicant.occupation_code": number,
        "applicant.employer.industry": mail, "applicant.employer.status": phone,
        "phones.0.operator": name, "contacts.0.role": name, "device_events.0.model": mail, "vehicle.series": phone,
        "documents.0.exif_device": mail, "documents.1.pdf_producer": name, "documents.1.phash64": phone,
        "bureau_inquiries.0.inst_type": number, "bank_accounts.0.card_type": name, "dealer.region": phone,
    }  # fmt: skip
    return changed(people.application(at=now), changes)


def changed(one: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    for path, value in changes.items():
        *holders, last = path.split(".")
        place: Any = one
        for name in holders:
            place = place[int(name)] if isinstance(place, list) else place[name]
        place[last] = value
    return one


def events(now: int) -> Iterator[dict[str, Any]]:
    c, at = CANARIES, iso(now - 5000)
    yield {"kind": "call", "details": {"callee_role": "contact", "phone": c["second_phone"], "start_at": at,
                                       "voice_ref": c["voice"]}}  # fmt: skip
    yield {"kind": "voice_match", "details": {"ref_a": c["voice"], "ref_b": "vr_other_1", "score": 0.95}}
    yield {"kind": "paid", "details": {"from_account_token": c["second_account"], "to_account_token": c["payee"],
                                       "kind": "resale", "amount": 1.0, "event_time": at}}  # fmt: skip
    yield {"kind": "vehicle", "details": {"vin": c["vin"], "type": "title_transfer", "event_time": at,
                                          "party_from": c["name"], "party_to": c["party"],
                                          "party_account": c["second_account"]}}  # fmt: skip
    yield {"kind": "instalment", "details": {"instalment_no": 1, "due_date": at, "paid_at": at,
                                             "payer_account_token": c["account"]}}  # fmt: skip
    yield {"kind": "vehicle", "details": {"vin": c["phone"], "type": "insured", "party_to": c["id_number"]}}
    yield {"kind": "call", "details": {"callee_role": STRAYS["stray_name"], "phone": c["email"], "start_at": at}}
    yield {
        "kind": "decided",
        "details": {"decision": "review", "decided_at": at, "decline_reason": STRAYS["stray_name"]},
    }
    yield {"kind": c["phone"], "details": {c["name"]: c["id_number"]}}
    yield {"kind": "paid", "details": {"kind": c["id_number"], "amount": c["phone"]}}


def labels(number: str) -> Iterator[dict[str, Any]]:
    """All of these are refused: they would be kept in the clear."""
    good = {"application_id": number, "label": "SUSPECTED", "source": "review", "author": "reviewer-07"}
    for name in ("id_number", "phone", "account", "email"):
        yield good | {"note": f"customer {CANARIES[name]} says so"}
    yield good | {"author": CANARIES["phone"]}
    yield good | {"typology": CANARIES["name"]}
    yield good | {"application_id": CANARIES["id_number"]}
    yield good | {CANARIES["name"]: 1}


@pytest.fixture(scope="module")
def left(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Left:
    """After a service, a keeper and a new graph have worked on all of it, and ended."""
    place = tmp_path_factory.mktemp("privacy")
    left = Left(a_home(trained, place))
    with running(left.home) as served:
        told(served, left)
    left.logs["service"] = served.said()
    left.logs["keeper"] = kept(left.home, place / "keeper.log")
    made = subprocess.run(
        [str(RINGROAD), "serve", "refresh"], env=environment(left.home), capture_output=True, text=True, check=True
    )
    left.logs["refresh"] = made.stdout + made.stderr
    return left


def told(served: Running, left: Left) -> None:
    people, now = People(991), time.time_ns() // 1_000_000
    with httpx.Client(base_url=served.address, timeout=30, trust_env=False) as http:
        http.headers["Authorization"] = f"Bearer {served.key}"

        def post(path: str, body: Any, **headers: str) -> httpx.Response:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            given = {"Content-Type": "application/json"} | headers
            return left.heard(f"POST {path}", http.post(f"{API}{path}", content=content, headers=given))

        first = one_of(people, now)
        number = first["application_id"]
        assert post("/score?explain=full", first).status_code == 200
        twin = one_of(people, now)
        assert post("/score?explain=full", twin).json()["linked"], "canaries link as anybody's things do"
        for one in (*misplaced(people, now), strayed(people, now)):
            answer = post("/score?explain=full", one)
            assert answer.status_code == 422 or answer.json()["degraded"] == [], "it harms nobody, either"
        for body in REFUSED:
            assert post("/score", body).status_code in (400, 422)
        assert post("/score/batch", {"applications": [first, *misplaced(people, now), {"13764920518": 1}]}).is_success
        for event in events(now):
            assert post(f"/applications/{number}/events", event).status_code in (202, 422)
        for at, label in enumerate(labels(number)):
            assert post("/labels", label, **{"Idempotency-Key": f"k{at}"}).is_client_error, label
        post("/score", people.application(at=now), **{"Idempotency-Key": CANARIES["id_number"]})
        post("/score", people.application(at=now), Authorization=f"Bearer {CANARIES['phone']}.x")
        for path in addresses(number):
            left.heard(f"GET {path}", http.get(path))


def addresses(number: str) -> Iterator[str]:
    for name in ("id_number", "phone", "name", "email", "account"):
        yield f"{API}/applications/{CANARIES[name]}"
        yield f"{API}/rings/{CANARIES[name]}"
        yield f"{API}/rings?limit={CANARIES[name]}"
        yield f"/{CANARIES[name]}?who={CANARIES[name]}"
    yield from (f"{API}/applications/{number}", f"{API}/rings", f"{API}/openapi.json", "/metrics", "/readyz")


def kept(home: Path, log: Path) -> str:
    """What a keeper says while it absorbs everything."""
    with log.open("wb") as file:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "workbench.online.keeper"], env=environment(home), stdout=file, stderr=file
        )
        try:
            with Journal(home / "journal.sqlite", clock=lambda: time.time_ns() // 1_000_000) as journal:
                last, until = journal.last(), time.monotonic() + 60
                assert last is not None
                while journal.marked(ABSORBED) < last.sequence:
                    assert time.monotonic() < until, "the keeper did not absorb"
                    time.sleep(0.2)
        finally:
            keeper.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                keeper.wait(20)
            keeper.kill()
    return log.read_text(encoding="utf-8")


def met(text: str | bytes, sought: Mapping[str, str] = CANARIES) -> list[str]:
    """Which canaries stand in it, as they were sent or as JSON and addresses write them."""
    given = text if isinstance(text, bytes) else text.encode()
    forms = {name: {value.encode(), json.dumps(value)[1:-1].encode(), quote(value).encode()} for name, value in
             sought.items()}  # fmt: skip
    return sorted(name for name, each in forms.items() if any(form in given for form in each))


def test_no_answer_repeats_it(left: Left) -> None:
    """Answers and refusals, of every route, headers and all."""
    assert len(left.answers) > 60
    assert {what: found for what, text in left.answers if (found := met(text, CANARIES | STRAYS))} == {}


def test_no_log_repeats_it(left: Left) -> None:
    assert left.logs["service"].strip(), "it says something"
    assert {name: found for name, text in left.logs.items() if (found := met(text, CANARIES | STRAYS))} == {}


def test_metrics_and_documentation_hold_none(left: Left) -> None:
    said = dict(left.answers)
    assert "ringroad_" in said["GET /metrics"]
    assert "openapi" in said[f"GET {API}/openapi.json"]
    assert met(said["GET /metrics"] + said[f"GET {API}/openapi.json"], CANARIES | STRAYS) == []


@pytest.mark.parametrize(
    "name", ["journal.sqlite", "graph.sqlite", "casebook.sqlite", "vault.sqlite", "desks", "snapshot"]
)
def test_no_file_holds_it(left: Left, name: str) -> None:
    """Every byte, with what SQLite has not yet moved from its log: tokens, masks and seals only."""
    place = left.home / name
    files = [each for each in place.rglob("*") if each.is_file()] if place.is_dir() else [*left.home.glob(f"{name}*")]
    assert files
    assert {str(each.relative_to(left.home)): found for each in files if (found := met(each.read_bytes()))} == {}


def test_no_other_file_of_the_home_holds_it(left: Left) -> None:
    files = [each for each in left.home.rglob("*") if each.is_file()]
    assert {str(each.relative_to(left.home)): found for each in files if (found := met(each.read_bytes()))} == {}


def test_what_is_looked_for_can_be_found(left: Left) -> None:
    """The search itself: what was sent holds every canary, in the clear, in JSON's and in an address's writing; and
    the journal holds, in the clear, what is nobody's."""
    now = 1_700_000_000_000
    sent = json.dumps([one_of(People(1), now), *misplaced(People(2), now), *events(now)])
    assert set(met(sent)) >= CANARIES.keys()
    assert met(f"/x?{quote(CANARIES['name'])}") == ["name"]
    journal = b"".join(each.read_bytes() for each in left.home.glob("journal.sqlite*"))
    assert met(journal, {"dealer": "D4043208069", "application": "T991000001"}) == ["application", "dealer"]
