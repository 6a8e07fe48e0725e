"""What a person waits for at the workbench, in Debian's Chromium: `python -m benchmarks.screens HOME`.

HOME is a copy of a home with a loaded portfolio and its rings; people, rings and cases are added to it. A ring is
opened by a click in the page that stands; the peer is a page of plain dash-cytoscape that gets the same elements and
lays them out with the same algorithm (fcose), loaded anew. Each figure is the median of `--times`.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dash
import dash_cytoscape as cyto
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

from benchmarks import desk
from benchmarks.serving import workbench
from graph.settings import Settings
from workbench.services.all import Services
from workbench.services.office import Office

CHROMIUM = "/usr/bin/chromium"
RINGS, QUEUE = (500, 1_500), 10_000

OPEN = """async ([name, beside]) => {
  performance.clearMarks('rr-painted'); performance.clearMarks('rr-answered');
  const begun = performance.now();
  if (beside) RR.open('ring', name); else dash_clientside.set_props('url', {pathname: '/ring/' + name});
  while (!performance.getEntriesByName('rr-painted').length) await new Promise(done => setTimeout(done, 4));
  await new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)));
  const painted = performance.now() - begun;
  const answered = performance.getEntriesByName('rr-answered')[0].startTime - begun;
  return [painted, answered, RR.cy().elements().length];
}"""
EXPAND = """async wish => {
  const cy = RR.cy(), before = RR.positions();
  const hub = cy.nodes('[type = "Dealer"]').max(n => n.data('links')).ele, number = cy.nodes().length;
  const begun = performance.now();
  await RR.expand(hub.id(), wish);
  await new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)));
  const took = performance.now() - begun;
  await new Promise(done => setTimeout(done, 1500));
  const after = RR.positions();
  const moved = Object.keys(before).filter(id => !after[id] || after[id].x !== before[id].x || after[id].y !== before[id].y);
  const added = cy.nodes().length - number;
  RR.undo();
  return [took, added, moved.length];
}"""  # noqa: E501
PEER = """
const look = () => {
  const place = document.getElementById('peer'), cy = place && place._cyreg && place._cyreg.cy;
  const laid = cy && cy.nodes().length && cy.nodes().boundingBox().w > 500;
  if (laid) requestAnimationFrame(() => setTimeout(() => { window.painted = performance.now(); }, 0));
  else requestAnimationFrame(look);
};
look();
"""


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("home", type=Path)
    asked.add_argument("--times", type=int, default=7)
    given = asked.parse_args()
    sizes = desk.large_rings(given.home, RINGS)
    with Office(Settings.read({"RINGROAD_HOME": str(given.home)})) as office:
        services = Services(office)
        (session,) = desk.sessions(services, 1)
        other = next(one["ring_id"] for one in services.rings.list(desk.WHO) if one["ring_id"] not in sizes)
        desk.long_queue(services, QUEUE)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    with workbench(given.home, given.home.with_suffix(".log")) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = signed_in(browser, url, session)
        for ring, size in sizes.items():
            elements = _ring(page, url, ring, other, size=size, times=given.times)
            _peer(browser, elements, given.times)
        _queue(page, url, given.times)
        browser.close()


def say(name: str, times: list[float], **more: Any) -> None:
    notes = "  ".join(f"{key}={each}" for key, each in more.items())
    print(f"{name:<52} {statistics.median(times):>8,.0f} ms   slowest {max(times):>8,.0f} ms  {notes}", flush=True)


def signed_in(browser: Browser, url: str, session: desk.Session) -> Page:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    cookies = {"ringroad": session.token, "ringroad-csrf": session.csrf}
    context.add_cookies([{"name": name, "value": value, "url": url} for name, value in cookies.items()])
    page = context.new_page()
    page.goto(f"{url}/queue")
    page.wait_for_selector("#queue .q-link")
    return page


# The graph ---------------------------------------------------------------------------------------------------


def _ring(page: Page, url: str, ring: str, other: str, *, size: int, times: int) -> list[dict[str, Any]]:
    """From the queue's page, and from the queue beside a graph."""
    with_page, beside, drawn = [], [], 0
    for at in range(times + 1):  # the first is to warm
        page.goto(f"{url}/queue")
        page.wait_for_selector("#queue .q-link")
        page.wait_for_timeout(500)
        whole = page.evaluate(OPEN, [ring, False])
        page.goto(f"{url}/ring/{other}")
        page.wait_for_selector(".canvas-box")
        page.wait_for_timeout(2500)
        graph = page.evaluate(OPEN, [ring, True])
        drawn = graph[2]
        if at:
            with_page.append(whole)
            beside.append(graph)
    for name, took in (("from the queue beside a graph", beside), ("from the queue's page", with_page)):
        answered = f"{statistics.median(one[1] for one in took):.0f}"
        say(f"ring of {size:,}, {name}: click to paint", [one[0] for one in took], answered=answered, drawn=drawn)
    page.wait_for_timeout(4000)  # the better layout
    elements: list[dict[str, Any]] = page.evaluate(
        "() => RR.cy().elements().map(e => ({data: {id: e.id(), source: e.data('source'), target: e.data('target')}}))"
    )
    took = [page.evaluate(EXPAND, {"cap": 50, "types": ["Application"]}) for _ in range(times + 1)][1:]
    assert all(one[2] == 0 for one in took), "no node moves when others come"
    say(f"  expand a dealer by {took[0][1]}, request to paint", [one[0] for one in took], moved=took[0][2])
    return elements


