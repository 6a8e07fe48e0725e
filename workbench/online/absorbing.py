"""From the journal into the graph store and the vault, some entries at a time, whenever the store can take them.

What is absorbed twice changes nothing: a batch is named after its entries, and facts merge. The mark in the journal
follows the store, so a process killed in between absorbs the same entries once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from graph.store import BatchMark, GraphStore
from graph.vault import Vault
from loaders.live import Told, batch_of_told, keep
from workbench.journal import ABSORBED, LABEL, Entry, Journal

TOGETHER = 500
PREFIX = "journal/"


def absorb(journal: Journal, store: GraphStore, vault: Vault) -> int:
    """The next entries, at most `TOGETHER`; how many they were. The vault holds them before the store says them.

    Raises StoreError, and then nothing is marked.
    """
    entries = journal.since(journal.marked(ABSORBED), limit=TOGETHER)
    if not entries:
        return 0
    facts = [told_by(entry) for entry in entries if entry.kind != LABEL]
    if facts:
        keep(facts, vault)
        store.write(batch_of_told(facts, batch_name(journal, entries)))
    journal.mark(ABSORBED, entries[-1].sequence)
    return len(entries)


def batch_name(journal: Journal, entries: Sequence[Entry]) -> str:
    return f"{PREFIX}{journal.name}/{entries[0].sequence:012}-{entries[-1].sequence:012}"


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
        nodes=[each._replace(known_at=moved(each.known_at), updated_at=moved(each.updated_at)) for each in told.nodes],
        edges=[each._replace(event_time=moved(each.event_time), known_at=moved(each.known_at)) for each in told.edges],
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
