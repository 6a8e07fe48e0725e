"""What a case that somebody opens by hand stands on: a ring as it is now, or a single application."""

from __future__ import annotations

from graph.errors import NodeNotFound
from graph.records import NodeRef, to_millis
from workbench import casing
from workbench.casebook import scores
from workbench.casebook.cases import RING, Finding
from workbench.casebook.scores import BATCH, PASS, Score
from workbench.services.office import Office
from workbench.services.rings import standing
from workbench.services.subject import Subject
from workbench.stakes import Stake, Stakes


def finding(office: Office, subject: Subject) -> Finding:
    """Raises NodeNotFound for what is neither a ring that stands nor a known application."""
    return _ring(office, subject.name) if subject.kind == RING else _application(office, subject.name)


def _ring(office: Office, name: str) -> Finding:
    with office.casebook.reading() as db:
        told = standing(office, db).get(name)
    if told is None:
        raise NodeNotFound(f"{name} is no ring that stands now; the queue has those that do")
    stake = _stake(office, tuple(told["application_ids"]))
    relations = tuple(dict.fromkeys(each["relation"] for each in told["shared"]))
    return Finding(
        kind=RING, subject=name, score=told["score"], size=told["size"], exposure=told["exposure"],
        savable=told["undisbursed"], typology=told["typology"], because=told["because"],
        reasons=relations[: casing.MOST_REASONS], dealer=stake.dealer, region=stake.region,
        first_seen=stake.first_seen, last_seen=stake.last_seen, pays_out_at=stake.pays_out_at,
    )  # fmt: skip


def _application(office: Office, name: str) -> Finding:
    stake, now = _stake(office, (name,)), office.clock()
    with office.casebook.reading() as db:
        score = scores.newest(db, [name]).get(name)
    return casing.of_application(score or Score(name, now, 0.0, PASS, (), "", "", BATCH, now), stake)


def _stake(office: Office, names: tuple[str, ...]) -> Stake:
    snapshot = office.snapshot()
    snapshot.index(NodeRef("Application", names[0]))
    newest = int(snapshot.nodes["Application"].known_at.max())
    stake = Stakes(snapshot, names, as_of=min(newest, to_millis(office.clock()))).of(names)
    if stake is None:
        raise NodeNotFound(f"no application {names[0]} was known then")
    return stake
