"""Judged rows -> what is told: the scalar counterpart of `translate.py`, carrying out the same `facts.py`."""

from __future__ import annotations

from collections.abc import Callable, Container
from functools import cache
from typing import Any, NamedTuple

from graph.normalise import KINDS
from graph.ontology import NODES
from graph.records import Value, node_id
from graph.vault import REF, Vault
from loaders.facts import FACTS, EdgeFact, End, TableFacts
from loaders.live.meaning import meaning_of, prepare
from loaders.live.reading import Faults, Judged, Values, judge, moment_of
from loaders.live.sections import Row
from loaders.live.told import Event, Finding, Reference, Told, ToldEdge, ToldNode
from loaders.tables import BY_NAME, Table
from loaders.translate import own_value, plain, recordable

Meaning = Callable[[str, str, str], str | None]
"""Of (kind, token, number): the key that one of the lender's own numbers is known to stand for."""


class Name(NamedTuple):
    key: str
    masked: str


class Telling:
    """Of one application or event; used once."""

    def __init__(self, vault: Vault, meaning: Meaning, sealed: Container[str], *, now: int) -> None:
        """`sealed` are kinds and tokens whose values lie sealed on disk already."""
        self._vault, self._meaning, self._known_sealed = vault, meaning, sealed
        self._now = self.known = now
        self.application: str | None = None
        self._names: dict[tuple[str, str], Name] = {}
        self._referred: dict[tuple[str, str], Name] = {}
        self._said: dict[tuple[str, str], int] = {}
        self._stated: dict[tuple[str, str, tuple[str, ...]], ToldNode] = {}
        self._mentioned: list[ToldNode] = []
        self._edges: list[ToldEdge] = []
        self._events: dict[str, dict[str, Event]] = {}
        self._open: dict[str, dict[str, str]] = {}
        self._ids: dict[tuple[str, str], int] = {}
        self._references: list[tuple[str, str, str, str]] = []
        self._findings: list[Finding] = []

    def told(self, application: str) -> Told:
        """All of it; only here are values sealed, those of a kind together."""
        sealed = {
            kind: dict(zip(values, self._vault.seal(kind, list(values), list(values.values())), strict=True))
            for kind, values in self._open.items()
        }
        return Told(
            application=application,
            now=self._now,
            nodes=[*self._stated.values(), *self._mentioned],
            edges=self._edges,
            events={table: list(rows.values()) for table, rows in self._events.items()},
            sealed=sealed,
            references=[
                Reference(kind, token, self._vault.seal(REF + kind, (token,), (number,))[0], key)
                for kind, token, number, key in self._references
            ],
            findings=self._findings,
        )

    def refusal(self) -> Finding:
        """Why the last row was rejected."""
        return next(each for each in reversed(self._findings) if each.policy == "reject")

    def stated(self, head: Row) -> int:
        """When the application was known: rows that do not say so were known with it."""
        moment = moment_of(head.values.get("known_at"))
        return self._now if moment is None or moment > self._now else moment

    def row(self, row: Row, *, partial: bool = False) -> bool:
        """Whether the row stands. A `partial` one adds to what an earlier row of its table said."""
        table, faults = BY_NAME[row.table], Faults()
        judged = judge(table, row.values, now=self._now, known=self.known, faults=faults, partial=partial)
        if faults:
            self._findings += [Finding(row.field(each.column), each.reason, each.policy) for each in faults]
        if judged is None:
            return False
        prepare(table.name, judged.values)
        if table.name == "applications":
            self.application = judged.values["application_id"]
        says = FACTS[table.name]
        values = judged.values
        for end in says.nodes:
            if end.column in values:
                self._describe(table, end, judged)
        for fact in says.edges:
            if fact.source.column in values and fact.target.column in values:
                if fact.source.split or fact.target.split:
                    self._relate_each(fact, table, judged)
                else:
                    self._relate(fact, table, judged)
        if says.events is not None:
            self._record(says.events, says, table, judged, row)
        return True

    # Names -----------------------------------------------------------------------------------------

    def _name(self, end: End, values: Values) -> Name | None:
        value = values.get(end.column)
        if value is None:
            return None
        if end.refer:
            return self._resolve(end, value, None)
        return self._token(end.type, end.prefix + value)

    def _token(self, type_: str, value: str) -> Name:
        """Key and mask of a canonical value; one not known to lie sealed is sealed for the vault."""
        name = self._names.get((type_, value))
        if name is not None:
            return name
        kind = NODES[type_].kind
        if kind is None:
            name = Name(value, "")
        else:
            (token,) = self._vault.tokens(kind, (value,))
            name = Name(token, KINDS[kind].mask(value))
            if kind + token not in self._known_sealed:
                self._open.setdefault(kind, {})[token] = value
        self._names[type_, value] = name
        return name

    def _resolve(self, end: End, number: str, meaning: str | None) -> Name:
        """What one of the lender's own numbers stands for. The first meaning it had stays its meaning; a number
        nobody explained stands for itself."""
        name = self._referred.get((end.refer, number))
        if name is not None:
            return name
        (token,) = self._vault.tokens(REF + end.refer, (number,))
        key = self._meaning(end.refer, token, number)
        if key is not None:
            name = Name(key, self._mask(end, key, number, meaning))
        else:
            name = self._token(end.type, meaning or own_value(end, number))
            self._references.append((end.refer, token, number, name.key))
        self._referred[end.refer, number] = name
        return name

    def _mask(self, end: End, key: str, number: str, meaning: str | None) -> str:
        """Of what a known key was made from, where this application says it."""
        kind = NODES[end.type].kind
        if kind is None:
            return ""
        values = [meaning, own_value(end, number)]
        return next((KINDS[kind].mask(each) for each in values if each and self._vault.token(kind, each) == key), "")

    # Nodes -----------------------------------------------------------------------------------------

    def _describe(self, table: Table, end: End, row: Judged) -> None:
        """What the row says of the node itself. Of rows that state the same properties of one node the latest known
        speaks for all, known since the earliest."""
        number = row.values[end.column]
        if end.refer:
            name = self._resolve(end, number, meaning_of(end.refer, row.values))
        else:
            name = self._token(end.type, end.prefix + number)
        properties: dict[str, Value] = {
            each: int(row.values[each]) if whole else row.values[each]
            for each, whole in _properties(table.name, end.type)
            if each in row.values
        }
        since = updated = row.known_ms
        at = (end.type, name.key, tuple(properties))
        before = self._stated.get(at)
        if before is not None:
            since = min(since, before.known_at)
            if before.updated_at > updated:
                updated, properties = before.updated_at, dict(before.properties)
        self._stated[at] = ToldNode(end.type, name.key, name.masked, since, updated, properties)
        self._said[end.type, name.key] = min(since, self._said.get((end.type, name.key), since))

    def _mention(self, type_: str, name: Name, known: int) -> None:
        """A node that a relation names: told when nobody has said here that it existed by then."""
        said = self._said.get((type_, name.key))
        if said is None or known < said:
            self._said[type_, name.key] = known
            self._mentioned.append(ToldNode(type_, name.key, name.masked, known, known, {}))

    # Relations -------------------------------------------------------------------------------------

    def _relate_each(self, fact: EdgeFact, table: Table, row: Judged) -> None:
        """Of a cell that names several."""
        column = fact.source.column if fact.source.split else fact.target.column
        for part in str(row.values.get(column) or "").replace("；", ";").split(";"):
            if one := KINDS["opaque"].normalise(part):
                self._relate(fact, table, row._replace(values=row.values | {column: one}))

    def _relate(self, fact: EdgeFact, table: Table, row: Judged) -> None:
        values = row.values
        column, only = fact.only
        if column and (values.get(column) not in only if only else column in values):
            return
        event, known = row.event_ms, row.known_ms
        if fact.when:
            stated = values.get(fact.when)
            if stated is None:
                return
            event, known = stated, max(known, stated)
        source, target = self._name(fact.source, values), self._name(fact.target, values)
        assert source is not None  # noqa: S101 - both columns are filled
        assert target is not None  # noqa: S101
        self._mention(fact.source.type, source, known)
        self._mention(fact.target.type, target, known)
        self._edges.append(
            ToldEdge(
                fact.type,
                source.key,
                target.key,
                str(values.get(fact.ref) or "") if fact.ref else "",
                event,
                known,
                max(values.get(fact.until) or 0, 0) if fact.until else 0,
                values.get(fact.confidence, 1.0) if fact.confidence else 1.0,
                table.name,
            )
        )

    # Events ----------------------------------------------------------------------------------------

    def _record(self, owner: End, says: TableFacts, table: Table, row: Judged, sent: Row) -> None:
        """The row as a dated event, identifiers as node ids. Of two with one number the first stays."""
        stem, known = "/".join(plain(row.values.get(column)) for column in _stem(table.name)), row.known_ms
        event: dict[str, Any] = {"ref": f"{stem}@{known}", "owner": self._id(owner, row.values)}
        event["event_time"], event["known_at"] = row.event_ms, known
        for name, end in says.event_nodes.items():
            event[name] = self._id(end, row.values)
        for name in _recorded(table.name):
            if (value := row.values.get(name)) is not None:
                event[name] = value
        rows = self._events.setdefault(table.name, {})
        if event["ref"] in rows:
            self._findings.append(Finding(sent.field(table.key[0]), "duplicate_row", "reject"))
        else:
            rows[event["ref"]] = event

    def _id(self, end: End, values: Values) -> int:
        """0 where the row names none."""
        name = self._name(end, values)
        if name is None:
            return 0
        at = (end.type, name.key)
        if at not in self._ids:
            self._ids[at] = node_id(*at)
        return self._ids[at]


@cache
def _properties(table: str, type_: str) -> tuple[tuple[str, bool], ...]:
    """Of a node, sorted: those that the table can state, and whether each is a whole number."""
    names = {column.name for column in BY_NAME[table].columns} | {"name_masked", "birth_year", "plate_masked", "name"}
    stated = [each for each in NODES[type_].properties if each.name in names]
    return tuple(sorted((each.name, each.type == "integer") for each in stated))


@cache
def _stem(table: str) -> tuple[str, ...]:
    """The key of an event among those of its owner."""
    owner, key = FACTS[table].events, BY_NAME[table].key
    assert owner is not None  # noqa: S101 - asked of events alone
    return tuple(column for column in key if column != owner.column or len(key) == 1)


@cache
def _recorded(table: str) -> tuple[str, ...]:
    says = FACTS[table]
    return tuple(each.name for each in BY_NAME[table].columns if recordable(BY_NAME[table], says, each.name))
