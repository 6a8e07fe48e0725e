"""A team's instance from its first load to a restored backup, its casebook on a PostgreSQL that asks for a password."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from graph.settings import Settings
from tests.e2e.conftest import inside
from tests.loaders import lender
from tests.workbench.conftest import Cluster
from workbench.casebook import copies
from workbench.casebook.queue_query import Query
from workbench.instance import open_casebook
from workbench.services.all import Services
from workbench.services.feedback.labelling import Verdict
from workbench.services.office import Office
from workbench.services.permissions import Person, Role
from workbench.services.subject import Subject

LIN = Person("lin", "Lin Yue", Role.INVESTIGATOR)
ZHOU = Person("zhou", "Zhou Min", Role.SENIOR)
FRAUD = Verdict("CONFIRMED_FRAUD", "T16", "E2", note="the employer has no staff")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, postgres: Cluster) -> Iterator[Path]:
    """Every command finds its casebook there."""
    password = tmp_path_factory.mktemp("secrets") / "password"
    password.write_text("a-word-of-theirs\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RINGROAD_CASEBOOK", postgres.asking("a-word-of-theirs"))
        patch.setenv("RINGROAD_CASEBOOK_PASSWORD_FILE", str(password))
        yield password


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, postgres: Cluster, server: Path) -> Path:
    """With a ring, people, a worked case and labels of two of them; its casebook began as an empty database."""
    place = tmp_path_factory.mktemp("team")
    postgres.empty()
    lender.written(place / "input", lender.tables())
    told(place / "home", "load", place / "input")
    told(place / "home", "rings", "--window", "120d")
    for name, role in (("lin", "investigator"), ("zhou", "senior")):
        told(place / "home", "users", "add", name, "--role", role)
    with Office(settings(place / "home")) as office:
        worked(Services(office))
    return place / "home"


def worked(services: Services) -> None:
    (ring,) = services.rings.list(ZHOU)
    case = services.cases.for_subject(LIN, Subject("ring", ring["ring_id"]), open=True)
    assert case is not None
    services.cases.take(LIN, case.id)
    services.casefiles.note(LIN, case.id, "the payer is the same for all four, says the bank 🙂")
    done = services.feedback.propose(LIN, ["A1", "A2"], FRAUD, request_key="first")
    with ThreadPoolExecutor(2) as both:  # two who write at once: each is heard, once
        tries = [both.submit(services.feedback.confirm, ZHOU, each, request_key=f"c{each}") for each in done.ids]
        assert all(each.result(timeout=60) for each in tries)
    assert [each.counts_as for each in services.feedback.said(ZHOU, ["A1"])["A1"]][-1] == "CONFIRMED_FRAUD"


def told(home: Path, *words: object) -> str:
    answer = inside(home, *words)
    assert answer.code == 0, answer
    return answer.out


def settings(home: Path) -> Settings:
    return Settings.read(os.environ | {"RINGROAD_HOME": str(home)})


def fingerprint(home: Path) -> dict[str, str]:
    with open_casebook(settings(home)) as casebook, casebook.reading() as db:
        return dict(copies.fingerprint(db))


def empty_beside(postgres: Cluster) -> str:
    return os.environ["RINGROAD_CASEBOOK"].removesuffix("postgres") + postgres.another()


def beside(home: Path, place: Path) -> Path:
    """An empty home with the same key file."""
    place.mkdir(mode=0o700)
    shutil.copy2(home / "vault.key", place / "vault.key")
    return place


def test_what_people_did_is_there_and_nothing_of_it_in_the_home(home: Path) -> None:
    assert not list(home.glob("casebook*"))
    assert "as they were written" in told(home, "audit", "verify")
    labels = json.loads(told(home, "labels", "list", "--json"))
    assert {each["application_id"] for each in labels} == {"A1", "A2"}
    assert "1 runs, 1 rings" in told(home, "doctor")


def test_the_queue_and_its_choices_are_read_from_it(home: Path) -> None:
    with Office(settings(home)) as office:
        services = Services(office)
        assert services.queue.rows(LIN, Query(kind="ring", assignee="lin")).total == 1
        assert services.queue.summary(LIN)["all"] == 1
        assert services.queue.facets(LIN, Query(dealer=("D1",)))["kind"] == [("ring", 1)]
        assert services.overview.overview(ZHOU)


def test_a_backup_takes_the_casebook_along(
    home: Path, postgres: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Into a home with a file, and back onto an empty server: the rows are the same each time."""
    before = fingerprint(home)
    told(home, "backup", tmp_path / "team.tar")
    with monkeypatch.context() as patch:
        patch.delenv("RINGROAD_CASEBOOK")
        patch.delenv("RINGROAD_CASEBOOK_PASSWORD_FILE")
        small = beside(home, tmp_path / "small")
        told(small, "restore", tmp_path / "team.tar")
        assert fingerprint(small) == before
        assert "as they were written" in told(small, "audit", "verify")
        told(small, "backup", tmp_path / "small.tar")
    monkeypatch.setenv("RINGROAD_CASEBOOK", empty_beside(postgres))
    grown = beside(home, tmp_path / "grown")
    told(grown, "restore", tmp_path / "small.tar")
    assert fingerprint(grown) == before
    told(grown, "labels", "add", "A3", "--label", "CLEARED_BENIGN", "--source", "review")
    assert fingerprint(grown) != before


def test_a_changed_backup_is_refused_before_anything_is_written(
    home: Path, postgres: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(home, "backup", tmp_path / "team.tar")
    with tarfile.open(tmp_path / "team.tar") as archive, tarfile.open(tmp_path / "changed.tar", "w") as changed:
        for member in archive.getmembers():
            part = archive.extractfile(member)
            assert part is not None
            content = part.read()
            if member.name == "casebook.sqlite":
                content = content.replace(b"CONFIRMED_FRAUD", b"CLEARED_BENIGN ")
            changed.addfile(member, io.BytesIO(content))
    monkeypatch.setenv("RINGROAD_CASEBOOK", empty_beside(postgres))
    place = beside(home, tmp_path / "new")
    refused = inside(place, "restore", tmp_path / "changed.tar")
    assert (refused.code, refused.out) == (2, "")
    assert "changed after it was made (casebook.sqlite)" in refused.err
    assert sorted(each.name for each in place.iterdir() if not each.name.startswith("graph")) == ["vault.key"]
    assert set(fingerprint(place).values()) == {"0-" + "0" * 64}
