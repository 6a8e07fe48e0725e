"""What is left on a case: notes, mentions, ticks, files. Held on SQLite and on PostgreSQL."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, insert, select

from graph.errors import InputError, NodeNotFound
from workbench.casebook import attached, casefile, mentions
from workbench.casebook.case_tables import attachments, cases
from workbench.casebook.casefile import DONE, NOT_DONE, OPEN, Stale
from workbench.casebook.notes import mentioned, noted
from workbench.casebook.opening import Casebook
from workbench.services.cases.filetypes import cleaned, judged

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
USERS = {"zhou", "wang.li", "qian"}


def case(db: Connection, number: int = 1042, **values: object) -> int:
    """An open case of a ring."""
    row = {
        "id": number, "kind": "ring", "subject": "R1", "score": 0.8, "size": 5, "exposure": 1e6, "savable": 4e5,
        "typology": "T01", "because": "5 applications share a device", "reasons": ["RC01"], "dealer": "D1",
        "region": "310000", "first_seen": NOW, "last_seen": NOW, "grown": 0, "status": "open", "outcome": "",
        "assignee": "", "locked_by": "", "opened_at": NOW, "opened_because": "found", "changed_at": NOW,
    }  # fmt: skip
    db.execute(insert(cases).values(row | values))
    return number


def test_entries_are_numbered_in_order_and_only_grow(casebook: Casebook) -> None:
    with casebook.writing() as db:
        case(db), case(db, 1043, subject="R2")
        first = casefile.enter(db, 1042, "status", "working", author="zhou", now=NOW)
        casefile.enter(db, 1043, "status", "working", author="zhou", now=NOW)
        last = casefile.enter(db, 1042, "assigned", "", author="qian", now=NOW, content={"to": "zhou"})
    with casebook.reading() as db:
        assert [each.id for each in casefile.entries(db, 1042)] == [first, last]
        assert casefile.newest(db, 1042) == last
        assert casefile.newest(db, 7) == 0
        assert casefile.entries(db, 1042, kinds=("assigned",))[0].content == {"to": "zhou"}


def test_who_is_named_is_told_until_he_reads_it(casebook: Casebook) -> None:
    with casebook.writing() as db:
        case(db), case(db, 1043, subject="R2")
        _, told = casefile.note(
            db, 1042, "@wang.li, @zhou: look\nat this. @wang.li", author="qian", users=USERS, now=NOW
        )
        casefile.note(db, 1043, "another for @zhou.", author="qian", users=USERS, now=NOW)
    assert told == ("wang.li", "zhou")
    with casebook.writing() as db:
        assert mentions.unread(db, "zhou") == 2
        assert mentions.read(db, "zhou", 1042, now=NOW) == 1
        assert mentions.read(db, "zhou", 1042, now=NOW) == 0
        shown = mentions.mentions(db, "zhou", limit=10)
        assert [(each.entry.case_id, each.read_at) for each in shown] == [(1043, None), (1042, NOW)]
        assert mentions.unread(db, "wang.li") == 1


def test_naming_oneself_tells_nobody(casebook: Casebook) -> None:
    with casebook.writing() as db:
        case(db)
        assert casefile.note(db, 1042, "for me: @zhou", author="zhou", users=USERS, now=NOW)[1] == ()
        assert mentions.unread(db, "zhou") == 0


def test_a_note_keeps_its_lines() -> None:
    assert noted("first \r\n\tsecond\n\n\n\nthird\n") == "first\n second\n\nthird"


IDENTIFIERS = [
    "call 13912345678 again", "call １３９１２３４５６７８", "139 1234 5678", "139-1234-5678", "139.1234.5678",
    "139.\u200b1234.5678", "ID 310101199003074511", "card 6222 0210 0112 3456 789", "mail a.b@example.com",
    "VIN LSVAM4187C2184847 again", "车架号LSVAM4187C2184847在", "车牌沪A12345停在楼下", "plate 沪A·12345", "沪 AD12345",
    "a number\n13912345678\nof its own",
]  # fmt: skip


@pytest.mark.parametrize("text", IDENTIFIERS)
def test_a_note_with_an_identifier_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InputError) as told:
        noted(text)
    assert not any(digit in told.value.message for digit in "13962")


@pytest.mark.parametrize(
    "text",
    ["APP12345678901 and D20250001 again", "met @zhou on 2025-03-04 12:30", "5 of 12 at ¥358,400", "see R0123456789"],
)
def test_a_note_may_name_the_lenders_own_numbers_colleagues_dates_and_money(text: str) -> None:
    assert noted(text, names=["APP12345678901"]) == text


@pytest.mark.parametrize("text", ["", " \n ", "x" * 4_001, "bad \x00 byte", "turned \u202e round"])
def test_a_note_is_plain_text_of_bounded_length(text: str) -> None:
    with pytest.raises(InputError):
        noted(text)


def test_a_name_that_is_nobodys_is_refused() -> None:
    with pytest.raises(InputError, match="nobody here is called @home"):
        mentioned("@home", USERS)
    assert mentioned("(@Zhou) 请@qian看, mail.@zhou", USERS) == ("zhou", "qian")


def test_an_item_is_ticked_once_and_says_who(casebook: Casebook) -> None:
    with casebook.writing() as db:
        case(db)
        casefile.tick(db, 1042, "T01.call", DONE, before=OPEN, author="zhou", now=NOW)
        casefile.tick(db, 1042, "T01.call", DONE, before=OPEN, author="qian", now=NOW)  # the same wish
        casefile.tick(db, 1042, "T01.payer", NOT_DONE, before=OPEN, because="no account", author="zhou", now=NOW)
        stand = casefile.ticks(db, 1042)
        assert (stand["T01.call"].state, stand["T01.call"].author) == (DONE, "zhou")
        assert (stand["T01.payer"].state, stand["T01.payer"].because) == (NOT_DONE, "no account")
        with pytest.raises(Stale, match="zhou changed this item"):
            casefile.tick(db, 1042, "T01.payer", OPEN, before=DONE, author="qian", now=NOW)
        casefile.tick(db, 1042, "T01.payer", OPEN, before=NOT_DONE, author="qian", now=NOW)
        assert set(casefile.ticks(db, 1042)) == {"T01.call"}
        assert [each.content["state"] for each in casefile.entries(db, 1042)] == [DONE, NOT_DONE, OPEN]


def test_own_items_have_names_that_ticks_take(casebook: Casebook) -> None:
    with casebook.writing() as db:
        case(db)
        item = casefile.add_item(db, 1042, "  visit the   yard ", author="zhou", now=NOW)
        casefile.tick(db, 1042, item, DONE, before=OPEN, author="zhou", now=NOW)
        assert [(each.item, each.text) for each in casefile.own_items(db, 1042)] == [(item, "visit the yard")]
        assert casefile.ticks(db, 1042)[item].state == DONE
        with pytest.raises(InputError, match="the item holds a long number"):
            casefile.add_item(db, 1042, "call 13912345678", author="zhou", now=NOW)


def test_who_saw_an_older_state_is_told_unless_it_was_himself_or_a_note(casebook: Casebook) -> None:
    with casebook.writing() as db:
        case(db)
        seen = casefile.enter(db, 1042, "status", "working", author="zhou", now=NOW)
        casefile.note(db, 1042, "a word", author="qian", users=USERS, now=NOW)
        casefile.enter(db, 1042, "status", "waiting", author="zhou", now=NOW)
        casefile.require_seen(db, 1042, seen, author="zhou")
        with pytest.raises(Stale, match="zhou worked on C1042 after you opened it"):
            casefile.require_seen(db, 1042, seen, author="qian")
        casefile.require_seen(db, 1042, casefile.newest(db, 1042), author="qian")


def test_a_file_comes_back_byte_for_byte(casebook: Casebook) -> None:
    content = bytes(range(256))
    with casebook.writing() as db:
        case(db)
        one = attached.attach(db, 1042, "photo.png", "image/png", content, author="zhou", now=NOW)
        assert (one.size, one.sha256) == (256, hashlib.sha256(content).hexdigest())
    with casebook.reading() as db:
        assert attached.content(db, one.id) == content
        assert attached.of(db, 1042) == [one]


def test_the_limits_of_files(casebook: Casebook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attached, "LARGEST", 1_000)
    monkeypatch.setattr(attached, "MOST", 2_500)

    def attach(content: bytes) -> attached.Attached:
        return attached.attach(db, 1042, "a.txt", "text/plain", content, author="zhou", now=NOW)

    with casebook.writing() as db:
        case(db)
        for size, said in ((0, "is empty"), (1_001, "at most")):
            with pytest.raises(InputError, match=said):
                attach(b"x" * size)
        first, _ = attach(b"x" * 1_000), attach(b"y" * 1_000)
        with pytest.raises(InputError, match="on the case already"):
            attach(b"x" * 1_000)
        with pytest.raises(InputError, match="files of a case"):
            attach(b"z" * 501)
        attached.remove(db, first.id, author="zhou", because="of somebody else", now=NOW)
        attach(b"z" * 501)


def test_a_removed_file_leaves_its_row_and_nothing_of_its_content(casebook: Casebook) -> None:
    later = NOW + timedelta(hours=1)
    with casebook.writing() as db:
        case(db)
        one = attached.attach(db, 1042, "a.txt", "text/plain", b"wrong person", author="zhou", now=NOW)
        gone = attached.remove(db, one.id, author="qian", because="of somebody else", now=later)
        assert (gone.sha256, gone.size, gone.removed_at, gone.removed_by) == (one.sha256, 12, later, "qian")
        assert db.execute(select(attachments.c.content).where(attachments.c.id == one.id)).scalar_one() == b""
        with pytest.raises(NodeNotFound, match="was removed by qian"):
            attached.content(db, one.id)
        with pytest.raises(InputError, match="removed by qian already"):
            attached.remove(db, one.id, author="zhou", because="again", now=later)
        assert casefile.entries(db, 1042)[-1].content["because"] == "of somebody else"


def test_what_is_not_there_is_said(casebook: Casebook) -> None:
    with casebook.reading() as db:
        with pytest.raises(NodeNotFound, match="no case C7"):
            casefile.exists(db, 7)
        with pytest.raises(NodeNotFound, match="no file 7"):
            attached.get(db, 7)


# What a file is ------------------------------------------------------------------------------------------

XLSX = b"PK\x03\x04....[Content_Types].xml....xl/workbook.xml...."
DOCX = b"PK\x03\x04....[Content_Types].xml....word/document.xml...."
GOOD = {
    "a.pdf": b"%PDF-1.7\n", "a.png": b"\x89PNG\r\n\x1a\n..", "a.jpg": b"\xff\xd8\xff\xe0..",
    "a.jpeg": b"\xff\xd8\xff\xe1", "a.txt": "文字\ttext\r\n".encode(), "b.txt": "文字".encode("gb18030"),
    "a.csv": b"\xef\xbb\xbfa,b\n1,2\n", "a.xlsx": XLSX, "a.docx": DOCX,
    "a.eml": b"From: someone\r\nSubject: x\r\n\r\nhello",
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_files_of_these_types_are_taken(name: str) -> None:
    kept, media_type = judged(name, GOOD[name])
    assert (kept, "/" in media_type) == (name, True)


@pytest.mark.parametrize("name", [name for name in GOOD if name != "b.txt"])
def test_a_file_that_is_not_what_its_name_says_is_refused(name: str) -> None:
    own = {GOOD[each] for each in GOOD if each[2:4] == name[2:4] == "jp"} | {GOOD[name]}
    if name in ("a.txt", "a.csv"):
        own |= {GOOD[each] for each in ("a.txt", "b.txt", "a.csv", "a.eml")}
    for content in {*GOOD.values(), b"MZ\x90\x00", b"<\x00script", b"GIF89a", b"#!/bin/sh\n"} - own:
        with pytest.raises(InputError, match="not what"):
            judged(name, content)


@pytest.mark.parametrize("name", ["a.exe", "a.html", "a.svg", "a.docm", "a.pdf.js", "a.zip", "a.xls"])
def test_other_types_are_refused_by_name(name: str) -> None:
    with pytest.raises(InputError, match="not taken"):
        judged(name, b"%PDF-1.7")


def test_macros_are_refused() -> None:
    with pytest.raises(InputError, match="macros"):
        judged("a.xlsx", XLSX + b"xl/vbaProject.bin")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/pass wd.pdf", "pass wd.pdf"),
        ("C:\\temp\\报告 (2).pdf", "报告 (2).pdf"),
        ("a\r\nSet-Cookie: x\u202efdp.pdf", "a Set-Cookie_ x fdp.pdf"),
        ('"><img src=x onerror=alert(1)>.png', "___img src_x onerror_alert(1)_.png"),
        ("id 310101199003074511.jpg", "id xxx.jpg"),
        ("con.txt", "_con.txt"),
        ("x" * 300 + ".pdf", "x" * 96 + ".pdf"),
        ("ａ．ｐｄｆ", "a.pdf"),
    ],
)
def test_names_of_files_are_cleaned(name: str, kept: str) -> None:
    assert cleaned(name) == kept


@pytest.mark.parametrize("name", ["", "pdf", ".pdf", "...", "/", "a/"])
def test_a_file_needs_a_name(name: str) -> None:
    with pytest.raises(InputError, match="no name"):
        cleaned(name)
