"""How a label is told: into the casebook with its audit row, then into the journal of the score service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import Connection

from gnn.dispositions import POSITIVE
from workbench import labelling
from workbench.casebook import audit, labels
from workbench.casebook.labels import FINAL, ON_PAPERS, Label
from workbench.services.office import Office
from workbench.services.permissions import Person

if TYPE_CHECKING:
    from workbench.services.feedback.rescoring import Rescored


class Rescoring(Protocol):
    """Finds rings anew after somebody decided something (`services/feedback/rescoring.py`)."""

    def after(self, who: Person, cause: str, applications: Sequence[str]) -> Rescored: ...


@dataclass(frozen=True)
class Verdict:
    """What somebody says of one or several applications. Without `occurred_at` it happened when it is told."""

    label: str
    typology: str = ""
    evidence_level: str = ""
    maturity: str = FINAL
    source: str = "review"
    note: str = ""
    occurred_at: datetime | None = None

    @property
    def needs_second(self) -> bool:
        return self.label == POSITIVE and self.evidence_level in ON_PAPERS and self.maturity == FINAL


@dataclass(frozen=True)
class Telling:
    """One act of telling: who, when, and what the audit log calls it."""

    who: Person
    action: str
    now: datetime

    def write(self, db: Connection, label: Label, key: str) -> labels.Added:
        """Once for each key. `db` is of `Casebook.writing`."""
        added = labels.add(db, label, request_key=key, now=self.now)
        if not added.again:
            detail = {
                "id": added.id, "label": label.label, "typology": label.typology, "evidence": label.evidence_level,
                "supersedes": label.supersedes, "second": label.second_author,
            }  # fmt: skip
            about = label.application_id
            audit.write(db, self.who, self.action, about, now=self.now, detail=detail, reason=label.note)
        return added


def tell(office: Office, ids: Sequence[int]) -> None:
    """To the desks of the score service, where there is one; the same again adds nothing."""
    labelling.tell(office.settings, office.casebook, ids, now=office.clock())
