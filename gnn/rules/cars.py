"""Columns about the car after funding: plates, papers, the units in it, and where it was last seen."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gnn.book import Book, Floats
from gnn.rules.told import distinct_people, known, pairs_within, region_numbers, related, stated, the_city
from graph.records import DAY, Ints

NEVER = 9999.0
HOUR = DAY // 24
PURCHASE_DAYS = 60
REPLACED_DAYS = 7
"""A new policy so long before the old one ends replaces it; a repair so long before the last sign explains silence."""

PEER_DAYS = 60
FEWEST_PEERS = 20
EARLY = 0.3
"""A unit went silent early when at most this share of others had ended by then (as `COMMON` of `graph/signs.py`)."""

NEAR_DAYS = 30
CROWD = 200
"""Cars at one place beyond which it is a public one."""


def car_columns(book: Book, night: int) -> dict[str, Floats]:
    """Per application; NaN where no loan was paid out, or the table is missing."""
    vehicle = book.latest("vehicle", at=np.full(len(book), night))
    funded = book.snapshot.nodes["Application"].times("funded_at", as_of=night)
    events = known(book, "vehicle_events", night, "Vehicle")
    return {
        **_plates(book, vehicle, night),
        **_papers(book, vehicle, funded, events),
        **_units(book, vehicle, funded, events, night),
    }


# Plates --------------------------------------------------------------------------------------------------


def _plates(book: Book, vehicle: Ints, night: int) -> dict[str, Floats]:
    """Away from all of: home, birthplace, employer (by its credit code), dealer; of which home and dealer are known."""
    nodes, now = book.snapshot.nodes, np.full(len(book), night)
    edges = book.snapshot.columns("PLATED_IN", as_of=night)
    plated = np.full(len(nodes["Vehicle"]) + 1, -1, dtype=np.int64)
    plated[edges["source"]] = edges["target"]
    where = the_city(region_numbers(nodes["Region"].table["key"])[plated[vehicle]])
    people = nodes["Person"].table
    person = np.where(book.person < len(people), book.person, -1)
    home, born = (the_city(region_numbers(people[name])[person]) for name in ("live_region", "hukou_region"))
    shop = the_city(region_numbers(nodes["Dealer"].table["region"])[book.latest("dealer", at=now)])
    codes = nodes["Employer"].table["uscc"].to_pandas().astype("string").str.slice(2, 8)
    registered = np.append(pd.to_numeric(codes, errors="coerce").to_numpy(np.float64, na_value=np.nan), np.nan)
    work = the_city(registered[book.latest("employer", at=now)])
    elsewhere = (where != home) & (where != shop) & (where != born) & (where != work)
    told = np.isfinite(where) & np.isfinite(home) & np.isfinite(shop)
    return {"plate_elsewhere": np.where(told, elsewhere.astype(float), np.nan), "home_city": home}


# Papers --------------------------------------------------------------------------------------------------

PAPERS = ("days_to_passed_on", "paid_off", "days_to_uninsured", "days_to_uninvoiced")


def _papers(book: Book, vehicle: Ints, funded: Ints, events: pd.DataFrame | None) -> dict[str, Floats]:
    loans = pd.DataFrame({"node": vehicle, "row": np.arange(len(book)), "funded": funded, "since": book.submitted})
    loans = loans[(loans["node"] >= 0) & (loans["funded"] > 0)]
    out = {name: np.full(len(book), np.nan) for name in PAPERS}
    if events is None or not stated(events, "type"):
        return out
    for name in PAPERS:
        out[name][loans["row"]] = 0.0 if name == "paid_off" else NEVER
    rows = events.merge(loans, on="node")
    after = rows[rows["event_time"] > rows["funded"]]
    passed = _passed_on(book, after, rows)
    _first(out["days_to_passed_on"], passed)
    released = after[after["type"] == "mortgage_released"]
    out["paid_off"][released["row"]] = 1.0
    insured = after[after["type"] == "insured"]
    _first(
        out["days_to_uninsured"], _without(after[after["type"] == "policy_cancelled"], insured, before=REPLACED_DAYS)
    )
    invoices = after[after["type"] == "invoice"]
    _first(out["days_to_uninvoiced"], _without(after[after["type"] == "invoice_reversed"], invoices, before=0))
    return out


def _first(out: Floats, rows: pd.DataFrame) -> None:
    """Days from funding to the first of these events."""
    taken = ((rows["event_time"] - rows["funded"]) / DAY).groupby(rows["row"]).min()
    out[taken.index.to_numpy(np.int64)] = taken.to_numpy(np.float64)


def _passed_on(book: Book, after: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Transfers to somebody else. Who buys a used car gets it by a transfer, too: of a used car the first one since
    the purchase is the buyer's own where nobody says to whom it went."""
    moved = after[after["type"].isin(("title_transfer", "export"))]
    to = book.snapshot.nodes["Person"].index_of(moved["party_to"].to_numpy()) if "party_to" in moved else -1
    moved = moved.assign(to=to, used=_used(book)[moved["node"].to_numpy(np.int64)])
    moved = moved[moved["to"] != book.person[moved["row"].to_numpy(np.int64)]]
    bought = rows[(rows["type"] == "title_transfer") & (rows["event_time"] > rows["since"] - PURCHASE_DAYS * DAY)]
    first = bought.groupby("row")["event_time"].min().reindex(moved["row"]).to_numpy()
    own = moved["used"] & (moved["to"] < 0) & (moved["event_time"].to_numpy() == first)
    left: pd.DataFrame = moved[~own & ~((moved["type"] == "export") & (moved["to"] < 0) & moved["used"])]
    return left


