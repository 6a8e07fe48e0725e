"""What a report becomes: PDF, HTML, CSV and XLSX that hold text as text, and a folder that is whole or not there."""

from __future__ import annotations

import csv
import io
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from graph.errors import InputError, NodeNotFound
from tests.reports.conftest import NOW
from tests.reports.test_reports import ALL, asked
from workbench.reports import html, making, pdf, sheets
from workbench.reports.catalogue import REPORTS, spoken
from workbench.reports.document import Column, Figure, Figures, Kind, Picture, Report, Section, Table, Words
from workbench.reports.making import Made, make
from workbench.schedule import slots
from workbench.services.all import Services

EVIL = '<script>alert(1)</script>#import "x"; *bold* $x$ \\ "quote" &amp;'
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1", "\u200b=1")


@pytest.fixture(scope="module")
def made(worked: Services, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Made]:
    """Every report in both languages and all formats."""
    folder = tmp_path_factory.mktemp("made")
    return {name: make(worked, name, asked(worked, name).slot, folder=folder, now=NOW) for name in ALL}


def report(*sections: Section, language: str = "en", **more: Any) -> Report:
    slot = slots.named(slots.Cadence.DAILY, "2025-06-28")
    return Report("daily", "Title", slot, NOW, NOW, language, sections, **more)


def evil(text: str) -> Report:
    """One text wherever a report has texts."""
    table = Table("evil", text, (Column(text), Column("n", Kind.COUNT)), ((text, -1), (text, 2)), note=text)
    picture = Picture('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" width="9" height="9"></svg>', text,
                      legend=(("#000000", text),))  # fmt: skip
    blocks = (
        Words((text,)),
        Words((text,), listed=True),
        Figures((Figure(text, text, Kind.TEXT, text),)),
        table,
        picture,
    )
    return replace(
        report(Section("one", text, blocks), Section("two", text, empty=text), counted=(text,), notes=(text,)),
        title=text,
    )


# PDF -------------------------------------------------------------------------------------------------------


def text_of(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


def fonts_of(content: bytes) -> Iterator[tuple[str, bool]]:
    """(name, embedded) of all fonts of all pages."""
    for page in PdfReader(io.BytesIO(content)).pages:
        for one in page["/Resources"].get("/Font", {}).values():  # type: ignore[attr-defined]
            font = one.get_object()
            inner = font["/DescendantFonts"][0].get_object() if "/DescendantFonts" in font else font
            described = inner["/FontDescriptor"].get_object()
            yield str(font["/BaseFont"]), any(f"/FontFile{each}" in described for each in ("", "2", "3"))


def chinese() -> None:
    if not pdf.fonts().chinese:
        pytest.skip("no font with Chinese letters is installed")


@pytest.mark.parametrize("name", ALL)
def test_a_pdf_embeds_its_fonts_and_names_nobody(name: str, made: dict[str, Made]) -> None:
    chinese()
    for file in made[name].files:
        if file.format == "pdf":
            content = file.path.read_bytes()
            fonts = list(fonts_of(content))
            assert fonts
            assert all(embedded for _, embedded in fonts), fonts
            about = PdfReader(io.BytesIO(content)).metadata
            assert about is not None
            assert about.author is None
            assert about.title == f"{made[name].reports[file.language].title} {made[name].slot}"


def test_chinese_can_be_read_from_a_pdf(made: dict[str, Made]) -> None:
    chinese()
    told = next(each for each in made["daily"].files if each.format == "pdf" and each.language == "zh")
    text = text_of(told.path.read_bytes())
    assert "每日风险报告" in text
    assert "身份信息已脱敏" in text


def test_text_in_a_pdf_is_text() -> None:
    chinese()
    with spoken("en"):
        told = re.sub(r"\s+", "", text_of(pdf.rendered(evil(EVIL), pdf.fonts())[0]))
    assert told.count(re.sub(r"\s+", "", EVIL)) >= 8


def test_a_long_word_stays_in_its_column() -> None:
    """Words of usual length are left alone."""
    assert pdf._breakable("x" * 60).split("\u200b") == ["x" * 16, "x" * 16, "x" * 8 + "…"]
    assert pdf._breakable("APP0123456789 " * 9) == "APP0123456789 " * 9


def test_without_chinese_letters_a_pdf_says_so_in_english(
    worked: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "fonts", lambda: pdf.NONE)
    slot = asked(worked, "dealers").slot
    told = make(worked, "dealers", slot, folder=tmp_path, now=NOW, languages=("zh",), formats=("pdf", "html"))
    assert told.notes == ("no font with Chinese letters is installed: PDFs are in English",)
    content = next(each for each in told.files if each.format == "pdf").path.read_bytes()
    text = text_of(content)
    assert "no font with Chinese letters" in PdfReader(io.BytesIO(content)).pages[0].extract_text()
    assert "Dealer scorecards" in text
    assert not re.search(r"[\u4e00-\u9fff]", text)
    assert "经销商评分卡" in next(each for each in told.files if each.format == "html").path.read_text(encoding="utf-8")


# HTML ------------------------------------------------------------------------------------------------------


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.wrong += [name for name, _ in attrs if name.startswith("on") or name in ("href", "src", "action")]


@pytest.mark.parametrize("name", ALL)
def test_a_page_stands_by_itself(name: str, made: dict[str, Made]) -> None:
    for file in made[name].files:
        if file.format == "html":
            tags = Tags()
            tags.feed(file.path.read_text(encoding="utf-8"))
            assert not tags.names & {"script", "link", "iframe", "img", "object"}
            assert not tags.wrong


def test_text_in_a_page_is_text() -> None:
    with spoken("en"):
        told = html.rendered(evil(EVIL)).decode()
    tags = Tags()
    tags.feed(told)
    assert "script" not in tags.names
    assert "<script" not in told


# Tables ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_text_of_a_table_is_a_formula(formula: str) -> None:
    with spoken("en"):
        table = next(one for _, one in evil(formula).tables())
        rows = list(csv.reader(io.StringIO(sheets.csv_of(table).decode("utf-8-sig"))))
        figures = list(csv.reader(io.StringIO(sheets.figures_csv(evil(formula)).decode("utf-8-sig"))))
        book = load_workbook(io.BytesIO(sheets.workbook(evil(formula))))
    assert rows[1] == [f"'{formula}", "-1"]
    assert all(each.startswith("'") for each in figures[1])
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)]
    assert cells
    assert {cell.data_type for cell in cells} == {"s"}


