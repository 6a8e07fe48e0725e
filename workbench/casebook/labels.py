"""What people say of applications: appended, never changed; a correction is a new row that names the one it replaces.

Who reads as of a time sees what had been told by then. What teaches a model and what its features see is narrower
(`Said.counts_as`): provisional labels are for people only, and a fraud on papers (E1, E2) needs a second person.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pyarrow as pa
from sqlalchemy import Connection, Row, func, insert, select

from gnn.dispositions import BENIGN, CLEARED, DISPOSITIONS, POSITIVE, SUSPECTED, WITHDRAWN
from graph.errors import InputError, KeyReused, NodeNotFound
from graph.records import NodeRef, to_millis
from workbench.casebook.tables import labels
from workbench.casebook.words import remark, stated, words

SOURCES = ("review", "fpd", "collection", "police", "court", "partner", "customer_complaint")
MATURITIES = PROVISIONAL, FINAL = ("provisional", "final")
LEVELS = ("E1", "E2", "E3")
ON_PAPERS = ("E1", "E2")
TYPOLOGY = {POSITIVE: r"T(0[1-9]|1\d|2[0-6])", SUSPECTED: r"T(0[1-9]|1\d|2[0-6])", BENIGN: r"B(0[1-9]|1[0-6])"}
"""What kind of fraud, or which of the innocent look-alikes (domain.md §2); other dispositions have none."""

AHEAD = timedelta(minutes=1)
"""Clocks differ by less."""

LAYOUT = pa.schema(
    [
        ("ref", pa.string()), ("owner", pa.int64()), ("event_time", pa.int64()), ("known_at", pa.int64()),
        ("cluster_id", pa.string()), ("evidence_level", pa.string()), ("label", pa.string()),
        ("occurred_at", pa.int64()), ("outcome_id", pa.string()), ("reported_at", pa.int64()),
        ("reviewer", pa.string()), ("second_reviewer", pa.string()), ("source", pa.string()),
        ("supersedes", pa.string()), ("typology", pa.string()),
    ]
)  # fmt: skip
"""Of the events `outcomes` in a store, without their notes."""


@dataclass(frozen=True)
class Label:
    """What somebody says. Without `occurred_at` it happened when it is told."""

    application_id: str
    label: str
    source: str
    maturity: str
    author: str
    occurred_at: datetime | None = None
    typology: str = ""
    evidence_level: str = ""
    second_author: str = ""
    note: str = ""
    supersedes: int | None = None


class Added(NamedTuple):
    """`again`: the same request was answered before, and nothing was written now."""

    id: int
    again: bool


@dataclass(frozen=True)
class Said:
    """A label on record. `known_at` never falls from one to the next."""

    id: int
    label: Label
    known_at: datetime

    @property
    def counts_as(self) -> str:
        """The disposition for features and training; "" for none."""
        if self.label.maturity != FINAL:
            return ""
        alone = not self.label.second_author and self.label.evidence_level in ON_PAPERS
        return SUSPECTED if self.label.label == POSITIVE and alone else self.label.label


# Telling -------------------------------------------------------------------------------------------------


def add(db: Connection, label: Label, *, request_key: str, now: datetime) -> Added:
    """Once for each request key: the same key with the same content answers with the row that is there.

    Raises KeyReused for the same key with other content, InputError for what cannot be said, NodeNotFound where
    `supersedes` names no label. `db` is of `Casebook.writing`.
    """
    if not request_key.strip() or len(request_key) > 255:
        raise InputError("the request key takes 1 to 255 characters; make a new one for each request")
    key = _hashed(request_key)
    digest = _digest(label)
    row = db.execute(select(labels.c.id, labels.c.request_digest).where(labels.c.request_key == key)).one_or_none()
    if row is not None and row.request_digest != digest:
        raise KeyReused(f"this request key was used for label {row.id}, which says something else; send a new key")
    if row is not None:
        return Added(row.id, again=True)
    label = checked(label, now=now)
    _may_supersede(db, label)
    newest = db.execute(select(func.max(labels.c.id), func.max(labels.c.known_at))).one()
    number, known_at = (newest[0] or 0) + 1, max(now, newest[1] or now)
    values = asdict(label) | {"occurred_at": label.occurred_at or known_at}
    db.execute(insert(labels).values(id=number, known_at=known_at, request_key=key, request_digest=digest, **values))
    return Added(number, again=False)


def requested(db: Connection, request_key: str) -> Said | None:
    """What this request told when it came before."""
    found = _read(db, labels.c.request_key == _hashed(request_key))
    return found[0] if found else None


def own_key(label: Label) -> str:
    """A request key for who has none: what is said again word for word is said once."""
    return f"own {_digest(label)}"


def checked(label: Label, *, now: datetime) -> Label:
    """The label with its words on one line each. Raises InputError with the field and what it takes."""
    _one_of("label", label.label, DISPOSITIONS)
    _one_of("source", label.source, SOURCES)
    _one_of("maturity", label.maturity, MATURITIES)
    _kind_of_fraud(label)
    if label.occurred_at is not None and label.occurred_at > now + AHEAD:
        raise InputError(f"occurred_at {label.occurred_at.isoformat()} lies ahead; state when it happened")
    author, second = stated("author", label.author, 255), words("second_author", label.second_author, 255)
    if second.casefold() == author.casefold():
        raise InputError("second_author is the author; a second person confirms, or leave it empty until one does")
    return replace(
        label,
        application_id=_application(label.application_id),
        author=author,
        second_author=second,
        note=remark("note", label.note, 2000),
    )


def _kind_of_fraud(label: Label) -> None:
    pattern = TYPOLOGY.get(label.label)
    if label.typology and pattern is None:
        raise InputError(f"typology {label.typology!r} does not go with {label.label}; leave it empty")
    if label.typology and not re.fullmatch(pattern or "", label.typology):
        takes = "B01 to B16" if label.label == BENIGN else "T01 to T26"
        raise InputError(f"typology {label.typology!r} is none of {label.label}; it takes {takes}")
    if label.evidence_level:
        _one_of("evidence_level", label.evidence_level, LEVELS)
        if label.label not in (POSITIVE, SUSPECTED):
            raise InputError(f"evidence_level {label.evidence_level} does not go with {label.label}; leave it empty")
    if label.label == POSITIVE and not label.typology:
        raise InputError(f"{POSITIVE} needs a typology, T01 to T26")
    if label.label == POSITIVE and not label.evidence_level:
        raise InputError(f"{POSITIVE} needs an evidence_level: E1 police or court, E2 papers, E3 circumstances")


def _application(name: str) -> str:
    """A lender's own numbers may be long; they are no identifiers of a person."""
    if not name or len(name) > 255 or name != name.strip() or not name.isprintable():
        raise InputError("application_id takes 1 to 255 characters without blanks around them")
    return name