def _used(book: Book) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.asarray((book.snapshot.nodes["Vehicle"].table["condition"].to_pandas() == "used").to_numpy(), dtype=bool)


def _without(ended: pd.DataFrame, anew: pd.DataFrame, *, before: int) -> pd.DataFrame:
    """Those after which, or `before` days earlier, nothing new was issued: the first one ever is what ended."""
    last, number = anew.groupby("row")["event_time"].max(), anew.groupby("row").size()
    latest = last.reindex(ended["row"]).to_numpy(np.float64)
    several = number.reindex(ended["row"]).fillna(0).to_numpy() >= 2
    replaced = (latest > ended["event_time"]) | (several & (latest >= ended["event_time"] - before * DAY))
    return ended[~replaced]


# Units ---------------------------------------------------------------------------------------------------

UNITS = ("gps_ended_days", "gps_silent_hours", "gps_peers_ended", "in_repair", "place_cars_30d")


def _units(book: Book, vehicle: Ints, funded: Ints, events: pd.DataFrame | None, night: int) -> dict[str, Floats]:
    """Silence is what is longer than the time between a car's own reports."""
    size, pings = len(book), known(book, "gps_pings", night, "Vehicle")
    if pings is None or not len(pings):
        return {name: np.full(size, np.nan) for name in UNITS}
    days = pings[["node", "event_time"]].drop_duplicates().sort_values(["node", "event_time"])
    gaps = days["event_time"].diff().where(days["node"].diff() == 0)
    usual = float(gaps.median()) if gaps.notna().any() else float(DAY)
    cars = pd.DataFrame({"last": days.groupby("node")["event_time"].max(), "gap": gaps.groupby(days["node"]).median()})
    cars = cars.fillna({"gap": usual}).reindex(vehicle)
    last, gap = cars["last"].to_numpy(), cars["gap"].to_numpy()
    ended = np.where(funded > 0, (last - funded) / DAY, np.nan)
    silent = np.where(funded > 0, (night - last - gap) / HOUR, np.nan)
    peers = _peers_ended(ended, funded, gap, night)
    return {
        "gps_ended_days": ended,
        "gps_silent_hours": silent,
        "gps_peers_ended": peers,
        "in_repair": _in_repair(vehicle, last, events),
        "place_cars_30d": _at_place(book, vehicle, pings, (silent >= 24) & (peers <= EARLY), night),
    }


def _peers_ended(ended: Floats, funded: Ints, gap: Floats, night: int) -> Floats:
    """Share of cars funded long enough ago that had ended as early; 0 where there are too few to tell."""
    old = np.isfinite(ended) & (funded <= night - PEER_DAYS * DAY)
    peers = np.sort(ended[old])
    share = np.searchsorted(peers, ended + gap / DAY, side="right") / max(len(peers), 1)
    return np.where(np.isfinite(ended), share if len(peers) >= FEWEST_PEERS else 0.0, np.nan)


def _in_repair(vehicle: Ints, last: Floats, events: pd.DataFrame | None) -> Floats:
    """1 where the car went to a workshop about when it fell silent, or since."""
    if events is None or not stated(events, "type"):
        return np.full(len(vehicle), np.nan)
    visits = events[events["type"].isin(("repair", "inspection"))].groupby("node")["event_time"].max()
    visit = visits.reindex(vehicle).to_numpy(np.float64)
    return np.where(np.isfinite(last), (visit >= last - REPLACED_DAYS * DAY).astype(float), np.nan)


def _at_place(
    book: Book, vehicle: Ints, pings: pd.DataFrame, silent: np.ndarray[tuple[int], np.dtype[np.bool_]], night: int
) -> Floats:
    """Silent cars of different, unrelated people last seen at the car's place within 30 days, this one included."""
    if "last_seen_cell" not in pings:
        return np.full(len(book), np.nan)
    seen = pings[pings["last_seen_cell"] != 0].sort_values("event_time").drop_duplicates("node", keep="last")
    place = book.snapshot.nodes["Place"].index_of(seen["last_seen_cell"].to_numpy())
    aside = book.aside_from[np.maximum(place, 0) + book.offsets["Place"]] <= night
    seen = seen.assign(place=place)[(place >= 0) & ~aside].set_index("node")[["place", "event_time"]].reindex(vehicle)
    there = np.flatnonzero(silent & seen["place"].notna().to_numpy())
    where, when = seen["place"].fillna(-1).to_numpy(np.int64), seen["event_time"].to_numpy(np.float64)
    one, other = pairs_within(where[there], there, most=CROWD)
    near = np.abs(when[one] - when[other]) <= NEAR_DAYS * DAY
    one, other = one[near], other[near]
    apart = ~related(book, one, other, night)
    cars = distinct_people(book, one[apart], other[apart]) + 1
    return np.where(seen["place"].notna(), np.where(silent, cars, 0.0), np.nan)
