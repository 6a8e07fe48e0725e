"""A label that was answered is there for good, once, and teaches from when it was told on (P4, P5)."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule
from sqlalchemy import delete, insert, select, text, update

from gnn.book import open_book
from gnn.dispositions import DISPOSITIONS
from gnn.labels import observed
from gnn.told import Labels, read_labels
from graph import snapshot as snapshots
from graph.errors import InputError, KeyReused, NodeNotFound, StoreError
from graph.records import NodeRef, to_millis
from graph.settings import Settings
from graph.snapshot import Snapshot
from loaders.tables import BY_NAME
from tests.loaders import lender
from workbench import scoring
from workbench.casebook import copies, labels, tables
from workbench.casebook.labels import Added, Label, Said
from workbench.casebook.opening import Casebook
from workbench.cells import as_csv, safe
from workbench.instance import EVERYTHING, Instance

NOW = datetime(2025, 6, 1, 4, tzinfo=UTC)
DAY = timedelta(days=1)
FRAUD = Label(
    "A1", "CONFIRMED_FRAUD", "review", "final", "li", NOW - DAY, typology="T07", evidence_level="E2",
    second_author="wang",
)  # fmt: skip
CLEARED = Label("A1", "CLEARED_BENIGN", "review", "final", "li", typology="B03")


def tell(casebook: Casebook, label: Label, key: str = "", *, at: datetime = NOW) -> Added:
    with casebook.writing() as db:
        return labels.add(db, label, request_key=key or labels.own_key(label), now=at)


def everything(casebook: Casebook) -> list[Said]:
    with casebook.reading() as db:
        return list(labels.since(db, 0))


# Once, and for good ------------------------------------------------------------------------------------


def test_a_label_comes_back_as_it_was_told(casebook: Casebook) -> None:
    assert tell(casebook, FRAUD) == (1, False)
    (said,) = everything(casebook)
    assert (said.id, said.label, said.known_at, said.counts_as) == (1, FRAUD, NOW, "CONFIRMED_FRAUD")


def test_the_same_request_adds_nothing(casebook: Casebook) -> None:
    first = tell(casebook, CLEARED, "k1")
    assert tell(casebook, CLEARED, "k1", at=NOW + DAY) == (first.id, True)
    assert tell(casebook, CLEARED, "k2") == (2, False)
    assert [each.known_at for each in everything(casebook)] == [NOW, NOW]


def test_a_replay_answers_also_where_it_would_be_refused_by_now(casebook: Casebook) -> None:
    tell(casebook, FRAUD)
    correction = replace(CLEARED, supersedes=1)
    assert tell(casebook, correction, "k2") == (2, False)
    assert tell(casebook, correction, "k2") == (2, True)


@pytest.mark.parametrize(
    "other",
    [
        replace(CLEARED, label="DATA_ERROR", typology=""), replace(CLEARED, note="x"), replace(CLEARED, author="wu"),
        replace(CLEARED, occurred_at=NOW), replace(CLEARED, application_id="A2"), replace(CLEARED, label="nonsense"),
    ],
)  # fmt: skip
def test_the_same_key_with_another_content_is_refused(casebook: Casebook, other: Label) -> None:
    tell(casebook, CLEARED, "k1")
    with pytest.raises(KeyReused, match="label 1, which says something else; send a new key") as refused:
        tell(casebook, other, "k1")
    assert refused.value.status == 422
    assert len(everything(casebook)) == 1


def test_the_request_key_itself_is_not_kept(casebook: Casebook) -> None:
    tell(casebook, CLEARED, "a-key-of-theirs")
    with casebook.reading() as db:
        (row,) = db.execute(select(tables.labels)).all()
    assert "a-key-of-theirs" not in str(tuple(row))


def test_a_request_key_is_any_text(casebook: Casebook) -> None:
    for number, key in enumerate(("20250601 1200 0000 0000", "ключ", "\ud800", "k" * 255), start=1):
        assert tell(casebook, CLEARED, key).id == number
        assert tell(casebook, CLEARED, key).again


@pytest.mark.parametrize("key", ["", "  ", "k" * 256])
def test_a_request_needs_a_key(casebook: Casebook, key: str) -> None:
    with casebook.writing() as db, pytest.raises(InputError, match="request key"):
        labels.add(db, CLEARED, request_key=key, now=NOW)


@pytest.mark.parametrize("table", [tables.labels, tables.strategies])
@pytest.mark.parametrize("change", [lambda table: update(table).values(author="x"), delete])
def test_rows_are_neither_changed_nor_deleted(casebook: Casebook, table: Any, change: Any) -> None:
    tell(casebook, FRAUD)
    with casebook.writing() as db:
        db.execute(
            insert(tables.strategies).values(
                id=1, effective_from=NOW, content={}, author="li", reason="x", created_at=NOW
            )
        )
    with pytest.raises(StoreError, match=f"{table.name} are append-only"), casebook.writing() as db:
        db.execute(change(table))
    with casebook.reading() as db:
        assert db.execute(select(table.c.author)).scalar() == "li"


def test_no_other_way_of_writing_gets_past_the_trigger(casebook: Casebook) -> None:
    tell(casebook, FRAUD)
    if casebook.file is None:
        statement = "INSERT INTO labels SELECT * FROM labels ON CONFLICT (id) DO UPDATE SET author = 'x'"
    else:
        statement = "INSERT INTO labels SELECT * FROM labels WHERE true ON CONFLICT (id) DO UPDATE SET author = 'x'"
    with pytest.raises(StoreError, match="append-only"), casebook.writing() as db:
        db.execute(text(statement))


ANSWERING = """
import sys, time
from datetime import UTC, datetime
from workbench.casebook import labels
from workbench.casebook.opening import Casebook
casebook = Casebook.open(sys.argv[1])
for number in range(1000):
    label = labels.Label(f"A{number}", "SUSPECTED", "review", "final", "li")
    with casebook.writing() as db:
        added = labels.add(db, label, request_key=f"k{number}", now=datetime.now(UTC))
    print(added.id, flush=True)
