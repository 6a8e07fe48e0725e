"""Judged rows -> what is told: the scalar counterpart of `translate.py`, carrying out the same `facts.py`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from graph.normalise import KINDS
from graph.ontology import NODES
from graph.records import Value, node_id
from graph.vault import REF, Vault
from loaders.facts import FACTS, EdgeFact, End, TableFacts
from loaders.live.meaning import meaning_of, prepare
from loaders.live.reading import Faults, Judged, Values, judge, moment_of
from loaders.live.sections import Row
from loaders.live.told import Event, Finding, Reference, Told, ToldEdge, ToldNode
from loaders.tables import BY_NAME, TABLES, Table
from loaders.translate import own_value, plain, recordable

At = tuple[str, str]
"""Kind and token of one of the lender's own numbers."""

Meanings = Callable[[Collection[At]], Mapping[At, str]]
"""Of those that are known to stand for something: the keys."""


class Name(NamedTuple):
    key: str
    masked: str


class Telling:
    """Of one application or event; used once."""

    def __init__(self, vault: Vault, meanings: Meanings, sealed: Container[str], *, now: int) -> None:
        """`sealed` are kinds and tokens whose values lie sealed on disk already."""
        self._vault, self._meanings, self._known_sealed = vault, meanings, sealed
        self._now = self.known = now
        self.application: str | None = None
        self._rows: list[tuple[Row, Judged, list[Finding]]] = []
        self._tokens: Mapping[tuple[str, str], str] = {}
        self._meant: Mapping[At, str] = {}
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
        self._findings: list[list[Finding]] = []

    def told(self, application: str) -> Told:
        """All of it; only here are numbers looked up and values sealed, in one go each."""
        self._look_up()
        for row, judged, findings in self._rows:
            self._tell(row, judged, findings)
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
            findings=[each for findings in self._findings for each in findings],
        )

    def refusal(self) -> Finding:
        """Why the last row was rejected."""
        return next(each for each in reversed(self._findings[-1]) if each.policy == "reject")

    def stated(self, head: Row) -> int:
        """When the application was known: rows that do not say so were known with it."""
        moment = moment_of(head.values.get("known_at"))
        return self._now if moment is None or moment > self._now else moment

    def row(self, row: Row, *, partial: bool = False) -> bool:
        """Whether the row stands. A `partial` one adds to what an earlier row of its table said."""
        table, faults = BY_NAME[row.table], Faults()
        judged = judge(table, row.values, now=self._now, known=self.known, faults=faults, partial=partial)
        findings = [Finding(row.field(each.column), each.reason, each.policy) for each in faults]
        self._findings.append(findings)
        if judged is None:
            return False
        prepare(table.name, judged.values)
        if table.name == "applications":
            self.application = judged.values["application_id"]
        self._rows.append((row, judged, findings))
        return True

    def _look_up(self) -> None:
        """The meanings of all the numbers: one question to the vault, where each by itself would be four or five."""
        numbers: dict[str, dict[str, None]] = {}
        for row, judged, _ in self._rows:
            for end in PLANS[row.table].numbered:
                for number in _numbers(end, judged.values):
                    numbers.setdefault(end.refer, {})[number] = None
        self._tokens = {
            (kind, number): token
            for kind, those in numbers.items()
            for number, token in zip(those, self._vault.tokens(REF + kind, list(those)), strict=True)
        }
        self._meant = self._meanings([(kind, token) for (kind, _), token in self._tokens.items()])

    def _tell(self, row: Row, judged: Judged, findings: list[Finding]) -> None:
        plan, values = PLANS[row.table], judged.values
        for end, properties in plan.nodes:
            if end.column in values:
                self._describe(end, properties, judged)
        for source, target, fact in plan.edges:
            if source in values and target in values:
                if fact.source.split or fact.target.split:
                    self._relate_each(fact, row.table, judged)
                else:
                    self._relate(fact, row.table, judged)
        if plan.event is not None and not self._record(plan.event, row.table, judged):
            findings.append(Finding(row.field(plan.event.number), "duplicate_row", "reject"))

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
        token = self._tokens[end.refer, number]
        key = self._meant.get((end.refer, token))
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

    def _describe(self, end: End, stated: Stated, row: Judged) -> None:
        """What the row says of the node itself. Of rows that state the same properties of one node the latest known
        speaks for all, known since the earliest."""
        number = row.values[end.column]
        if end.refer:
            name = self._resolve(end, number, meaning_of(end.refer, row.values))
        else:
            name = self._token(end.type, end.prefix + number)
        values = row.values
        properties: dict[str, Value] = {
            each: int(values[each]) if whole else values[each] for each, whole in stated if each in values
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

    def _relate_each(self, fact: EdgeFact, table: str, row: Judged) -> None:
        """Of a cell that names several."""
        end = fact.source if fact.source.split else fact.target
        for one in _numbers(end, row.values):
            self._relate(fact, table, row._replace(values=row.values | {end.column: one}))

    def _relate(self, fact: EdgeFact, table: str, row: Judged) -> None:
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
                table,
            )
        )

    # Events ----------------------------------------------------------------------------------------

    def _record(self, says: _Event, table: str, row: Judged) -> bool:
        """The row as a dated event, identifiers as node ids. Of two with one number the first stays."""
        values, known = row.values, row.known_ms
        stem = "/".join([plain(values.get(column)) for column in says.stem])
        event: dict[str, Any] = {"ref": f"{stem}@{known}", "owner": self._id(says.owner, values)}
        event["event_time"], event["known_at"] = row.event_ms, known
        for name, end in says.nodes:
            event[name] = self._id(end, values)
        for name in says.recorded:
            if (value := values.get(name)) is not None:
                event[name] = value
        return self._events.setdefault(table, {}).setdefault(event["ref"], event) is event

    def _id(self, end: End, values: Values) -> int:
        """0 where the row names none."""
        name = self._name(end, values)
        if name is None:
            return 0
        at = (end.type, name.key)
        if at not in self._ids:
            self._ids[at] = node_id(*at)
        return self._ids[at]


