"""Packs of evidence: one file for one recipient, on record with its hash before anybody has it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from graph.errors import InputError, NodeNotFound, NotAllowed
from graph.ontology import NODES
from graph.records import NodeRef
from workbench.casebook import audit, casefile, cases
from workbench.casebook.cases import Case
from workbench.instance import keyring
from workbench.services.access.reveal import Reveals, stated_reason
from workbench.services.canvas.graph_reading import Reader
from workbench.services.canvas.graph_shapes import Picture
from workbench.services.canvas.investigate import Investigate
from workbench.services.cases.case_reach import may_work, others
from workbench.services.cases.casefile import Casefiles, File
from workbench.services.evidence.pack_facts import Asking, Facts, Member, Thing, things, trail, with_casebook
from workbench.services.evidence.pack_request import DEALER, MOST_DRAWN, Places, Wanted, checked
from workbench.services.evidence.pack_seal import Signer
from workbench.services.office import Office
from workbench.services.permissions import Act, Person
from workbench.services.subject import Subject

EXPORTED = "exported"


@dataclass(frozen=True)
class Making:
    """Of a pack: when, by whom, and what signs it."""

    at: datetime
    by: Person
    signer: Signer


@dataclass(frozen=True)
class Pack:
    name: str
    content: bytes
    sha256: str


Write = Callable[[Facts, Wanted, Making], bytes]
"""Puts facts into words: a screen's work, since it knows the languages."""