"""


def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'casebook.sqlite'}"
    child = subprocess.Popen([sys.executable, "-c", ANSWERING, address], stdout=subprocess.PIPE, text=True)
    assert child.stdout
    answered = [int(child.stdout.readline()) for _ in range(3)]
    os.kill(child.pid, signal.SIGKILL)
    answered += [int(line) for line in child.stdout.read().split()]
    child.stdout.close()
    child.wait()
    with Casebook.open(address) as casebook:
        there = [each.id for each in everything(casebook)]
        assert there[: len(answered)] == answered == list(range(1, len(answered) + 1))
        with casebook.reading() as db:  # a kill does not show it: a power cut needs each commit on the disk
            assert db.execute(text("PRAGMA synchronous")).scalar() == 2


def test_two_who_tell_at_once_get_two_numbers(casebook: Casebook, open_casebook: Any) -> None:
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    with open_casebook() as other, ThreadPoolExecutor(4) as pool:
        handles = (casebook, other) * 10
        told = list(
            pool.map(lambda at: tell(handles[at], replace(CLEARED, note=str(at // 2)), f"k{at // 2}"), range(20))
        )
    assert sorted({each.id for each in told}) == list(range(1, 11))
    assert sum(each.again for each in told) == 10


# What can be said --------------------------------------------------------------------------------------


def test_words_are_those_of_the_table_of_outcomes() -> None:
    label, source = (
        next(each for each in BY_NAME["outcomes"].columns if each.name == name) for name in ("label", "source")
    )
    assert set(DISPOSITIONS) == set(label.values)
    assert set(labels.SOURCES) == set(source.values)


@pytest.mark.parametrize(
    ("label", "words"),
    [
        (replace(FRAUD, label="FRAUD"), "label 'FRAUD' is none; it takes one of CONFIRMED_FRAUD"),
        (replace(FRAUD, typology=""), "needs a typology"),
        (replace(FRAUD, typology="T27"), "T01 to T26"),
        (replace(FRAUD, typology="B01"), "T01 to T26"),
        (replace(FRAUD, typology="T07\n"), "T01 to T26"),
        (replace(FRAUD, evidence_level=""), "needs an evidence_level"),
        (replace(FRAUD, evidence_level="E4"), "E1, E2, E3"),
        (replace(FRAUD, second_author="Li"), "second_author is the author"),
        (replace(FRAUD, author=" "), "author is empty"),
        (replace(FRAUD, source="rumour"), "one of review, fpd"),
        (replace(FRAUD, maturity="soon"), "one of provisional, final"),
        (replace(FRAUD, occurred_at=NOW + 2 * labels.AHEAD), "lies ahead"),
        (replace(FRAUD, note="call 139 1234 5678"), "long number"),
        (replace(FRAUD, note="writes from li@mail.example"), "mail address"),
        (replace(FRAUD, note="\ud800"), "do not print"),
        (replace(FRAUD, application_id=""), "application_id"),
        (replace(FRAUD, application_id=" A1"), "application_id"),
        (replace(FRAUD, application_id="A\x001"), "application_id"),
        (replace(CLEARED, typology="T07"), "B01 to B16"),
        (replace(CLEARED, evidence_level="E1"), "does not go with CLEARED_BENIGN"),
        (replace(CLEARED, label="INSUFFICIENT"), "does not go with INSUFFICIENT"),
    ],
)
def test_what_cannot_be_said_is_refused_with_what_would_be_right(label: Label, words: str) -> None:
    with pytest.raises(InputError, match=words) as refused:
        labels.checked(label, now=NOW)
    assert "139" not in str(refused.value)


def test_what_is_refused_is_not_written(casebook: Casebook) -> None:
    with pytest.raises(InputError):
        tell(casebook, replace(FRAUD, typology=""), "k")
    assert everything(casebook) == []
    assert tell(casebook, FRAUD, "k").id == 1, "and its key is free"


def test_a_correction_names_one_label_of_the_same_application_that_still_holds(casebook: Casebook) -> None:
    tell(casebook, FRAUD)
    tell(casebook, replace(CLEARED, application_id="A2"))
    with pytest.raises(InputError, match="label 2 is of another application"):
        tell(casebook, replace(CLEARED, supersedes=2))
    with pytest.raises(NodeNotFound, match="no label 9"):
        tell(casebook, replace(CLEARED, supersedes=9))
    assert tell(casebook, replace(CLEARED, supersedes=1)).id == 3
    with pytest.raises(InputError, match="superseded by 3 before; supersede that one"):
        tell(casebook, replace(CLEARED, supersedes=1, note="again"))
    assert tell(casebook, replace(FRAUD, supersedes=3)).id == 4


def test_fraud_on_papers_counts_only_with_a_second_person() -> None:
    def counted(**changed: Any) -> str:
        return Said(1, replace(FRAUD, **changed), NOW).counts_as

    assert counted() == counted(evidence_level="E1") == "CONFIRMED_FRAUD"
    assert counted(second_author="") == counted(evidence_level="E1", second_author="") == "SUSPECTED"
    assert counted(evidence_level="E3", second_author="") == "CONFIRMED_FRAUD"
    assert counted(maturity="provisional") == ""
    assert Said(1, CLEARED, NOW).counts_as == "CLEARED_BENIGN"


def test_a_clock_that_goes_back_does_not_take_known_at_with_it(casebook: Casebook) -> None:
    tell(casebook, CLEARED, "k1")
    tell(casebook, CLEARED, "k2", at=NOW - DAY)
    assert [each.known_at for each in everything(casebook)] == [NOW, NOW]


def test_in_force_then(casebook: Casebook) -> None:
    tell(casebook, FRAUD, at=NOW)
    tell(casebook, replace(CLEARED, application_id="A2"), at=NOW + DAY)
    tell(casebook, replace(CLEARED, supersedes=1), at=NOW + 2 * DAY)

    def held(at: datetime) -> list[int]:
        with casebook.reading() as db:
            return [each.id for each in labels.in_force(db, at)]

    moments = [NOW - DAY, NOW, NOW + DAY, NOW + 2 * DAY - timedelta(microseconds=1), NOW + 2 * DAY]
    assert [held(at) for at in moments] == [[], [1], [1, 2], [1, 2], [2, 3]]
    with casebook.reading() as db:
        assert [each.id for each in labels.of(db, "A1")] == [1, 3]
        assert [each.id for each in labels.since(db, 1)] == [2, 3]


def test_a_backup_holds_labels_and_who_corrected_whom(casebook: Casebook, tmp_path: Path) -> None:
    tell(casebook, FRAUD)
    tell(casebook, replace(CLEARED, supersedes=1))
    copies.copy_to(casebook, tmp_path / "copy.sqlite")
    with Casebook.open(f"sqlite:///{tmp_path / 'fresh.sqlite'}") as fresh:
        copies.copy_from(fresh, tmp_path / "copy.sqlite")
        assert everything(fresh) == everything(casebook)
        with pytest.raises(StoreError, match="append-only"), fresh.writing() as db:
            db.execute(delete(tables.labels))


# A dictionary knows as much (P5) -----------------------------------------------------------------------

APPLICATIONS = st.sampled_from(["A1", "A2", "A3"])
SAID = st.sampled_from(
    [
        replace(FRAUD, occurred_at=None), CLEARED, replace(FRAUD, occurred_at=None, second_author=""),
        replace(CLEARED, maturity="provisional"),
    ]
)  # fmt: skip


class Book(RuleBasedStateMachine):
    """Requests in any order, again and with other content, against a dictionary."""

    keys = Bundle("keys")

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.casebook = Casebook.open(f"sqlite:///{self.folder.name}/casebook.sqlite")
        self.by_key: dict[str, tuple[int, Label]] = {}
        self.rows: list[Label] = []
        self.clock = NOW

    def teardown(self) -> None:
        self.casebook.close()
        self.folder.cleanup()

    @rule(target=keys, number=st.integers(0, 10_000), label=SAID, application=APPLICATIONS, hours=st.integers(-5, 50))
    def add(self, number: int, label: Label, application: str, hours: int) -> str:
        key, label = f"k{number}", replace(label, application_id=application)
        self.clock += timedelta(hours=hours)
        self._send(key, label)
        return key

    @rule(key=keys)
    def again(self, key: str) -> None:
        number, label = self.by_key[key]
        assert self._tell(key, label) == (number, True)

    @rule(key=keys, note=st.sampled_from(["another", "content"]))
    def reuse(self, key: str, note: str) -> None:
        with pytest.raises(KeyReused):
            self._tell(key, replace(self.by_key[key][1], note=note))

    @rule(key=consumes(keys), label=SAID)
    def supersede(self, key: str, label: Label) -> None:
        older, said = self.by_key[key]
        newer = replace(label, application_id=said.application_id, supersedes=older)
        request = f"s{older} {label.label} {label.maturity} {label.second_author}"
        if request not in self.by_key and any(each.supersedes == older for each in self.rows):
            with pytest.raises(InputError, match="was superseded"):
                self._tell(request, newer)
            return
        self._send(request, newer)

    @invariant()
    def the_same_rows(self) -> None:
        found = everything(self.casebook)
        assert [each.id for each in found] == list(range(1, len(self.rows) + 1))
        assert [replace(each.label, occurred_at=None) for each in found] == [
            replace(each, occurred_at=None) for each in self.rows
        ]
        assert [each.known_at for each in found] == sorted(each.known_at for each in found)
        ended = {each.supersedes for each in self.rows}
        with self.casebook.reading() as db:
            holds = [each.id for each in labels.in_force(db, NOW + 10_000 * DAY)]
        assert holds == [number for number in range(1, len(self.rows) + 1) if number not in ended]

    def _send(self, key: str, label: Label) -> None:
        before = self.by_key.get(key)
        if before is not None and before[1] != label:
            with pytest.raises(KeyReused):
                self._tell(key, label)
            return
        told = self._tell(key, label)
        if before is not None:
            assert told == (before[0], True)
            return
        self.rows.append(label)
        assert told == (len(self.rows), False)
        self.by_key[key] = told.id, label

    def _tell(self, key: str, label: Label) -> Added:
        return tell(self.casebook, label, key, at=self.clock)


TestBook = Book.TestCase
TestBook.settings = settings(
    max_examples=30, stateful_step_count=15, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


# What a model learns from it ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small lender, whose own outcomes say that A2 is fraud from 1 May on."""
    place = tmp_path_factory.mktemp("labels")
    content = lender.tables()
    content["outcomes"] = [
        {"outcome_id": "O1", "application_id": "A2", "label": "CONFIRMED_FRAUD", "typology": "T07",
         "evidence_level": "E3", "source": "fpd", "reported_at": "2025-05-01 10:00:00"},
    ]  # fmt: skip
    lender.Home(place).load(lender.written(place / "input", content))
    return place


