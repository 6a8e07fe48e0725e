"""Look-alikes: why a group that shares things may be innocent (domain.md §2.3).

Fleets, staff purchases, referrals, shops and look-alike voices form groups as tight as
rings do. Each is recognised by what it shares *openly* and by what it does not share. A
recognised group ranks lower and says why; it is never dropped, for rings hide among them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from graph.candidates import Groups
from graph.circles import HOUSEHOLD, Circles
from graph.incidence import Incidence
from graph.measure import Measured, top
from graph.records import Ints
from graph.snapshot import Snapshot

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

MOST = 0.6
"""A group is one company's, one town's, one dealer's from this share of its people on."""

HALF = 0.5

OPENLY = 0.35
"""A company shows itself: it pays from its own account or is the insured party for so many."""

NEARLY_ALL = 0.9
BURST_DAYS = 21
PLAIN_POINTS = 16
"""Above so many points a person (`signs.py`) a group is too odd for the benefit of the doubt."""


@dataclass(frozen=True)
class Described:
    """Per group. `part[name][g]` is the share of its weight through a strand; all other shares are of its people."""

    part: dict[str, Floats]
    people: Ints
    days: Floats
    points: Floats
    dealer: Floats
    employer: Floats
    home: Floats
    openly: Floats
    town: Floats


@dataclass(frozen=True)
class LookAlike:
    """`factor` is what is left of the score; `words` complete "may be innocent: "."""

    name: str
    factor: float
    words: str
    holds: Callable[[Described], Flags]


def _shared_by(of: Described, *strands: str) -> Floats:
    return np.asarray(sum((of.part[each] for each in strands if each in of.part), np.zeros(len(of.people))))


LOOK_ALIKES = (
    LookAlike(
        "family", 0.5, "a family: most live at one address of few people (B01, B14)",
        lambda of: (of.people <= HOUSEHOLD) & (of.home >= MOST),
    ),
    LookAlike(
        "fleet", 0.15, "drivers of one company that pays or insures openly (B05)",
        lambda of: (of.employer >= HALF) & (of.openly >= OPENLY) & (of.points <= PLAIN_POINTS),
    ),
    LookAlike(
        "staff_purchase", 0.3, "staff of one employer buying together, sharing nothing else (B11)",
        lambda of: (of.employer >= HALF) & (of.days <= BURST_DAYS) & (_shared_by(of, "session", "work") >= NEARLY_ALL),
    ),
    LookAlike(
        "shop", 0.3, "customers of one dealer who used the same device or network there (B03, B04)",
        lambda of: (
            (of.dealer >= MOST)
            & (_shared_by(of, "session") >= HALF)
            & (_shared_by(of, "session", "work") >= NEARLY_ALL)
        ),
    ),
    LookAlike(
        "voice", 0.4, "nothing but voices that the vendor finds alike; in a large gallery some always are",
        lambda of: _shared_by(of, "VoiceCluster") >= NEARLY_ALL,
    ),
    LookAlike(
        "paper", 0.3, "nothing but employers and papers that the same payroll or bank software made (R28)",
        lambda of: _shared_by(of, "work") >= NEARLY_ALL,
    ),
    LookAlike(
        "referral", 0.5, "people of one town who name the same contact and share no money (B12, B13)",
        lambda of: (of.town >= MOST) & (_shared_by(of, "Phone", "Address", "Place") >= NEARLY_ALL),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Openness:
    """Per party: its employer unless that is new, its household, whether a company pays or insures openly, its town."""

    employer: Ints
    home: Ints
    openly: Ints
    town: Ints


def openness(snapshot: Snapshot, found: Mapping[str, Incidence], party: Ints, near: Circles, *, as_of: int) -> Openness:
    """`found` are the incidences by type, `near` who lives and works with whom."""
    openly = np.zeros(len(party), dtype=np.int64)
    if "Account" in found:
        corporate = np.asarray(snapshot.nodes["Account"].table["card_type"].to_pandas() == "corporate")
        held = found["Account"]
        openly[party[held.application[corporate[held.entity]]]] = 1
    insured = snapshot.columns("INSURED_BY", as_of=as_of)
    finances, applied = (snapshot.columns(each, as_of=as_of) for each in ("FINANCES", "APPLIED"))
    holder = np.full(len(party), -1, dtype=np.int64)
    holder[applied["target"]] = applied["source"]
    of_vehicle = np.full(len(snapshot.nodes["Vehicle"]), -1, dtype=np.int64)
    of_vehicle[finances["target"]] = finances["source"]
    application = of_vehicle[insured["source"]]
    by_other = (application >= 0) & (holder[application] != insured["target"])
    openly[party[application[by_other]]] = 1
    employer = np.where(near.young, -1, near.employer)
    return Openness(employer, near.home, openly, _towns(snapshot, party, holder))


def _towns(snapshot: Snapshot, party: Ints, holder: Ints) -> Ints:
    codes = snapshot.nodes["Person"].table["live_region"].to_pandas().astype("category").cat.codes.to_numpy()
    return np.asarray(np.append(codes, -1)[holder][party].astype(np.int64))


def describe(groups: Groups, measured: Measured, strands: tuple[str, ...], shown: Openness) -> Described:
    total = np.maximum(measured.inside.sum(axis=1), 1)
    people = np.maximum(measured.people, 1)
    begin = groups.start[:-1]
    openly = np.add.reduceat(shown.openly[groups.member], begin) if len(groups) else np.zeros(0)
    return Described(
        part={name: measured.inside[:, at] / total for at, name in enumerate(strands)},
        people=people,
        days=measured.days,
        points=measured.points,
        dealer=measured.top_dealer / people,
        employer=top(groups.start, shown.employer[groups.member]) / people,
        home=top(groups.start, shown.home[groups.member]) / people,
        openly=openly / people,
        town=top(groups.start, shown.town[groups.member]) / people,
    )


def recognised(of: Described) -> Flags:
    """`[g, k]`: group g looks like LOOK_ALIKES[k]."""
    return np.stack([each.holds(of) for each in LOOK_ALIKES], axis=1)


def factors(flags: Flags) -> Floats:
    """What is left of each group's score: the strongest doubt counts."""
    each = np.array([one.factor for one in LOOK_ALIKES])
    return np.asarray(np.where(flags, each, 1.0).min(axis=1)) if len(flags) else np.ones(0)