def _one_of(field: str, value: str, known: Iterable[str]) -> None:
    if value not in known:
        raise InputError(f"{field} {value[:40]!r} is none; it takes one of {', '.join(known)}")


def _may_supersede(db: Connection, label: Label) -> None:
    if label.supersedes is None:
        return
    older = db.execute(select(labels.c.application_id).where(labels.c.id == label.supersedes)).scalar()
    if older is None:
        raise NodeNotFound(f"there is no label {label.supersedes} to supersede; `ringroad labels list` shows them")
    if older != label.application_id:
        raise InputError(f"label {label.supersedes} is of another application; supersede one of the same")
    newer = db.execute(select(labels.c.id).where(labels.c.supersedes == label.supersedes)).scalar()
    if newer is not None:
        raise InputError(f"label {label.supersedes} was superseded by {newer} before; supersede that one")


def _digest(label: Label) -> str:
    """Of the content as it was sent; two spellings of one time are the same."""
    told = asdict(label) | {"occurred_at": None if label.occurred_at is None else to_millis(label.occurred_at)}
    return _hashed(json.dumps(told, sort_keys=True, ensure_ascii=True))


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode(errors="backslashreplace")).hexdigest()


# Reading -------------------------------------------------------------------------------------------------


def of(db: Connection, application_id: str) -> Sequence[Said]:
    """Everything ever said of an application, in the order in which it was told."""
    return _read(db, labels.c.application_id == application_id)


