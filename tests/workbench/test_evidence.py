"""Packs of evidence: what each recipient gets, that nothing else leaks, and that the log knows before it leaves."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from typer.testing import CliRunner

import workbench.evidence
from graph.errors import InputError, NotAllowed
from graph.keyring import KeyFileError
from graph.records import NodeRef
from graph.settings import Settings
from tests.service.conftest import copied
from workbench.casebook import audit, casefile, cases, labels, people
from workbench.casebook.attached import Attached
from workbench.casebook.cases import Finding
from workbench.casebook.labels import Label
from workbench.casebook.scores import BATCH, Score
from workbench.evidence import EvidenceChanged
from workbench.instance import keyring
from workbench.services.all import Services
from workbench.services.canvas.graph_shapes import element_id
from workbench.services.evidence.evidence import Making, Pack
from workbench.services.evidence.pack_request import DEALER, INTERNAL, POLICE, SECTIONS, Reveal, Wanted, places
from workbench.services.evidence.pack_seal import Signer, verify
from workbench.services.office import Office
from workbench.services.permissions import Person, Role
from workbench.ui.i18n import LANGUAGES
from workbench.ui.packs.written import written

EVIL = '"><img src=x onerror=alert(1)><!--ringroad ends notes-->'
LIN = Person("lin", "Lin Yue", Role.INVESTIGATOR)
SUN = Person("sun", "Sun Hao", Role.INVESTIGATOR)
ZHOU = Person("zhou", "Zhou Min", Role.SENIOR)
HE = Person("he", "He Jing", Role.AUDITOR)
WHY = "asked for in the hearing of the case"


@dataclass
class Desk:
    services: Services
    case: int
    ring: dict[str, Any]
    note: int

    @property
    def office(self) -> Office:
        return self.services.office

    def pack(self, who: Person, recipient: str, *, language: str = "en", **more: Any) -> Pack:
        told = {"sections": SECTIONS[recipient], "reason": WHY, "notes": frozenset({self.note})} | more
        wanted = Wanted(recipient, language=language, **told)
        return self.services.evidence.pack(who, self.case, wanted, languages=LANGUAGES, write=written)

    def police(self, who: Person = ZHOU, *reveals: Reveal, **more: Any) -> Pack:
        return self.pack(who, POLICE, reference="case file 12 of 2026", reveals=reveals, **more)

    def trail(self, action: str) -> list[audit.Entry]:
        with self.office.casebook.reading() as db:
            return list(audit.each(db, audit.Asked(action=action)))


@pytest.fixture(scope="module")
def desk(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    place = copied(trained, tmp_path_factory.mktemp("evidence") / "home")
    with Office(Settings.read({"RINGROAD_HOME": str(place)})) as office:
        services, now = Services(office), office.clock()
        ring = max(services.rings.list(ZHOU), key=lambda each: len(each["application_ids"]))
        with office.casebook.writing() as db:
            _people(db, now)
            found = Finding("ring", ring["ring_id"], ring["score"], ring["size"], ring["exposure"], 1e5,
                            ring["typology"], ring["because"], ("USED_DEVICE",), "D1", "310000", now, now)  # fmt: skip
            cases.open_all(db, [found], because="found", now=now)
            case = cases.latest(db, "ring", ring["ring_id"])
            assert case is not None
            told = Label(ring["application_ids"][0], "CONFIRMED_FRAUD", "review", "final", "lin", typology="T01",
                         evidence_level="E2", second_author="zhou", note="admitted it")  # fmt: skip
            labels.add(db, told, request_key="one", now=now)
        services.casefiles.note(LIN, case.id, "the first note\nof two lines")
        note = services.casefiles.file(LIN, case.id).seen
        yield Desk(services, case.id, dict(ring), note)
    shutil.rmtree(place, ignore_errors=True)


def _people(db: Connection, now: datetime) -> None:
    for each in (LIN, SUN, ZHOU, HE):
        told = {"display_name": each.display_name, "role": each.role, "language": "en"}
        people.add(db, name=each.name, password_hash="none", author="test", now=now, **told)


class Tags(HTMLParser):
    """Every tag with its attributes, and all text."""

    def __init__(self, content: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def harmless(content: bytes) -> Tags:
    """No script, no handler, and nothing that anybody would have to be asked for."""
    read = Tags(content)
    for tag, attributes in read.tags:
        assert tag not in {"script", "img", "iframe", "object", "embed", "link", "base", "form", "a", "use", "image"}
        assert not [each for each in attributes if each.startswith("on") or each in {"src", "href", "xlink:href"}]
    assert not re.search(rb"url\(|@import|https?://", content.replace(b"https://example.com", b""))
    return read


# What is in it -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_internal_pack_tells_the_case_and_stands_by_itself(desk: Desk, language: str) -> None:
    pack = desk.pack(LIN, INTERNAL, language=language)
    read = harmless(pack.content)
    assert verify(pack.content).sections == ("cover", *SECTIONS[INTERNAL])
    for told in (*desk.ring["application_ids"], "the first note\nof two lines", "admitted it", "Lin Yue"):
        assert told in read.text
    assert ("Evidence pack" in read.text) == (language == "en")
    assert pack.name == f"C{desk.case}-internal-{datetime.now(UTC):%Y%m%d}.html"


def test_only_what_was_chosen_is_in_it(desk: Desk) -> None:
    pack = desk.pack(LIN, INTERNAL, sections=("notes", "summary"), notes=frozenset())
    assert verify(pack.content).sections == ("cover", "summary", "notes")
    assert b"the first note" not in pack.content


def test_nothing_in_an_internal_pack_is_in_the_clear(desk: Desk) -> None:
    """Of all identifiers that the vault holds."""
    content = desk.pack(LIN, INTERNAL).content.decode()
    values = [
        value
        for kind, _, some in desk.office.vault._opened()
        for value in some
        if kind not in ("ref:employer", "ref:dealer") and len(value) >= 6
    ]
    assert len(values) > 1_000
    assert not [value for value in values if value in content]


def test_people_do_not_write_markup_into_it(desk: Desk) -> None:
    wanted = Wanted(INTERNAL, SECTIONS[INTERNAL], "en", EVIL, reference=EVIL, notes=frozenset({desk.note}))
    facts = poisoned(desk.services.evidence.facts(LIN, desk.case, wanted))
    file = Attached(1, desk.case, EVIL, EVIL, 1, EVIL, EVIL, facts.as_of, facts.as_of, EVIL)
    facts = replace(facts, files=(file,))
    maker = replace(LIN, display_name=EVIL)
    for recipient in SECTIONS:
        asked = replace(wanted, recipient=recipient, sections=SECTIONS[recipient], dealer=EVIL)
        content = written(facts, asked, Making(facts.as_of, maker, Signer(keyring(desk.office.settings))))
        assert EVIL in harmless(content).text
        assert verify(content).changed == ""


CODES = {"kind", "label", "state", "status", "typology", "relation", "type"}
"""Words of ours, which decide what is shown."""


def poisoned(told: Any) -> Any:
    """Every text that somebody wrote, or that a file brought, is evil."""
    if isinstance(told, NodeRef | datetime):
        return told
    if hasattr(told, "_replace"):
        return told._replace(**{name: poisoned(value) for name, value in told._asdict().items() if name not in CODES})
    if is_dataclass(told) and not isinstance(told, type):
        names = [each.name for each in fields(told) if each.init and each.name not in CODES]
        return replace(told, **{name: poisoned(getattr(told, name)) for name in names})
    if isinstance(told, str):
        return EVIL
    if isinstance(told, dict):
        kept = {"type", "key", "as_of", "at", "kind", "role"}
        return {name: value if name in kept else poisoned(value) for name, value in told.items()}
    return type(told)(map(poisoned, told)) if isinstance(told, tuple | list) else told


def test_things_stand_where_they_stood_on_the_screen(desk: Desk) -> None:
    one, two, three = (NodeRef("Application", name) for name in desk.ring["application_ids"][:3])
    sent = {
        element_id(one): {"x": 0, "y": 0}, element_id(two): {"x": 200, "y": 0}, element_id(three): {"x": 100, "y": 50},
        "Application~none": {"x": 1, "y": 1}, "fold~7": {"x": 1, "y": 1}, element_id(NodeRef("Phone", "x")): None,
        "Phone~y": {"x": "1", "y": float("nan")},
    }  # fmt: skip
    at = places(sent)
    assert set(at) == {one, two, three, NodeRef("Application", "none")}
    content = desk.pack(LIN, INTERNAL, sections=("graph",), places=at).content.decode()
    spots = [(float(x), float(y)) for x, y in re.findall(r'<rect x="([\d.]+)" y="([\d.]+)"', content)]
    assert len(spots) == 3
    (x1, y1), (x2, y2), (x3, y3) = sorted(spots)
    assert (y1, x1 + x2 > 0) == (y3, True)
    assert abs((x2 - x1) / (x3 - x1) - 0.5) < 0.01
    assert abs((y2 - y1) / (x3 - x1) - 0.25) < 0.01
    assert "stood on the screen" in content


@pytest.mark.parametrize("sent", [None, [], "x", 3, {"a": 1}, {1: {"x": 1, "y": 2}}, {"Phone~k": {"x": True, "y": 1}}])
def test_positions_that_are_none_are_left_out(sent: object) -> None:
    assert places(sent) == {}


def test_the_same_case_is_drawn_the_same(desk: Desk) -> None:
    drawn = [re.search(r"<svg.*</svg>", desk.pack(LIN, INTERNAL).content.decode(), re.DOTALL) for _ in range(2)]
    assert drawn[0] is not None
    assert drawn[1] is not None
    assert drawn[0][0] == drawn[1][0]


# Dealers -------------------------------------------------------------------------------------------------


def test_a_dealer_learns_of_his_own_applications_and_of_nothing_else(desk: Desk) -> None:
    dealer, *others = desk.services.evidence.dealers(LIN, desk.case)
    members = desk.services.evidence.facts(LIN, desk.case, Wanted(INTERNAL, (), "en", WHY)).members
    own = {each.name for each in members if each.dealer == dealer}
    assert own
    for language in LANGUAGES:
        pack = desk.pack(LIN, DEALER, dealer=dealer, language=language)
        text = harmless(pack.content).text
        assert {each.name for each in members if each.name in text} == own
        unsaid = [desk.ring["ring_id"], *others, *(each["masked"] for each in desk.ring["shared"]), "RC12", "the first"]
        assert not [each for each in unsaid if each in text]
        assert not re.search(r"fraud|launder|suspicious|\bAML\b|ring\b(?!road)|score|欺诈|洗钱|可疑|团伙|评分", text)


def test_a_suspicious_payment_is_never_told_to_a_dealer(desk: Desk) -> None:
    dealer = desk.services.evidence.dealers(LIN, desk.case)[0]
    wanted = Wanted(DEALER, SECTIONS[DEALER], "zh", "suspicious payments of T01", dealer=dealer)
    facts = desk.services.evidence.facts(LIN, desk.case, wanted)
    score = suspicious(facts.members[0].name)
    facts = replace(facts, members=tuple(replace(each, score=score) for each in facts.members))
    text = Tags(written(facts, wanted, Making(facts.as_of, LIN, Signer(keyring(desk.office.settings))))).text
    assert "综合风险评估未通过" in text
    assert not re.search(r"RC12|可疑|资金|suspicious", text)


def suspicious(name: str) -> Score:
    now = datetime.now(UTC)
    return Score(name, now, 0.9, "review", ("RC12",), "", "m1", BATCH, now)


@pytest.mark.parametrize("dealer", ["", "D-nobody"])
def test_a_pack_for_a_dealer_needs_one_of_the_case(desk: Desk, dealer: str) -> None:
    with pytest.raises(InputError, match="dealer"):
        desk.pack(LIN, DEALER, dealer=dealer)


# Police --------------------------------------------------------------------------------------------------


def test_police_get_in_the_clear_what_a_senior_revealed_and_nothing_else(desk: Desk) -> None:
    offered = desk.services.evidence.revealable(ZHOU, desk.case)
    ref = next(ref for ref, _ in offered if ref.type == "Person")
    kind = "id_number"
    clear, hidden = desk.office.vault.reveal(kind, ref.key), [each for each, _ in offered if each != ref]
    before = len(desk.trail("reveal"))
    content = desk.police(ZHOU, Reveal(ref, "the court asked for this person")).content.decode()
    assert clear in content
    for each in hidden:
        if each.type == "Person":
            assert desk.office.vault.reveal(kind, each.key) not in content
    log = desk.trail("reveal")
    assert len(log) == before + 1
    assert log[-1].id < desk.trail("evidence.exported")[-1].id
    assert log[-1].reason == f"C{desk.case}: the court asked for this person"
    assert clear not in desk.police().content.decode()


def test_who_may_not_reveal_hands_over_nothing(desk: Desk) -> None:
    ref = desk.services.evidence.revealable(ZHOU, desk.case)[0][0]
    before = len(desk.trail("evidence.exported"))
    with pytest.raises(NotAllowed):
        desk.police(LIN, Reveal(ref, "the court asked for this person"))
    with pytest.raises(InputError, match="in a few words"):
        desk.police(ZHOU, Reveal(ref, "because"))
    with pytest.raises(InputError, match="not part of the case"):
        desk.police(ZHOU, Reveal(NodeRef("Phone", "0" * 32), "the court asked for this person"))
    with pytest.raises(InputError, match="police and courts only"):
        desk.pack(ZHOU, INTERNAL, reveals=(Reveal(ref, "the court asked for this person"),))
    with pytest.raises(InputError, match="number of the authority"):
        desk.pack(ZHOU, POLICE)
    assert len(desk.trail("evidence.exported")) == before


# On record -----------------------------------------------------------------------------------------------


def test_the_log_knows_the_hash_and_the_recipient(desk: Desk) -> None:
    pack = desk.pack(LIN, INTERNAL)
    assert pack.sha256 == hashlib.sha256(pack.content).hexdigest()
    last = desk.trail("evidence.exported")[-1]
    assert (last.actor, last.subject, last.reason) == ("lin", f"C{desk.case}", WHY)
    assert (last.detail["sha256"], last.detail["recipient"]) == (pack.sha256, INTERNAL)
    with desk.office.casebook.reading() as db:
        entry = casefile.entries(db, desk.case, kinds=("exported",))[-1]
    assert entry.content["sha256"] == pack.sha256


def test_without_its_entry_in_the_log_nothing_leaves(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise InputError("the log is full")

    monkeypatch.setattr(audit, "write", refuse)
    with pytest.raises(InputError, match="the log is full"):
        desk.pack(LIN, INTERNAL)


def test_who_may_not_export_gets_nothing(desk: Desk) -> None:
    with pytest.raises(NotAllowed):
        desk.pack(HE, INTERNAL)
    with desk.office.casebook.writing() as db:
        cases.change(db, desk.case, assignee="lin")
    try:
        with pytest.raises(NotAllowed, match="worked on by lin"):
            desk.pack(SUN, INTERNAL)
        desk.pack(ZHOU, INTERNAL)
    finally:
        with desk.office.casebook.writing() as db:
            cases.change(db, desk.case, assignee="")


def test_what_is_missing_is_said(desk: Desk) -> None:
    for more in ({"sections": ()}, {"sections": ("verify",)}, {"language": "fr"}, {"reason": " "}):
        with pytest.raises(InputError):
            desk.pack(LIN, INTERNAL, **more)
    with pytest.raises(InputError, match="recipient"):
        desk.services.evidence.pack(
            LIN, desk.case, Wanted("press", ("summary",), "en", WHY), languages=LANGUAGES, write=written
        )


def test_a_case_is_told_as_of_the_time_asked_for(desk: Desk) -> None:
    facts = desk.services.evidence.facts(LIN, desk.case, Wanted(INTERNAL, (), "en", WHY))
    first = min(each.submitted for each in facts.members if each.submitted)
    at = first + timedelta(days=1)
    pack = desk.pack(LIN, INTERNAL, as_of=at)
    assert verify(pack.content).about["as_of"] == at.isoformat()


# At the command line -------------------------------------------------------------------------------------


def test_the_command_names_the_first_section_that_was_changed(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGROAD_HOME", str(desk.office.settings.home))
    file = tmp_path / "pack.html"
    file.write_bytes(desk.pack(LIN, INTERNAL).content)

    def run(*more: str) -> Any:
        return CliRunner().invoke(workbench.evidence.app, ["verify", str(file), *more])

    assert "as it was sealed, all 14 sections" in run().output
    assert isinstance(run("--key", "0" * 64).exception, KeyFileError)
    monkeypatch.setenv("RINGROAD_HOME", str(tmp_path / "none"))
    assert "compare this with the key" in run().output
    assert not (tmp_path / "none").exists()
    file.write_bytes(file.read_bytes().replace(b"admitted it", b"denied it"))
    told = run().exception
    assert isinstance(told, EvidenceChanged)
    assert "section labels is not as it was sealed" in told.message
