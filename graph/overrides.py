"""What people decided about a thing that many hold, against what `infrastructure.py` recognises."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from graph.records import NodeRef
from graph.snapshot import Snapshot


@dataclass(frozen=True)
class Override:
    """One decision in force. `key` is the node's key in the graph: a token for personal identifiers, never the value.

    `infrastructure` True sets the thing aside as `kind` (a free word such as
    shop_tablet, "" if nobody said); False lets it link although it was recognised.
    """

    type: str
    key: str
    infrastructure: bool
    kind: str
    reason: str
    until: datetime


@dataclass(frozen=True)
class Placed:
    """A decision about a thing by its index in a snapshot."""

    type: str
    entity: int
    infrastructure: bool
    kind: str
    reason: str


def placed(overrides: Iterable[Override], snapshot: Snapshot) -> Iterator[Placed]:
    """Those about things the snapshot holds; what it does not hold links nobody anyway."""
    for one in overrides:
        entity = int(snapshot.nodes[one.type].index_of(np.array([NodeRef(one.type, one.key).id]))[0])
        if entity >= 0:
            yield Placed(one.type, entity, one.infrastructure, one.kind, one.reason)
