"""Rings found again because people changed their minds, not because anything became known.

The facts are those of the last run. Only around what the opinions are about is anything examined; all other rings
stand, and so does a ring there, unless something is clearly better now: who decides about one application does not
want to see the rings beside it drawn anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from graph.around import Whole, inside
from graph.before import members
from graph.records import Ints
from graph.rings import Ring

STAYS = 0.03
"""A ring that stands gives way to one that scores more by so much."""


@dataclass(frozen=True)
class Again:
    """`touched`: those that stood where something moved. `found` stands there now, under provisional names."""

    touched: Sequence[Ring]
    found: Sequence[Ring]


def found_again(whole: Whole, rings: Sequence[Ring], moved: Ints) -> Again:
    """`rings` are all that stand; `moved` the applications that opinions are about, by index."""
    own = {name: each[each >= 0] for name, each in members(whole.snapshot, rings).items()}
    near = np.union1d(moved, whole.near(inside(whole.window, moved)))
    touched = [ring for ring in rings if np.isin(own[ring.ring_id], near).any()]
    untouched = [own[ring.ring_id] for ring in rings if ring not in touched]
    core = inside(whole.window, near, *(own[ring.ring_id] for ring in touched))
    part = whole.part(core, [own[ring.ring_id] for ring in touched])
    taken = np.concatenate([np.zeros(0, dtype=np.int64), *untouched])
    return Again(touched, part.rings(whole.opinions, stays=STAYS, taken=taken))
