"""Rings as all screens see them: those of the last run, what was found anew since, and people's word on roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from graph.errors import NodeNotFound
from graph.records import NodeRef, to_millis
from workbench.casebook import audit, lineages, roles, updates
from workbench.casebook.roles import Played
from workbench.casebook.updates import LastRun, Update
from workbench.instance import written
from workbench.services.office import Office
from workbench.services.permissions import Act, Person

Told = dict[str, Any]


class Rings:
    """`standing` is what is true now; with `as_of` a ring is told as it stood then."""

    def __init__(self, office: Office) -> None:
        self.office = office

    def list(self, who: Person) -> Sequence[Told]:
        """All that stand now, the most suspicious first, as `rings.json` tells them; ranks are theirs of now."""
        who.require(Act.READ)
        with self.office.casebook.reading() as db:
            return ranked(standing(self.office, db).values())

    def ring(self, who: Person, ring_id: str, as_of: datetime | None = None) -> Told:
        """With `lineage`, `scheme_roles` (in `casebook/roles.py`'s words; `author` "" is a suggestion) and `updated`
        (None, or when, why and by whom it was found anew since the run).

        With `as_of` as it stood then, with what could be seen then. Raises NodeNotFound, which says what became of it.
        """
        who.require(Act.READ)
        ring_id = ring_id.upper()
        with self.office.casebook.reading() as db:
            told = self._now(db, ring_id) if as_of is None else self._then(db, ring_id, as_of)
            told["scheme_roles"] = self._played(db, told, as_of)
        return told

    def members(self, who: Person, ring_id: str, as_of: datetime | None = None) -> tuple[str, ...]:
        """Application numbers: now, or as the last run up to then put them together."""
        who.require(Act.READ)
        ring_id = ring_id.upper()
        with self.office.casebook.reading() as db:
            if as_of is None:
                return tuple(self._now(db, ring_id)["application_ids"])
            found = members_then(db, ring_id, as_of)
        if not found:
            raise NodeNotFound(f"{ring_id} was no ring then ({as_of:%Y-%m-%d})")
        return found

    def of_applications(self, who: Person) -> dict[str, str]:
        """Per application that stands in a ring now, the ring."""
        who.require(Act.READ)
        with self.office.casebook.reading() as db:
            return {
                name: ring["ring_id"] for ring in standing(self.office, db).values() for name in ring["application_ids"]
            }

    def assign_role(self, who: Person, ring_id: str, ref: NodeRef, role: str, *, reason: str = "") -> Told:
        """Says who plays which role; `roles.NONE` takes it away. The ring as it is told after that."""
        who.require(Act.WORK)
        ring_id, now = ring_id.upper(), self.office.clock()
        with self.office.casebook.writing() as db:
            self._now(db, ring_id)
            self._masked(ref)
            roles.say(db, ring_id, ref, role, reason=reason, author=who.name, now=now)
            audit.write(db, who, "ring.role", ring_id, now=now, detail={"type": ref.type, "role": role}, reason=reason)
        return self.ring(who, ring_id)

    # Now ---------------------------------------------------------------------------------------------------

    def _now(self, db: Connection, ring_id: str) -> Told:
        run = self.office.last_run()
        rings = standing(self.office, db)
        told = rings.get(ring_id)
        if told is None:
            raise NodeNotFound(self._ended(db, ring_id, run, corrections(self.office, db).get(ring_id)))
        place = next(at for at, each in enumerate(ranked(rings.values()), start=1) if each["ring_id"] == ring_id)
        past = lineages.history(db, ring_id, as_of=datetime.fromisoformat(run["as_of"]))
        return told | {
            "rank": place,
            "as_of": run["as_of"],
            "lineage": None if past is None else written(asdict(past)),
        }

    def _ended(self, db: Connection, ring_id: str, run: Mapping[str, Any], update: Update | None) -> str:
        if run["as_of"] is None:
            return "no rings yet; run `ringroad rings` first"
        if update is not None:
            return f"{ring_id} fell apart on {update.at:%Y-%m-%d %H:%M} UTC because of {update.cause}"
        past = lineages.history(db, ring_id, as_of=datetime.fromisoformat(run["as_of"]))
        if past is None:
            return f"there was never a ring {ring_id}"
        if past.status == "alive":
            return f"{ring_id} is not among the rings that the last run lists"
        into = f"merged into {past.merged_into}" if past.merged_into else "ended"
        return f"{ring_id} {into} as of {past.events[-1].as_of:%Y-%m-%d}"

    # Then --------------------------------------------------------------------------------------------------

    def _then(self, db: Connection, ring_id: str, as_of: datetime) -> Told:
        """From the casebook what the run of then said, from the graph what its members shared by then."""
        past = lineages.history(db, ring_id, as_of=as_of)
        names = members_then(db, ring_id, as_of)
        if past is None or past.status != "alive" or not names or not past.states:
            raise NodeNotFound(f"{ring_id} was no ring then ({as_of:%Y-%m-%d})")
        state = written(asdict(past.states[-1]))
        from graph.described import described  # noqa: PLC0415 - numba takes long to import

        seen = described(self.office.snapshot(), names, as_of=to_millis(as_of))
        return {
            **seen,
            **{name: state[name] for name in ("rank", "score", "exposure", "undisbursed", "typology", "because")},
            "ring_id": ring_id, "application_ids": list(names), "size": len(names), "as_of": as_of.isoformat(),
            "run_as_of": state["as_of"], "updated": None, "lineage": written(asdict(past)),
        }  # fmt: skip

    # Roles -------------------------------------------------------------------------------------------------

    def _played(self, db: Connection, told: Told, at: datetime | None) -> Sequence[Told]:
        people = roles.said(db, told["ring_id"], at=at)
        names = {(one["type"], one["key"]): one["masked"] for one in told["shared"]}
        return [self._shown(each, names) for each in roles.together(roles.suggested(told["roles"]), people)]

    def _shown(self, played: Played, names: Mapping[tuple[str, str], str]) -> Told:
        ref = played.ref
        known = names.get((ref.type, ref.key))
        return {
            "role": played.role, "type": ref.type, "key": ref.key, "who": known or self._masked(ref),
            "because": played.because, "author": played.author,
            "at": None if played.at is None else played.at.isoformat(),
        }  # fmt: skip

    def _masked(self, ref: NodeRef) -> str:
        """What a screen shows of a node; raises NodeNotFound."""
        snapshot = self.office.snapshot()
        table, at = snapshot.nodes[ref.type].table, snapshot.index(ref)
        return str(table["masked"][at].as_py() or ref.key)


# What stands ---------------------------------------------------------------------------------------------


def last_run(office: Office, db: Connection) -> LastRun | None:
    """None where no run was made."""
    run = office.last_run()
    if run["as_of"] is None:
        return None
    as_of, opinions = run["as_of"], run.get("overrides_as_of", run["as_of"])
    return updates.last_run(db, as_of=datetime.fromisoformat(as_of), opinions_as_of=datetime.fromisoformat(opinions))


def standing(office: Office, db: Connection) -> dict[str, Told]:
    """By name the rings of the last run with what was found anew since; those that fell apart are not among them."""
    rings: dict[str, Told] = {
        each["ring_id"]: {"signs": [], "doubts": [], "roles": []} | dict(each) | {"updated": None}
        for each in office.last_run()["rings"]
    }
    for ring_id, update in corrections(office, db).items():
        if update.gone:
            rings.pop(ring_id, None)
        elif ring_id in rings or update.content.get("born"):
            why = {"at": update.at.isoformat(), "cause": update.cause, "author": update.author}
            rings[ring_id] = dict(update.content) | {"ring_id": ring_id, "updated": why}
    return rings


def ranked(rings: Any) -> list[Told]:
    order = sorted(rings, key=lambda ring: (-ring["score"], ring["ring_id"]))
    return [ring | {"rank": rank} for rank, ring in enumerate(order, start=1)]


def members_then(db: Connection, ring_id: str, as_of: datetime) -> tuple[str, ...]:
    run = lineages.recorded(db, as_of=as_of)
    return () if run is None else tuple(sorted(lineages.members_after(db, ring_id, run)))


def corrections(office: Office, db: Connection) -> dict[str, Update]:
    run = last_run(office, db)
    return {} if run is None else updates.standing(db, run)