def test_numbers_are_numbers_and_days_are_days(made: dict[str, Made]) -> None:
    file = next(each for each in made["regions"].files if each.format == "xlsx" and each.language == "en")
    sheet = load_workbook(file.path)["Weeks that stand out"]
    head, first = (list(row) for row in sheet.iter_rows(min_row=1, max_row=2, values_only=True))
    told = dict(zip(head, first, strict=True))
    assert isinstance(told["Seen"], int)
    assert isinstance(told["Expected"], float)
    assert isinstance(told["Week from"], datetime)
    assert told["Week from"].weekday() == 0


def test_a_csv_has_a_mark_for_spreadsheets(made: dict[str, Made]) -> None:
    some = [each for each in made["daily"].files if each.format == "csv"]
    assert len(some) > 4
    assert all(each.path.read_bytes().startswith(b"\xef\xbb\xbf") for each in some)


# Folders ---------------------------------------------------------------------------------------------------


def test_the_same_report_has_the_same_bytes(made: dict[str, Made], worked: Services, tmp_path: Path) -> None:
    again = make(worked, "rings", asked(worked, "rings").slot, folder=tmp_path, now=NOW)
    assert contents(again.folder) == contents(made["rings"].folder)


def contents(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in sorted(folder.iterdir())}


def test_made_again_it_takes_the_place_of_all_of_it(unworked: Services, tmp_path: Path) -> None:
    slot = asked(unworked, "backlog").slot
    make(unworked, "backlog", slot, folder=tmp_path, now=NOW, formats=("html", "csv", "xlsx"))
    (tmp_path / "backlog" / f".{slot.name}-left").mkdir()  # by a maker that was killed
    told = make(unworked, "backlog", slot, folder=tmp_path, now=NOW, formats=("html",), languages=("en",))
    assert [each.path for each in told.files] == list(told.folder.iterdir())
    assert [each.name for each in told.folder.parent.iterdir() if each.is_dir()] == [slot.name]
    assert {oct(each.stat().st_mode & 0o777) for each in told.folder.iterdir()} == {"0o600"}
    assert told.files[0].size == told.files[0].path.stat().st_size


