"""What happened after the decision, as known on a night: instalments, the car's papers and whereabouts, calls.

Never part of a decision-time score; it tells on later nights which loans went the way of fraud.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from gnn.book import FOREVER, Book, Floats
from graph.records import DAY, Ints

SOON_DAYS = 30
NEVER = 9999.0


def behaviour(book: Book, *, night: int) -> dict[str, Floats]:
    """Columns by name; NaN where nothing is to be known (no loan, no device in the car)."""
    nodes = book.snapshot.nodes["Application"]
    funded = nodes.times("funded_at", as_of=night)
    decided = nodes.times("decided_at", as_of=night)
    decision = nodes.table["decision"].to_pandas().to_numpy(dtype=object)
    seen = decided > 0
    return {
        "age_days": (night - book.submitted) / DAY,
        "declined": np.where(seen, (decision == "decline").astype(float), np.nan),
        "funded_days": np.where(funded > 0, (night - funded) / DAY, np.nan),
        "overridden": np.where(seen, nodes.numbers("override_flag"), np.nan),
        **_instalments(book, night),
        **_car(book, funded, night),
        **_whereabouts(book, night),
        **_calls(book, night),
    }


def _known(book: Book, table: str, night: int, owner: str = "Application") -> pd.DataFrame | None:
    events: pa.Table | None = book.events.get(table)
    if events is None or not len(events):
        return None
    rows: pd.DataFrame = events.filter(pa.compute.less_equal(events["known_at"], night)).to_pandas()
    rows["row"] = book.snapshot.nodes[owner].index_of(rows["owner"].to_numpy())
    return rows[rows["row"] >= 0]


def _spread(size: int, series: pd.Series[Any], missing: float = np.nan) -> Floats:
    out = np.full(size, missing)
    out[series.index.to_numpy()] = series.to_numpy(dtype=np.float64)
    return out


def _instalments(book: Book, night: int) -> dict[str, Floats]:
    names = (
        "instalments_due",
        "instalments_paid",
        "instalments_missed",
        "first_missed",
        "last_paid",
        "worst_dpd",
        "paid_late",
    )
    size, rows = len(book), _known(book, "repayments", night)
    if rows is None or not len(rows):
        return {name: np.full(size, np.nan) for name in names}
    rows = rows.reindex(columns=sorted({*rows.columns, "instalment_no", "paid_at", "dpd"}))
    rows = rows.sort_values(["row", "instalment_no", "known_at"], kind="stable")
    rows = rows.drop_duplicates(["row", "instalment_no"], keep="last")
    paid = rows["paid_at"].notna() & (rows["paid_at"].fillna(0) <= night)
    missed = ~paid & (rows["dpd"].fillna(0) > 0)
    by = rows.assign(paid=paid, missed=missed, late=paid & (rows["dpd"].fillna(0) > 5))
    by["first"] = by["instalment_no"].where(by["missed"])
    by["last"] = by["instalment_no"].where(by["paid"])
    grouped = by.groupby("row")
    counted = (
        grouped["instalment_no"].size(), grouped["paid"].sum(), grouped["missed"].sum(), grouped["first"].min(),
        grouped["last"].max(), grouped["dpd"].max(), grouped["late"].sum(),
    )  # fmt: skip
    return {name: _spread(size, each) for name, each in zip(names, counted, strict=True)}


def _car(book: Book, funded: Ints, night: int) -> dict[str, Floats]:
    """Days from funding to what happened to the car's papers; `NEVER` where it did not happen so far."""
    kinds = ("title_transfer", "policy_cancelled", "invoice_reversed", "export", "mortgage_registered", "plated")
    size, vehicle = len(book), book.latest("vehicle", at=np.full(len(book), night))
    since = np.where(funded > 0, funded, book.submitted)
    rows = _known(book, "vehicle_events", night, "Vehicle")
    out: dict[str, Floats] = {}
    for kind in kinds:
        happened = _first_after(rows, kind, vehicle, book.submitted)
        days = np.where(happened < FOREVER, (happened - since) / DAY, NEVER)
        out[f"days_to_{kind}"] = np.where((vehicle >= 0) & (funded > 0), days, np.nan) if size else days
    return out


def _first_after(rows: pd.DataFrame | None, kind: str, vehicle: Ints, submitted: Ints) -> Ints:
    """When it first happened to each application's car after the submission: a used car changed hands before, too."""
    if rows is None or "type" not in rows:
        return np.full(len(vehicle), FOREVER)
    those = rows[rows["type"] == kind].sort_values(["row", "event_time"], kind="stable")
    car, when = those["row"].to_numpy(np.int64), those["event_time"].to_numpy(np.int64)
    order = np.lexsort((np.r_[np.zeros(len(when)), np.ones(len(vehicle))], np.r_[when, submitted], np.r_[car, vehicle]))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.cumsum(order < len(when))  # events up to and with this one
    after = place[len(when) :]
    there = after < len(when)
    at = np.where(there, after, 0)
    there &= car[at] == vehicle if len(car) else False
    return np.where(there, when[at] if len(when) else 0, FOREVER)


def _whereabouts(book: Book, night: int) -> dict[str, Floats]:
    size, vehicle = len(book), book.latest("vehicle", at=np.full(len(book), night))
    rows = _known(book, "gps_pings", night, "Vehicle")
    if rows is None or not len(rows):
        return {name: np.full(size, np.nan) for name in ("gps_days", "gps_silent_days", "gps_tampered")}
    grouped = rows.groupby("row")
    cars = len(book.snapshot.nodes["Vehicle"]) + 1
    last = _spread(cars, grouped["event_time"].max())[vehicle]
    flags = rows[[each for each in ("tamper_flag", "power_cut_flag") if each in rows]].astype(float).max(axis=1)
    return {
        "gps_days": _spread(cars, grouped.size())[vehicle],
        "gps_silent_days": (night - last) / DAY,
        "gps_tampered": _spread(cars, flags.groupby(rows["row"]).max())[vehicle],
    }


def _calls(book: Book, night: int) -> dict[str, Floats]:
    size, rows = len(book), _known(book, "call_events", night)
    if rows is None or not len(rows) or "result" not in rows:
        return {name: np.full(size, np.nan) for name in ("calls", "calls_unconfirmed")}
    grouped = rows.assign(doubt=rows["result"] != "confirmed").groupby("row")
    return {"calls": _spread(size, grouped.size()), "calls_unconfirmed": _spread(size, grouped["doubt"].sum())}
