"""What of a whole window an excerpt needs to know, computed once for all that is cut out of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from graph.circles import young_employers
from graph.communities import Links
from graph.context import context
from graph.incidence import dealers, in_window, parties, salespeople
from graph.opinions import Here
from graph.records import Ints
from graph.signs import Signs, signs
from graph.snapshot import Snapshot

Window = npt.NDArray[np.bool_]
"""Per application whether it can be in a ring."""


@dataclass(frozen=True)
class Background:
    """What the whole window is needed for, per application: whether it can be in a ring, whose it is, how odd it looks
    among all, at whose desk it came in. Without anybody's opinions, so it serves as long as the facts do."""

    as_of: int
    window: Window
    party: Ints
    submitted: Ints
    dealer: Ints
    salesperson: Ints
    young_employers: npt.NDArray[np.bool_]
    odd: Signs

    @classmethod
    def of(
        cls, snapshot: Snapshot, *, as_of: int, window_days: int, risk: npt.NDArray[np.float64] | None = None
    ) -> Background:
        """`risk` is what a model thinks of each application, where one has its say."""
        window, party = in_window(snapshot, as_of=as_of, window_days=window_days), parties(snapshot, as_of=as_of)
        dealer = dealers(snapshot, as_of=as_of)
        odd = signs(snapshot, as_of=as_of, window=np.flatnonzero(window), dealer=dealer).with_risk(risk)
        submitted = snapshot.nodes["Application"].times("submitted_at", as_of=as_of)
        young = young_employers(snapshot, as_of)
        return cls(as_of, window, party, submitted, dealer, salespeople(snapshot, as_of=as_of), young, odd)

    def ties(self, here: Here) -> Links:
        """Of context, between those who can be in a ring."""
        window = np.flatnonzero(here.among(self.window))
        return context(window, self.submitted, self.dealer, self.salesperson, self.odd.as_known(here.risk))