@pytest.fixture
def here(loaded: Path, tmp_path: Path) -> Iterator[Instance]:
    url = f"sqlite:///{loaded / 'graph.sqlite'}"
    with lender.Home(loaded).store() as store:
        yield Instance(Settings(tmp_path, url, f"sqlite:///{tmp_path / 'casebook.sqlite'}"), store, None)


@pytest.fixture
def book(here: Instance) -> Iterator[Casebook]:
    with Casebook.open(here.settings.casebook_url) as opened:
        yield opened


def heard(here: Instance) -> tuple[Snapshot, Labels]:
    snapshot = snapshots.build(here.store, as_of=EVERYTHING)
    return snapshot, read_labels(snapshot, scoring.events_of(here).get("outcomes"))


def fraud(here: Instance, name: str, at: datetime) -> bool:
    snapshot, told = heard(here)
    return bool(told.known(to_millis(at))[snapshot.index(NodeRef("Application", name))])


def test_without_a_casebook_the_lenders_outcomes_stand(here: Instance) -> None:
    assert scoring.events_of(here)["outcomes"]["outcome_id"].to_pylist() == ["O1"]
    assert not Path(here.settings.casebook_url.removeprefix("sqlite:///")).exists(), "reading makes none"


def test_training_sees_a_label_of_the_casebook_from_when_it_was_told(here: Instance, book: Casebook) -> None:
    tell(book, FRAUD, at=NOW)
    snapshot = snapshots.build(here.store, as_of=EVERYTHING)
    asked = open_book(snapshot, scoring.events_of(here))
    row, other = (snapshot.index(NodeRef("Application", name)) for name in ("A1", "A2"))
    before, then = (observed(asked, at=to_millis(at)) for at in (NOW - timedelta(milliseconds=1), NOW))
    assert (before.fraud[row], then.fraud[row]) == (False, True), "that it happened earlier makes it known no sooner"
    assert then.evidence[row] == 1.0
    assert then.fraud[other], "and the lender's own are still there"
    assert then.fraud.sum() == 2


