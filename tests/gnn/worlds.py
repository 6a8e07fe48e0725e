"""Small random worlds of applications, and what the features should say of them, in plain Python.

The oracle knows no chains and no arrays: for each application it looks at every other one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from gnn.book import FILE_MILLIS
from graph.records import DAY, NodeRef
from graph.snapshot import Snapshot
from tests.graph.facts import Facts, edge, node, taken

MINUTE = 1 / 1440
OF_APPLICATION = {
    "device": ("USED_DEVICE", "Device"), "ip": ("FROM_IP", "IP"), "wifi": ("ON_WIFI", "WiFi"),
    "payer": ("PAID_DOWNPAYMENT", "Account"), "contact": ("CONTACT_OF", "Phone"), "vehicle": ("FINANCES", "Vehicle"),
}  # fmt: skip
OF_PERSON = {
    "phone": ("HAS_PHONE", "Phone"), "work_phone": ("WORK_PHONE", "Phone"), "address": ("LIVES_AT", "Address"),
    "employer": ("WORKS_AT", "Employer"),
}  # fmt: skip
PHONES = ("phone", "work_phone", "contact")
WINDOW, HOME = 120, 5


class Held(NamedTuple):
    role: str
    thing: str
    known: float


@dataclass
class One:
    """An application; times in days. `known` is when anything was heard of it, `sent` when its form was sent."""

    name: str
    person: str
    known: float
    sent: float
    dealer: str = ""
    salesperson: str = ""
    deal: str = ""
    held: list[Held] = field(default_factory=list)
    declined: float | None = None
    amount: float = 100_000.0

    @property
    def as_of(self) -> int:
        return max(round(self.sent * DAY), round(self.known * DAY)) + FILE_MILLIS


class Said(NamedTuple):
    name: str
    known: float
    label: str
    level: str


class Asked(NamedTuple):
    person: str
    happened: float
    known: float
    where: str
    car: str
    amount: float


@dataclass
class World:
    ones: list[One]
    owned: dict[str, list[Held]]
    said: list[Said]
    asked: list[Asked]

    def facts(self) -> Facts:
        found: Facts = []
        for one in self.ones:
            stated = {"submitted_at": round(one.sent * DAY), "amount": one.amount}
            if one.deal:
                stated["deal_id"] = one.deal
            if one.declined is not None:
                stated |= {"decision": "decline", "decided_at": round(one.declined * DAY)}
            found.append(node("Application", one.name, one.known, **stated))
            if one.person:
                found.append(edge("APPLIED", one.person, one.name, one.known))
            for relation, other in (("SOLD_BY", one.dealer), ("HANDLED_BY", one.salesperson)):
                if other:
                    found.append(edge(relation, one.name, other, one.known))
            for held in one.held:
                relation, _ = OF_APPLICATION[held.role]
                ends = (held.thing, one.name) if held.role in ("payer", "contact") else (one.name, held.thing)
                found.append(edge(relation, *ends, held.known))
        for person, things in self.owned.items():
            found += [edge(OF_PERSON[held.role][0], person, held.thing, held.known) for held in things]
        return found

    def events(self) -> dict[str, pa.Table | None]:
        return {"outcomes": self._outcomes(), "bureau_inquiries": self._inquiries()}

    def snapshot(self, folder: Path) -> Snapshot:
        return taken(folder, self.facts())

    def _outcomes(self) -> pa.Table | None:
        if not self.said:
            return None
        return pa.table({
            "owner": pa.array([NodeRef("Application", each.name).id for each in self.said], pa.int64()),
            "known_at": [round(each.known * DAY) for each in self.said],
            "label": [each.label for each in self.said],
            "evidence_level": [each.level for each in self.said],
            "source": ["review"] * len(self.said),
        })  # fmt: skip

    def _inquiries(self) -> pa.Table | None:
        if not self.asked:
            return None
        return pa.table({
            "ref": [f"q{at}" for at in range(len(self.asked))],
            "owner": pa.array([NodeRef("Person", each.person).id for each in self.asked], pa.int64()),
            "event_time": [round(each.happened * DAY) for each in self.asked],
            "known_at": [round(each.known * DAY) for each in self.asked],
            "institution_token": [each.where for each in self.asked],
            "vin_token": [each.car for each in self.asked],
            "amount": [each.amount for each in self.asked],
        })  # fmt: skip


def made(seed: int, size: int = 40) -> World:
    """Crowded: everybody shares with many, some forms take hours, some facts come late, some labels are taken back."""
    chance = random.Random(seed)
    ones, owned = [], {}
    start = 400.0
    for at in range(size):
        start += chance.choice([0.0, 20 * MINUTE / 60, MINUTE, 0.4, 3.0, 9.0])
        person = f"P{chance.randrange(size)}" if chance.random() < 0.95 else ""
        known = start + chance.random() * MINUTE
        sent = known + chance.choice([0.0, 0.5 * MINUTE, 30 * MINUTE, 100 * MINUTE])
        one = One(
            f"A{at}", person, known, sent, chance.choice(["", "D1", "D1", "D2"]), chance.choice(["", "S1", "S2"]),
            chance.choice([""] * 5 + ["L1", "L2"]), amount=chance.choice([90_000.0, 100_000.0, 103_000.0, 200_000.0]),
        )  # fmt: skip
        for role in OF_APPLICATION:
            for _ in range(chance.choice([0, 1, 1, 2])):
                late = chance.choice([0.0, 0.0, 0.5 * MINUTE, 2.0]) if role == "payer" else 0.0
                stock = "N" if role == "contact" else role
                one.held.append(Held(role, f"{stock}{chance.randrange(8)}", known + late))
        one.declined = sent + chance.random() * 5 if chance.random() < 0.3 else None
        ones.append(one)
        if person and person not in owned:
            owned[person] = [
                Held(role, f"{'N' if role in PHONES else role}{chance.randrange(8)}", known)
                for role in OF_PERSON
                if chance.random() < 0.8
            ]
        elif person and chance.random() < 0.4:
            owned[person].append(Held("phone", f"N{chance.randrange(8)}", known))
    names = [one.name for one in ones]
    labels = ["CONFIRMED_FRAUD", "CONFIRMED_FRAUD", "CLEARED_BENIGN", "CREDIT_DEFAULT"]
    said = [
        Said(
            chance.choice(names), 400 + chance.random() * 120, chance.choice(labels), chance.choice(["E1", "E3", "E4"])
        )
        for _ in range(size)
    ]
    asked = []
    for _ in range(3 * size):
        happened = 390 + chance.random() * 120
        asked.append(
            Asked(f"P{chance.randrange(size)}", happened, happened + chance.choice([0.0, 1.0, 9.0]),
                  f"I{chance.randrange(3)}", f"C{chance.randrange(3)}", float(chance.randrange(9)))
        )  # fmt: skip
    unique = {(one.name, held.role, held.thing): held for one in ones for held in reversed(one.held)}
    for one in ones:
        one.held = [held for (name, *_), held in unique.items() if name == one.name]
    for person, things in owned.items():
        owned[person] = list({(held.role, held.thing): held for held in reversed(things)}.values())
    return World(ones, owned, said, asked)


# What should be said of it -------------------------------------------------------------------------------


class Pair(NamedTuple):
    one: One
    role: str
    thing: str
    told: int


class Oracle:
    """`row` numbers the applications as a snapshot does: by when they were known, then by id."""

    def __init__(self, world: World) -> None:
        self.world = world
        ids = {one.name: NodeRef("Application", one.name).id for one in world.ones}
        self.rows = sorted(world.ones, key=lambda one: (round(one.known * DAY), ids[one.name]))
        place = {one.name: at for at, one in enumerate(self.rows)}
        self.arrival = {one.name: (one.as_of, place[one.name]) for one in world.ones}
        self.pairs = [pair for one in self.rows for pair in self._pairs(one)]

    def _pairs(self, one: One) -> Iterator[Pair]:
        named: dict[tuple[str, str], float] = {}
        for held in [*one.held, *self.world.owned.get(one.person, ())]:
            key, known = (held.role, held.thing), max(held.known, one.known if held.role in OF_PERSON else held.known)
            named[key] = min(named.get(key, known), known)
        for (role, thing), known in named.items():
            yield Pair(one, role, thing, max(round(known * DAY), one.as_of))

    def person(self, one: One) -> str:
        return one.person or one.name

    def before(self, one: One) -> list[One]:
        return [other for other in self.rows if self.arrival[other.name] < self.arrival[one.name]]

    def own(self, one: One) -> list[Pair]:
        return [pair for pair in self.pairs if pair.one is one and pair.told <= one.as_of]

    def visible(self, one: One) -> list[Pair]:
        """What was told of others when this one's file arrives; what was known late by then, too."""
        earlier = {other.name for other in self.before(one)}
        return [pair for pair in self.pairs if pair.one.name in earlier and pair.told <= one.as_of]

    def age(self, one: One, other: One) -> float:
        return abs(one.as_of - round(other.sent * DAY)) / DAY

    def evidence(self, other: One, one: One) -> float:
        """Below 0 for cleared."""
        last, most = 0.0, 0.0
        rows = sorted(enumerate(self.world.said), key=lambda each: (round(each[1].known * DAY), each[0]))
        for _, said in rows:
            if said.name != other.name or round(said.known * DAY) > one.as_of:
                continue
            if said.label == "CONFIRMED_FRAUD":
                last = most = max(most, 1.0 if said.level in ("E1", "E2") else 0.5)
            elif said.label == "CLEARED_BENIGN":
                last = -1.0
        return last

    def seen(self, one: One) -> dict[str, float]:
        """Per role how many pairs of the most common thing were told before."""
        told = self.visible(one)
        order = ["phone", "work_phone", "contact", "device", "ip", "wifi", "address", "employer", "payer", "vehicle"]
        found: dict[str, float] = {}
        for mine in self.own(one):
            count = sum(pair.thing == mine.thing and _type(pair.role) == _type(mine.role) for pair in told)
            count += sum(
                pair.thing == mine.thing and _type(pair.role) == _type(mine.role)
                and order.index(pair.role) < order.index(mine.role)
                for pair in self.own(one)
            )  # fmt: skip
            found[mine.role] = max(found.get(mine.role, 0.0), float(count))
        return found

    def selves(self, one: One) -> set[str]:
        found = {self.person(one)}
        for other in self.before(one):
            if one.deal and other.deal == one.deal and self.age(one, other) <= 365:
                found.add(self.person(other))
        return found

    def linked(self, one: One) -> dict[str, tuple[One, set[str], bool]]:
        """Per linked person the latest application, the kinds shared, and whether they live together."""
        found: dict[str, tuple[One, set[str], bool]] = {}
        selves, told, count = self.selves(one), self.visible(one), self._count(one)
        for mine in self.own(one):
            home = mine.role == "address" and count[mine.role, mine.thing] <= HOME
            for pair in told:
                kind = shared(mine.role, pair.role)
                who = self.person(pair.one)
                if pair.thing != mine.thing or not kind or who in selves or self.age(one, pair.one) > WINDOW:
                    continue
                newest, kinds, kin = found.get(who, (pair.one, set(), False))
                newest = pair.one if pair.one.sent > newest.sent else newest
                found[who] = newest, kinds | {kind}, kin or home
        return found

    def _count(self, one: One) -> dict[tuple[str, str], int]:
        told = self.visible(one)
        return {
            (mine.role, mine.thing): sum(pair.thing == mine.thing and pair.role == mine.role for pair in told)
            for mine in self.own(one)
            if mine.role == "address"
        }

    def links(self, one: One) -> dict[str, float]:
        people = self.linked(one)
        found: dict[str, float] = {}
        for kind in ("phone", "work_phone", "contact", "other_phone", "device", "ip", "address", "payer", "vehicle"):
            for days in (30, 60, 90):
                found[f"{kind}_{days}d"] = sum(
                    kind in kinds and not kin and self.age(one, newest) <= days
                    for newest, kinds, kin in people.values()
                )
        latest = [newest for newest, _, _ in people.values()]
        evidence = [self.evidence(newest, one) for newest in latest]
        declined = [newest.declined for newest in latest if newest.declined is not None]
        found |= {
            "linked_people_120d": len(people),
            "linked_people_30d": sum(self.age(one, newest) <= 30 for newest in latest),
            "linked_people_two_kinds": sum(len(kinds) >= 2 for _, kinds, _ in people.values()),
            "linked_kin": sum(kin for _, _, kin in people.values()),
            "linked_fraud": sum(max(each, 0.0) for each in evidence),
            "linked_cleared": sum(each < 0 for each in evidence),
            "linked_declined": sum(round(each * DAY) <= one.as_of for each in declined),
            "linked_same_dealer": sum(newest.dealer == one.dealer != "" for newest in latest),
            "linked_dealers": len({newest.dealer for newest in latest} - {""}),
        }
        return found

    def history(self, one: One) -> dict[str, float]:
        mine = [other for other in self.before(one) if one.person and other.person == one.person]
        recent = [other for other in mine if self.age(one, other) <= 30]
        deal = [other for other in self.before(one) if one.deal and other.deal == one.deal]
        return {
            "own_applications_30d": len(recent),
            "own_applications_365d": sum(self.age(one, other) <= 365 for other in mine),
            "own_dealers_30d": sum(other.dealer != one.dealer for other in recent),
            "own_fraud": max([0.0, *(self.evidence(other, one) for other in [*mine, *deal])]),
            "own_deal": sum(self.age(one, other) <= 365 for other in deal),
        }  # fmt: skip

    def crowd(self, one: One, of: Callable[[One], str], name: str) -> dict[str, float]:
        if not of(one):
            return {f"{name}_{what}": float("nan") for what in ("volume_7d", "volume_30d", "fraud", "fraud_30d")}
        others = [other for other in self.before(one) if of(other) == of(one) and self.age(one, other) <= WINDOW]
        evidence = {other.name: max(self.evidence(other, one), 0.0) for other in others}
        return {
            f"{name}_volume_7d": sum(self.age(one, other) <= 7 for other in others),
            f"{name}_volume_30d": sum(self.age(one, other) <= 30 for other in others),
            f"{name}_fraud": sum(evidence.values()),
            f"{name}_fraud_30d": sum(evidence[other.name] for other in others if self.age(one, other) <= 30),
        }

    def bureau(self, one: One) -> dict[str, float]:
        told = [each for each in self.world.asked if each.person == one.person and round(each.known * DAY) <= one.as_of]
        ages = [((one.as_of - round(each.happened * DAY)) / DAY, each) for each in told]
        ages = [(age, each) for age, each in ages if age >= 0]
        found: dict[str, float] = {}
        for days in (7, 30, 90):
            found[f"inquiries_{days}d"] = sum(age <= days for age, _ in ages)
        found["inquired_amount_90d"] = sum(each.amount for age, each in ages if age <= 90)
        return found


def shared(mine: str, theirs: str) -> str:
    if mine == theirs:
        return mine
    return "other_phone" if mine in PHONES and theirs in PHONES else ""


def _type(role: str) -> str:
    return {**OF_APPLICATION, **OF_PERSON}[role][1]
