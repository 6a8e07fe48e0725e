"""Twenty investigators at one workbench of two processes: `python -m benchmarks.investigators HOME`.

HOME is a copy of a home with a loaded portfolio and its rings. First one person in a real browser walks through some
rings: queue, filter, ring, neighbours, entities, tabs, search, queue again. All that the browser asks of the server is
kept, with when. Then so many people do the same at once, each with a session of one's own, at other rings and beginning
at other moments; what they ask leaves when it is due, whatever became of what was asked before, and latency counts
from that moment. The peer is one person alone, in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
import numpy as np
from playwright.sync_api import Page, Request, sync_playwright

from benchmarks import desk
from benchmarks.screens import CHROMIUM, signed_in
from benchmarks.serving import workbench
from graph.settings import Settings
from workbench.services.all import Services
from workbench.services.office import Office

CALLBACK = "/_dash-update-component"
RINGS, CASES = 3, 2_000
PATIENCE_SECONDS = 30.0
NO_ANSWER = 599


class Asked(NamedTuple):
    """By a browser, so many seconds after its walk began."""

    after: float
    method: str
    path: str
    body: bytes
    what: str


class Answered(NamedTuple):
    what: str
    seconds: float
    status: int


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("home", type=Path)
    asked.add_argument("--people", type=int, default=20)
    asked.add_argument("--minutes", type=float, default=4.0)
    given = asked.parse_args()
    with Office(Settings.read({"RINGROAD_HOME": str(given.home)})) as office:
        services = Services(office)
        sessions = desk.sessions(services, given.people)
        desk.long_queue(services, CASES)
        rings = [each["ring_id"] for each in services.rings.list(desk.WHO)][:RINGS]
    with workbench(given.home, given.home.with_suffix(".log")) as url:
        walks = record(url, sessions[0], rings)
        length = walks[0][-1].after
        print(
            f"{len(walks)} walks of {length:.0f} s, {np.mean([len(each) for each in walks]):.0f} requests each",
            flush=True,
        )
        warm = asyncio.run(together(url, sessions[:1], walks, seconds=length))
        alone = asyncio.run(together(url, sessions[:1], walks, seconds=len(walks) * length))
        every = asyncio.run(together(url, sessions, walks, seconds=60 * given.minutes))
    assert not any(one.status >= httpx.codes.BAD_REQUEST for one in warm), "what was asked is answered"
    before, after = tell("one person", alone), tell(f"{given.people} people", every)
    print(f"p95 of {given.people} over p95 of one: {after / before:.1f}")
    _slowest(every)


# What one person asks ----------------------------------------------------------------------------------------


def record(url: str, session: desk.Session, rings: Sequence[str]) -> list[list[Asked]]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page, walks = signed_in(browser, url, session), []
        for ring in rings:
            page.goto(f"{url}/queue")
            page.wait_for_selector("#queue .q-link")
            with _kept(page) as walk:
                _walk(page, url, ring)
            walks.append(walk)
        browser.close()
    return walks


@contextmanager
def _kept(page: Page) -> Iterator[list[Asked]]:
    walk: list[Asked] = []
    begun = time.perf_counter()

    def keep(request: Request) -> None:
        path = urlsplit(request.url)
        if path.path.startswith(("/assets", "/_dash-component-suites", "/_favicon")):
            return
        body = request.post_data_buffer or b""
        what = str((request.post_data_json or {}).get("output", "")) if path.path == CALLBACK else path.path
        whole = path.path + (f"?{path.query}" if path.query else "")
        walk.append(Asked(time.perf_counter() - begun, request.method, whole, body, what))

    page.on("request", keep)
    yield walk
    page.remove_listener("request", keep)


def _walk(page: Page, url: str, ring: str) -> None:
    """As fast as somebody who knows the screen."""
    page.fill("#queue-text", "RQ0012")
    page.wait_for_timeout(2_000)
    page.fill("#queue-text", "")
    page.wait_for_timeout(2_000)
    page.goto(f"{url}/ring/{ring}")
    _until(page, "!!(window.RR && RR.cy() && RR.state.laid)")
    page.wait_for_timeout(3_000)
    for kind in ("Dealer", "Application", "Person"):
        page.evaluate(f"() => {{ const n = RR.cy().nodes('[type = \"{kind}\"]')[0]; n && n.select(); }}")
        page.wait_for_timeout(2_500)
        page.evaluate("() => { RR.cy().nodes(':selected').unselect(); }")
    page.evaluate("wish => { const n = RR.cy().nodes('[type = \"Dealer\"]')[0]; n && RR.expand(n.id(), wish); }",
                  {"cap": 20, "types": ["Application"]})  # fmt: skip
    page.wait_for_timeout(3_000)
    for tab in ("Decide", "Entity", "History", "Case", "Why"):
        page.click(f"#inv-tabs [role=tab]:has-text('{tab}')")
        page.wait_for_timeout(2_500)
    page.keyboard.press("/")
    page.keyboard.type("APP1", delay=120)
    page.wait_for_timeout(2_500)
    page.keyboard.press("Escape")
    page.evaluate("dash_clientside.set_props('url', {pathname: '/'})")
    page.wait_for_timeout(3_000)


def _until(page: Page, text: str) -> None:
    for _ in range(300):
        if page.evaluate(text):
            return
        page.wait_for_timeout(100)
    raise SystemExit(f"the page never came to {text}")


# What many ask -----------------------------------------------------------------------------------------------


async def together(
    url: str, sessions: Sequence[desk.Session], walks: Sequence[list[Asked]], *, seconds: float
) -> list[Answered]:
    """Each begins somewhere in a walk, and goes on with the next when it is through."""
    most, begun = 6 * len(sessions), time.perf_counter()
    limits = httpx.Limits(max_connections=most, max_keepalive_connections=most)
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE_SECONDS, limits=limits) as client:
        every = [Investigator(client, each) for each in sessions]
        chance, until, going = random.Random(5), begun + seconds, []
        for at, one in enumerate(every):
            first = at % len(walks)
            going.append(one.walk([*walks[first:], *walks[:first]], begun + chance.uniform(0, 30), until))
        await asyncio.gather(*going)
    return [each for one in every for each in one.told]


class Investigator:
    def __init__(self, client: httpx.AsyncClient, session: desk.Session) -> None:
        cookies = f"ringroad={session.token}; ringroad-csrf={session.csrf}"
        self._headers = {"Cookie": cookies, "X-CSRF-Token": session.csrf, "Sec-Fetch-Site": "same-origin"}
        self._client = client
        self.told: list[Answered] = []

    async def walk(self, walks: Sequence[list[Asked]], begin: float, until: float) -> None:
        sent: list[asyncio.Task[None]] = []
        for walk in itertools.cycle(walks):
            for one in walk:
                due = begin + one.after
                if due > until:
                    await asyncio.gather(*sent)
                    return
                await asyncio.sleep(max(due - time.perf_counter(), 0))
                sent.append(asyncio.create_task(self._ask(one, due)))
            begin += walk[-1].after + 1

    async def _ask(self, one: Asked, due: float) -> None:
        headers = self._headers | ({"Content-Type": "application/json"} if one.body else {})
        try:
            answer = await self._client.request(one.method, one.path, content=one.body, headers=headers)
            status = answer.status_code
        except httpx.HTTPError:
            status = NO_ANSWER
        self.told.append(Answered(one.what, time.perf_counter() - due, status))


def tell(name: str, told: Sequence[Answered]) -> float:
    """The p95 of callbacks, in seconds."""
    took = np.array([one.seconds for one in told if not one.what.startswith("/")])
    p50, p95, p99 = np.percentile(took, (50, 95, 99))
    failed = sum(one.status >= httpx.codes.BAD_REQUEST for one in told)
    print(
        f"{name:<12} {len(took):>6} callbacks   p50 {1e3 * p50:>6.0f} ms   p95 {1e3 * p95:>6.0f} ms   "
        f"p99 {1e3 * p99:>6.0f} ms   slowest {1e3 * took.max():>6.0f} ms   not answered {failed}",
        flush=True,
    )
    return float(p95)


def _slowest(told: Sequence[Answered]) -> None:
    by: dict[str, list[float]] = defaultdict(list)
    for one in told:
        by[one.what].append(1e3 * one.seconds)
    for what, took in sorted(by.items(), key=lambda one: -sum(one[1]))[:12]:
        print(f"  {sum(took) / 1e3:>6.1f} s in {len(took):>5}   p95 {np.percentile(took, 95):>6.0f} ms   {what[:90]}")


if __name__ == "__main__":
    main()
