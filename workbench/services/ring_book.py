"""The rings that stand at a time, all of them with little of each: now, or after the last run up to then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, func, select

from workbench.casebook import lineages
from workbench.casebook.case_tables import ring_updates
from workbench.casebook.tables import ring_states
from workbench.services.office import Office
from workbench.services.rings import standing as standing_now


@dataclass(frozen=True)
class Standing:
    """A ring with its members; money in RMB."""

    ring_id: str
    score: float
    exposure: float
    savable: float
    typology: str
    members: tuple[str, ...]


@dataclass(frozen=True)
class RingBook:
    """`stamp` is equal for equal content."""

    stamp: str
    rings: Mapping[str, Standing] = field(default_factory=dict)

    @property
    def members(self) -> dict[str, tuple[str, ...]]:
        return {name: one.members for name, one in self.rings.items()}


def standing(office: Office, as_of: datetime | None) -> RingBook:
    """`as_of` None: now, with the newest word of people on each ring."""
    with office.casebook.reading() as db:
        if as_of is not None:
            return _earlier(db, as_of)
        newest = db.execute(select(func.max(ring_updates.c.id))).scalar() or 0
        run = office.last_run()
        rings = {
            name: Standing(
                name, one["score"], one["exposure"], one["undisbursed"], one["typology"],
                tuple(one["application_ids"]),
            )
            for name, one in standing_now(office, db).items()
        }  # fmt: skip
    return RingBook(f"{run['as_of']} {run.get('overrides_as_of')} {newest}", rings)


def _earlier(db: Connection, as_of: datetime) -> RingBook:
    run = lineages.recorded(db, as_of=as_of)
    if run is None:
        return RingBook("none")
    members = {one.ring_id: one.members for one in lineages.known_after(db, run) if one.alive}
    states = db.execute(select(ring_states).where(ring_states.c.run_id == run.id).order_by(ring_states.c.rank))
    rings = {
        row.ring_id: Standing(
            row.ring_id, row.score, row.exposure, row.undisbursed, row.typology,
            tuple(sorted(members.get(row.ring_id, ()))),
        )
        for row in states
    }  # fmt: skip
    return RingBook(f"run {run.id}", rings)
