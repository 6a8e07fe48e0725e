"""The vehicle lens: cars with something odd, and the life line of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from graph.errors import NodeNotFound
from graph.records import NodeRef, from_millis
from workbench.casebook import audit
from workbench.services.canvas.sheets import sheet
from workbench.services.kept import Kept
from workbench.services.lenses import dealer_table, vehicle_life, vehicle_table
from workbench.services.lenses.dealer_table import Applications
from workbench.services.lenses.ledger import Facts, Gathering, Ledger
from workbench.services.lenses.vehicle_life import Life
from workbench.services.lenses.vehicle_table import SIGNS, Cars, CarTable
from workbench.services.office import Office
from workbench.services.permissions import Act, Person
from workbench.services.ring_book import standing


@dataclass(frozen=True)
class VehicleRow:
    """`token` names the car in addresses; `masked` is all of the VIN that may be seen. `signs` are codes of SIGNS.

    `over` is invoice to market price, NaN where one is not known; `savable` is not paid out yet.
    """

    token: str
    masked: str
    model: str
    year: int
    condition: str
    signs: tuple[str, ...]
    points: int
    loans: int
    people: int
    transfers: int
    over: float
    amount: float
    savable: float
    in_rings: int
    application: str
    last: datetime | None


@dataclass(frozen=True)
class AskedCars:
    """`text`: brand, series, application number, or the end of the VIN that is shown; `sign` one of SIGNS. Only cars
    with something odd unless `every`."""

    text: str = ""
    sign: str = ""
    every: bool = False
    order: str = "points"
    falling: bool = True


@dataclass(frozen=True)
class ListedCars:
    """`counts`: per sign how many cars show it, whatever was asked."""

    rows: Sequence[VehicleRow]
    total: int
    today: datetime
    counts: dict[str, int] = field(default_factory=dict)


class Vehicles:
    def __init__(self, office: Office, ledger: Ledger) -> None:
        self._office, self._ledger = office, ledger
        self._cars: Kept[tuple[int, datetime | None], Cars] = Kept(self._make, size=2)
        self._tables: dict[tuple[Any, ...], tuple[CarTable, Applications, tuple[str, ...]]] = {}

    def waiting(self, who: Person, as_of: datetime | None = None) -> Gathering | None:
        """None when everything is there; else how far it is, and it goes on beside."""
        who.require(Act.READ)
        if not self._ledger.ready():
            return self._ledger.gathering
        if not self._cars.ready((self._ledger.facts().number, as_of)):
            self._ledger.step("cars")
            return self._ledger.gathering
        return None

    def list(self, who: Person, asked: AskedCars, *, start: int, end: int, as_of: datetime | None = None) -> ListedCars:
        who.require(Act.READ)
        facts, table, *_ = self._table(as_of)
        order = _ordered(facts, table, asked)
        counts = dict(zip(SIGNS, table.odd.sum(axis=0).tolist(), strict=True))
        return ListedCars(_rows(facts, table, order[start:end]), len(order), from_millis(table.moment.today), counts)

    def life(self, who: Person, token: str, *, as_of: datetime | None = None) -> Life:
        """Raises NodeNotFound for a car that was not known then."""
        who.require(Act.READ)
        facts, table, each, ring_ids = self._table(as_of)
        nodes = facts.snapshot.nodes["Vehicle"]
        at = int(nodes.index_of(np.array([NodeRef("Vehicle", token).id]))[0])
        if at < 0 or int(nodes.known_at[at]) > table.moment.known:
            raise NodeNotFound("there is no such vehicle; open one from the list of vehicles or from the graph")
        row = _rows(facts, table, np.array([at]))[0]
        return vehicle_life.life(facts, table, each, at, row=row, ring_ids=ring_ids)

    def export(self, who: Person, asked: AskedCars, *, as_of: datetime | None = None) -> str:
        """CSV of all rows that are asked for, masked; on record."""
        who.require(Act.EXPORT)
        facts, table, *_ = self._table(as_of)
        rows = _rows(facts, table, _ordered(facts, table, asked))
        with self._office.casebook.writing() as db:
            detail = {"rows": len(rows), "as_of": from_millis(table.moment.known).isoformat()}
            audit.write(db, who, "vehicles.export", "vehicles", now=self._office.clock(), detail=detail)
        return _csv(rows)

    # What is kept ----------------------------------------------------------------------------------------

    def _make(self, key: tuple[int, datetime | None]) -> Cars:
        facts = self._ledger.facts()
        return vehicle_table.cars(facts, self._ledger.moment(facts, key[1]))

    def _table(self, as_of: datetime | None) -> tuple[Facts, CarTable, Applications, tuple[str, ...]]:
        """With the names of the rings that `Applications.ring` counts."""
        facts = self._ledger.facts()
        newest, labels = self._ledger.labels(facts)
        rings = standing(self._office, as_of)
        key = (facts.number, as_of, newest, rings.stamp)
        if (kept := self._tables.get(key)) is None:
            slow, moment = self._cars.get((facts.number, as_of)), self._ledger.moment(facts, as_of)
            each = dealer_table.applications(facts, labels, rings.members, moment)
            kept = vehicle_table.table(facts, slow, each, moment), each, tuple(rings.rings)
            self._tables = {**dict(list(self._tables.items())[-2:]), key: kept}
        return facts, *kept


def _rows(facts: Facts, table: CarTable, at: np.ndarray[Any, Any]) -> list[VehicleRow]:
    nodes = facts.snapshot.nodes
    columns = ["key", "masked", "brand", "series", "model_year", "condition"]
    about = nodes["Vehicle"].table.select(columns).take(at).to_pylist()
    numbers = nodes["Application"].table["key"]
    return [
        VehicleRow(
            token=one["key"], masked=one["masked"], model=" ".join(filter(None, (one["brand"], one["series"]))),
            year=one["model_year"] or 0, condition=one["condition"] or "",
            signs=tuple(sign for sign, odd in zip(SIGNS, table.odd[row].tolist(), strict=True) if odd),
            points=int(table.points[row]), loans=int(table.loans[row]), people=int(table.people[row]),
            transfers=int(table.transfers[row]), over=float(table.over[row]), amount=float(table.amount[row]),
            savable=float(table.savable[row]), in_rings=int(table.in_rings[row]),
            application=numbers[int(table.latest[row])].as_py() if table.latest[row] >= 0 else "",
            last=from_millis(int(table.last_event[row])) if table.last_event[row] else None,
        )
        for row, one in zip(at.tolist(), about, strict=True)
    ]  # fmt: skip


def _ordered(facts: Facts, table: CarTable, asked: AskedCars) -> np.ndarray[Any, Any]:
    nodes = facts.snapshot.nodes["Vehicle"]
    kept = np.asarray(nodes.known_at <= table.moment.known)
    if asked.sign in SIGNS:
        kept &= table.odd[:, SIGNS.index(asked.sign)]
    elif not asked.every:
        kept &= table.points > 0
    if asked.text:
        kept &= _holds(facts, table, np.flatnonzero(kept), asked.text.strip().casefold())
    columns = {
        "loans": table.loans, "people": table.people, "transfers": table.transfers, "amount": table.amount,
        "savable": table.savable, "in_rings": table.in_rings, "last": table.last_event,
        "over": np.nan_to_num(table.over, nan=-1.0), "year": nodes.numbers("model_year"),
    }  # fmt: skip
    by = columns.get(asked.order, table.points + 1e-12 * table.amount)
    rows = np.flatnonzero(kept)
    return rows[np.argsort(-by[rows] if asked.falling else by[rows], kind="stable")]


def _holds(facts: Facts, table: CarTable, rows: np.ndarray[Any, Any], text: str) -> np.ndarray[Any, Any]:
    """Of `rows` those whose brand, series, masked VIN or newest application hold the text."""
    nodes = facts.snapshot.nodes
    about = nodes["Vehicle"].table.select(["brand", "series", "masked"]).take(rows).to_pandas().fillna("")
    numbers = nodes["Application"].table["key"].take(np.maximum(table.latest[rows], 0)).to_pandas()
    numbers = numbers.where(table.latest[rows] >= 0, "")
    both = about["brand"].str.cat([about["series"], about["masked"].str.lstrip("*"), numbers], sep=" ")
    hit = np.zeros(len(table.points), dtype=bool)
    hit[rows[both.str.casefold().str.contains(text, regex=False).to_numpy()]] = True
    return hit


FIELDS = (
    "vehicle", "vin_masked", "model", "model_year", "condition", "signs", "loans", "people", "transfers",
    "invoice_to_market", "amount", "savable", "applications_in_rings", "newest_application", "last_event",
)  # fmt: skip


def _csv(rows: Sequence[VehicleRow]) -> str:
    return sheet(FIELDS, [
        [
            one.token, one.masked, one.model, one.year or "", one.condition, " ".join(one.signs), one.loans, one.people,
            one.transfers, "" if np.isnan(one.over) else round(one.over, 3), one.amount, one.savable, one.in_rings,
            one.application, one.last.isoformat() if one.last else "",
        ]
        for one in rows
    ])  # fmt: skip
