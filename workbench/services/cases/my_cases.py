"""What waits for somebody: his cases, and notes that name him."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from workbench.casebook import cases, mentions
from workbench.casebook.cases import Case
from workbench.casebook.mentions import Mention
from workbench.services.cases.case_reach import names_of
from workbench.services.office import Office
from workbench.services.permissions import Act, Person

MOST_MENTIONS = 50
MOST_WORKED = 20


@dataclass(frozen=True)
class Mine:
    """What waits for somebody. `worked` are cases of others and closed ones that he left something on lately."""

    assigned: tuple[Case, ...]
    worked: tuple[Case, ...]
    mentions: tuple[Mention, ...]
    of_mentions: Mapping[int, Case]
    unread: int
    people: Mapping[str, str]
    now: datetime


class MyCases:
    def __init__(self, office: Office) -> None:
        self.office = office

    def mine(self, who: Person) -> Mine:
        """What is assigned (the nearest deadline first), where he is named, and what he worked on lately."""
        who.require(Act.READ)
        with self.office.casebook.reading() as db:
            assigned = mentions.assigned(db, who.name)
            named = mentions.mentions(db, who.name, limit=MOST_MENTIONS)
            lately = mentions.worked(db, who.name, limit=MOST_WORKED)
            found = cases.some(db, {each.entry.case_id for each in named} | set(assigned) | set(lately))
            own = tuple(found[number] for number in assigned)
            others = tuple(found[number] for number in lately if number not in set(assigned))
            unread, shown = mentions.unread(db, who.name), names_of(db)
        return Mine(own, others, tuple(named), found, unread, shown, self.office.clock())

    def unread(self, who: Person) -> int:
        with self.office.casebook.reading() as db:
            return mentions.unread(db, who.name)

    def read(self, who: Person, number: int) -> int:
        """All that named him on a case is read now; how many notes that were."""
        with self.office.casebook.reading() as db:
            if not mentions.unread(db, who.name):
                return 0
        with self.office.casebook.writing() as db:
            return mentions.read(db, who.name, number, now=self.office.clock())
