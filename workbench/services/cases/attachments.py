"""Files on cases: judged before they are kept, and given only to who works on the case."""

from __future__ import annotations

from graph.errors import NotAllowed
from workbench.casebook import attached, audit, cases
from workbench.casebook.attached import Attached
from workbench.casebook.words import remark, stated
from workbench.services.cases.case_reach import may_work, others, working
from workbench.services.cases.filetypes import judged
from workbench.services.office import Office
from workbench.services.permissions import Act, Person

LONGEST_REASON = 500


class Attachments:
    def __init__(self, office: Office) -> None:
        self.office = office

    def attach(self, who: Person, number: int, name: str, content: bytes) -> Attached:
        who.require(Act.WORK)
        kept, media_type = judged(name, content)
        now = self.office.clock()
        with self.office.casebook.writing() as db:
            case = working(db, who, number)
            one = attached.attach(db, number, kept, media_type, content, author=who.name, now=now)
            detail = {"file": one.id, "sha256": one.sha256, "size": one.size}
            audit.write(db, who, "case.attached", case.name, now=now, detail=detail)
        return one

    def download(self, who: Person, file: int) -> tuple[Attached, bytes]:
        """A file shows what nobody masked: only who may work on its case gets it, and it is on record before."""
        who.require(Act.WORK)
        now = self.office.clock()
        with self.office.casebook.writing() as db:
            one = attached.get(db, file)
            case = cases.get(db, one.case_id)
            if not may_work(who, case):
                raise NotAllowed(others(case))
            content = attached.content(db, file)
            detail = {"file": one.id, "sha256": one.sha256}
            audit.write(db, who, "case.downloaded", case.name, now=now, detail=detail)
        return one, content

    def remove(self, who: Person, file: int, because: str) -> Attached:
        """By who attached it, or by who may work on any case. Its row stays, with its SHA-256."""
        kept = remark("the reason", stated("the reason", because, LONGEST_REASON), LONGEST_REASON)
        now = self.office.clock()
        with self.office.casebook.writing() as db:
            one = attached.get(db, file)
            case = working(db, who, one.case_id)
            if one.author != who.name and not who.may(Act.WORK_ANY):
                raise NotAllowed(f"{one.author} attached this file; ask them, or a senior investigator, to remove it")
            gone = attached.remove(db, file, author=who.name, because=kept, now=now)
            detail = {"file": one.id, "sha256": one.sha256}
            audit.write(db, who, "case.removed", case.name, now=now, detail=detail, reason=kept)
        return gone
