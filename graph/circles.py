"""Circles that share things for an ordinary reason: households, fleets, colleagues (domain.md §2.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from graph.incidence import Incidence, reached
from graph.ontology import EDGES
from graph.records import Ints
from graph.snapshot import Snapshot

HOUSEHOLD = 5
"""An address of up to so many people is one family's home (B01); above it is a building."""

FLEET = 5
"""A party that insures the cars of so many applicants is a company that does so openly (B05)."""

RELATED = 0.25
"""What a link is worth between two of one household or one fleet."""

COLLEAGUES = 0.5
"""... and between two of one employer, unless it was registered less than `YOUNG_EMPLOYER_DAYS` before (R11, T16)."""

YOUNG_EMPLOYER_DAYS = 365


@dataclass(frozen=True)
class Circles:
    """Per party its household, employer and fleet, -1 for none, and whether that employer is `young`."""

    home: Ints
    employer: Ints
    fleet: Ints
    young: npt.NDArray[np.bool_]

    def factor(self, first: Ints, second: Ints) -> npt.NDArray[np.float64]:
        """What is left of a link between them."""
        colleagues = np.where(self.colleagues(first, second), COLLEAGUES, 1.0)
        return np.where(self.related(first, second), RELATED, colleagues)

    def related(self, first: Ints, second: Ints) -> npt.NDArray[np.bool_]:
        """Of one household or one fleet."""
        return _alike(self.home, first, second) | _alike(self.fleet, first, second)

    def colleagues(self, first: Ints, second: Ints) -> npt.NDArray[np.bool_]:
        """Of one employer that is not young."""
        return _alike(self.employer, first, second) & ~self.young[first]


def _alike(label: Ints, first: Ints, second: Ints) -> npt.NDArray[np.bool_]:
    alike: npt.NDArray[np.bool_] = (label[first] == label[second]) & (label[first] >= 0)
    return alike


def circles(snapshot: Snapshot, found: Sequence[Incidence], party: Ints, *, as_of: int) -> Circles:
    """From who lives where, works where and is insured by whom, as known by then; of several the last known."""
    home, employer, fleet = (np.full(len(party), -1, dtype=np.int64) for _ in range(3))
    for incidence in found:
        own = incidence.of_parties(party)
        if incidence.type == "Address":
            _last_known(home, party, own.only(np.bincount(own.entity)[own.entity] <= HOUSEHOLD))
        elif incidence.type == "Employer":
            _last_known(employer, party, own)
    application, insured, _ = reached(snapshot, EDGES["INSURED_BY"], as_of)
    if len(application):
        _, at = np.unique(np.stack([party[application], insured]), axis=1, return_index=True)
        application, insured = application[at], insured[at]
        openly = np.bincount(insured)[insured] >= FLEET
        fleet[party[application[openly]]] = insured[openly]
    _colleagues_of_fleets(fleet, employer)
    registered = pd.to_datetime(snapshot.nodes["Employer"].table["reg_date"].to_pandas(), errors="coerce", utc=True)
    age = pd.Timestamp(as_of, unit="ms", tz="UTC") - registered
    young = np.append(age.between(pd.Timedelta(0), pd.Timedelta(days=YOUNG_EMPLOYER_DAYS)).to_numpy(), False)
    return Circles(home, employer, fleet, young[employer])


def _last_known(label: Ints, party: Ints, own: Incidence) -> None:
    order = np.argsort(own.known_at, kind="stable")
    label[party[own.application[order]]] = own.entity[order]


def _colleagues_of_fleets(fleet: Ints, employer: Ints) -> None:
    """Who works for a fleet belongs to it before the car is insured."""
    both = (fleet >= 0) & (employer >= 0)
    pairs, count = np.unique(np.stack([employer[both], fleet[both]]), axis=1, return_counts=True)
    company, driven = pairs[:, count >= FLEET]
    if len(company):
        place = np.minimum(np.searchsorted(company, employer), len(company) - 1)
        works = (company[place] == employer) & (fleet < 0)
        fleet[works] = driven[place][works]
