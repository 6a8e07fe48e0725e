"""What people decided about a thing that many hold, against what `infrastructure.py` recognises."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


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
