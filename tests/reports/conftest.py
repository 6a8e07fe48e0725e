"""Homes to report on: one in which people worked for a month, one where nothing but facts is, one with one application.

The month is June 2025, when the portfolio ends: rings were looked for five times, everybody was scored, cases were
taken and closed, and things were said of applications, each by a clock that stood in that month.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from graph.records import Node, NodeRef, batch_of, from_millis, to_millis
from graph.settings import Settings
from tests.service.conftest import copied
from workbench import ringruns
from workbench.casebook import labels, scores
from workbench.casebook.case_tables import case_entries
from workbench.casebook.labels import Label
from workbench.casebook.scores import BATCH, Score
from workbench.ringruns import Asked
from workbench.schedule.slots import CHINA
from workbench.services.all import Services
from workbench.services.office import Office
from workbench.services.permissions import Person, Role

LIN = Person("lin", "Lin Yue", Role.INVESTIGATOR)
ZHOU = Person("zhou", "Zhou Min", Role.SENIOR)
SLOTS = {"daily": "2025-06-28", "weekly": "2025-W26", "monthly": "2025-06"}
NOW = datetime(2025, 7, 1, 7, tzinfo=CHINA)

OPINIONS = ("casebook.sqlite", "rings.json", "lastrun.json")


class Moment(datetime):
    """A clock for who asks `datetime.now`."""

    stands = datetime(2025, 6, 1, tzinfo=UTC)

    @classmethod
    def now(cls, tz: object = None) -> Moment:  # type: ignore[override]
        return cls.fromtimestamp(cls.stands.timestamp(), UTC)


def china(day: int, hour: int = 22) -> datetime:
    """Of June 2025."""
    return datetime(2025, 6, day, hour, tzinfo=CHINA)


@pytest.fixture(scope="session")
def worked_home(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Never written to: copy it."""
    home = copied(trained, tmp_path_factory.mktemp("worked") / "home")
    for name in OPINIONS:
        home.joinpath(name).unlink(missing_ok=True)
    with Office(Settings.read({"RINGROAD_HOME": str(home)})) as office:
        run(office, 1, 15, 22, 24, 28)
        score_all(office)
        work(office)
    return home


def run(office: Office, *days: int) -> None:
    """Rings as of ten at night, by a clock one hour later."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ringruns, "datetime", Moment)
        for day in days:
            Moment.stands = china(day, 23).astimezone(UTC)
            ringruns.whole(office.here, office.here.snapshot(), Asked(china(day), 120, china(day)))


def score_all(office: Office) -> None:
    """By a number made of the name; who is known to be fraud stands high."""
    nodes = office.snapshot().nodes["Application"]
    told = office.store.events("outcomes")
    assert told is not None
    fraud = {row["owner"] for row in told.to_pylist() if row["label"] == "CONFIRMED_FRAUD"}
    some = []
    for name, id_, known in zip(
        nodes.table["key"].to_pylist(), nodes.ids.tolist(), nodes.known_at.tolist(), strict=True
    ):
        number = int(hashlib.sha256(name.encode()).hexdigest()[:6], 16) / 16**6
        value = round(0.6 + 0.4 * number if id_ in fraud else 0.7 * number**6, 6)
        decision = "decline" if value > 0.9 else "review" if value > 0.4 else "pass"
        reasons = ("RC01", "RC08")[: 1 + int(number > 0.5)] if decision != "pass" else ()
        at = from_millis(known)
        some.append(Score(name, at, value, decision, reasons, "", "model-1", BATCH, at))
    with office.casebook.writing() as db:
        scores.record(db, some)


def work(office: Office) -> None:
    """Cases 1 to 4: taken, late, closed on different days; labels by one and by two people, and a provisional one."""
    services = Services(office)
    at(office, 20)
    for case in (1, 2):
        services.cases.take(LIN, case)
    services.cases.set_deadline(LIN, {1: newest(office, 1)}, china(27))
    services.cases.take(ZHOU, 3)
    at(office, 25)
    services.cases.close(LIN, {2: newest(office, 2)}, "confirmed_fraud", "seen on papers", checked={2})
    at(office, 28, 15)
    services.cases.close(ZHOU, {3: newest(office, 3)}, "false_positive", "a family", checked={3})
    names = office.snapshot().nodes["Application"].table["key"].slice(0, 12).to_pylist()
    for who, day, every in ((LIN, 17, 3), (ZHOU, 19, 4)):
        for place, name in enumerate(names):
            say(office, name, "CONFIRMED_FRAUD" if place % every == 0 else "CLEARED_BENIGN", who, day)
    others = office.snapshot().nodes["Application"].table["key"].slice(100, 2).to_pylist()
    say(office, others[0], "CONFIRMED_FRAUD", LIN, 24, level="E1")
    say(office, others[1], "CLEARED_BENIGN", ZHOU, 26, maturity="provisional")


def at(office: Office, day: int, hour: int = 9) -> None:
    stands = china(day, hour).astimezone(UTC)
    office.clock = lambda: stands


def newest(office: Office, case: int) -> int:
    """What a person saw last of a case, who now acts on it."""
    with office.casebook.reading() as db:
        number: int = db.execute(select(func.max(case_entries.c.id)).where(case_entries.c.case_id == case)).scalar_one()
    return number


def say(  # noqa: PLR0917
    office: Office, name: str, label: str, who: Person, day: int, level: str = "E3", maturity: str = "final"
) -> None:
    fraud = label == "CONFIRMED_FRAUD"
    told = Label(name, label, "review", maturity, who.name, typology="T08" if fraud else "",
                 evidence_level=level if fraud else "")  # fmt: skip
    with office.casebook.writing() as db:
        labels.add(db, told, request_key=f"{name} {who.name} {day}", now=china(day).astimezone(UTC))


# What tests take -------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def worked(worked_home: Path) -> Iterator[Services]:
    """For who only reads."""
    with Office(Settings.read({"RINGROAD_HOME": str(worked_home)})) as office:
        yield Services(office)


@pytest.fixture(scope="session")
def unworked(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Facts, and nobody looked at them."""
    home = copied(trained, tmp_path_factory.mktemp("unworked") / "home")
    for name in (*OPINIONS, "journal.sqlite"):
        home.joinpath(name).unlink(missing_ok=True)
    shutil.rmtree(home / "models")
    with Office(Settings.read({"RINGROAD_HOME": str(home)})) as office:
        yield Services(office)


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """One application, of which nothing else is known."""
    home = tmp_path_factory.mktemp("alone")
    with Office(Settings.read({"RINGROAD_HOME": str(home)})) as office:
        known = to_millis(china(28, 12) - timedelta(minutes=1))
        office.store.write(batch_of("one", [Node(NodeRef("Application", "APP1"), known, "", {"amount": 90_000.0})]))
        yield Services(office)
