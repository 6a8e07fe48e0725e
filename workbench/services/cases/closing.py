"""Closing a case: with an outcome, a reason, and a checklist of which nothing was forgotten."""

from __future__ import annotations

from collections.abc import Mapping

from graph.errors import InputError
from workbench.casebook.casefile import NOT_DONE, OPEN
from workbench.casebook.cases import OUTCOMES
from workbench.services.cases.case_acts import Done
from workbench.services.cases.casefile import Casefiles
from workbench.services.cases.cases import Cases
from workbench.services.cases.checklists import Standing, missing
from workbench.services.permissions import Person


class Closing:
    def __init__(self, casefiles: Casefiles, cases: Cases) -> None:
        self.casefiles, self.cases = casefiles, cases

    def missing(self, who: Person, number: int, outcome: str) -> tuple[Standing, ...]:
        """What is still open of what this outcome needs."""
        if outcome not in OUTCOMES:
            raise InputError(f"outcome {outcome[:24]!r} is none; it takes one of {', '.join(OUTCOMES)}")
        return missing(self.casefiles.file(who, number).checklist, outcome)

    def close(
        self, who: Person, number: int, *, outcome: str, reason: str, instead: Mapping[str, str], seen: int
    ) -> Done:
        """`instead` says per item that is open why it is not done. Raises InputError while one is neither.

        What is said instead stands on record even where somebody else was faster and the case is not closed.
        """
        open_ = self.missing(who, number, outcome)
        silent = [each for each in open_ if not instead.get(each.item.key, "").strip()]
        if silent:
            raise InputError(f"{len(silent)} items of the checklist are neither done nor explained; say why for each")
        if not reason.strip():
            raise InputError("reason is empty; state it")
        for each in open_:
            self.casefiles.tick(who, number, each.item.key, NOT_DONE, before=OPEN, because=instead[each.item.key])
        return self.cases.close(who, {number: seen}, outcome, reason, checked={number})
