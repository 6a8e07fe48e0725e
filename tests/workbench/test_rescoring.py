"""What somebody decides changes the rings around it at once, and only these, as the next whole run would."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from graph.errors import NodeNotFound, NotAllowed
from graph.opinions import Innocent
from graph.overrides import Override
from graph.records import NodeRef, to_millis
from graph.rings import find_rings
from graph.settings import Settings
from tests.graph.facts import Facts, customer, edge, taken
from workbench import lastrun, ringruns, scoring
from workbench.casebook import cases, innocent, labels, opinions, roles, updates
from workbench.casebook.labels import Label
from workbench.ringruns import Asked
from workbench.services.feedback.finding import Standing
from workbench.services.feedback.rescoring import Rescored, Rescoring
from workbench.services.office import Office
from workbench.services.permissions import Person, Role
from workbench.services.reasons.counterfactual import Counterfactuals
from workbench.services.reasons.desks import Desks
from workbench.services.rings import Rings, last_run

SENIOR, AUDITOR = Person("li", "Li", Role.SENIOR), Person("wu", "Wu", Role.AUDITOR)
AS_OF = datetime(1971, 2, 5, tzinfo=UTC)
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
WINDOW = 120


def token(name: str) -> str:
    return hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()


def ring(name: str, people: int, day: float, *, split: int = 0) -> Facts:
    """People who share a device and a payer, a day apart; from `split` on other ones, and one address with all."""
    facts: Facts = []
    for number in range(people):
        who, when = f"{name}{number}", day + number
        part = f"{name}-{int(bool(split) and number >= split)}"
        facts += [*customer(who, when, f"D{name}"), edge("USED_DEVICE", f"A{who}", token(f"device {part}"), when)]
        facts += [edge("PAID_DOWNPAYMENT", token(f"payer {part}"), f"A{who}", when)]
        if split:
            facts += [edge("CONTACT_OF", token(f"contact {name}"), f"A{who}", when)]
    return facts


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with three rings of a recorded run: x of five, y of four, z of two threes that a contact ties."""
    home = tmp_path_factory.mktemp("rescoring") / "home"
    home.mkdir()
    taken(home, ring("x", 5, 380) + ring("y", 4, 370) + ring("z", 6, 385, split=3))
    with Office(Settings.read({"RINGROAD_HOME": str(home)})) as office:
        ringruns.run(office.here, Asked(AS_OF, WINDOW, FIRST))
    return home