@pytest.mark.parametrize(
    ("label", "counts"),
    [
        (FRAUD, True),
        (replace(FRAUD, maturity="provisional"), False),
        (replace(FRAUD, second_author=""), False),
        (replace(FRAUD, second_author="", evidence_level="E3"), True),
        (replace(FRAUD, label="SUSPECTED"), False),
        (CLEARED, False),
    ],
)
def test_what_counts(here: Instance, book: Casebook, label: Label, counts: bool) -> None:
    tell(book, label)
    assert fraud(here, "A1", NOW + DAY) is counts


@pytest.mark.parametrize(
    "newer",
    [
        CLEARED, Label("A1", "INSUFFICIENT", "review", "final", "li"), replace(FRAUD, maturity="provisional"),
        replace(FRAUD, second_author=""), replace(CLEARED, maturity="provisional"),
    ],
)  # fmt: skip
def test_whatever_supersedes_a_label_ends_it_from_then_on(here: Instance, book: Casebook, newer: Label) -> None:
    tell(book, FRAUD, at=NOW)
    tell(book, replace(newer, supersedes=1), at=NOW + 2 * DAY)
    assert fraud(here, "A1", NOW + DAY)
    assert not fraud(here, "A1", NOW + 2 * DAY)
    snapshot, told = heard(here)
    row = snapshot.index(NodeRef("Application", "A1"))
    when = np.array([to_millis(NOW + DAY), to_millis(NOW + 2 * DAY)])
    assert told.evidence_at(np.array([row, row]), when).tolist() == [1.0, 0.0], "features see it so, too"
    cleared = observed(open_book(snapshot, scoring.events_of(here)), at=int(when[1])).cleared[row]
    assert cleared == (newer == CLEARED), "nobody is innocent because a suspicion is not proven"


