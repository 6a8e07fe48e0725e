"""What there is to say about chosen groups, looked up for all of them at once."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from graph.candidates import Groups
from graph.incidence import Incidence
from graph.lookalikes import LOOK_ALIKES
from graph.ontology import EDGES, NODES
from graph.projection import Projection
from graph.records import CHINA, DAY, Ints, from_millis
from graph.roles import Role, Staff, roles
from graph.sentences import Shared, because, odd, typology
from graph.signs import SIGNS, Signs
from graph.snapshot import Nodes, Snapshot

CLOSED = ("decline", "cancel")
OVERPRICED = [sign.name for sign in SIGNS].index("over_market")


class Drafts:
    """`groups` of parties, none in two of them; applications of the window only."""

    def __init__(
        self,
        snapshot: Snapshot,
        projection: Projection,
        signs: Signs,
        groups: Groups,
        as_of: int,
        *,
        handled: Mapping[str, Ints] | None = None,
    ) -> None:
        """`handled`: how many applications of the window each salesperson and reviewer of an excerpt has in all."""
        applications = snapshot.nodes["Application"]
        self._snapshot, self._projection, self._signs, self._as_of = snapshot, projection, signs, as_of
        self._amount = np.nan_to_num(applications.numbers("amount"))
        decided = applications.times("decided_at", as_of=as_of) > 0
        self._closed = applications.table["decision"].to_pandas().isin(CLOSED).to_numpy() & decided
        self._funded = applications.times("funded_at", as_of=as_of) > 0
        self._group = np.full(len(applications), -1, dtype=np.int64)
        of_party = np.full(projection.size, -1, dtype=np.int64)
        of_party[groups.member] = groups.number
        self._group[projection.window] = of_party[projection.party[projection.window]]
        self._members = self._split(len(groups))
        at = np.flatnonzero(self._group >= 0)
        self._name = dict(zip(at.tolist(), applications.table["key"].take(pa.array(at)).to_pylist(), strict=True))
        self._shared: list[list[Shared]] = [[] for _ in range(len(groups))]
        for name in sorted(projection.carriers):
            self._add_shared(snapshot.nodes[name], projection.carriers[name])
        self._own_phone = self._phones()
        self._staff = [self._handled(type_, relation, (handled or {}).get(type_)) for type_, relation in STAFF]

    def _split(self, groups: int) -> list[Ints]:
        inside = np.flatnonzero(self._group >= 0)
        order = inside[np.argsort(self._group[inside], kind="stable")]
        return np.split(order, np.searchsorted(self._group[order], np.arange(1, groups))) if groups else []

    def draft(self, number: int, score: float, looks_like: npt.NDArray[np.bool_]) -> dict[str, Any]:
        """The fields of a `Ring` but its rank."""
        members = self._members[number]
        shared = sorted(
            self._shared[number],
            key=lambda one: (-one.people * EDGES[one.relation].weight, one.type, one.masked, one.holders),
        )
        submitted = np.sort(self._projection.submitted[members])
        open_ = members[~self._closed[members]]
        people = len(np.unique(self._projection.party[members]))
        days = int((submitted[-1] - submitted[0]) // DAY) + 1
        dealer = Counter(each for each in self._projection.dealer[members].tolist() if each >= 0)
        played = self._roles(number, shared, people)
        overpriced = float(self._signs.shown[members, OVERPRICED].mean())
        insider = any(one.role == "insider" for one in played)
        return {
            "ring_id": self._ring_id(members),
            "score": score,
            "application_ids": tuple(self._names(members)),
            "first_seen": _day(submitted[0]),
            "last_seen": _day(submitted[-1]),
            "exposure": round(float(self._amount[open_].sum()), 2),
            "undisbursed": round(float(self._amount[open_[~self._funded[open_]]].sum()), 2),
            "typology": typology(shared, people, overpriced=overpriced, insider=insider),
            "because": because(shared, len(members), people, days, dealer),
            "shared": tuple(shared),
            "signs": odd(self._signs.of(members), len(members)),
            "doubts": tuple(each.words for each, holds in zip(LOOK_ALIKES, looks_like, strict=True) if holds),
            "roles": played,
        }

    def _names(self, members: Ints) -> list[str]:
        return [self._name[at] for at in members.tolist()]

    def _ring_id(self, members: Ints) -> str:
        """Named after the earliest application, so that a growing ring keeps its name."""
        earliest = min(zip(self._projection.submitted[members].tolist(), self._names(members), strict=True))[1]
        return "R" + hashlib.blake2b(earliest.encode(), digest_size=5).hexdigest().upper()

    def _add_shared(self, nodes: Nodes, held: Incidence) -> None:
        """Things of one type that two or more people of a group hold."""
        held = held.only(self._group[held.application] >= 0)
        pair = self._group[held.application] * len(nodes) + held.entity
        order = np.lexsort((held.application, pair))
        pair, application, relation = pair[order], held.application[order], held.relation[order]
        of_people = np.unique(np.stack([pair, self._projection.party[application]], axis=1), axis=0)[:, 0]
        shared, people = np.unique(of_people, return_counts=True)
        enough = (people >= 2) & (people <= NODES[held.type].hub_above)
        shared, people = shared[enough], people[enough]
        things = nodes.table.select(["key", "masked"]).take(pa.array(shared % max(len(nodes), 1))).to_pylist()
        begin, end = (np.searchsorted(pair, shared, side=side) for side in ("left", "right"))
        for number, count, thing, *at in zip(
            (shared // max(len(nodes), 1)).tolist(), people.tolist(), things, begin.tolist(), end.tolist(), strict=True
        ):
            rows = slice(*at)
            name = held.relations[int(np.bincount(relation[rows]).argmax())]
            key, masked = thing["key"], thing["masked"] or thing["key"]
            self._shared[number].append(
                Shared(held.type, name, key, masked, tuple(self._names(application[rows])), count)
            )

    def _phones(self) -> dict[str, list[tuple[int, str]]]:
        """Per phone key the members whose own it is, with their group."""
        held = self._projection.carriers.get("Phone")
        if held is None or "HAS_PHONE" not in held.relations:
            return {}
        own = held.only((self._group[held.application] >= 0) & (held.relation == held.relations.index("HAS_PHONE")))
        keys = self._snapshot.nodes["Phone"].table["key"].take(pa.array(own.entity)).to_pylist()
        owners: dict[str, list[tuple[int, str]]] = {}
        for key, application in zip(keys, own.application.tolist(), strict=True):
            owners.setdefault(key, []).append((int(self._group[application]), self._name[application]))
        return owners

    def _handled(self, type_: str, relation: str, every: Ints | None) -> dict[int, list[Staff]]:
        """Per group the people of the lender or the dealer who handled its applications."""
        rows = self._snapshot.columns(relation, as_of=self._as_of)
        nodes = self._snapshot.nodes[type_]
        if every is None:
            in_window = np.zeros(self._projection.size, dtype=bool)
            in_window[self._projection.window] = True
            every = np.bincount(rows["target"][in_window[rows["source"]]], minlength=len(nodes))
        mine = self._group[rows["source"]] >= 0
        source, target = rows["source"][mine], rows["target"][mine]
        override = self._snapshot.nodes["Application"].table["override_flag"].fill_null(False)
        overrode = override.take(pa.array(source)).to_numpy(zero_copy_only=False).astype(np.int64)
        pair, place, count = np.unique(
            np.stack([self._group[source], target]), axis=1, return_inverse=True, return_counts=True
        )
        overrides = np.bincount(place.ravel(), weights=overrode, minlength=pair.shape[1])
        keys = nodes.table["key"].take(pa.array(pair[1])).to_pylist()
        staff: dict[int, list[Staff]] = {}
        for group, one, key, number, over in zip(
            pair[0].tolist(), pair[1].tolist(), keys, count.tolist(), overrides.tolist(), strict=True
        ):
            staff.setdefault(group, []).append(Staff(type_, key, number, int(every[one]), int(over)))
        return staff

    def _roles(self, number: int, shared: list[Shared], people: int) -> tuple[Role, ...]:
        phones = {one.key for one in shared if one.type == "Phone"}
        own = {key: [name for group, name in self._own_phone.get(key, ()) if group == number] for key in phones}
        return roles(shared, own, [one for staff in self._staff for one in staff.get(number, ())], people)


STAFF = (("Salesperson", "HANDLED_BY"), ("Reviewer", "REVIEWED_BY"))


def _day(millis: int) -> str:
    return from_millis(int(millis) + CHINA).strftime("%Y-%m-%d")
