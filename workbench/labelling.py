"""Labels on their way to the scores: into the casebook first, then into the journal of the score service, whoever tells
them. Stopped in between, the same label told again does the rest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import orjson
from sqlalchemy import Connection

from graph.records import to_millis
from graph.settings import Settings
from workbench.casebook import labels
from workbench.casebook.opening import Casebook
from workbench.journal import LABEL, Asked, Journal


def entries(db: Connection, ids: Sequence[int]) -> list[Asked]:
    """What the desks are to be told of these labels; each has its own key, so that it is told once."""
    if not ids:
        return []
    first = min(ids) - 1
    about = {f"L{each.id}": each.label.application_id for each in labels.since(db, first) if each.id in set(ids)}
    named = [(_number(each["ref"]), each) for each in labels.as_events(db, after=first).to_pylist()]
    return [
        Asked(LABEL, about[name], orjson.dumps(each), (f"label/{each['ref']}",), "")
        for name, each in named
        if name in about
    ]


def _number(ref: str) -> str:
    """Of an event's `ref`: "L3@…", or "L3 ends L1@…" where it withdraws another."""
    return ref.partition("@")[0].partition(" ")[0]


def tell(settings: Settings, casebook: Casebook, ids: Sequence[int], *, now: datetime) -> None:
    """To the desks of the score service, where there is one: they apply it in a second. The same again adds nothing.

    Raises StoreError where the journal cannot be written; the labels stand all the same.
    """
    place = settings.home / "journal.sqlite"
    if not place.exists():
        return
    with casebook.reading() as db:
        asked = entries(db, ids)
    if asked:
        with Journal(place, clock=lambda: to_millis(now)) as journal:
            last = journal.last()
            journal.append(asked, after=last.sequence if last else 0)