class Evidence:
    def __init__(self, office: Office, casefiles: Casefiles, investigate: Investigate, reveals: Reveals) -> None:
        self.office, self.casefiles, self.investigate, self.reveals = office, casefiles, investigate, reveals

    def pack(self, who: Person, number: int, wanted: Wanted, *, languages: Mapping[str, str], write: Write) -> Pack:
        """The bytes leave only when the log says to whom, with which hash, and what was revealed in them."""
        self._require(who, number)
        wanted, now = checked(wanted, languages=languages), self.office.clock()
        if wanted.reveals:
            who.require(Act.REVEAL)
            wanted = replace(
                wanted, reveals=tuple(replace(one, reason=stated_reason(one.reason)) for one in wanted.reveals)
            )
        facts = self.facts(who, number, wanted)
        facts = replace(facts, **self._revealed(who, facts, wanted))
        content = write(facts, wanted, Making(now, who, Signer(keyring(self.office.settings))))
        digest = hashlib.sha256(content).hexdigest()
        self._recorded(who, facts.case, wanted, digest, now)
        day = f"{now:%Y%m%d}"
        return Pack(f"{facts.case.name}-{wanted.recipient}-{day}.html", content, digest)

    def facts(self, who: Person, number: int, wanted: Wanted) -> Facts:
        """What may stand in the pack, as of the time that was asked for; for a dealer nothing of anybody else."""
        file = self.casefiles.file(who, number)
        picture, as_of, ring = self._seen(who, file, wanted)
        asking = Asking(Reader(self.office.store, as_of))
        names = list(ring["application_ids"]) if ring else list(file.applications)
        if ring:
            asking.note("ring", len(names) + len(ring["shared"]))
        members = asking.members(names)
        asking.note("nodes of the drawing", len(picture.nodes))
        asking.note("links of the drawing", len(picture.ties))
        with self.office.casebook.reading() as db:
            told = with_casebook(db, members)
            rows, anchor = trail(db, file.case)
        asking.note("scores", sum(each.score is not None for each in told))
        asking.note("labels", sum(len(each.said) for each in told))
        states = {ref.key: state for ref, state in file.marks.labels.items()}
        facts = Facts(
            file.case, as_of, ring, told, things(ring, told), picture, file.entries, file.files, rows, anchor,
            tuple(asking.asked), file.checklist, file.people, states,
        )  # fmt: skip
        return facts if wanted.recipient != DEALER else self._of_dealer(facts, wanted.dealer)

    def dealers(self, who: Person, number: int) -> list[str]:
        """Those whose applications are in the case: for each there can be a pack."""
        file = self.casefiles.file(who, number)
        members = Asking(Reader(self.office.store, file.now)).members(list(file.applications))
        return sorted({each.dealer for each in members if each.dealer})

    def revealable(self, who: Person, number: int) -> list[tuple[NodeRef, str]]:
        """What of the case is masked and can be revealed to police: (thing, as masked), applicants first."""
        who.require(Act.REVEAL)
        file = self.casefiles.file(who, number)
        members = Asking(Reader(self.office.store, file.now)).members(list(file.applications))
        return list(_masked(members, things(file.ring, members)).items())

    # Inside ------------------------------------------------------------------------------------------------

    def _require(self, who: Person, number: int) -> None:
        who.require(Act.EXPORT)
        with self.office.casebook.reading() as db:
            case = cases.get(db, number)
        if not may_work(who, case):
            raise NotAllowed(others(case))

    def _seen(self, who: Person, file: File, wanted: Wanted) -> tuple[Picture, datetime, Mapping[str, Any] | None]:
        """What stood on the screen, or what the screen opens with; of a ring that ended, as it was found last."""
        subject, also = Subject(file.case.kind, file.case.subject), list(wanted.places)
        try:
            opened = self.investigate.open_subject(who, subject, as_of=wanted.as_of, cap=MOST_DRAWN, also=also)
        except NodeNotFound:
            if file.ring is None or wanted.as_of is not None:
                raise
            last = datetime.fromisoformat(file.ring["as_of"])
            opened = self.investigate.open_subject(who, subject, as_of=last, cap=MOST_DRAWN, also=also)
        picture = _only(opened.picture, wanted.places) if wanted.places else opened.picture
        return picture, opened.as_of, opened.ring

    def _of_dealer(self, facts: Facts, dealer: str) -> Facts:
        own = facts.of_dealer(dealer)
        if not own.members:
            raise InputError(f"{facts.case.name} has no application of dealer {dealer[:40]!r}; choose one of its own")
        return own

    def _revealed(self, who: Person, facts: Facts, wanted: Wanted) -> dict[str, Any]:
        """Each by the service for reveals: on record before the vault is asked."""
        masked = _masked(facts.members, facts.things)
        if unknown := [each for each in wanted.reveals if each.ref not in masked]:
            raise InputError(f"{len(unknown)} of what is to be revealed is not part of the case; choose from its list")
        clear = {
            each.ref: self.reveals.reveal(who, each.ref.type, each.ref.key, f"{facts.case.name}: {each.reason}")
            for each in wanted.reveals
        }
        return {
            "things": tuple(replace(each, clear=clear.get(each.ref, "")) for each in facts.things),
            "members": tuple(
                replace(each, clear=clear.get(each.person, "") if each.person else "") for each in facts.members
            ),
        }

    def _recorded(self, who: Person, case: Case, wanted: Wanted, digest: str, now: datetime) -> None:
        detail = {
            "recipient": wanted.recipient, "dealer": wanted.dealer, "reference": wanted.reference, "sha256": digest,
            "sections": list(wanted.sections), "language": wanted.language, "revealed": len(wanted.reveals),
        }  # fmt: skip
        with self.office.casebook.writing() as db:
            audit.write(db, who, "evidence.exported", case.name, now=now, detail=detail, reason=wanted.reason)
            told = {name: detail[name] for name in ("recipient", "dealer", "sha256", "revealed")}
            casefile.enter(db, case.id, EXPORTED, author=who.name, now=now, content=told)


def _only(picture: Picture, kept: Places) -> Picture:
    """What stood on the screen, and nothing else."""
    nodes = [each for each in picture.nodes if each.ref in kept]
    return Picture(nodes, [each for each in picture.ties if each.source in kept and each.target in kept])


def _masked(members: Iterable[Member], shared: Iterable[Thing]) -> dict[NodeRef, str]:
    """What has an identifier behind its mask."""
    found = {each.person: each.applicant for each in members if each.person is not None}
    found |= {each.ref: each.masked for each in shared}
    return {ref: masked for ref, masked in found.items() if NODES[ref.type].kind is not None}