@dataclass
class Town:
    """A home of one's own, and somebody who decides."""

    office: Office
    rings: Rings = field(init=False)
    rescoring: Rescoring = field(init=False)
    now: datetime = FIRST + timedelta(hours=1)

    def __post_init__(self) -> None:
        self.rings, self.rescoring = Rings(self.office), Rescoring(self.office)
        self.office.clock = self.tick

    def tick(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def label(self, name: str, what: str, *, supersedes: int | None = None, maturity: str = "final") -> int:
        more: dict[str, Any] = {}
        if what == "CONFIRMED_FRAUD":
            more = {"typology": "T01", "evidence_level": "E1", "second_author": "wang"}
        label = Label(name, what, "review", maturity, "li", supersedes=supersedes, **more)
        with self.office.casebook.writing() as db:
            return labels.add(db, label, request_key=f"{name} {what} {supersedes}", now=self.tick()).id

    def says(self, name: str, what: str, **more: Any) -> Rescored:
        return self.rescoring.after(SENIOR, f"label {self.label(name, what, **more)}", [name])

    def marks(self, link: Innocent) -> tuple[int, Rescored]:
        now = self.tick()
        with self.office.casebook.writing() as db:
            number = innocent.add(db, link, reason="x", author="li", until=now + timedelta(days=9), now=now)
        return number, self.rescoring.after(SENIOR, f"innocent link {number}")

    def overrides(self, type_: str, key: str, *, infrastructure: bool = True) -> tuple[int, Rescored]:
        now = self.tick()
        told = Override(
            type_, key, infrastructure, "shop_tablet" if infrastructure else "", "x", now + timedelta(days=9)
        )
        with self.office.casebook.writing() as db:
            number = opinions.add(db, told, author="li", now=now)
        return number, self.rescoring.after(SENIOR, f"override {number}")

    def stands(self) -> dict[tuple[str, ...], float]:
        return {tuple(each["application_ids"]): each["score"] for each in self.rings.list(SENIOR)}

    def next_run(self) -> dict[tuple[str, ...], float]:
        """What a whole run with the opinions of now would find."""
        with self.office.casebook.reading() as db:
            said = opinions.opinions_as_of(db, self.now)
        found = find_rings(self.office.snapshot(), as_of=to_millis(AS_OF), window_days=WINDOW, opinions=said)
        return {each.application_ids: each.score for each in found.rings}

    def name(self, letter: str) -> str:
        """The ring that a letter's earliest application stands in."""
        return self.rings.of_applications(SENIOR)[f"A{letter}0"]


@contextmanager
def opened(home: Path) -> Iterator[Town]:
    with Office(Settings.read({"RINGROAD_HOME": str(home)})) as office:
        yield Town(office)


@pytest.fixture
def here(town: Path, tmp_path: Path) -> Iterator[Town]:
    home = Path(shutil.copytree(town, tmp_path / "home"))
    (home / "snapshot.stamp").write_text((home / "snapshot.stamp").read_text().replace(str(town), str(home)))
    with opened(home) as one:
        yield one


# What is decided ---------------------------------------------------------------------------------------


def test_nothing_decided_changes_nothing(here: Town) -> None:
    before = here.stands()
    assert sorted(map(len, before)) == [4, 5, 6]
    told = here.rescoring.after(SENIOR, "label 1", ["Ax0", "Ay1", "Az2"])
    assert (told.changes, told.note) == ((), "")
    assert here.stands() == before == here.next_run()


def test_confirmed_fraud_lifts_its_ring(here: Town) -> None:
    name, before = here.name("x"), here.stands()
    (changed,) = here.says("Ax1", "CONFIRMED_FRAUD").changes
    assert (changed.ring_id, changed.joined, changed.left) == (name, (), ())
    assert changed.before is not None
    assert changed.after is not None
    assert changed.after.score > changed.before.score == before["Ax0", "Ax1", "Ax2", "Ax3", "Ax4"]
    assert here.stands() == here.next_run()
    ring = here.rings.ring(SENIOR, name)
    assert (ring["score"], ring["updated"]["cause"], ring["updated"]["author"]) == (
        changed.after.score,
        "label 1",
        "li",
    )


def test_who_is_cleared_leaves_and_may_come_back(here: Town) -> None:
    name = here.name("x")
    (changed,) = here.says("Ax2", "CLEARED_BENIGN").changes
    assert changed.left == ("Ax2",)
    assert changed.after is not None
    assert changed.after.size == 4
    assert changed.after.exposure == 400_000
    assert here.rings.members(SENIOR, name) == ("Ax0", "Ax1", "Ax3", "Ax4")
    assert here.stands() == here.next_run()
    (back,) = here.says("Ax2", "INSUFFICIENT", supersedes=1).changes
    assert (back.ring_id, back.joined) == (name, ("Ax2",))
    assert here.stands() == here.next_run()


def test_a_provisional_label_acts_on_nobody(here: Town) -> None:
    assert here.says("Ax2", "CLEARED_BENIGN", maturity="provisional").changes == ()


def test_a_ring_that_falls_apart_and_is_found_again_under_its_name(here: Town) -> None:
    name = here.name("y")
    here.says("Ay0", "CLEARED_BENIGN")
    (gone,) = here.says("Ay1", "DATA_ERROR").changes
    assert (gone.ring_id, gone.after, gone.left) == (name, None, ("Ay1", "Ay2", "Ay3"))
    with pytest.raises(NodeNotFound, match=f"{name} fell apart .* because of label 2"):
        here.rings.ring(SENIOR, name)
    assert "Ay2" not in here.rings.of_applications(SENIOR)
    (back,) = here.says("Ay1", "INSUFFICIENT", supersedes=2).changes
    assert back.ring_id == name
    assert back.before is None
    assert here.rings.members(SENIOR, name) == ("Ay1", "Ay2", "Ay3")


def test_a_ring_that_a_link_held_together_is_two(here: Town) -> None:
    name = here.name("z")
    assert len(here.rings.members(SENIOR, name)) == 6
    links = [Innocent("CONTACT_OF", token("contact z"), f"Az{number}") for number in range(3, 6)]
    told = [here.marks(each)[1] for each in links]
    assert here.stands() == here.next_run()
    halves = {here.rings.of_applications(SENIOR)[f"Az{number}"] for number in range(6)}
    assert len(halves) == 2
    assert name in halves, "one of them carries the name on"
    (other,) = halves - {name}
    assert here.rings.ring(SENIOR, other)["size"] == 3
    born = [change for each in told for change in each.changes if change.before is None]
    assert [each.ring_id for each in born] == [other]


def test_a_link_that_is_innocent_no_longer(here: Town) -> None:
    link = Innocent("USED_DEVICE", "Ax0", token("device x-0"))
    before = here.stands()
    number, told = here.marks(link)
    (changed,) = told.changes
    assert changed.after is not None
    assert changed.before is not None
    assert changed.after.score < changed.before.score
    assert here.stands() == here.next_run()
    with here.office.casebook.writing() as db:
        innocent.end(db, number, author="li", because="x", now=here.tick())
    here.rescoring.after(SENIOR, f"end of innocent link {number}", ["Ax0"])
    assert here.stands() == before == here.next_run()


def test_a_thing_set_aside_by_hand_and_back(here: Town) -> None:
    before = here.stands()
    number, told = here.overrides("Account", token("payer y-0"))
    (changed,) = told.changes
    assert changed.ring_id == here.name("y")
    assert here.stands() == here.next_run() != before
    with here.office.casebook.writing() as db:
        opinions.end(db, number, author="li", because="x", now=here.tick())
    here.rescoring.after(SENIOR, f"end of override {number}")
    assert here.stands() == before


# What it is written on -----------------------------------------------------------------------------------


def test_cases_follow(here: Town) -> None:
    name = here.name("y")
    (changed,) = here.says("Ay0", "CLEARED_BENIGN").changes
    assert changed.after is not None
    with here.office.casebook.reading() as db:
        case = cases.latest(db, cases.RING, name)
        assert case is not None
        assert (case.score, case.size, case.exposure) == (changed.after.score, 3, 300_000)
    here.says("Ay1", "CLEARED_BENIGN")
    with here.office.casebook.reading() as db:
        ended = cases.latest(db, cases.RING, name)
        assert ended is not None
        assert ended.ended_at is not None


def test_the_next_run_takes_over(here: Town) -> None:
    name = here.name("x")
    here.says("Ax2", "CLEARED_BENIGN")
    ringruns.run(here.office.here, Asked(AS_OF + timedelta(hours=1), WINDOW, here.tick()))
    ring = here.rings.ring(SENIOR, name)
    assert (ring["updated"], ring["size"]) == (None, 4)
    assert here.stands() == here.next_run()
    assert here.says("Ax2", "INSUFFICIENT", supersedes=1).changes, "and what is decided then stands over it"


def test_the_same_run_again_takes_over(here: Town) -> None:
    here.says("Ax2", "CLEARED_BENIGN")
    ringruns.run(here.office.here, Asked(AS_OF, WINDOW, here.tick()))
    assert {each["updated"] is None for each in here.rings.list(SENIOR)} == {True}
    assert here.stands() == here.next_run()


def test_what_is_decided_while_a_run_is_made_stands_over_it(here: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    name, seen_at = here.name("x"), here.tick()
    here.says("Ax2", "CLEARED_BENIGN")
    monkeypatch.setattr(ringruns, "datetime", _Later)
    ringruns.run(here.office.here, Asked(AS_OF + timedelta(hours=1), WINDOW, seen_at))
    assert here.rings.members(SENIOR, name) == ("Ax0", "Ax1", "Ax3", "Ax4")


class _Later(datetime):
    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return FIRST.astimezone(tz) + timedelta(days=1)


def test_a_run_of_the_past_shows_what_was_then(here: Town) -> None:
    here.says("Ax2", "CLEARED_BENIGN")
    ringruns.run(here.office.here, Asked(AS_OF - timedelta(days=1), WINDOW, FIRST))
    assert {each["updated"] is None for each in here.rings.list(SENIOR)} == {True}


# When it cannot be --------------------------------------------------------------------------------------


def test_never_a_fault_for_what_is_not_there(here: Town) -> None:
    assert here.rescoring.after(SENIOR, "label 9", ["of this minute"]).changes == ()
    assert here.rescoring.after(SENIOR, "override 77").changes == ()
    here.rescoring.warm()
    lastrun.place(here.office.settings).unlink()
    here.rescoring.warm()
    assert "left nothing" in here.rescoring.after(SENIOR, "label 1", ["Ax0"]).note
    here.office.settings.rings_file.unlink()
    assert "no rings yet" in here.rescoring.after(SENIOR, "label 1", ["Ax0"]).note


def test_somebody_decides_meanwhile(here: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both count, and neither write takes the other back."""
    cases_of, others = Standing.cases_of, ["Ax3"]

    def meanwhile(self: Standing, outcomes: Any) -> Any:
        if others:
            here.label(others.pop(), "CLEARED_BENIGN")
        return cases_of(self, outcomes)

    monkeypatch.setattr(Standing, "cases_of", meanwhile)
    (changed,) = here.says("Ax2", "CLEARED_BENIGN").changes
    assert changed.left == ("Ax2", "Ax3")
    assert here.rings.members(SENIOR, here.name("x")) == ("Ax0", "Ax1", "Ax4")


def test_others_who_never_rest(here: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    cases_of, many = Standing.cases_of, iter(range(100))

    def meanwhile(self: Standing, outcomes: Any) -> Any:
        here.label(f"other {next(many)}", "INSUFFICIENT")
        return cases_of(self, outcomes)

    monkeypatch.setattr(Standing, "cases_of", meanwhile)
    assert "faster than" in here.says("Ax2", "CLEARED_BENIGN").note


def test_who_only_reads_decides_nothing(here: Town) -> None:
    with pytest.raises(NotAllowed):
        here.rings.assign_role(AUDITOR, here.name("x"), NodeRef("Application", "Ax0"), roles.BORROWER)


# Rings as they are told ---------------------------------------------------------------------------------


def test_roles_stay_when_a_ring_is_found_anew(here: Town) -> None:
    name, payer = here.name("x"), NodeRef("Account", token("payer x-0"))
    suggested = {each["role"]: each for each in here.rings.ring(SENIOR, name)["scheme_roles"]}
    assert suggested[roles.ADVANCER]["key"] == payer.key
    assert suggested[roles.ADVANCER]["author"] == ""
    told = here.rings.assign_role(SENIOR, name, payer, roles.ORGANISER, reason="paid all of it")
    assert [each["because"] for each in told["scheme_roles"] if each["author"]] == ["paid all of it"]
    here.says("Ax2", "CLEARED_BENIGN")
    again = {(each["role"], each["author"]) for each in here.rings.ring(SENIOR, name)["scheme_roles"]}
    assert (roles.ORGANISER, "li") in again
    assert roles.ADVANCER not in {each for each, _ in again}
    here.rings.assign_role(SENIOR, name, payer, roles.NONE)
    assert payer.key not in {each["key"] for each in here.rings.ring(SENIOR, name)["scheme_roles"]}


def test_a_ring_as_it_stood(here: Town) -> None:
    name = here.name("x")
    here.says("Ax2", "CLEARED_BENIGN")
    then = here.rings.ring(SENIOR, name, AS_OF + timedelta(days=1))
    assert then["size"] == 5
    assert then["score"] == here.rings.ring(SENIOR, name)["lineage"]["states"][0]["score"]
    assert {each["type"] for each in then["shared"]} == {"Account", "Device"}
    assert here.rings.members(SENIOR, name, AS_OF + timedelta(days=1)) == ("Ax0", "Ax1", "Ax2", "Ax3", "Ax4")
    with pytest.raises(NodeNotFound, match="was no ring then"):
        here.rings.ring(SENIOR, name, AS_OF - timedelta(days=30))


def test_a_correction_names_its_run(here: Town) -> None:
    here.says("Ax2", "CLEARED_BENIGN")
    with here.office.casebook.reading() as db:
        run = last_run(here.office, db)
        assert run is not None
        assert run.id == 1
        assert [each.run_id for each in updates.standing(db, run).values()] == [1]


def test_what_a_ring_rests_on(here: Town) -> None:
    """Applied, it does what was said; and the same is answered at once until somebody decides something."""
    rests, name = Counterfactuals(here.office, here.rescoring, Desks(here.office)), here.name("y")
    told = rests.of_ring(SENIOR, name)
    assert {each.type for each in told.things} == {"Account", "Device"}
    assert (told.enough, told.smallest, told.left) == (True, True, 0.0)
    assert all(len(each.edges) >= 4 for each in told.things), "each of the four holds each"
    assert rests.of_ring(SENIOR, name) is told
    for each in told.things:
        here.overrides(each.type, each.key)
    assert name not in {each["ring_id"] for each in here.rings.list(SENIOR)}
    with pytest.raises(NodeNotFound, match="fell apart"):
        rests.of_ring(SENIOR, name)
    assert "no graph for scores" in rests.of_application(SENIOR, "Ay0").note


def test_training_and_scores_see_what_people_say_of_links_and_things(here: Town) -> None:
    """Of links and things: in force when asked, or on the day as of which somebody trains."""

    def named(opinions_of: datetime | None = None) -> list[float]:
        """How many held each x's device before."""
        ready = scoring.prepare(here.office.here, opinions_of=opinions_of)
        rows = [ready.snapshot.index(NodeRef("Application", f"Ax{number}")) for number in range(5)]
        later = ready.later.pairs  # with what is known after funding, too
        assert len(later.thing) >= len(ready.book.pairs.thing)
        return [float(each) for each in ready.seen["device_30d"][rows]]

    before, then = named(), here.now
    here.marks(Innocent("USED_DEVICE", "Ax0", token("device x-0")))
    without = named(here.tick())
    assert before != without
    assert named(then) == before
    here.overrides("Device", token("device x-0"))
    assert set(named(here.tick())) == {0.0}