def test_a_clearance_that_is_withdrawn_clears_no_longer(here: Instance, book: Casebook) -> None:
    tell(book, CLEARED)
    tell(book, Label("A1", "INSUFFICIENT", "review", "final", "wu", supersedes=1), at=NOW + DAY)
    snapshot = snapshots.build(here.store, as_of=EVERYTHING)
    said = observed(open_book(snapshot, scoring.events_of(here)), at=to_millis(NOW + DAY))
    assert not said.cleared.any()


def test_weaker_evidence_takes_the_place_of_stronger(here: Instance, book: Casebook) -> None:
    tell(book, FRAUD)
    tell(book, replace(FRAUD, evidence_level="E3", supersedes=1), at=NOW + DAY)
    snapshot, told = heard(here)
    row = snapshot.index(NodeRef("Application", "A1"))
    when = np.array([to_millis(NOW), to_millis(NOW + DAY)])
    assert told.evidence_at(np.array([row, row]), when).tolist() == [1.0, 0.5]
    assert told.evidence[row] == 0.5


def test_a_second_person_makes_a_suspicion_a_fraud(here: Instance, book: Casebook) -> None:
    tell(book, replace(FRAUD, second_author=""))
    tell(book, replace(FRAUD, author="wang", second_author="li", supersedes=1), at=NOW + DAY)
    assert not fraud(here, "A1", NOW)
    assert fraud(here, "A1", NOW + DAY)


