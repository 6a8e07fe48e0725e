"""What there is to say about given applications as of a time, whoever put them together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graph.candidates import Groups
from graph.drafts import Drafts
from graph.excerpt import count_holders, excerpt
from graph.infrastructure import Earlier
from graph.lookalikes import LOOK_ALIKES
from graph.ontology import NODES
from graph.projection import Wider, project
from graph.records import DAY, node_ids
from graph.signs import signs
from graph.snapshot import Snapshot

EVER = 36_500
"""Days: whoever applied, however long ago."""


def described(snapshot: Snapshot, names: Sequence[str], *, as_of: int) -> dict[str, Any]:
    """What these applications share, show and play as far as it was known by then; as a ring's JSON, without a score.

    What was set aside then is not judged again: a thing is told when no more than its hub limit hold it among these.
    Applications that the snapshot does not hold are left out.
    """
    nodes = snapshot.nodes["Application"]
    rows = nodes.index_of(node_ids("Application", names))
    rows = rows[(rows >= 0) & (nodes.known_at[rows] <= as_of)]
    if not len(rows):
        return {"shared": [], "signs": [], "doubts": [], "roles": [], "first_seen": "", "last_seen": ""}
    cut = excerpt(snapshot, np.unique(rows), as_of=as_of)
    held = {
        name: count_holders(snapshot, name, cut.index[name], as_of=as_of) for name, node in NODES.items() if node.lead
    }
    projection = project(
        cut.part, as_of=as_of, window_days=as_of // DAY + EVER, excerpt_of=Wider(held, Earlier((), {}), 0.0)
    )
    odd = signs(cut.part, as_of=as_of, window=projection.window, dealer=projection.dealer)
    parties = np.unique(projection.party[projection.window])
    group = Groups(np.array([0, len(parties)]), parties)
    nothing = np.zeros(len(LOOK_ALIKES), dtype=bool)
    told = Drafts(cut.part, projection, odd, group, as_of).draft(0, 0.0, nothing)
    return {
        "shared": [vars(each) | {"holders": list(each.holders)} for each in told["shared"]],
        "signs": list(told["signs"]),
        "doubts": [],
        "roles": [vars(each) for each in told["roles"]],
        "first_seen": told["first_seen"],
        "last_seen": told["last_seen"],
    }