# Plans -------------------------------------------------------------------------------------------------


def _numbers(end: End, values: Values) -> Iterable[str]:
    """What the end's cell names: one, or several."""
    cell = values.get(end.column)
    if cell is None:
        return ()
    return _split(str(cell)) if end.split else (cell,)


def _split(cell: str) -> Iterator[str]:
    for part in cell.replace("；", ";").split(";"):
        if one := KINDS["opaque"].normalise(part):
            yield one


Stated = tuple[tuple[str, bool], ...]
"""Properties of a node that a table can state, sorted, and whether each is a whole number."""


class _Event(NamedTuple):
    """`number` names the row; `stem` are those columns of its key that its owner does not tell."""

    owner: End
    number: str
    stem: tuple[str, ...]
    nodes: tuple[tuple[str, End], ...]
    recorded: tuple[str, ...]


class _Plan(NamedTuple):
    """What a table's `FACTS` mean for one row; `numbered` are the ends that hold the lender's own numbers."""

    nodes: tuple[tuple[End, Stated], ...]
    edges: tuple[tuple[str, str, EdgeFact], ...]
    event: _Event | None
    numbered: tuple[End, ...]


def _plan(table: Table) -> _Plan:
    says = FACTS[table.name]
    event = None if says.events is None else _event(table, says, says.events)
    ends = [*says.nodes, *(end for fact in says.edges for end in (fact.source, fact.target))]
    if event is not None:
        ends += [event.owner, *(end for _, end in event.nodes)]
    return _Plan(
        nodes=tuple((end, _stated(table, end.type)) for end in says.nodes),
        edges=tuple((fact.source.column, fact.target.column, fact) for fact in says.edges),
        event=event,
        numbered=tuple(dict.fromkeys(end for end in ends if end.refer)),
    )


def _event(table: Table, says: TableFacts, owner: End) -> _Event:
    key = table.key
    return _Event(
        owner=owner,
        number=key[0],
        stem=tuple(column for column in key if column != owner.column or len(key) == 1),
        nodes=tuple(says.event_nodes.items()),
        recorded=tuple(each.name for each in table.columns if recordable(table, says, each.name)),
    )


def _stated(table: Table, type_: str) -> Stated:
    names = {column.name for column in table.columns} | {"name_masked", "birth_year", "plate_masked", "name"}
    stated = [each for each in NODES[type_].properties if each.name in names]
    return tuple(sorted((each.name, each.type == "integer") for each in stated))


PLANS: Final[Mapping[str, _Plan]] = {table.name: _plan(table) for table in TABLES}