def test_the_casebook_corrects_what_a_lender_told(here: Instance, book: Casebook) -> None:
    assert fraud(here, "A2", NOW)
    tell(book, replace(CLEARED, application_id="A2"))
    assert not fraud(here, "A2", NOW)
    assert fraud(here, "A2", NOW - DAY)


def test_events_have_the_layout_of_loaded_outcomes(here: Instance, book: Casebook) -> None:
    tell(book, FRAUD)
    tell(book, replace(FRAUD, supersedes=1, note="again"))
    with book.reading() as db:
        own, later = labels.as_events(db), labels.as_events(db, after=1)
    stored = here.store.events("outcomes")
    assert {each.name: each.type for each in stored.schema}.items() <= {
        each.name: each.type for each in own.schema
    }.items()
    assert own["ref"].to_pylist() == [f"{name}@{to_millis(NOW)}" for name in ("L1", "L2 ends L1", "L2")]
    assert later.to_pylist() == own.to_pylist()[1:], "who reads on sees the withdrawal of what was read before"
    assert own["known_at"].to_pylist() == [to_millis(NOW)] * 3
    assert own["event_time"].to_pylist()[0] == to_millis(NOW - DAY)
    assert (own.to_pandas()["event_time"] <= own.to_pandas()["known_at"]).all()
    merged = labels.with_outcomes(stored, own)
    assert merged.num_rows == 4
    assert merged.slice(0, 1).select(stored.column_names).to_pylist() == stored.to_pylist()
    assert pd.Series(merged["ref"].to_pylist()).is_unique


def test_a_label_for_an_application_that_nobody_loaded_harms_nothing(here: Instance, book: Casebook) -> None:
    tell(book, replace(FRAUD, application_id="not there"))
    assert heard(here)[1].known(to_millis(NOW)).sum() == 1


# As a table -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@x", "＝1+1", "＋1", "－1", "＠x", "\ufeff=1", "\u200b=1", " =1", "\t=1", "\r=1", "\tx"],
)
def test_no_cell_is_a_formula(text: str) -> None:
    assert safe(text) == f"'{text}"


@pytest.mark.parametrize("value", ["A-1", "x=y", "", "李", "2025-06-01T00:00:00+08:00", None, 7])
def test_other_cells_stay(value: object) -> None:
    assert safe(value) == ("" if value is None else str(value))


def test_cells_with_commas_and_quotes_come_back() -> None:
    text = as_csv(["a", "b"], [['say "x", y', "line\nend"]])
    assert pd.read_csv(io.StringIO(text)).to_dict("records") == [{"a": 'say "x", y', "b": "line\nend"}]
