"""Circles that share things for an ordinary reason: households, fleets, colleagues (domain.md §2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from graph.incidence import Holdings, reached
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


@dataclass(frozen=True)
class Household:
    """B01: people of one flat, up to a family's number."""

    kind: ClassVar[str] = "household"
    en: ClassVar[str] = "a household"
    zh: ClassVar[str] = "家庭"
    types: ClassVar[tuple[str, ...]] = ("Address",)

    def because(self, near: Circles, circle: int) -> str:
        count = int((near.home == circle).sum())
        return f"{count} people live at one address, and up to {HOUSEHOLD} are one family: {self.en}"


@dataclass(frozen=True)
class Fleet:
    """B05: drivers whose cars one company insures openly."""

    kind: ClassVar[str] = "fleet"
    en: ClassVar[str] = "a fleet"
    zh: ClassVar[str] = "车队或挂靠公司"
    types: ClassVar[tuple[str, ...]] = ("Person",)

    def because(self, near: Circles, circle: int) -> str:
        count = int((near.fleet == circle).sum())
        return f"{count} people drive cars that one party insures openly, or work with those who do: {self.en}"


@dataclass(frozen=True)
class Colleagues:
    """People of one employer that is not new."""

    kind: ClassVar[str] = "colleagues"
    en: ClassVar[str] = "colleagues"
    zh: ClassVar[str] = "同事"
    types: ClassVar[tuple[str, ...]] = ("Employer",)

    def because(self, near: Circles, circle: int) -> str:
        mine = near.employer == circle
        age = f"registered less than {YOUNG_EMPLOYER_DAYS} days before" if near.young[mine].any() else "not a new one"
        return f"{int(mine.sum())} people work for one employer, {age}: {self.en}"


CIRCLES = (Household(), Fleet(), Colleagues())
"""Kinds that weaken links and set nothing aside; `because` takes what was found and a circle's label."""


def _alike(label: Ints, first: Ints, second: Ints) -> npt.NDArray[np.bool_]:
    alike: npt.NDArray[np.bool_] = (label[first] == label[second]) & (label[first] >= 0)
    return alike


def circles(snapshot: Snapshot, all_held: Holdings, held: Mapping[str, Ints], *, as_of: int) -> Circles:
    """From who lives where, works where and is insured by whom, as known by then; of several the last known.

    `held` counts the parties of each thing, also those that an excerpt leaves out.
    """
    party = all_held.party
    size = len(party)
    home, employer = (np.full(size, -1, dtype=np.int64) for _ in range(2))
    if "Address" in all_held.own:
        own = all_held.own["Address"]
        small = own.only(held["Address"][own.entity] <= HOUSEHOLD)
        home = _last_known(size, party[small.application], small.entity, small.known_at)
    if "Employer" in all_held.own:
        own = all_held.own["Employer"]
        employer = _last_known(size, party[own.application], own.entity, own.known_at)
    application, insured, known_at = reached(snapshot, EDGES["INSURED_BY"], as_of)
    _, at = np.unique(party[application] * (insured.max(initial=0) + 1) + insured, return_index=True)
    application, insured, known_at = application[at], insured[at], known_at[at]
    openly = np.bincount(insured)[insured] >= FLEET
    fleet = _last_known(size, party[application[openly]], insured[openly], known_at[openly])
    young = np.append(young_employers(snapshot, as_of), False)
    return Circles(home, employer, _with_colleagues(fleet, employer), young[employer])


def young_employers(snapshot: Snapshot, as_of: int) -> npt.NDArray[np.bool_]:
    """Per employer whether it was registered less than `YOUNG_EMPLOYER_DAYS` before; not if nobody says when."""
    dates = snapshot.nodes["Employer"].table["reg_date"].to_pandas()
    age = pd.Timestamp(as_of, unit="ms", tz="UTC") - pd.to_datetime(dates, errors="coerce", utc=True)
    return np.asarray(age.between(pd.Timedelta(0), pd.Timedelta(days=YOUNG_EMPLOYER_DAYS)).to_numpy())


def _last_known(size: int, owner: Ints, circle: Ints, known_at: Ints) -> Ints:
    """Per owner its circle. Told at the same time, the larger and then the one of later members counts: the index of
    a circle would not do, for it changes with the keys."""
    label = np.full(size, -1, dtype=np.int64)
    members, later = np.bincount(circle, minlength=1), np.zeros(circle.max(initial=0) + 1, dtype=np.int64)
    np.add.at(later, circle, owner)
    order = np.lexsort((later[circle], members[circle], known_at))
    label[owner[order]] = circle[order]
    return label


def _with_colleagues(fleet: Ints, employer: Ints) -> Ints:
    """Who works for a fleet belongs to it before the car is insured."""
    drivers = np.flatnonzero((fleet >= 0) & (employer >= 0))
    pairs, place, count = np.unique(
        np.stack([employer[drivers], fleet[drivers]]), axis=1, return_inverse=True, return_counts=True
    )
    last = np.zeros(len(count), dtype=np.int64)
    np.maximum.at(last, place.ravel(), drivers)
    order = np.lexsort((last, count))[np.sort(count) >= FLEET]
    of_employer = np.full(employer.max(initial=-1) + 2, -1, dtype=np.int64)
    of_employer[pairs[0, order]] = pairs[1, order]
    return np.where(fleet >= 0, fleet, of_employer[employer])
