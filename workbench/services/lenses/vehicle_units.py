"""What the units in a car report: where it stood, who touched them, and which other financed cars stood there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from graph.records import DAY, from_millis
from workbench.services.lenses.ledger import Facts, own_rows

if TYPE_CHECKING:
    from workbench.services.lenses.dealer_table import Applications
    from workbench.services.lenses.vehicle_table import CarTable

NEAR_DAYS = 30
"""R24: together means within a month."""

MOST_STOPS, MOST_BESIDE = 400, 40


@dataclass(frozen=True)
class Stop:
    """A report of a unit: where the car stood (a masked cell), how far it went that day, and whether somebody laid
    hands on it."""

    at: datetime
    known_at: datetime
    unit: str
    place: str
    km: float
    tampered: bool
    unplugged: bool


@dataclass(frozen=True)
class Beside:
    """Another financed car that stood at the same place within 30 days. `silent`: it has been last seen there."""

    token: str
    masked: str
    place: str
    at: datetime
    days_apart: float
    application: str
    ring: str
    last_there: bool


class Lot(NamedTuple):
    """Everything there is to look cars up in."""

    facts: Facts
    table: CarTable
    each: Applications
    ring_ids: Sequence[str]


def stops(facts: Facts, owner: int, known: int) -> list[Stop]:
    """The newest ones, in order."""
    places, told = facts.snapshot.nodes["Place"], []
    for one in _reports(facts, owner, known)[-MOST_STOPS:]:
        at = int(places.index_of(np.array([one.get("last_seen_cell") or 0]))[0])
        told.append(
            Stop(
                from_millis(one["event_time"]), from_millis(one["known_at"]), one.get("device_unit") or "",
                places.table["masked"][at].as_py() if at >= 0 else "", float(one.get("km") or 0.0),
                bool(one.get("tamper_flag")), bool(one.get("power_cut_flag")),
            )
        )  # fmt: skip
    return told


def _reports(facts: Facts, owner: int, known: int) -> list[dict[str, Any]]:
    told = own_rows(facts.events["gps_pings"], owner)
    return [] if told is None else [one for one in told.to_pylist() if one["known_at"] <= known]


def beside(lot: Lot, at: int) -> list[Beside]:
    """Other financed cars, the nearest in time first; public places, as the dealer's yard, are left out."""
    facts, known = lot.facts, lot.table.moment.known
    places, cars = facts.snapshot.nodes["Place"], facts.snapshot.nodes["Vehicle"]
    pings = [one for one in _reports(facts, int(cars.ids[at]), known) if one.get("last_seen_cell")]
    told = facts.events["gps_pings"]
    if told is None or not pings:
        return []
    cells = np.unique([one["last_seen_cell"] for one in pings])
    where = places.index_of(cells)
    cells = cells[(where >= 0) & ~lot.table.public[np.maximum(where, 0)]]
    column = told["last_seen_cell"].fill_null(0).to_numpy()
    rows = np.flatnonzero(np.isin(column, cells) & (told["known_at"].to_numpy() <= known))
    other, when = cars.index_of(told["owner"].to_numpy()[rows]), told["event_time"].to_numpy()[rows]
    mine = {cell: np.array([one["event_time"] for one in pings if one["last_seen_cell"] == cell]) for cell in cells}
    nearest: dict[int, tuple[int, int, int]] = {}
    for car, cell, moment in zip(other.tolist(), column[rows].tolist(), when.tolist(), strict=True):
        apart = int(np.abs(mine[cell] - moment).min())
        if car >= 0 and car != at and apart <= NEAR_DAYS * DAY and (car not in nearest or apart < nearest[car][0]):
            nearest[car] = (apart, cell, moment)
    ordered = sorted(nearest.items(), key=lambda item: item[1])[:MOST_BESIDE]
    return [_one(lot, car, *found) for car, found in ordered]


def _one(lot: Lot, car: int, apart: int, cell: int, moment: int) -> Beside:
    facts, table, each, ring_ids = lot
    snapshot, row = facts.snapshot, int(table.latest[car])
    about = snapshot.nodes["Vehicle"].table.select(["id", "key", "masked"]).slice(car, 1).to_pylist()[0]
    place = int(snapshot.nodes["Place"].index_of(np.array([cell]))[0])
    last = _reports(facts, int(about["id"]), table.moment.known)
    return Beside(
        token=about["key"], masked=about["masked"], place=snapshot.nodes["Place"].table["masked"][place].as_py(),
        at=from_millis(moment), days_apart=apart / DAY,
        application=snapshot.nodes["Application"].table["key"][row].as_py() if row >= 0 else "",
        ring=ring_ids[int(each.ring[row])] if row >= 0 and each.ring[row] >= 0 else "",
        last_there=bool(last) and last[-1].get("last_seen_cell") == cell,
    )  # fmt: skip
