"""Things that many hold by nature: shop tablets and WiFi, carrier address pools, switchboards, communities.

Judged only on what was known at the time (domain.md §2.3, §4.8 gives the start values). A
verdict costs a thing all its links, so each needs many holders *and* a benign reason: one
shop over months, or many unrelated dealers over months. A burst never has the second,
however big it is, and its members share more than the one thing.

| Module | What it holds |
|---|---|
| `seen.py` | what is known about things and their holders at a time |
| `recogniser.py` | what a recogniser is, and the tests that several use |
| `shops.py`, `many.py`, `values.py` | one class per kind |
| `recycled.py` | numbers that changed hands: kept, but cut in two |
| `verdicts.py` | the registry, the verdicts with their sentences, what people overruled |
"""

from graph.circles import CIRCLES
from graph.infrastructure.recogniser import Kind, Recogniser
from graph.infrastructure.recycled import Cuts, RecycledPhone
from graph.infrastructure.seen import FEW, Holders, Seen
from graph.infrastructure.verdicts import RECOGNISERS, Earlier, Judged, Override, Verdict, Verdicts, recognise

_ALL: tuple[Kind, ...] = (*RECOGNISERS, RecycledPhone(), *CIRCLES)
KINDS: dict[str, tuple[str, str]] = {each.kind: (each.en, each.zh) for each in _ALL}
"""Every kind: its English and Chinese name. Circles weaken links, re-issued numbers cut them, all others end them."""

__all__ = [
    "FEW",
    "KINDS",
    "RECOGNISERS",
    "Cuts",
    "Earlier",
    "Holders",
    "Judged",
    "Override",
    "Recogniser",
    "RecycledPhone",
    "Seen",
    "Verdict",
    "Verdicts",
    "recognise",
]  # fmt: skip