def of_all(db: Connection, application_ids: Sequence[str]) -> dict[str, list[Said]]:
    """As `of`, of many; those of which nothing was said are not in it."""
    found: dict[str, list[Said]] = {}
    for at in range(0, len(application_ids), 500):  # SQLite takes a limited number of parameters
        for each in _read(db, labels.c.application_id.in_(application_ids[at : at + 500])):
            found.setdefault(each.label.application_id, []).append(each)
    return found


def standing(said: Sequence[Said]) -> Said | None:
    """Of what was said of one application the newest that none replaced."""
    ended = {each.label.supersedes for each in said}
    return next((each for each in reversed(said) if each.id not in ended), None)


def get(db: Connection, id: int) -> Said:  # noqa: A002 - the column's own name
    """Raises NodeNotFound."""
    found = _read(db, labels.c.id == id)
    if not found:
        raise NodeNotFound(f"there is no label {id}; `ringroad labels list` shows them")
    return found[0]


def count(db: Connection) -> int:
    """Rows are numbered from 1 without gaps."""
    return db.execute(select(func.max(labels.c.id))).scalar() or 0


def since(db: Connection, id: int) -> Sequence[Said]:  # noqa: A002 - the column's own name
    """What was told after that row, in order."""
    return _read(db, labels.c.id > id)


def in_force(db: Connection, as_of: datetime) -> Sequence[Said]:
    """What had been told by then and not been superseded by then."""
    told = _read(db, labels.c.known_at <= as_of)
    ended = {each.label.supersedes for each in told}
    return [each for each in told if each.id not in ended]


def as_events(db: Connection, *, after: int = 0) -> pa.Table:
    """The labels told after a row, as `gnn.told.read_labels` takes a lender's own outcomes; in order.

    A superseded label ends where the newer one is told: by the newer one, or, where that says neither fraud nor
    cleared, by a row `WITHDRAWN`.
    """
    said = since(db, after)
    older = _by_id(db, [each.label.supersedes for each in said if each.label.supersedes is not None])
    rows = [row for each in said for row in _events(each, older)]
    return pa.Table.from_pylist(rows, schema=LAYOUT)


def with_outcomes(loaded: pa.Table | None, own: pa.Table) -> pa.Table | None:
    """The lender's outcomes and the casebook's; of two of one millisecond the casebook's is the later word."""
    tables = [each for each in (loaded, own) if each is not None and len(each)]
    return pa.concat_tables(tables, promote_options="default") if tables else loaded


def _events(said: Said, older: dict[int, Said]) -> Iterable[dict[str, Any]]:
    ended = older.get(said.label.supersedes or 0)
    if ended is not None and ended.counts_as in (POSITIVE, *CLEARED):
        yield _event(said, WITHDRAWN, f"L{said.id} ends L{ended.id}")
    if said.counts_as:
        yield _event(said, said.counts_as, f"L{said.id}")


def _event(said: Said, disposition: str, name: str) -> dict[str, Any]:
    label, known_at = said.label, to_millis(said.known_at)
    occurred_at = min(to_millis(label.occurred_at or said.known_at), known_at)
    return {
        "ref": f"{name}@{known_at}", "owner": NodeRef("Application", label.application_id).id,
        "event_time": occurred_at, "known_at": known_at, "evidence_level": label.evidence_level or None,
        "label": disposition, "occurred_at": occurred_at, "outcome_id": name, "reported_at": known_at,
        "reviewer": label.author, "second_reviewer": label.second_author or None, "source": label.source,
        "supersedes": None if label.supersedes is None else f"L{label.supersedes}", "typology": label.typology or None,
    }  # fmt: skip


def _by_id(db: Connection, ids: Sequence[int]) -> dict[int, Said]:
    found: dict[int, Said] = {}
    for at in range(0, len(ids), 500):  # SQLite takes a limited number of parameters
        found |= {each.id: each for each in _read(db, labels.c.id.in_(ids[at : at + 500]))}
    return found


def _read(db: Connection, which: Any) -> list[Said]:
    return of_rows(db.execute(select(labels).where(which).order_by(labels.c.id)))


def of_rows(rows: Iterable[Row[Any]]) -> list[Said]:
    """Of whole rows of the table."""
    return [_said(row) for row in rows]


def _said(row: Row[Any]) -> Said:
    told = Label(**{name: getattr(row, name) for name in Label.__dataclass_fields__})
    return Said(row.id, told, row.known_at)