@contextmanager
def _plain(elements: list[dict[str, Any]]) -> Iterator[str]:
    cyto.load_extra_layouts()
    app = dash.Dash("peer", assets_folder="no-such-folder", enable_mcp=False)  # the empty one is all of the checkout
    kept = [{"data": {key: one for key, one in each["data"].items() if one}} for each in elements]
    style = {"width": "1000px", "height": "800px"}
    layout = {"name": "fcose", "animate": False}
    app.layout = lambda: cyto.Cytoscape(id="peer", elements=kept, layout=layout, style=style)
    server = make_server("127.0.0.1", 0, app.server, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
    server.shutdown()
    server.server_close()


def _peer(browser: Browser, elements: list[dict[str, Any]], times: int) -> None:
    with _plain(elements) as url:
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.add_init_script(PEER)
        page, took = context.new_page(), []
        for at in range(times + 1):
            page.goto(url)
            painted = page.wait_for_function("window.painted", timeout=60_000).json_value()
            took += [painted] if at else []
        context.close()
    say(f"  plain dash-cytoscape, the same {len(elements):,} elements", took)


# The queue ---------------------------------------------------------------------------------------------------

ROWS = """async act => {
  const rows = () => [...document.querySelectorAll('#queue .ag-center-cols-container .ag-row')];
  const text = () => document.querySelector('#queue-total').textContent;
  const drawn = () => rows().length > 0 && rows().every(row => row.querySelector('.q-money, [col-id=savable]')?.textContent.trim());
  const begun = performance.now(), before = text();
  if (act.scroll) dash_ag_grid.getApi('queue').ensureIndexVisible(act.scroll, 'top');
  await new Promise(done => requestAnimationFrame(done));
  const there = () => act.scroll ? rows().some(row => Number(row.getAttribute('row-index')) === act.scroll) && drawn() : text() !== before;
  while (!there()) await new Promise(done => setTimeout(done, 4));
  await new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)));
  return performance.now() - begun;
}"""  # noqa: E501


def _queue(page: Page, url: str, times: int) -> None:
    page.goto(f"{url}/queue?dealer={desk.DEALER}")
    page.wait_for_selector("#queue .q-link")
    total = page.inner_text("#queue-total")
    page.wait_for_timeout(500)
    jumps = [page.evaluate(ROWS, {"scroll": at}) for at in (5_000, 9_500, 2_500, 7_500, 1_250, 6_250, 3_750)[:times]]
    say(f"queue of {total}: jump to rows not yet read", jumps)
    typed = ("RQ0012", "RQ004", "RQ00999", "RQ0077", "RQ001", "RQ00123", "RQ0088")[:times]
    say("  filter by text, typed to rows", [_typed(page, text) for text in typed])


COUNT = """() => {
  const place = document.querySelector('#queue-total'), old = place.textContent, begun = performance.now();
  const there = () => place.textContent !== old && !document.querySelector('#queue .ag-loading');
  const done = () => { window.took = performance.now() - begun; };
  const look = () => there() ? requestAnimationFrame(() => setTimeout(done, 0)) : setTimeout(look, 4);
  window.took = 0;
  look();
}"""


def _typed(page: Page, text: str) -> float:
    """From the text to other rows under the grid's head, looked at from inside the page."""
    page.evaluate(COUNT)
    page.fill("#queue-text", text)
    while (took := float(page.evaluate("window.took"))) == 0:
        page.wait_for_timeout(10)
    return took


if __name__ == "__main__":
    main()
