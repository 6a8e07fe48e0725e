"""The score service without its web framework: what the routes ask. One per process, in one thread."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson
from pydantic import ValidationError

from graph.errors import InputError, NodeNotFound, RingroadError, StoreError
from graph.records import from_millis
from graph.vault import Vault
from loaders.live import Refused, Teller
from workbench import labelling, ringruns
from workbench.casebook import labels, strategies
from workbench.casebook.keys import Keys
from workbench.casebook.opening import Casebook
from workbench.casebook.strategies import SHIPPED
from workbench.instance import open_casebook, open_vault
from workbench.journal import ABSORBED, APPLICATION, EVENT, Asked, Journal
from workbench.online import images
from workbench.online.answers import stamp, warned
from workbench.online.engine import Engine, ScoreAsk
from workbench.online.forms import ApplicationForm, problem_of, problems_of, read_event
from workbench.online.images import View
from workbench.online.labelling import LabelForm
from workbench.online.metrics import BEHIND, GRAPH_AGE, timed
from workbench.online.panel import Rule
from workbench.online.refusals import AlreadyLoaded, BadRequest, NotFound
from workbench.online.rings import written
from workbench.online.settings import HOUR, ServiceSettings
from workbench.online.warming import make_ready, warm

TEND_SECONDS = 0.25
LOOK_SECONDS = 2.0
REST_SECONDS = 1.5
KEYS_AGE_SECONDS = 60.0
SLICE = 4
"""So many entries are applied before a request has its turn."""

MB = 1 << 20

log = logging.getLogger("ringroad.service")


class Service:
    def __init__(
        self,
        settings: ServiceSettings,
        journal: Journal,
        vault: Vault,
        casebook: Casebook,
        view: View | None,
        *,
        clock: Callable[[], int],
    ) -> None:
        self.settings, self.journal, self.vault, self.casebook, self.clock = settings, journal, vault, casebook, clock
        self.teller = Teller(vault)
        self.keys = Keys.of(casebook)
        self.engine = Engine(
            journal, self.teller, view,
            clock=clock, seconds=time.perf_counter, stale_ms=settings.stale_hours * HOUR,
        )  # fmt: skip
        self._adopted = SHIPPED
        self.trouble: dict[str, str] = {}
        self._examining: asyncio.Future[None] | None = None

    @classmethod
    def open(cls, settings: ServiceSettings, *, clock: Callable[[], int], warmed: bool = True) -> Service:
        """With the graph on disk, and without one where it is missing or damaged: then nothing is scored, and said.

        `warmed`: a score was made, and thrown away, before anybody asks.
        """
        settings.base.prepare()
        journal = Journal(settings.journal_file, clock=clock)
        vault, casebook = open_vault(settings.base), open_casebook(settings.base)
        view, trouble = None, ""
        try:
            view = images.open_current(settings, journal)
            if view is not None and warmed:
                warm(view, vault)
                view = _opened(settings, journal)
        except RingroadError as error:
            trouble = error.message
            log.warning("graph: %s", trouble)
        service = cls(settings, journal, vault, casebook, view, clock=clock)
        if trouble:
            service.trouble["graph"] = trouble
        service._adopt()
        service.engine.decide_by(Rule.of(service._adopted))
        while service.engine.catch_up():
            pass
        return service

    def close(self) -> None:
        self.casebook.close()
        self.vault.close()
        self.journal.close()

    # Scores ------------------------------------------------------------------------------------------------

    def read(self, body: bytes, key: str, trace_id: str, full: bool) -> ScoreAsk:
        """Raises BadRequest with every field that is wrong, never its value."""
        begin = time.perf_counter()
        with timed("read"):
            said = _form(body)
            try:
                told = self.teller.tell(said, now=self.clock())
            except Refused as error:
                raise BadRequest(error.message, [problem_of(error.finding)._asdict()]) from None
            name = told.application
            if self.engine.loaded(name):
                raise AlreadyLoaded(f"application {name} was loaded from files; score new ones here, that one by file")
            digest = self._digest(said)
            keys = ((_hashed(key),) if key else ()) + (f"application/{name}",)
            return ScoreAsk(
                Asked(APPLICATION, name, told.to_bytes(), keys, digest, told.now), told, trace_id, full, begin
            )

    def read_batch(self, body: bytes, most: int) -> list[Any]:
        try:
            content = orjson.loads(body)
        except orjson.JSONDecodeError:
            content = None
        given = content.get("applications") if isinstance(content, dict) and len(content) == 1 else None
        if not isinstance(given, list) or not 1 <= len(given) <= most:
            raise BadRequest(f'the body is {{"applications": [ … ]}} with 1 to {most:,} applications')
        return given

    def answer(self, asks: Any) -> Any:
        return self.engine.answer(asks)

    def _digest(self, said: Any) -> str:
        """Of a request's content, for telling equal from unequal; nobody finds the content from it."""
        text = orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode()
        return f"{self.vault.index_version}.{self.vault.token('request', text)}"

    # What becomes known later ------------------------------------------------------------------------------

    def tell(self, application_id: str, body: bytes, key: str, trace_id: str) -> bytes:
        try:
            kind, details = read_event(body)
        except ValidationError as error:
            raise _bad("the event is not as openapi.json says", error) from None
        if not self.engine.knows(application_id):
            raise NotFound("no application of this number is known here; score it first, or load it")
        try:
            told = self.teller.tell_event(kind, details, application_id=application_id, now=self.clock())
        except Refused as error:
            raise BadRequest(error.message, [problem_of(error.finding)._asdict()]) from None
        digest = self._digest([application_id, kind, details])
        keys = (_hashed(key),) if key else (f"event/{application_id}/{digest}",)
        note = self.engine.tell(Asked(EVENT, application_id, told.to_bytes(), keys, digest, told.now))
        assert note.entry is not None  # noqa: S101 - the engine raises a refusal
        return orjson.dumps(
            {
                "application_id": application_id,
                "sequence": note.entry.sequence,
                "kind": kind,
                "warnings": warned(told.findings),
                "replayed": note.again,
                "trace_id": trace_id,
            }
        )

    async def label(self, body: bytes, key: str, trace_id: str) -> dict[str, Any]:
        """Into the casebook first, then into the journal: stopped in between, the same request again does the rest."""
        try:
            form = LabelForm.model_validate_json(body)
        except ValidationError as error:
            raise _bad("the label is not as openapi.json says", error) from None
        if not self.engine.knows(form.application_id):
            raise NotFound("no application of this number is known here; score it first, or load it")
        added, entries = await asyncio.to_thread(self._kept, form, key)
        for each in entries:
            self.engine.tell(each)
        return {
            "id": added.id,
            "application_id": form.application_id,
            "known_at": stamp(orjson.loads(entries[-1].told)["known_at"]) if entries else stamp(self.clock()),
            "replayed": added.again,
            "trace_id": trace_id,
        }

    def _kept(self, form: LabelForm, key: str) -> tuple[labels.Added, list[Asked]]:
        """The label's number, and what the desks are to be told of it."""
        label = labels.Label(**form.model_dump())
        with self.casebook.writing() as db:
            added = labels.add(db, label, request_key=key, now=from_millis(self.clock()))
            return added, labelling.entries(db, [added.id])

    # Reading -----------------------------------------------------------------------------------------------

    def record(self, application_id: str) -> dict[str, Any]:
        try:
            return self.engine.record(application_id)
        except NodeNotFound as error:
            raise NotFound(error.message) from None

    def rings(self, limit: int, offset: int) -> dict[str, Any]:
        view = self.engine.view
        told = list(view.rings.told) if view else []
        if view is None or not view.rings.as_of:
            raise NotFound("no ring run yet; `ringroad rings` makes one")
        some = [view.rings.brief(ring_id) for ring_id in told[offset : offset + limit]]
        return {"as_of": view.rings.as_of, "total": len(told), "rings": some}

    def ring(self, ring_id: str) -> dict[str, Any]:
        try:
            return ringruns.ring(ring_id, self.settings.base)
        except InputError as error:
            raise NotFound(error.message) from None

    # Health ------------------------------------------------------------------------------------------------

    def ready(self) -> dict[str, Any]:
        view = self.engine.view
        checks = dict.fromkeys(("journal", "graph", "vault", "keys", "disk"), "ok") | self.trouble
        return {
            "ready": all(each == "ok" for each in checks.values()),
            "checks": checks,
            "graph_as_of": stamp(view.built_at) if view else None,
            "model_version": view.version if view else None,
        }

    async def tend(self) -> None:
        """Until it is cancelled: follows the journal while nobody asks, and looks for what has changed."""
        looked = 0.0
        while True:
            with suppress(RingroadError):
                while self.engine.catch_up(limit=SLICE):
                    await asyncio.sleep(0)
            if time.monotonic() - looked > LOOK_SECONDS:
                looked = time.monotonic()
                try:
                    await self._look()
                except Exception as error:  # noqa: BLE001 - what is not seen now is seen the next time
                    log.warning("look: %s", type(error).__name__)
            await asyncio.sleep(TEND_SECONDS)

    async def rest(self) -> bool:
        """After `tend` was cancelled, whose thread goes on: whether that has ended, so what it uses may be closed."""
        if self._examining is None or self._examining.get_loop() is not asyncio.get_running_loop():
            return True
        ended, _ = await asyncio.wait({self._examining}, timeout=REST_SECONDS)
        return bool(ended)

    async def _look(self) -> None:
        trouble: dict[str, str] = {}
        self._examining = asyncio.ensure_future(asyncio.to_thread(self._examine, trouble))
        await asyncio.shield(self._examining)
        if self._adopted != self.engine.rule.adopted:
            self.engine.decide_by(Rule.of(self._adopted))
            log.info("strategy %d decides", self._adopted.id)
        if self.engine.view is None or images.newer(self.settings, self.engine.view):
            await self._reload(trouble)
        view = self.engine.view
        if view is not None and view.rings.stamp != written(self.settings.base.rings_file):
            view.rings = images.read_rings(self.settings, view.assessor.desk)
        if view is not None:
            GRAPH_AGE.set((self.clock() - view.built_at) / 1000)
        last = self.journal.last()
        BEHIND.set(max(0, (last.sequence if last else 0) - self.journal.marked(ABSORBED)))
        self.engine.vault_trouble = "vault" in trouble
        for each in self.engine.degraded():
            trouble.setdefault("graph", each)
        self.trouble = trouble

    def _examine(self, trouble: dict[str, str]) -> None:
        """Each part in its own words, where something is wrong with it."""
        journal = self.journal
        for part, work in (("vault", self.vault.check), ("journal", journal.writable), ("journal", journal.checkpoint)):
            try:
                work()
            except RingroadError as error:
                trouble[part] = error.message
        self._adopt()
        self.keys.refresh()
        if self.keys.age > KEYS_AGE_SECONDS:
            trouble["keys"] = "the casebook does not answer; API keys are those read last"
        free = shutil.disk_usage(self.settings.base.home).free / MB
        if free < self.settings.floor_mb:
            trouble["disk"] = f"{free:,.0f} MB are free, fewer than RINGROAD_FLOOR_MB={self.settings.floor_mb:g}"

    def _adopt(self) -> None:
        """The strategy of now; while the casebook does not answer, the one that was read last."""
        with suppress(StoreError), self.casebook.reading() as db:
            self._adopted = strategies.in_force(db, from_millis(self.clock()))

    async def _reload(self, trouble: dict[str, str]) -> None:
        """Opened beside the one that serves, brought up to date in small steps, and then put in its place."""
        try:
            fresh = await asyncio.to_thread(_opened, self.settings, self.journal)
        except RingroadError as error:
            trouble["graph"] = error.message
            return
        if fresh is None:
            trouble["graph"] = "no graph yet; `ringroad serve refresh` makes one"
            return
        after = Engine(
            self.journal, self.teller, fresh,
            clock=self.clock, seconds=time.perf_counter, stale_ms=self.engine.stale_ms,
        )  # fmt: skip
        while after.position < self.engine.position and after.catch_up(limit=SLICE):
            await asyncio.sleep(0)
        self.engine.take_over(fresh, after.position, after.unapplied)
        log.info("graph of %s serves", stamp(fresh.built_at))


def _opened(settings: ServiceSettings, journal: Journal) -> View | None:
    view = images.open_current(settings, journal)
    return None if view is None else make_ready(view)


def _form(body: bytes) -> dict[str, Any]:
    try:
        said = ApplicationForm.model_validate_json(body).said()
    except ValidationError as error:
        raise _bad("the application is not as openapi.json says", error) from None
    if "known_at" in said:
        what = {"field": "known_at", "problem": "is not yours to say", "remedy": "leave it out: it is known now"}
        raise BadRequest("known_at: an application is known from when it arrives", [what])
    return said


def _bad(message: str, error: ValidationError) -> BadRequest:
    return BadRequest(message, [each._asdict() for each in problems_of(error)])


def _hashed(key: str) -> str:
    return f"key/{hashlib.sha256(key.encode()).hexdigest()}"
