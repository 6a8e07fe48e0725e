"""One application, or what became of it, as facts under tokens: the meaning of the columnar path, in plain Python.

Nothing is written here. What is told goes to a journal first; once it is on disk there, `Teller.heard` remembers it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping, MutableMapping
from typing import Any, Final

from graph.errors import InputError
from graph.vault import Vault
from loaders.live.reasons import remedy
from loaders.live.sections import LATER, SECTIONS, row_of, rows_of
from loaders.live.telling import At, Telling
from loaders.live.told import Finding, Reference, Told, ToldEdge, ToldNode, batch_of_told, keep

__all__ = [
    "SECTIONS",
    "Finding",
    "Reference",
    "Refused",
    "Teller",
    "Told",
    "ToldEdge",
    "ToldNode",
    "batch_of_told",
    "keep",
    "remedy",
]

REMEMBERED: Final = 500_000
"""Tokens a process knows to be sealed already: 60 MB."""


class Refused(InputError):
    """The application or its applicant cannot be told; `finding` says which field and why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(f"{finding.field}: {remedy(finding.reason).en}")
        self.finding = finding


class Teller:
    """One process's: tokens of its vault, and what it knows to be on disk. Not safe for threads.

    `overlay` maps (kind, token) of the lender's own numbers to the keys they stand for, where the journal says so and
    the vault does not yet; the first meaning recorded wins.
    """

    def __init__(
        self,
        vault: Vault,
        overlay: MutableMapping[At, str] | None = None,
        *,
        remembered: int = REMEMBERED,
    ) -> None:
        self._vault, self._remembered = vault, remembered
        self.overlay: MutableMapping[At, str] = {} if overlay is None else overlay
        self._sealed: OrderedDict[str, None] = OrderedDict()
        self._met: OrderedDict[At, str] = OrderedDict()

    def tell(self, application: Mapping[str, Any], *, now: int) -> Told:
        """An application as a decision engine sends it (`sections.py`). Raises InputError, in particular `Refused`,
        where there is nothing to tell of; any other bad value or row is left out and found."""
        rows = rows_of(application)
        telling = Telling(self._vault, self._meanings, self._sealed, now=now)
        head = next(row for row in rows if row.table == "applications")
        telling.known = telling.stated(head)
        for row in rows:
            if not telling.row(row) and row.path in ("", "applicant"):
                raise Refused(telling.refusal())
        return telling.told(str(telling.application))

    def tell_event(self, kind: str, event: Mapping[str, Any], *, application_id: str, now: int) -> Told:
        """What became of an application that was told before. Raises `Refused` where its row cannot stand."""
        telling = Telling(self._vault, self._meanings, self._sealed, now=now)
        if not telling.row(row_of(kind, event, application_id), partial=kind in LATER):
            raise Refused(telling.refusal())
        return telling.told(application_id)

    def heard(self, told: Told) -> None:
        """It is on disk, whoever told it: its values need no seal again, and its numbers have their meaning."""
        for kind, values in told.sealed.items():
            for token in values:
                self._sealed[kind + token] = None
                self._sealed.move_to_end(kind + token)
        for reference in told.references:
            self.overlay.setdefault((reference.kind, reference.token), reference.key)
        while len(self.overlay) > self._remembered:  # the oldest are in the vault by now
            del self.overlay[next(iter(self.overlay))]
        _bound(self._sealed, self._remembered)

    def _meanings(self, asked: Collection[At]) -> Mapping[At, str]:
        """The keys that the lender's numbers stand for, of those that have one. What the vault says once, it says for
        good; what it does not say, it may say the next time."""
        meant = {at: key for at in asked if (key := self.overlay.get(at) or self._met.get(at))}
        found = self._vault.meanings([at for at in asked if at not in meant])
        if found:
            self._met.update(found)
            _bound(self._met, self._remembered)
        return meant | found


def _bound(remembered: OrderedDict[Any, Any], most: int) -> None:
    while len(remembered) > most:
        remembered.popitem(last=False)
