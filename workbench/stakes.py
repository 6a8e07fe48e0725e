"""What is at stake in applications: whose customers they are, the money that is not paid out yet, and how soon it is.

Nobody says when a loan will be paid out. It is expected so long after it was submitted as half of the loans took that
were paid out lately; where it waited longer than nearly all of those, it is taken for abandoned.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from graph.drafts import CLOSED
from graph.incidence import dealers
from graph.records import DAY, Ints, from_millis, node_ids
from graph.snapshot import Snapshot

Floats = npt.NDArray[np.float64]

LATELY = 90 * DAY
ENOUGH = 20
"""Loans paid out lately below which their times say nothing."""

USUAL, LONGEST = 2 * DAY, 14 * DAY
"""From submission to payment where too few were paid out to tell."""

NEARLY_ALL = 0.98


@dataclass(frozen=True)
class Stake:
    """Of one application or of several; money in RMB. `savable` is neither paid out nor declined."""

    dealer: str
    region: str
    exposure: float
    savable: float
    first_seen: datetime
    last_seen: datetime
    pays_out_at: datetime | None
    settled: bool = False
    """All were declined or cancelled."""


class _Rows(NamedTuple):
    """Of the applications that are asked about, in one order."""

    amount: Floats
    submitted: Ints
    open: npt.NDArray[np.bool_]
    unpaid: npt.NDArray[np.bool_]
    dealer: Ints

    def only(self, at: Ints) -> _Rows:
        return _Rows(self.amount[at], self.submitted[at], self.open[at], self.unpaid[at], self.dealer[at])


class Stakes:
    """As of a time; `wanted` are the applications that may be asked about, unknown ones are passed over."""

    def __init__(self, snapshot: Snapshot, wanted: Iterable[str], *, as_of: int) -> None:
        names = sorted(set(wanted))
        index = snapshot.nodes["Application"].index_of(node_ids("Application", names))
        there = np.flatnonzero(index >= 0)
        self._place = {names[at]: place for place, at in enumerate(there.tolist())}
        self._rows = _read(snapshot, index[there], as_of)
        self._usual, self._longest = pace(snapshot, as_of=as_of)
        self._as_of = as_of
        table = snapshot.nodes["Dealer"].table
        numbers = np.unique(self._rows.dealer[self._rows.dealer >= 0])
        some = table.select(["key", "region"]).take(pa.array(numbers)).to_pylist()
        self._dealer = {at: (one["key"], one["region"] or "") for at, one in zip(numbers.tolist(), some, strict=True)}

    def of(self, names: Sequence[str]) -> Stake | None:
        """None where none of them is known."""
        at = np.array([self._place[name] for name in names if name in self._place], dtype=np.int64)
        if not len(at):
            return None
        rows = self._rows.only(at)
        dealer, region = self._mostly(rows.dealer)
        return Stake(
            dealer=dealer,
            region=region,
            exposure=round(float(rows.amount[rows.open].sum()), 2),
            savable=round(float(rows.amount[rows.unpaid].sum()), 2),
            first_seen=from_millis(int(rows.submitted.min())),
            last_seen=from_millis(int(rows.submitted.max())),
            pays_out_at=self._pays_out(rows.submitted[rows.unpaid]),
            settled=not rows.open.any(),
        )

    def each(self, names: Iterable[str]) -> dict[str, Stake]:
        found = {name: self.of([name]) for name in names}
        return {name: stake for name, stake in found.items() if stake is not None}

    def _mostly(self, numbers: Ints) -> tuple[str, str]:
        """The dealer of most of them; of equals the first by code."""
        counted = Counter(self._dealer[each] for each in numbers.tolist() if each >= 0)
        return min(counted, key=lambda one: (-counted[one], one)) if counted else ("", "")

    def _pays_out(self, submitted: Ints) -> datetime | None:
        waiting = submitted[self._as_of - submitted <= self._longest]
        return from_millis(int(waiting.min()) + self._usual) if len(waiting) else None


def pace(snapshot: Snapshot, *, as_of: int) -> tuple[int, int]:
    """From submission to payment, in milliseconds: of half of the loans paid out lately, and of nearly all."""
    applications = snapshot.nodes["Application"]
    paid = applications.times("funded_at", as_of=as_of)
    lately = np.flatnonzero(paid > as_of - LATELY)
    took = paid[lately] - applications.times("submitted_at", as_of=as_of)[lately]
    took = took[took >= 0]
    if len(took) < ENOUGH:
        return USUAL, LONGEST
    return int(np.median(took)), int(np.quantile(took, NEARLY_ALL))


def _read(snapshot: Snapshot, rows: Ints, as_of: int) -> _Rows:
    table = snapshot.nodes["Application"].table
    columns = ["amount", "submitted_at", "decided_at", "funded_at", "decision", "known_at"]
    some: Mapping[str, Any] = table.select(columns).take(pa.array(rows)).to_pydict()
    time = {name: _past(some[name], as_of) for name in ("submitted_at", "decided_at", "funded_at")}
    refused = np.array([each in CLOSED for each in some["decision"]], dtype=bool) & (time["decided_at"] > 0)
    known = np.array(some["known_at"], dtype=np.int64)
    return _Rows(
        amount=np.nan_to_num(np.array(some["amount"], dtype=np.float64)),
        submitted=np.where(time["submitted_at"] > 0, time["submitted_at"], known),
        open=~refused,
        unpaid=~refused & (time["funded_at"] == 0),
        dealer=dealers(snapshot, as_of=as_of)[rows],
    )


def _past(moments: Sequence[int | None], as_of: int) -> Ints:
    """0 where it is not stated, or lies ahead."""
    told = np.array([each or 0 for each in moments], dtype=np.int64)
    return np.where(told <= as_of, told, 0)
