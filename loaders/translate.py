"""Checked rows -> a batch of facts: tokens for identifiers, relations, dated events.

One `Translator` serves one load. It remembers what it has already said in this
load, so that an application named by eight tables is written once, and it never
writes: what must be kept in the vault travels beside the batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pandas as pd
import pyarrow as pa

from graph.normalise import KINDS
from graph.ontology import NODES
from graph.records import EdgeRows, Ints, JsonProperties, NodeRows, node_ids, with_ids
from graph.stores.blocks import node_field
from graph.vault import Vault
from loaders.facts import FACTS, EdgeFact, End, TableFacts
from loaders.meaning import definitions, prepared
from loaders.parse import NO_TIME
from loaders.tables import Table

NEVER = np.iinfo(np.int64).max


@dataclass
class Named:
    """The nodes of one end: `codes` point into `keys`; -1 where the row names none."""

    type: str
    codes: Ints
    keys: list[str]
    masks: list[str]

    @cached_property
    def ids(self) -> Ints:
        """By code; the last one, of rows that name none, is 0."""
        return np.append(node_ids(self.type, self.keys), np.int64(0))

    @property
    def rows_ids(self) -> Ints:
        """Node ids; 0 where the row names none."""
        return self.ids[self.codes]

    @property
    def filled(self) -> npt.NDArray[np.bool_]:
        return self.codes >= 0

    def of(self, rows: Ints) -> list[str]:
        keys = self.keys
        return [keys[code] for code in self.codes[rows].tolist()]


@dataclass
class Facts:
    """What a chunk says, and what the vault must hold before the store may say it."""

    nodes: list[NodeRows] = field(default_factory=list)
    edges: list[EdgeRows] = field(default_factory=list)
    events: dict[str, pa.Table] = field(default_factory=dict)
    sealed: dict[str, tuple[list[str], list[bytes]]] = field(default_factory=dict)
    referred: dict[str, tuple[list[str], list[str]]] = field(default_factory=dict)
    warnings: dict[str, int] = field(default_factory=dict)


class Translator:
    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._said: dict[str, dict[str, int]] = {}  # type -> key -> known_at
        self._kept: dict[str, set[str]] = {}  # kind -> tokens already sealed in this load
        self._references: dict[str, dict[str, tuple[str, str]]] = {}  # refer -> id -> (key, mask)
        self._facts = Facts()

    def translate(self, table: Table, rows: pd.DataFrame) -> Facts:
        self._facts = facts = Facts()
        says = FACTS[table.name]
        rows = prepared(table.name, rows)
        named: dict[tuple[str, str, str], Named] = {}

        def names(end: End) -> Named:
            at = (end.type, end.column, end.prefix)
            if at not in named:
                named[at] = self._name(end, rows, defines=end in says.nodes and bool(end.refer))
            return named[at]

        for end in says.nodes:
            self._describe(end, rows, names(end))
        for fact in says.edges:
            if self._present(fact, rows):
                self._relate(fact, table, rows, names)
        if says.events is not None and len(rows):
            facts.events[table.name] = self._record(says.events, says, table, rows, names)
        return facts

    # Names -----------------------------------------------------------------------------------------

    def _name(self, end: End, rows: pd.DataFrame, *, defines: bool) -> Named:
        if end.column not in rows:
            return Named(end.type, np.full(len(rows), -1, dtype=np.int64), [], [])
        codes, values = pd.factorize(rows[end.column].to_numpy(dtype=object))
        ids = [str(value) for value in values]
        if end.refer:
            stands_for = definitions(end.refer, rows, codes, ids) if defines else {}
            keys, masks = self._resolve(end, ids, stands_for)
        else:
            keys, masks = self._tokens(end.type, [end.prefix + value for value in ids])
        return Named(end.type, codes.astype(np.int64), keys, masks)

    def _tokens(self, type_: str, values: list[str]) -> tuple[list[str], list[str]]:
        """Keys and masks of canonical values; values not met before in this load are sealed for the vault."""
        kind = NODES[type_].kind
        if kind is None:
            return values, [""] * len(values)
        tokens = self._vault.tokens(kind, values)
        mask = KINDS[kind].mask
        kept = self._kept.setdefault(kind, set())
        fresh = [at for at, token in enumerate(tokens) if token not in kept]
        if fresh:
            new = [tokens[at] for at in fresh]
            kept.update(new)
            sealed = self._vault.seal(kind, new, [values[at] for at in fresh])
            before = self._facts.sealed.setdefault(kind, ([], []))
            before[0].extend(new)
            before[1].extend(sealed)
        return tokens, [mask(value) for value in values]

    def _resolve(self, end: End, ids: list[str], stands_for: Mapping[str, str]) -> tuple[list[str], list[str]]:
        """The keys the lender's own numbers stand for. The first meaning a number had stays its meaning;
        a number nobody explained stands for itself."""
        known = self._references.setdefault(end.refer, {})
        unknown = [each for each in ids if each not in known]
        if unknown:
            stored = self._vault.referred(end.refer, unknown)
            known.update({each: (key, self._mask(end, key, each, stands_for)) for each, key in stored.items()})
            fresh = [each for each in unknown if each not in stored]
            values = [stands_for.get(each) or own_value(end, each) for each in fresh]
            keys, masks = self._tokens(end.type, values)
            known.update(zip(fresh, zip(keys, masks, strict=True), strict=True))
            before = self._facts.referred.setdefault(end.refer, ([], []))
            before[0].extend(fresh)
            before[1].extend(keys)
            if not stands_for:
                self._warn(f"unknown_{end.refer}", len(fresh))
        return [known[each][0] for each in ids], [known[each][1] for each in ids]

    def _mask(self, end: End, key: str, number: str, stands_for: Mapping[str, str]) -> str:
        """Of a number stored before, by a load that was killed perhaps: the mask of what its key was made from."""
        kind = NODES[end.type].kind
        if kind is None:
            return ""
        values = [stands_for.get(number), own_value(end, number)]
        return next((KINDS[kind].mask(each) for each in values if each and self._vault.token(kind, each) == key), "")

    def _warn(self, what: str, count: int) -> None:
        if count:
            self._facts.warnings[what] = self._facts.warnings.get(what, 0) + count

    # Nodes -----------------------------------------------------------------------------------------

    def _describe(self, end: End, rows: pd.DataFrame, named: Named) -> None:
        """Rows that say something about the node itself. Of rows that state the same properties of one
        node the latest known speaks for all, known since the earliest."""
        at = np.flatnonzero(named.filled)
        known = rows["known_ms"].to_numpy()[at]
        names = sorted(each.name for each in NODES[end.type].properties if each.name in rows)
        stated = _stated(rows, names, at)
        order = np.lexsort((known, stated, named.codes[at]))
        at, known, stated = at[order], known[order], stated[order]
        if not len(at):
            return
        codes = named.codes[at]
        starts = np.flatnonzero(np.append(True, (codes[1:] != codes[:-1]) | (stated[1:] != stated[:-1])))
        lasts = np.append(starts[1:], len(at)) - 1
        since, spoken = known[starts], codes[lasts].tolist()
        texts = _property_texts(rows, names, at[lasts], end.type)
        self._tell(named, spoken, since, known[lasts], texts)
        said = self._said.setdefault(end.type, {})
        for code, moment in zip(spoken, since.tolist(), strict=True):
            key = named.keys[code]
            if said.get(key, NEVER) > moment:
                said[key] = moment

    def _mention(self, named: Named, at: Ints, known: Ints) -> None:
        """Nodes that a relation names: written when this load has not yet said that they existed by then."""
        said = self._said.setdefault(named.type, {})
        earliest = np.full(len(named.keys), NEVER, dtype=np.int64)
        np.minimum.at(earliest, named.codes[at], known)
        fresh = [
            (code, moment)
            for code, moment in enumerate(earliest.tolist())
            if moment < said.get(named.keys[code], NEVER)
        ]
        if not fresh:
            return
        for code, moment in fresh:
            said[named.keys[code]] = moment
        moments = np.array([moment for _, moment in fresh], dtype=np.int64)
        self._tell(named, [code for code, _ in fresh], moments, moments, ["{}"] * len(fresh))

    def _tell(self, named: Named, codes: list[int], known_at: Ints, updated_at: Ints, texts: list[str]) -> None:
        nodes = NodeRows(
            type=named.type,
            keys=[named.keys[code] for code in codes],
            known_at=known_at,
            updated_at=updated_at,
            masked=[named.masks[code] for code in codes],
            properties=JsonProperties(texts),
        )
        self._facts.nodes.append(with_ids(nodes, ids=named.ids[np.array(codes, dtype=np.int64)]))

    # Relations -------------------------------------------------------------------------------------

    @staticmethod
    def _present(fact: EdgeFact, rows: pd.DataFrame) -> bool:
        wanted = {fact.source.column, fact.target.column} | ({fact.only[0]} if fact.only[1] else set())
        return wanted <= set(rows.columns)

    def _relate(self, fact: EdgeFact, table: Table, rows: pd.DataFrame, names: Any) -> None:
        if fact.source.split or fact.target.split:
            rows, names = self._split(fact, rows)
        source, target = names(fact.source), names(fact.target)
        holds = source.filled & target.filled
        column, values = fact.only
        if values:
            holds &= rows[column].isin(values).to_numpy()
        elif column and column in rows:
            holds &= rows[column].isna().to_numpy()
        event, known = _clocks(fact, rows)
        at = np.flatnonzero(holds & (event != NO_TIME))
        if not len(at):
            return
        event, known = event[at], known[at]
        for named in (source, target):
            self._mention(named, at, known)
        self._facts.edges.append(
            with_ids(
                EdgeRows(
                    type=fact.type,
                    sources=source.of(at),
                    targets=target.of(at),
                    refs=_column(rows, fact.ref, at, "") if fact.ref else [""] * len(at),
                    event_time=event,
                    known_at=known,
                    valid_to=np.maximum(rows[fact.until].to_numpy()[at], 0)
                    if fact.until in rows
                    else np.zeros_like(event),
                    confidence=_confidence(rows, fact.confidence, at),
                    origin=table.name,
                ),
                source_ids=source.ids[source.codes[at]],
                target_ids=target.ids[target.codes[at]],
            )
        )

    def _split(self, fact: EdgeFact, rows: pd.DataFrame) -> tuple[pd.DataFrame, Any]:
        column = fact.source.column if fact.source.split else fact.target.column
        parts = rows[column].str.replace("；", ";").str.split(";")
        rows = rows.assign(**{column: parts}).explode(column).reset_index(drop=True)
        rows[column] = rows[column].map(KINDS["opaque"].normalise, na_action="ignore")
        return rows, lambda end: self._name(end, rows, defines=False)

    # Events ----------------------------------------------------------------------------------------

    def _record(self, owner: End, says: TableFacts, table: Table, rows: pd.DataFrame, names: Any) -> pa.Table:
        """The row as a dated event. Identifiers become node ids; a corrected row is a second event, for its
        `ref` ends with the time it was known."""
        ids = names(owner).rows_ids
        key = [column for column in table.key if column != owner.column or len(table.key) == 1]
        known = rows["known_ms"].to_numpy()
        stems = rows[key].astype(object).map(plain).agg("/".join, axis=1) if len(key) > 1 else rows[key[0]].map(plain)
        fields: list[pa.Field] = [
            pa.field("ref", pa.string()), pa.field("owner", pa.int64()),
            pa.field("event_time", pa.int64()), pa.field("known_at", pa.int64()),
        ]  # fmt: skip
        columns: list[Any] = [
            [f"{stem}@{moment}" for stem, moment in zip(stems.tolist(), known.tolist(), strict=True)],
            ids, rows["event_ms"].to_numpy(), known,
        ]  # fmt: skip
        for name, end in says.event_nodes.items():
            if name in rows:
                fields.append(node_field(name, end.type))
                columns.append(names(end).rows_ids)
        for column in table.columns:
            if column.name in rows and recordable(table, says, column.name):
                values = _event_values(rows[column.name], column.type)
                fields.append(pa.field(column.name, values.type))
                columns.append(values)
        return pa.table([pa.array(each) for each in columns], schema=pa.schema(fields))


def recordable(table: Table, says: TableFacts, name: str) -> bool:
    """Attributes and the lender's codes; never an identifier in clear, a position, free text of class C2, or a
    clock twice."""
    column = table.column(name)
    clocks = ("event_time", "known_at")
    if name in says.event_nodes or name in clocks or (says.events and name == says.events.column):
        return False
    if column.cls == "S":
        return False
    if column.type in ("time", "number", "integer", "boolean", "enum"):
        return True
    return column.type in ("text", "opaque", "hash", "date") and column.cls == "C1"


def _event_values(column: pd.Series[Any], type_: str) -> pa.Array:
    if type_ == "time":
        moments = column.to_numpy()
        return pa.array(moments, pa.int64(), mask=moments == NO_TIME)
    if type_ in ("number", "integer"):
        return pa.array(column.to_numpy(dtype=np.float64), pa.float64(), from_pandas=True)
    return pa.array(column, pa.bool_() if type_ == "boolean" else pa.string(), from_pandas=True)


def own_value(end: End, number: str) -> str:
    """The value of a number that stands for itself; it cannot be mistaken for the other kind of key."""
    return number if end.type == "Employer" else f"{end.refer}:{number}"


# Columns -----------------------------------------------------------------------------------------------


def _clocks(fact: EdgeFact, rows: pd.DataFrame) -> tuple[Ints, Ints]:
    known = rows["known_ms"].to_numpy()
    if not fact.when:
        return rows["event_ms"].to_numpy(), known
    event = rows[fact.when].to_numpy() if fact.when in rows else np.full(len(rows), NO_TIME)
    return event, np.maximum(known, event)


def _confidence(rows: pd.DataFrame, column: str, at: Ints) -> npt.NDArray[np.float64]:
    if not column or column not in rows:
        return np.ones(len(at))
    stated = rows[column].to_numpy(dtype=np.float64)[at]
    return np.where(np.isnan(stated), 1.0, stated)


def _column(rows: pd.DataFrame, name: str, at: Ints, missing: str) -> list[str]:
    if name not in rows:
        return [missing] * len(at)
    return [missing if value is None else str(value) for value in rows[name].to_numpy(dtype=object)[at]]


def plain(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value == int(value) else str(value)


def _stated(rows: pd.DataFrame, names: Sequence[str], at: Ints) -> Ints:
    """Which of these properties each row states, as the bits of a number."""
    bits = np.zeros(len(at), dtype=np.int64)
    for bit, name in enumerate(names):
        column = rows[name].to_numpy()[at]
        filled = column != NO_TIME if column.dtype == np.int64 else ~pd.isna(column)
        bits |= filled.astype(np.int64) << bit
    return bits


def _property_texts(rows: pd.DataFrame, names: Sequence[str], at: Ints, type_: str) -> list[str]:
    """`names` are sorted: equal facts are equal text."""
    columns = [_values(rows[name].to_numpy()[at], NODES[type_].property(name).type) for name in names]
    if not columns:
        return ["{}"] * len(at)
    dumps = orjson.dumps
    return [
        dumps({name: value for name, value in zip(names, row, strict=True) if value is not None}).decode()
        for row in zip(*columns, strict=True)
    ]


def _values(column: npt.NDArray[Any], type_: str) -> list[Any]:
    """With None where there is nothing, as JSON has it."""
    nothing = np.asarray(column == NO_TIME if type_ == "time" else pd.isna(column))
    values = np.where(nothing, 0, column).astype(np.int64) if type_ == "integer" else column
    return [None if empty else value for value, empty in zip(values.tolist(), nothing.tolist(), strict=True)]
