"""Nothing is answered to who is not signed in, and nothing is changed by a page that is not ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from dash import Dash
from flask import Flask, jsonify, request
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from graph.errors import NotAllowed, NotAuthenticated, StoreBusy
from tests.workbench.door import Clock, cheap, opened, user
from workbench.casebook import audit
from workbench.services.access.people import People
from workbench.services.all import Services
from workbench.services.permissions import Act, Operator, Person, Role
from workbench.ui import guard, i18n
from workbench.ui.app import create_app

__all__ = ["cheap"]

PASSWORD = "quiet-harbour-lantern-19"
OURS = {"Sec-Fetch-Site": "same-origin"}
PAGE = {"Sec-Fetch-Mode": "navigate"}


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[Services]:
    with opened(tmp_path_factory.mktemp("guard") / "home", clock) as office:
        services = Services(office)
        services.people = People(office, pause=lambda _: None)
        user(office, "lin", Role.INVESTIGATOR)
        user(office, "he", Role.AUDITOR)
        yield services


def probed(server: Flask) -> None:
    """What a page of ours may do with a request, in the small."""

    def echo() -> Any:
        return jsonify(name=guard.person().name, language=i18n.language.get(), size=len(request.get_data()))

    def fails() -> Any:
        raise RuntimeError("a fault")

    def senior() -> Any:
        guard.person().require(Act.REVEAL)

    server.add_url_rule("/probe", "probe", echo, methods=["GET", "POST"])
    server.add_url_rule("/fails", "fails", fails)
    server.add_url_rule("/senior", "senior", senior)


@pytest.fixture(scope="module")
def app(services: Services) -> Dash:
    made = create_app(services)
    probed(made.server)
    return made


@pytest.fixture
def client(app: Dash) -> FlaskClient:
    return app.server.test_client()


Enter = Callable[..., dict[str, str]]


@pytest.fixture
def enter(client: FlaskClient, services: Services) -> Enter:
    """Signs somebody in, and returns the headers that our own scripts send."""

    def signed(name: str = "lin") -> dict[str, str]:
        made = services.people.open_session(name)
        client.set_cookie("ringroad", made.token)
        return OURS | {"X-CSRF-Token": made.csrf}

    return signed


READ = ("GET", "OPTIONS")
METHODS = {
    "/login": ("GET", "OPTIONS", "POST"), "/login/style.css": READ, "/login/again.js": READ, "/healthz": READ,
    "/login/password": ("OPTIONS",), "/logout": ("OPTIONS",),  # what OPTIONS tells is known
}  # fmt: skip


def form_of(client: FlaskClient, path: str = "/login") -> str:
    found = re.search(r'name="form" value="([\w-]+)"', client.get(path).text)
    assert found
    return found[1]


def sign_in(client: FlaskClient, path: str = "/login", headers: dict[str, str] = OURS, **fields: str) -> TestResponse:
    told = {"form": form_of(client, path), "name": "lin", "password": PASSWORD} | fields
    return client.post(path, data=told, headers=headers)


def entries(services: Services, action: str) -> list[audit.Entry]:
    with services.office.casebook.reading() as db:
        return list(audit.each(db, audit.Asked(action=action)))


# Deny by default -----------------------------------------------------------------------------------------


def test_nothing_is_open_but_the_door(app: Dash, client: FlaskClient) -> None:
    open_ = []
    for rule in app.server.url_map.iter_rules():
        path = re.sub(r"<[^>]*>", "x", rule.rule)
        for method in (rule.methods or set()) - {"HEAD"}:
            answer = client.open(path, method=method)
            if not (answer.status_code == 401 or answer.headers.get("Location", "").startswith("/login")):
                open_.append((path, method))
    assert sorted(open_) == sorted((path, method) for path in guard.OPEN | guard.HALF_OPEN for method in METHODS[path])


@pytest.mark.parametrize(
    "path",
    [
        "/_dash-layout", "/_dash-dependencies", "/_dash-component-suites/dash/deps/x.js", "/_reload-hash",
        "/assets/00-base.css", "/_favicon.ico", "/_mcp", "/assets/../login",
    ],
)  # fmt: skip
def test_what_pages_ask_for_is_refused_as_data(client: FlaskClient, path: str) -> None:
    answer = client.get(path, headers={"Sec-Fetch-Mode": "cors"})
    assert (answer.status_code, set(answer.json or {})) == (401, {"error"})


def test_callbacks_cannot_be_posted_by_strangers(client: FlaskClient) -> None:
    answer = client.post("/_dash-update-component", json={"output": "page.children"}, headers=OURS | PAGE)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("asked", "onward"),
    [
        ("/", "/login"), ("/case/12", "/login?next=/case/12"), ("/login/x", "/login"), ("/logout/x", "/login"),
        ("/queue?mine=1&x=%26", "/login?next=/queue%3Fmine%3D1%26x%3D%2526"),
    ],
)  # fmt: skip
def test_a_page_leads_to_the_door_and_back(client: FlaskClient, asked: str, onward: str) -> None:
    answer = client.get(asked, headers=PAGE)
    assert (answer.status_code, answer.headers["Location"]) == (303, onward)


def test_the_first_to_ask_may_be_a_stranger(services: Services) -> None:
    """Dash sets itself up with the first request, and makes a layout on the way: of nobody, if it could."""
    client = create_app(services).server.test_client()
    assert client.get("/login").status_code == 200
    client.set_cookie("ringroad", services.people.open_session("lin").token)
    assert client.get("/_dash-layout").status_code == 200


def test_a_session_opens_what_was_closed(client: FlaskClient, enter: Enter, services: Services, clock: Clock) -> None:
    enter("lin")
    assert client.get("/probe").json == {"name": "lin", "language": "en", "size": 0}
    assert client.get("/_dash-layout").status_code == 200
    with client.get("/assets/00-base.css") as answer:
        assert answer.status_code == 200
    clock.passes(minutes=31)
    assert client.get("/_dash-layout").status_code == 401
    answer = client.get("/queue", headers=PAGE)
    assert "ringroad=;" in str(answer.headers.getlist("Set-Cookie"))


def test_what_a_screen_asks_by_itself_keeps_no_session_alive(client: FlaskClient, enter: Enter, clock: Clock) -> None:
    enter("lin")
    for _ in range(3):
        clock.passes(minutes=9)
        assert client.get("/probe", headers={"X-Ringroad-Idle": "1"}).status_code == 200
    clock.passes(minutes=9)
    assert client.get("/probe", headers={"Sec-Fetch-Mode": "cors"}).status_code == 401


def test_nobody_is_signed_in_outside_a_request() -> None:
    with pytest.raises(NotAuthenticated):
        guard.person()
    lin = Person("lin", "Lin", Role.INVESTIGATOR, "zh")
    with guard.acting(lin):
        assert (guard.person(), i18n.language.get()) == (lin, "zh")
    with pytest.raises(NotAuthenticated):
        guard.person()


# Requests of other sites ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (OURS, 200),
        ({"Origin": "http://localhost"}, 200),
        ({}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost.evil.example"}, 403),
        ({"Origin": "file://localhost"}, 403),
    ],
)
def test_only_our_own_pages_change_anything(
    client: FlaskClient, enter: Enter, headers: dict[str, str], status: int
) -> None:
    shown = enter("lin")["X-CSRF-Token"]
    assert client.post("/probe", headers=headers | {"X-CSRF-Token": shown}).status_code == status
    for wrong in ("", shown[:-1], shown + "x", "\xff"):
        assert client.post("/probe", headers=headers | {"X-CSRF-Token": wrong}).status_code == 403
    assert client.post("/probe", headers=headers).status_code == 403
    assert client.post("/_dash-update-component", json={}, headers=headers).status_code == 403


def test_the_token_of_another_session_is_none(client: FlaskClient, enter: Enter, services: Services) -> None:
    enter("lin")
    other = services.people.open_session("lin").csrf
    assert client.post("/probe", headers=OURS | {"X-CSRF-Token": other}).status_code == 403


# The door ------------------------------------------------------------------------------------------------


def test_signing_in_gives_two_cookies_and_leads_on(client: FlaskClient) -> None:
    answer = sign_in(client, "/login?next=/case/12")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/case/12")
    given = {each.partition("=")[0]: each for each in answer.headers.getlist("Set-Cookie")}
    for name, readable in (("ringroad", False), ("ringroad-csrf", True)):
        assert "; SameSite=Strict" in given[name]
        assert "; Path=/" in given[name]
        assert ("; HttpOnly" in given[name]) is not readable
        assert "Secure" not in given[name]
        assert "Domain" not in given[name]
    assert client.get("/probe").json == {"name": "lin", "language": "en", "size": 0}
    assert client.get("/login", headers=PAGE).headers["Location"] == "/"


@pytest.mark.parametrize(
    "onward",
    [
        "https://evil.example/", "//evil.example", "//evil.example/queue", "/\\evil.example", "\\\\evil.example",
        "javascript:alert(1)", "http:/evil.example", "/\t/evil.example", "/\n//evil.example", "evil", "/logout",
        "/_dash-layout", "http://localhost@evil.example/", "http://[", "https://localhost.evil.example/queue",
    ],
)  # fmt: skip
def test_nobody_is_led_elsewhere(client: FlaskClient, onward: str) -> None:
    told = {"form": form_of(client), "name": "lin", "password": PASSWORD}
    answer = client.post("/login", query_string={"next": onward}, data=told, headers=OURS)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/"


def test_a_form_that_is_not_ours_signs_nobody_in(client: FlaskClient, services: Services) -> None:
    before = len(entries(services, "sign_in"))
    told = {"name": "lin", "password": PASSWORD}
    for headers in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        assert sign_in(client, headers=headers).status_code == 403
    assert sign_in(client, form="x").status_code == 403
    client.delete_cookie("ringroad-form")
    assert client.post("/login", data=told | {"form": ""}, headers=OURS).status_code == 403
    assert len(entries(services, "sign_in")) == before
    assert client.get("/probe", headers=PAGE).status_code == 303


def test_a_refusal_keeps_the_name_and_says_no_more(client: FlaskClient) -> None:
    answer, other = sign_in(client, password="wrong"), sign_in(client, name="<script>x</script>", password="wrong")
    assert answer.status_code == other.status_code == 401
    assert 'value="lin"' in answer.text
    assert "<script>x" not in other.text
    assert "wrong" in answer.text
    assert PASSWORD not in answer.text


def test_a_cookie_put_there_before_is_worth_nothing(client: FlaskClient, services: Services) -> None:
    planted, form = services.people.open_session("he"), form_of(client)
    client.set_cookie("ringroad", planted.token)
    client.post("/login", data={"form": form, "name": "lin", "password": PASSWORD}, headers=OURS)
    assert client.get_cookie("ringroad").value != planted.token  # type: ignore[union-attr]
    assert client.get("/probe").json["name"] == "lin"  # type: ignore[index]
    with pytest.raises(NotAuthenticated):
        services.people.session(planted.token)


def test_signing_out_ends_the_session(client: FlaskClient, services: Services) -> None:
    sign_in(client)
    token = client.get_cookie("ringroad").value  # type: ignore[union-attr]
    assert client.get("/logout").headers["Location"] == "/login"
    assert client.get_cookie("ringroad") is None
    with pytest.raises(NotAuthenticated):
        services.people.session(token)


def test_a_given_password_leads_to_the_choice_of_another(client: FlaskClient, services: Services) -> None:
    given = services.people.add(Operator("root"), "new", "New One", "investigator", "zh")
    sign_in(client, name="new", password=given.password)
    assert client.get("/queue", headers=PAGE).headers["Location"] == "/login/password"
    assert client.get("/_dash-layout").status_code == 403
    assert client.get("/login").headers["Location"] == "/login/password"
    shown = client.get("/login/password").text
    assert 'lang="zh"' in shown
    new = "orchard-sparrow-tuesday-4"
    told = {"form": form_of(client, "/login/password"), "new": new}
    for wrong in ({"again": "x"}, {"again": "short", "new": "short"}, {"again": new, "form": "x"}):
        assert client.post("/login/password", data=told | wrong, headers=OURS).status_code in (403, 422)
    assert client.post("/login/password", data=told | {"again": new}).status_code == 403
    answer = client.post("/login/password", data=told | {"again": new}, headers=OURS)
    assert answer.headers["Location"] == "/"
    assert client.get("/probe").json == {"name": "new", "language": "zh", "size": 0}
    assert client.get("/login/password", headers=PAGE).headers["Location"] == "/login"
    answer = client.post("/login/password", data=told | {"again": new}, headers=OURS)
    assert answer.headers["Location"] == "/login"


def test_the_form_speaks_the_language_of_the_browser(client: FlaskClient) -> None:
    assert 'lang="en"' in client.get("/login").text
    assert 'lang="zh"' in client.get("/login", headers={"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"}).text
    assert 'lang="zh"' in client.get("/login?lang=zh").text
    assert '<html lang="en">' in client.get("/login?lang=<b>").text
    assert "<b>" not in client.get("/login?lang=<b>").text
    assert 'action="/login?next=/case/12&amp;lang=zh"' in client.get("/login?next=/case/12&lang=zh").text


def test_over_https_no_other_host_can_set_our_cookies(services: Services) -> None:
    server = Flask("test")
    guard.install(server, services, https=True)
    guard.security_headers(server, [])
    client = server.test_client()
    site = "https://localhost"
    form = re.search(r'name="form" value="([\w-]+)"', client.get("/login", base_url=site).text)
    assert form
    told = {"form": form[1], "name": "lin", "password": PASSWORD}
    assert client.post("/login", data=told, base_url=site, headers={"Origin": "http://localhost"}).status_code == 403
    answer = client.post("/login", data=told, base_url=site, headers={"Origin": site})
    assert answer.status_code == 303, answer.text
    given = [each for each in answer.headers.getlist("Set-Cookie") if "__Host-ringroad" in each]
    assert len(given) == 2
    assert all("; Secure" in each and "; Path=/" in each and "Domain" not in each for each in given)
    assert "Strict-Transport-Security" in answer.headers


@pytest.mark.parametrize(("value", "https"), [("", False), ("0", False), ("1", True)])
def test_https_is_a_setting(services: Services, monkeypatch: pytest.MonkeyPatch, value: str, https: bool) -> None:
    monkeypatch.setenv("RINGROAD_UI_HTTPS", value)
    server = Flask("test")
    guard.install(server, services)
    assert server.extensions["ringroad"][1].https is https


# On every answer -----------------------------------------------------------------------------------------


def test_every_answer_has_its_headers(client: FlaskClient, enter: Enter) -> None:
    answers = [client.get(path) for path in ("/login", "/healthz", "/queue", "/_dash-layout", "/login/style.css")]
    headers = enter("lin")
    answers += [client.get(path) for path in ("/queue", "/_dash-layout", "/nowhere", "/senior", "/assets/nothing.css")]
    answers += [client.post("/probe"), client.post("/probe", headers=headers), client.put("/probe", headers=headers)]
    for each in answers:
        policy = each.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        scripts = policy.partition("script-src ")[2].partition(";")[0]
        assert "unsafe" not in scripts
        assert "http" not in policy
        assert each.headers["X-Content-Type-Options"] == "nosniff"
        assert each.headers["Referrer-Policy"] == "same-origin"
        assert each.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "camera=()" in each.headers["Permissions-Policy"]
        assert each.headers["Server"] == "ringroad"
    for path in ("/queue", "/_dash-layout", "/probe"):
        assert client.get(path).headers["Cache-Control"] == "no-store"


def test_a_fault_says_nothing_of_itself(app: Dash, client: FlaskClient, enter: Enter) -> None:
    enter("lin")
    app.server.config["PROPAGATE_EXCEPTIONS"] = False
    answer = client.get("/fails")
    app.server.config["PROPAGATE_EXCEPTIONS"] = None
    assert answer.status_code == 500
    assert "a fault" not in answer.text
    assert "Content-Security-Policy" in answer.headers


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [("/probe", 1_000_000, 200), ("/probe", 1_000_001, 413), ("/login", 9_000, 413),
     ("/_dash-update-component", 1_500_000, 413), ("/_dash-update-component", 13_000_000, 413)],
)  # fmt: skip
def test_nothing_too_large_is_read(client: FlaskClient, enter: Enter, path: str, size: int, status: int) -> None:
    assert client.post(path, data=b"x" * size, headers=enter("lin")).status_code == status


def test_a_length_that_is_not_said_is_measured(client: FlaskClient, enter: Enter) -> None:
    def sent(size: int) -> TestResponse:
        environ = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
        return client.post("/probe", input_stream=BytesIO(b"x" * size), headers=enter("lin"), environ_overrides=environ)

    assert (sent(1_000).json or {})["size"] == 1_000
    assert sent(1_000_001).status_code == 413


def test_a_file_may_be_larger(client: FlaskClient, enter: Enter) -> None:
    content = b'{"inputs":[{"id":"u","property":"contents","value":"' + b"x" * 1_500_000 + b'"}]}'
    answer = client.post("/_dash-update-component", data=content, headers=enter("lin"), content_type="application/json")
    assert answer.status_code != 413


# What was asked for and denied ---------------------------------------------------------------------------


def test_denials_are_on_record(client: FlaskClient, enter: Enter, services: Services) -> None:
    enter("lin")
    answer = client.get("/senior")
    assert (answer.status_code, set(answer.json or {})) == (403, {"error"})
    last = entries(services, "denied")[-1]
    assert (last.actor, last.role) == ("lin", "investigator")
    assert "investigator may not see identifiers" in last.detail["said"]


def test_a_denial_that_cannot_be_put_on_record_is_still_one(
    client: FlaskClient, enter: Enter, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter("lin")

    def busy(*_: object) -> None:
        raise StoreBusy("busy")

    monkeypatch.setattr(services.audit, "denied", busy)
    assert client.get("/senior").status_code == 403


def test_other_errors_are_no_denials(client: FlaskClient, enter: Enter, services: Services, app: Dash) -> None:
    before = len(entries(services, "denied"))
    with app.server.test_request_context("/x"):
        guard.denied(ValueError("x"))
        guard.denied(NotAllowed("nobody asked"))
    assert len(entries(services, "denied")) == before


def test_the_scripts_of_the_door_are_files(client: FlaskClient) -> None:
    """The policy allows no inline script."""
    for path in ("/login", "/login?lang=zh"):
        text = client.get(path).text
        assert re.findall(r"<script(?![^>]*src=\"/login/)", text) == []
        assert " on" not in re.sub(r">[^<]*<", "><", text).replace(" one-time-code", "")
        assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    here = Path(guard.__file__).with_name("signin")
    assert client.get("/login/again.js").data == (here / "again.js").read_bytes()
