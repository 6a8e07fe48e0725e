"""The workbench to test against: its services in this process, or in a real browser over a real port.

The browser is Debian's Chromium. Every page that a test opens is watched: a request to another machine, a violation
of the content security policy or an error in the console fails the test that caused it.
"""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from dash import Dash
from flask.testing import FlaskClient
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright
from werkzeug.serving import BaseWSGIServer, make_server

from graph.settings import Settings
from tests.service.conftest import copied
from workbench.casebook import people
from workbench.services.access.passwords import hashed
from workbench.services.all import Services
from workbench.services.office import Office
from workbench.services.permissions import Person, Role
from workbench.ui.app import create_app

CHROMIUM = "/usr/bin/chromium"
LONGEST_WAIT = 30_000  # ms; a busy machine takes its time
expect.set_options(timeout=LONGEST_WAIT)
PASSWORDS = {
    "lin": (Role.INVESTIGATOR, "Lin Yue", "quiet-harbour-lantern-19"),
    "sun": (Role.INVESTIGATOR, "Sun Hao", "orchard-sparrow-tuesday-4"),
    "zhou": (Role.SENIOR, "Zhou Min", "copper-thistle-sundial-77"),
    "wang": (Role.MANAGER, "Wang Lei", "velvet-ridge-compass-31"),
    "he": (Role.AUDITOR, "He Jing", "marble-otter-signal-58"),
}


def without_chromium() -> None:
    line = "no Chromium to test on; on Debian: apt-get install chromium"
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(line)
    pytest.skip(line)


@dataclass
class Workbench:
    """A running workbench. `url` has no slash at its end."""

    url: str
    services: Services
    home: Path


@pytest.fixture(scope="module")
def ui_home(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    place = copied(trained, tmp_path_factory.mktemp("ui") / "home")
    yield place
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="module")
def services(ui_home: Path) -> Iterator[Services]:
    """Over a home of one's own, with a person in each role."""
    office = Office(Settings.read({"RINGROAD_HOME": str(ui_home)}))
    made = Services(office)
    add_people(made)
    yield made
    office.close()


def add_people(services: Services) -> None:
    kept = {name: hashed(password) for name, (_, _, password) in PASSWORDS.items()}
    now = services.office.clock()
    with services.office.casebook.writing() as db:
        for name, (role, shown, _) in PASSWORDS.items():
            told = {"display_name": shown, "role": role, "language": "en"}
            people.add(db, name=name, password_hash=kept[name], author="test", now=now, **told)
            people.change(db, name, must_change=0)


def person(name: str) -> Person:
    """As services want to know them."""
    role, shown, _ = PASSWORDS[name]
    return Person(name, shown, role)


@pytest.fixture(scope="module")
def app(services: Services) -> Dash:
    """Asked in this process, by `client`."""
    return create_app(services)


@pytest.fixture(scope="module")
def client(app: Dash) -> FlaskClient:
    return app.server.test_client()


@pytest.fixture(scope="module")
def workbench(services: Services, ui_home: Path) -> Iterator[Workbench]:
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = make_server("127.0.0.1", 0, create_app(services).server, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Workbench(f"http://127.0.0.1:{port_of(server)}", services, ui_home)
    server.shutdown()
    thread.join(10)
    server.server_close()


def port_of(server: BaseWSGIServer) -> int:
    return int(server.socket.getsockname()[1])


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One a module: until it ends Playwright's event loop runs in this thread, and `asyncio.run` refuses to begin."""
    if not Path(CHROMIUM).exists():
        without_chromium()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


@dataclass
class Watch:
    """What a browser did that it should not have. `allow` are parts of console lines that a test expects."""

    origin: str
    strangers: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    allow: list[str] = field(default_factory=list)

    def requested(self, request: Request) -> None:
        if not request.url.startswith((self.origin, "data:", "blob:")):
            self.strangers.append(request.url)

    def said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def failed(self, error: Exception) -> None:
        self.errors.append(str(error))

    def check(self) -> None:
        unexpected = [each for each in self.errors if not any(part in each for part in self.allow)]
        assert not self.strangers, f"the browser asked another machine: {self.strangers[:3]}"
        assert not unexpected, f"the console of the browser says: {unexpected[:5]}"


@dataclass
class Visitor:
    """Somebody at a browser of one's own."""

    page: Page
    watch: Watch
    url: str

    def go(self, path: str) -> Page:
        self.page.goto(self.url + path)
        return self.page


SignIn = Callable[..., Visitor]


@pytest.fixture
def signed_in(browser: Browser, workbench: Workbench) -> Iterator[SignIn]:
    """`signed_in("lin")`: a browser in which lin is signed in, with nothing opened yet. `signed_in("")` is nobody."""
    opened: list[tuple[BrowserContext, Watch]] = []

    def sign_in(name: str, *, width: int = 1440, height: int = 900, language: str = "en") -> Visitor:
        context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
        context.set_default_timeout(LONGEST_WAIT)
        watch = Watch(workbench.url)
        context.on("request", watch.requested)
        context.on("console", watch.said)
        context.on("weberror", lambda one: watch.failed(one.error))
        opened.append((context, watch))
        page = context.new_page()
        if name:
            _, _, password = PASSWORDS[name]
            workbench.services.people.set_language(person(name), language)
            page.goto(f"{workbench.url}/login")
            page.fill("[name=name]", name)
            page.fill("[name=password]", password)
            page.click("[type=submit]")
            page.wait_for_selector("#page > *")
        return Visitor(page, watch, workbench.url)

    yield sign_in
    for context, _ in opened:
        context.close()
    for _, watch in opened:
        watch.check()