def test_a_report_that_cannot_be_written_leaves_the_one_before(
    unworked: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slot = asked(unworked, "backlog").slot
    before = contents(make(unworked, "backlog", slot, folder=tmp_path, now=NOW, formats=("html",)).folder)
    saved = making._save

    def full(path: Path, content: bytes) -> None:
        if path.name.endswith("en.html"):
            raise OSError(28, "No space left on device")
        saved(path, content)

    monkeypatch.setattr(making, "_save", full)
    with pytest.raises(OSError, match="No space"):
        make(unworked, "backlog", slot, folder=tmp_path, now=NOW, formats=("html",))
    assert contents(tmp_path / "backlog" / slot.name) == before
    assert [each.name for each in (tmp_path / "backlog").iterdir() if each.is_dir()] == [slot.name]


def test_two_makers_of_one_report_leave_one_that_is_whole(
    unworked: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each writes its files by itself: the first one waits for the second one in vain."""
    slot, done, writing = asked(unworked, "backlog").slot, [], making._write
    inside, both = threading.Semaphore(1), threading.Event()

    def watched(*given: Any) -> Any:
        if not inside.acquire(blocking=False):
            both.set()
        both.wait(0.5)
        try:
            return writing(*given)
        finally:
            inside.release()

    def one(formats: tuple[str, ...]) -> None:
        done.append(make(unworked, "backlog", slot, folder=tmp_path, now=NOW, formats=formats))

    monkeypatch.setattr(making, "_write", watched)
    threads = [threading.Thread(target=one, args=(each,)) for each in (("html", "csv"), ("xlsx",))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(done) == 2
    assert not both.is_set()
    left = sorted(each.name for each in (tmp_path / "backlog" / slot.name).iterdir())
    assert left in [sorted(each.path.name for each in one.files) for one in done]


def test_what_cannot_be_made_is_refused_in_one_line(unworked: Services, tmp_path: Path) -> None:
    week = asked(unworked, "backlog").slot
    day = slots.named(slots.Cadence.DAILY, "2025-06-28")
    for name, slot, wrong, error in (
        ("nothing", week, {}, NodeNotFound), ("backlog", day, {}, InputError),
        ("backlog", slots.of(slots.Cadence.WEEKLY, NOW), {}, InputError),
        ("backlog", week, {"languages": ("fr",)}, InputError), ("backlog", week, {"formats": ("doc",)}, InputError),
    ):  # fmt: skip
        with pytest.raises(error):
            make(unworked, name, slot, folder=tmp_path, now=NOW, **wrong)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


# Privacy ---------------------------------------------------------------------------------------------------


def test_no_report_has_an_identifier_in_any_file(made: dict[str, Made], worked: Services) -> None:
    """Of all that the vault holds: phones, ID numbers, names, accounts, cars."""
    secret = [
        value
        for kind, _, some in worked.office.vault._opened()
        for value in some
        if kind not in ("ref:employer", "ref:dealer") and len(value) >= 6
    ]
    assert len(secret) > 1_000
    by_size = {size: {each for each in secret if len(each) == size} for size in {len(each) for each in secret}}
    words: dict[str, None] = {}
    for one in made.values():
        for file in one.files:
            words |= dict.fromkeys([file.path.name, *readable(file.path).split()])
    assert _among(by_size, f"x{secret[0]}y") == {secret[0]}
    assert _among(by_size, " ".join(words)) == set()


def _among(secret: dict[int, set[str]], text: str) -> set[str]:
    return {
        each
        for size, some in secret.items()
        for each in some & {text[at : at + size] for at in range(len(text) - size + 1)}
    }


def readable(path: Path) -> str:
    """All texts of a file, what it says about itself among them."""
    content = path.read_bytes()
    if path.suffix == ".pdf":
        return f"{text_of(content)} {PdfReader(io.BytesIO(content)).metadata}"
    if path.suffix == ".xlsx":
        book = load_workbook(io.BytesIO(content))
        cells = [str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row]
        return " ".join([*cells, *book.sheetnames, str(book.properties)])
    return content.decode()


# What became known later -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_dates_of_a_file_are_those_of_its_slot(name: str, made: dict[str, Made]) -> None:
    end = REPORTS[name]
    assert end.name == name
    for file in made[name].files:
        if file.format == "xlsx":
            about = load_workbook(file.path).properties
            as_of = made[name].reports[file.language].as_of.astimezone(UTC).replace(tzinfo=None, microsecond=0)
            assert (about.created, about.modified, about.creator) == (as_of, as_of, "Ringroad")
