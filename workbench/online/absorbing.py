"""From the journal into the graph store and the vault, many entries at a time, whenever the store can take them.

What is absorbed twice changes nothing: a batch is named after its entries, and facts merge. The mark in the journal
follows the store, so a process killed in between absorbs the same entries once more.
"""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from graph.store import BatchMark, GraphStore
from graph.vault import Vault
from loaders.live import Told, ToldEdge, ToldNode, batch_of_told, keep
from workbench.journal import ABSORBED, LABEL, Entry, Journal

TOGETHER = 2_000
"""Of one batch, at most. Each page of an index is written once a batch, so an entry of ten costs 3.6 ms, of a hundred
2.0, of a thousand 1.2 and of two thousand 1.0 (CPU; store of 60,000 applications)."""

PREFIX = "journal/"


def absorb(journal: Journal, store: GraphStore, vault: Vault) -> int:
    """The next entries, at most `TOGETHER`; how many they were. The vault holds them before the store says them.

    Raises StoreError, and then nothing is marked.
    """
    entries = journal.since(journal.marked(ABSORBED), limit=TOGETHER)
    if not entries:
        return 0
    facts = [entry for entry in entries if entry.kind != LABEL]
    if facts:
        with uncollected():
            _take(facts, batch_name(journal, entries), store, vault)
    journal.mark(ABSORBED, entries[-1].sequence)
    return len(entries)


def _take(facts: Sequence[Entry], name: str, store: GraphStore, vault: Vault) -> None:
    told = [told_by(entry) for entry in facts]
    keep(told, vault)
    store.write(batch_of_told(told, name, digest_of(facts)))


def batch_name(journal: Journal, entries: Sequence[Entry]) -> str:
    """`bytes` says what the digest is of. Batches without it are an earlier version's: what that one wrote and could
    not mark comes under another name here, not under the same one with another digest, which the store would refuse."""
    return f"{PREFIX}{journal.name}/bytes/{entries[0].sequence:012}-{entries[-1].sequence:012}"


def digest_of(entries: Iterable[Entry]) -> str:
    """Of what stands in the journal; to write it out anew would cost as much as to read it."""
    content = hashlib.sha256()
    for entry in entries:
        content.update(b"%d" % entry.at)
        content.update(entry.told)
    return content.hexdigest()


@contextmanager
def uncollected() -> Iterator[None]:
    """Without the garbage collector, which would look through a hundred thousand rows of a batch again and again.
    No row points back at another, so all of them go without it."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def absorbed_by(marks: Sequence[BatchMark], sequence: int, journal: Journal) -> int:
    """The last entry of the journal that is in the store up to its batch `sequence`."""
    own = [mark.id for mark in marks if mark.id.startswith(f"{PREFIX}{journal.name}/") and mark.sequence <= sequence]
    return max((int(each.rpartition("-")[2]) for each in own), default=0)


def told_by(entry: Entry) -> Told:
    """What an entry tells, known from when it was entered: two processes' clocks differ, the journal has one."""
    return redated(Told.from_bytes(entry.told), entry.at)


def redated(told: Told, at: int) -> Told:
    """What was known when it was told is known from `at` on."""
    if told.now == at:
        return told
    now, ending = told.now, f"@{told.now}"

    def moved(moment: int) -> int:
        return at if moment == now else moment

    return replace(
        told,
        now=at,
        nodes=[
            ToldNode(type_, key, masked, moved(known), moved(updated), properties)
            for type_, key, masked, known, updated, properties in told.nodes
        ],
        edges=[
            ToldEdge(type_, source, target, ref, moved(event), moved(known), until, confidence, origin)
            for type_, source, target, ref, event, known, until, confidence, origin in told.edges
        ],
        events={
            table: [
                dict(row)
                | {
                    "ref": f"{row['ref'].removesuffix(ending)}@{at}" if row["ref"].endswith(ending) else row["ref"],
                    "event_time": moved(row["event_time"]),
                    "known_at": moved(row["known_at"]),
                }
                for row in rows
            ]
            for table, rows in told.events.items()
        },
    )
