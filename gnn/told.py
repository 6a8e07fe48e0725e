"""What people and bureaus say of applications and persons, each statement with the time from which it was known.

Statements form chains, newest first, so that one more is appended without moving the others, and whoever asks as of
a time walks back to what had been said by then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from gnn.dispositions import CLEARED, EVIDENCE, POSITIVE, WITHDRAWN
from graph.records import Ints
from graph.snapshot import Snapshot

Floats = npt.NDArray[np.float64]
FOREVER = np.iinfo(np.int64).max

INNOCENT, UNSAID = -1.0, 0.0


class Statements(NamedTuple):
    """`last` per application its newest statement, -1 for none; `previous` the one before. `weight` is the evidence of
    fraud by then (1 for E1 and E2, .5 for E3 and unstated; domain.md §2.6), `INNOCENT` where it was cleared, `UNSAID`
    where what had been said was withdrawn."""

    last: Ints
    previous: Ints
    known_at: Ints
    weight: Floats


@dataclass(frozen=True)
class Labels:
    """Per application: from when it was known to be fraud, with what evidence, and from when to when cleared.

    Times in milliseconds, `FOREVER` for never. These are the last word; `said` is what was said when.
    """

    fraud_from: Ints
    fraud_until: Ints
    evidence: Floats
    cleared_from: Ints
    early: npt.NDArray[np.bool_]
    said: Statements

    @classmethod
    def silent(cls, size: int, statements: int = 0) -> Labels:
        """Room for so many applications and statements, and nothing said."""
        last, previous, known_at = (np.full(each, -1, dtype=np.int64) for each in (size, statements, statements))
        said = Statements(last, previous, known_at, np.zeros(statements))
        fraud_from, fraud_until, cleared_from = (np.full(size, FOREVER) for _ in range(3))
        return cls(fraud_from, fraud_until, np.zeros(size), cleared_from, np.zeros(size, dtype=bool), said)

    def known(self, at: int) -> npt.NDArray[np.bool_]:
        return np.asarray((self.fraud_from <= at) & (self.fraud_until > at))

    def evidence_at(self, rows: Ints, when: Ints) -> Floats:
        """Of fraud as it was known at each time: 0 for none."""
        found = np.zeros(len(rows))
        _evidence_at(rows, when, self.said, found)
        return found

    def tell(self, row: int, number: int, *, known_at: int, label: str, level: str | None, source: str | None) -> bool:
        """Statement `number` on a row, not older than those before; False for a label that says neither."""
        if label != POSITIVE and label not in CLEARED and label != WITHDRAWN:
            return False
        said, weight = self.said, INNOCENT
        if label == POSITIVE:
            if self.fraud_from[row] == FOREVER:
                self.fraud_from[row], self.early[row] = known_at, source == "review"
            self.fraud_until[row] = FOREVER
            before = 0.0 if said.last[row] >= 0 and said.weight[said.last[row]] == UNSAID else self.evidence[row]
            self.evidence[row] = weight = max(before, EVIDENCE.get(level or "", 0.5))
        elif label == WITHDRAWN:
            self.fraud_until[row], self.cleared_from[row] = min(self.fraud_until[row], known_at), FOREVER
            weight = UNSAID
        else:
            self.fraud_until[row] = known_at if self.fraud_from[row] < FOREVER else FOREVER
            self.cleared_from[row] = min(self.cleared_from[row], known_at)
        said.previous[number], said.known_at[number] = said.last[row], known_at
        said.weight[number], said.last[row] = weight, number
        return True


def read_labels(snapshot: Snapshot, outcomes: pa.Table | None) -> Labels:
    """From the outcomes: a later one on the same application replaces the one before from when it was known."""
    size = len(snapshot.nodes["Application"])
    if outcomes is None or not len(outcomes):
        return Labels.silent(size)
    rows = outcomes.select(["owner", "known_at", "label", "evidence_level", "source"]).to_pandas()
    rows["row"] = snapshot.nodes["Application"].index_of(rows["owner"].to_numpy())
    rows = rows[rows["row"] >= 0].sort_values(["known_at", "row"], kind="stable")
    told, number = Labels.silent(size, len(rows)), 0
    for row, known, label, level, source in rows[["row", "known_at", "label", "evidence_level", "source"]].itertuples(
        index=False
    ):
        number += told.tell(row, number, known_at=known, label=label, level=level, source=source)
    return told


@numba.njit(cache=True)
def _evidence_at(rows, when, said, found):  # type: ignore[no-untyped-def]
    for at in range(len(rows)):
        one = said.last[rows[at]]
        while one >= 0 and said.known_at[one] > when[at]:
            one = said.previous[one]
        found[at] = max(said.weight[one], 0.0) if one >= 0 else 0.0


# The bureau ----------------------------------------------------------------------------------------------


class Inquiries(NamedTuple):
    """Bureau inquiries. `last` per person the newest known one, -1 for none; `previous` the one known before."""

    last: Ints
    previous: Ints
    event_time: Ints
    known_at: Ints
    institution: Ints
    vehicle: Ints
    amount: Floats
    ref: Ints

    @classmethod
    def room(cls, people: int, inquiries: int) -> Inquiries:
        last, event_time, known_at = (np.full(each, -1, dtype=np.int64) for each in (people, inquiries, inquiries))
        previous, institution, vehicle, ref = np.full((4, inquiries), -1, dtype=np.int64)
        return cls(last, previous, event_time, known_at, institution, vehicle, np.zeros(inquiries), ref)


POST_LOAN = ("self", "post_loan")
"""Looking at oneself, or at a loan that runs, is no search for credit."""


def read_inquiries(snapshot: Snapshot, events: pa.Table | None, people: int) -> Inquiries:
    """`people` counts those who are not named, too. An inquiry that is told again, as by the bureau's answer to a
    later application, is one, known since it was told first."""
    if events is None or not len(events):
        return Inquiries.room(people, 0)
    rows = events.to_pandas()
    rows["person"] = snapshot.nodes["Person"].index_of(rows["owner"].to_numpy())
    rows = rows[rows["person"] >= 0]
    if "reason" in rows:
        rows = rows[~rows["reason"].isin(POST_LOAN)]
    rows = rows.sort_values(["person", "known_at", "event_time", "ref"], kind="stable")
    rows["ref"] = rows["ref"].str.rpartition("@")[0].where(rows["ref"].str.contains("@"), rows["ref"])
    rows = rows.drop_duplicates(["person", "ref"])
    person, size = rows["person"].to_numpy(np.int64), len(rows)
    last = np.full(people, -1, dtype=np.int64)
    last[person] = np.arange(size)
    previous = np.arange(-1, size - 1)
    previous[np.append(True, np.diff(person) != 0)[:size]] = -1
    institution, vehicle = (
        words(rows[name]) if name in rows else np.full(size, -1, dtype=np.int64)
        for name in ("institution_token", "vin_token")
    )
    amount = rows["amount"].fillna(0).to_numpy(np.float64) if "amount" in rows else np.zeros(size)
    event_time, known_at = (rows[name].to_numpy(np.int64) for name in ("event_time", "known_at"))
    return Inquiries(last, previous, event_time, known_at, institution, vehicle, amount, words(rows["ref"]))


def inquiry(ref: str) -> int:
    """The word for an inquiry, whenever it was told: its `ref` ends with when that was."""
    return word(ref.rpartition("@")[0] or ref)


def word(text: str | None) -> int:
    """A number for a text, the same in every process; -1 for none. For telling equal from unequal only."""
    if not text:
        return -1
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest(), "big")


def words(texts: Iterable[str | None]) -> Ints:
    """Many at once."""
    places, different = pd.factorize(np.array(texts, dtype=object))
    return np.append([word(each) for each in different.tolist()], -1).astype(np.int64)[places]
