"""One identifier in the clear, for one person, with a reason: on record before the vault is asked."""

from __future__ import annotations

import re
from datetime import timedelta

from graph.errors import InputError, NotAllowed
from graph.ontology import NODES
from workbench.casebook import audit
from workbench.casebook.audit import Asked
from workbench.casebook.words import remark
from workbench.services.office import Office
from workbench.services.permissions import Act, Person

AN_HOUR, MOST_AN_HOUR = timedelta(hours=1), 30
FEWEST_WORDS = 3
TOKEN = re.compile("[0-9a-f]{32}")
WORD, HAN = re.compile(r"[^\W\d_]{2,}"), re.compile("[\u4e00-\u9fff]")
ACTION = "reveal"


class TooManyReveals(NotAllowed):
    """Nobody needs so many by hand; whoever collects them is stopped, and on record."""

    status = 429


class Reveals:
    def __init__(self, office: Office) -> None:
        self._office = office

    def reveal(self, who: Person, type: str, key: str, reason: str) -> str:  # noqa: A002 - the ontology's own word
        """The identifier. Without its entry in the log there is none: when that cannot be written, nothing is read.

        Raises NotAllowed, InputError for a reason that says nothing, TooManyReveals, NotInVault.
        """
        who.require(Act.REVEAL)
        kind = NODES[type].kind if type in NODES else None
        if kind is None or not TOKEN.fullmatch(key):
            raise InputError("there is nothing masked here to show")
        because = stated_reason(reason)
        now = self._office.clock()
        with self._office.casebook.writing() as db:
            lately = Asked(actor=who.name, action=ACTION, since=now - AN_HOUR, exactly=True)
            if audit.count(db, lately) >= MOST_AN_HOUR:
                raise TooManyReveals(f"you have seen {MOST_AN_HOUR} identifiers within an hour; wait, or ask a manager")
            audit.write(db, who, ACTION, f"{type}~{key}", now=now, reason=because)
        return self._office.vault.reveal(kind, key)


def stated_reason(reason: str) -> str:
    """Whoever reads the log next year was not there: at least a few words."""
    line = remark("reason", reason, 500)
    number = len(HAN.findall(line)) // 2 + len(WORD.findall(HAN.sub(" ", line)))
    if number < FEWEST_WORDS:
        raise InputError("say in a few words why you need to see it")
    return line
